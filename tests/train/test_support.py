"""The support of a panel: what is written predicts as what was fitted, and a file that is not sound is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from drylab.errors import ModelError
from drylab.score.embedding import embed
from drylab.score.model import Model, load_model
from drylab.score.support import Support, load_support, look, refine
from drylab.train.data import Labels, read_labels
from drylab.train.metrics import spearman
from drylab.train.support import save, train


@pytest.fixture(scope="module")
def labels(data: Path) -> Labels:
    return read_labels(data, frozenset())


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def made(labels: Labels, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Support:
    path = tmp_path_factory.mktemp("support") / "some-support.safetensors"
    save(path, model, train(model, labels, labels, lambda _: None))
    found = load_support(model, path)
    assert found is not None
    return found


def test_targets_with_enough_molecules_have_support(made: Support) -> None:
    assert set(made.names) == {"EGFR", "KDR"}
    for target in range(2):
        own, alpha = made.of(target)
        assert len(own.z) == len(alpha) > 100


def test_measured_molecules_are_known_and_others_are_less_sure(made: Support, model: Model, labels: Labels) -> None:
    task = [task.name for task in labels.tasks].index("EGFR")
    at = labels.task == task
    texts = [labels.parents[i] for i in labels.mol[at]]
    said = refine(made, "EGFR", look(embed(model, texts).z, texts))
    assert spearman(labels.value[at].astype(float), said.mean) > 0.8
    odd = ["FC(F)(F)SSC(F)(F)F", "C[Si](C)(C)C"]
    far = refine(made, "EGFR", look(embed(model, odd).z, odd))
    assert far.similarity.max() < said.similarity.min()
    assert far.variance.min() > np.median(said.variance)


def test_no_file_is_no_support(model: Model, tmp_path: Path) -> None:
    assert load_support(model, tmp_path / "none.safetensors") is None


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("row", lambda v: v * 0 + 10_000, "are not in order"),
        ("ecfp4", lambda v: v[::-1].copy(), "are not in order"),
        ("ptr", lambda v: v[::-1].copy(), "are not in order"),
        ("alpha", lambda v: v[:-1].copy(), "has shape"),
        ("scale", lambda v: v * np.nan, "not finite"),
    ],
)
def test_a_damaged_file_is_refused(
    made: Support, model: Model, tmp_path: Path, name: str, change: object, said: str
) -> None:
    tensors = load_file(made.path)
    tensors[name] = change(tensors[name])  # type: ignore[operator]
    with safe_open(made.path, framework="numpy") as file:
        save_file(tensors, tmp_path / "bad.safetensors", metadata=file.metadata())
    with pytest.raises(ModelError, match=said):
        load_support(model, tmp_path / "bad.safetensors")
