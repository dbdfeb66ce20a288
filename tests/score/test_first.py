"""A first stage: what is written is read back, and nothing but its own teacher's is accepted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from drylab.errors import ModelError
from drylab.score.first import SCHEMA, encoder_sha256, first_path, load_first, save_first
from drylab.score.model import EncoderWeights, load_model, shipped

TEACHER = load_model()


def small(width: int = 8, layers: int = 2, d: int = 128) -> EncoderWeights:
    """Weights as they are stored: float32 values."""
    rng = np.random.default_rng(3)
    shapes = {
        "tables": (142, width),
        "edges": (layers, 10, width),
        **{"w1": (layers, width, width), "b1": (layers, width), "w2": (layers, width, width), "b2": (layers, width)},
        **{"r_mean": (width, d), "r_sum": (width, d), "c": (d,)},
    }
    return EncoderWeights(**{k: rng.normal(size=s).astype(np.float32).astype(np.float64) for k, s in shapes.items()})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    out = tmp_path / "student.safetensors"
    save_first(out, {"name": "student"}, small(), TEACHER)
    return out


def rewritten(path: Path, change: dict[str, object], drop: str = "", **tensors: np.ndarray) -> Path:
    """The file with another header or other tensors."""
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["drylab"]) | change
    arrays = {name: values for name, values in (load_file(path) | tensors).items() if name != drop}
    save_file(arrays, path, metadata={"drylab": json.dumps(header)})
    return path


def test_it_has_its_own_encoder_and_its_teachers_probes(path: Path) -> None:
    first = load_first(TEACHER, path)
    weights = small()
    assert all(np.array_equal(getattr(first.encoder, f), getattr(weights, f)) for f in EncoderWeights.__slots__)
    assert first.probes is TEACHER.probes
    assert (first.name, first.info["teacher"]["name"]) == ("student", TEACHER.name)
    assert first.sha256 not in ("", TEACHER.sha256)


def test_it_goes_with_the_encoder_whatever_the_probes_and_the_file(path: Path) -> None:
    fitted = replace(TEACHER, sha256="0" * 64, probes=replace(TEACHER.probes, bias=TEACHER.probes.bias + 1))
    assert np.array_equal(load_first(fitted, path).probes.bias, TEACHER.probes.bias + 1)


def test_another_teacher_is_refused(path: Path) -> None:
    other = replace(TEACHER, encoder=replace(TEACHER.encoder, c=TEACHER.encoder.c + 1e-3))
    with pytest.raises(
        ModelError, match=r"is the student of an encoder with SHA-256 \w{12}, and that of panel-2 has \w{12}"
    ):
        load_first(other, path)


def test_the_hash_knows_every_tensor_and_its_shape() -> None:
    weights = small()
    seen = {encoder_sha256(weights)}
    for name in EncoderWeights.__slots__:
        values = getattr(weights, name)
        seen.add(encoder_sha256(replace(weights, **{name: values + 1})))
        seen.add(encoder_sha256(replace(weights, **{name: values.reshape(1, *values.shape)})))
    assert len(seen) == 1 + 2 * len(EncoderWeights.__slots__)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"schema": "drylab.model/1"}, f"model schema is 'drylab.model/1', expected '{SCHEMA}'"),
        ({"recipe": {"name": "other"}}, "use the drylab that wrote it"),
        ({"teacher": {}}, "is the student of an encoder with SHA-256 None"),
        ({"teacher": "panel-2"}, "is the student of an encoder with SHA-256 None"),
        ({"name": None}, "the header gives no name"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(path: Path, change: dict[str, object], what: str) -> None:
    with pytest.raises(ModelError, match=re.escape(what)):
        load_first(TEACHER, rewritten(path, change))


def test_tensors_that_do_not_fit_are_refused(path: Path) -> None:
    with pytest.raises(ModelError, match=r"tensor b1 has shape \(2, 8\), expected \(2, 9\)"):
        load_first(TEACHER, rewritten(path, {}, w1=np.zeros((2, 8, 9), np.float32), b1=np.zeros((2, 8), np.float32)))
    with pytest.raises(ModelError, match="tensors missing: w2"):
        load_first(TEACHER, rewritten(path, {}, drop="w2"))


def test_another_width_of_z_and_values_that_are_no_numbers_are_refused(path: Path) -> None:
    save_first(path, {"name": "student"}, small(d=64), TEACHER)
    with pytest.raises(ModelError, match=r"tensor readout.mean has shape \(8, 64\), expected \(8, 128\)"):
        load_first(TEACHER, path)
    save_first(path, {"name": "student"}, replace(small(), c=np.full(128, np.nan)), TEACHER)
    with pytest.raises(ModelError, match=r"readout\.bias holds values that are not finite"):
        load_first(TEACHER, path)


def test_a_model_without_one_says_what_to_do(tmp_path: Path) -> None:
    alone = replace(TEACHER, path=str(tmp_path / "mine.safetensors"))
    assert first_path(alone) == tmp_path / "mine-first.safetensors"
    with pytest.raises(ModelError, match=r"model panel-2 has no first stage .*; use mode: exact, or make one with"):
        load_first(alone)


def test_a_damaged_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="not a readable drylab model"):
        load_first(TEACHER, path)


def test_a_first_stage_is_not_a_model_of_its_own() -> None:
    assert not any(name.endswith("-first") for name in shipped())
