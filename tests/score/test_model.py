"""A model file is checked whole before it scores: a short tensor is read past its end, a NaN hides in a comparison."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from drylab.errors import ModelError
from drylab.score.model import AXES, SCHEMA, load_model, shipped

TENSORS = load_file(shipped()["panel-2"])
HEADER = dict(load_model().info)


def written(path: Path, tensors: dict[str, Any], header: Any = HEADER) -> Path:
    arrays = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    save_file(arrays, path, metadata={"drylab": json.dumps(header)})
    return path


def refused(path: Path) -> str:
    with pytest.raises(ModelError, match=r".") as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    mine, theirs = load_model(written(tmp_path / "m.safetensors", TENSORS)), load_model()
    assert mine.probes.probes == theirs.probes.probes
    np.testing.assert_array_equal(mine.encoder.w1, theirs.encoder.w1)


@pytest.mark.parametrize("name", sorted(AXES))  # those of landmarks are checked where they are used: test_transfer.py
def test_every_tensor_is_checked(tmp_path: Path, name: str) -> None:
    path, whole = tmp_path / "m.safetensors", TENSORS[name]
    for wrong in (whole[..., :-1], whole[:-1], whole[None]):
        assert "has shape" in refused(written(path, TENSORS | {name: wrong}))
    for odd in (np.nan, np.inf):
        damaged = whole.copy()
        damaged.flat[-1] = odd
        assert f"tensor {name} holds values that are not finite" in refused(written(path, TENSORS | {name: damaged}))
    assert f"tensors missing: {name}" in refused(written(path, {k: v for k, v in TENSORS.items() if k != name}))


@pytest.mark.parametrize(
    ("header", "say"),
    [
        ([], "model schema is None"),
        ({"schema": SCHEMA}, "trained on features None"),
        ({k: v for k, v in HEADER.items() if k != "name"}, "the header is not whole (KeyError('name'))"),
        ({**HEADER, "probes": [{"name": "EGFR"}]}, "the header is not whole"),
        ({**HEADER, "probes": HEADER["probes"][:-1]}, "tensor probe.weight has shape"),
    ],
)
def test_a_header_is_checked(tmp_path: Path, header: Any, say: str) -> None:
    assert say in refused(written(tmp_path / "m.safetensors", TENSORS, header))


def test_what_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"nothing of the kind")
    assert "not a readable drylab model" in refused(tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match="no such file, and the shipped models are panel-2"):
        load_model("nothing")
