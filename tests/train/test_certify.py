"""What a model file says of its reduced precision is measured, and against the network that was trained."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from drylab.errors import ModelError
from drylab.featurize import graphs
from drylab.score import panel
from drylab.score.encoder import unfold
from drylab.score.engine import GineEncoder, errors_of, fold_engine
from drylab.score.model import Model, load_model
from drylab.train import certify
from drylab.types import MolGraphs
from tests.molecules import DRUGS, ODD


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


def test_the_reference_is_the_network(model: Model) -> None:
    assert certify.check_reference(model, DRUGS) < 1e-12
    weights = model.encoder
    turned = replace(model, encoder=replace(weights, w1=np.ascontiguousarray(weights.w1.transpose(0, 2, 1))))
    assert certify.check_reference(turned, DRUGS) < 1e-12  # another network, and again the same by both


def test_a_reference_that_is_another_network_is_refused(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certify, "unfold", lambda weights: unfold(replace(weights, b2=weights.b2 + 1e-6)))
    with pytest.raises(ModelError, match="differs from PyTorch Geometric"):
        certify.check_reference(model, DRUGS)


def test_the_largest_error_is_found_wherever_it_is(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certify, "CHUNK", 3)
    asked = iter(range(100))

    def values(some: MolGraphs) -> np.ndarray:
        exact = panel.values(model.probes, GineEncoder(model.encoder)(some).z)
        exact[:, 7] += 0.25 if next(asked) == 1 else -0.125
        return exact

    found = certify.measure(model, [*DRUGS, "C" * 200, "no molecule"], values)
    assert found.largest[7] == pytest.approx(0.25)
    assert (np.delete(found.largest, 7) == 0).all()
    assert (found.molecules, found.atoms) == (len(DRUGS) + 1, 200)


def test_the_sample_has_the_longest(data: Path) -> None:
    some = certify.sample(data, each=5, largest=3)
    assert len(some) >= 5
    everything = certify.sample(data, each=10**6, largest=0)
    assert set(sorted(everything, key=len)[-2:]) <= {*some, *sorted(everything, key=len)[-4:]}
    with pytest.raises(ModelError, match="none of libraries"):
        certify.sample(data / "affinity")


def test_certifying_changes_no_weight(
    model: Model, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.safetensors"
    shutil.copy(model.path, path)
    assert certify.main(["--data", str(data), str(path)]) == 0
    assert "float32: largest error" in capsys.readouterr().out
    again = load_model(path)
    for name in model.encoder.__slots__:
        np.testing.assert_array_equal(getattr(again.encoder, name), getattr(model.encoder, name))
    np.testing.assert_array_equal(again.probes.weights, model.probes.weights)
    measured = errors_of(again)["float32"]
    assert ((measured > 0) & (measured < 1e-4)).all()
    assert fold_engine(again, [0]).bounds[0] == 16 * measured[0]
    assert again.sha256 in path.with_suffix(".md").read_text()
    assert certify.main(["--data", str(tmp_path / "nothing"), str(path)]) == 2


def test_the_shipped_errors_hold_for_molecules_never_measured(model: Model) -> None:
    measured = model.info["engine"]["float32"]
    assert measured["molecules"] > 20_000
    assert measured["most_atoms"] > 200
    rows = list(range(len(model.probes)))
    some = graphs([*DRUGS, *ODD])
    error = np.abs(
        fold_engine(model, rows).values(some) - panel.values(model.probes, GineEncoder(model.encoder)(some).z)
    )
    # The fold allows itself 16 times what was measured; a chain of 80 carbons comes to 4.
    assert (error <= 8 * np.array(measured["largest_error"])).all()
