"""The toxicity panel's file and arithmetic: what is written is read back, what is damaged is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from drylab.errors import ModelError
from drylab.score import conformal, counts, endpoints, neighbours
from drylab.score.embedding import embed
from drylab.score.endpoint_table import ENDPOINTS
from drylab.score.features import RECIPE
from drylab.score.first import encoder_sha256
from drylab.score.model import load_model

MODEL = load_model()
D = MODEL.probes.weights.shape[1]
NAMES = ("ames", "herg", "bbb")
SMILES = ["CCO", "c1ccccc1C(=O)NC", "C[N+](C)(C)CC", "CC(=O)Oc1ccccc1C(=O)O", "FC(F)(F)c1ccc(Cl)cc1"]


def tensors(seed: int = 1, m: int = 3, u: int = 4) -> dict[str, NDArray[Any]]:
    """Random weights of a panel of three endpoints, as the file stores them."""
    rng, t, k = np.random.default_rng(seed), len(NAMES), len(counts.DESCRIPTORS)
    sizes = {"t": t, "m": m, "d": D, "k": k, "c": counts.COLUMNS, "u": u, "s": 5, "2": 2, "3": 3, "4": 4}
    sizes |= {"e": 1, "l": 4, "n": 7, "q": 2}
    found: dict[str, NDArray[Any]] = {}
    for name, axes in endpoints.AXES.items():
        values = rng.normal(0.0, 0.2, tuple(sizes[axis] for axis in axes))
        found[name] = (40 * values if name == "net.columns" else values).astype(endpoints.SMALL.get(name, np.float32))
    found["near.z"] = rng.integers(-127, 128, (4, 2)).astype(np.int8)
    found["near.endpoint"] = np.array([NAMES.index("herg")], np.float32)
    found["near.size"] = np.array([2, 0, 3, 2], np.uint16)
    known = np.array([3, 9, 3, 700, 2047, 9, 11]) * neighbours.LEVELS + np.array([1, 2, 1, 1, 31, 1, 4])
    found["near.code"] = known.astype(np.uint16)
    found["scale.width"], found["set.floor"] = np.abs(found["scale.width"]) + 1, np.abs(found["set.floor"])
    found["set.width"] = np.abs(found["set.width"])
    found["curve.x"], found["curve.y"] = (np.sort(found[name], axis=1) for name in ("curve.x", "curve.y"))
    found["curve.on"] = np.array([1, 0, 0], np.float32)
    return found


def written(path: Path, change: Mapping[str, Any] | None = None, **other: NDArray[Any]) -> Path:
    header = {"schema": endpoints.SCHEMA, "recipe": RECIPE, "counts": counts.RECIPE, "endpoints": list(NAMES)}
    header |= {"encoder_sha256": encoder_sha256(MODEL.encoder)} | dict(change or {})
    arrays = {name: values for name, values in (tensors() | other).items() if values.size}
    save_file(arrays, path, metadata={"drylab": json.dumps(header)})
    return path


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> endpoints.Endpoints:
    return endpoints.load_endpoints(MODEL, written(tmp_path_factory.mktemp("panel") / "m-tox.safetensors"))


def test_what_is_written_is_what_is_read(panel: endpoints.Endpoints) -> None:
    assert panel.names() == list(NAMES)
    for name, values in tensors().items():
        np.testing.assert_array_equal(panel.tensors[name], values.astype(np.float64))
    assert len(panel.sha256) == 64


@pytest.mark.parametrize(
    ("change", "say"),
    [
        ({"schema": "drylab.model/1"}, "schema"),
        ({"recipe": {"name": "other"}}, "trained on features"),
        ({"counts": {"name": "other"}}, "reads counts by"),
        ({"encoder_sha256": "0" * 64}, "belongs to an encoder with SHA-256 000000000000"),
        ({"endpoints": []}, "names no endpoints"),
        ({"endpoints": ["ames", "herg", "luck"]}, "endpoint 'luck' is not one"),
        ({"endpoints": ["ames"]}, "has shape"),
    ],
)
def test_a_header_is_checked(tmp_path: Path, change: dict[str, Any], say: str) -> None:
    with pytest.raises(ModelError, match=say):
        endpoints.load_endpoints(MODEL, written(tmp_path / "x.safetensors", change))


@pytest.mark.parametrize("name", endpoints.AXES)
def test_every_tensor_is_checked(tmp_path: Path, name: str) -> None:
    good = tensors()[name]
    with pytest.raises(ModelError, match=f"tensors missing: {name}"):
        endpoints.load_endpoints(MODEL, written(tmp_path / "a.safetensors", **{name: good[:0]}))
    with pytest.raises(ModelError, match="has shape"):
        endpoints.load_endpoints(MODEL, written(tmp_path / "b.safetensors", **{name: np.stack([good, good])}))
    bad = good.astype(np.float32)
    bad[(0,) * bad.ndim] = np.nan
    with pytest.raises(ModelError, match=f"{name} holds values that are not finite"):
        endpoints.load_endpoints(MODEL, written(tmp_path / "c.safetensors", **{name: bad}))


def test_a_model_without_a_panel_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no toxicity panel .* python -m drylab.train.toxicity"):
        endpoints.load_endpoints(replace(MODEL, path=str(tmp_path / "other.safetensors")))


def by_hand(t: Mapping[str, NDArray[Any]], z: NDArray[Any], row: NDArray[Any]) -> list[float]:
    """What each member's neighbours say of one molecule: z (d,), row (c,) log counts."""
    own = np.round(np.expm1(row[: neighbours.FRAGMENTS]))
    said, start = [], 0
    turned = np.clip(np.round((z - t["near.centre"]) @ t["near.turn"]), -127, 127)
    alike = []
    for size, other in zip(t["near.size"].astype(int), t["near.z"], strict=True):
        counts = np.zeros(neighbours.FRAGMENTS)
        for code in t["near.code"][start : start + size].astype(int):
            counts[code // 32] += code % 32
        start += size
        tanimoto = np.minimum(own, counts).sum() / np.maximum(own, counts).sum()
        cosine = turned @ other / max(np.linalg.norm(turned), 1e-9) / np.linalg.norm(other)
        alike.append(0.6 * tanimoto + 0.4 * ((1 + cosine) / 2) ** 8)
    for m in range(3):
        said.append(float(t["near.weight"][0, m] @ np.array(alike) + t["near.middle"][0, m]))
    return said


@pytest.mark.parametrize(
    ("other", "say"),
    [
        ({"near.size": np.array([2, 0, 3, 1], np.uint16)}, "counts 6 codes, near.code has 7"),
        ({"near.endpoint": np.array([3], np.float32)}, "beyond the 3 endpoints"),
    ],
)
def test_neighbours_fit_their_panel(tmp_path: Path, other: dict[str, NDArray[Any]], say: str) -> None:
    with pytest.raises(ModelError, match=say):
        endpoints.load_endpoints(MODEL, written(tmp_path / "x.safetensors", **other))


def test_neighbours_are_many_at_once_or_one_by_one(panel: endpoints.Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    z, told = embed(MODEL, SMILES).z, counts.describe(SMILES)
    whole = neighbours.near(panel.tensors, z, told, len(NAMES))
    assert np.ptp(whole[:, :, 1]) > 0
    assert not whole[:, :, [0, 2]].any(), "other endpoints have no neighbours"
    monkeypatch.setattr(neighbours, "CHUNK", 2)
    np.testing.assert_allclose(neighbours.near(panel.tensors, z, told, len(NAMES)), whole, rtol=1e-12)


def test_fragments_are_packed_and_unpacked() -> None:
    found = neighbours.fragments(counts.describe(SMILES))
    again = neighbours.unpacked(neighbours.packed(found))
    for name in ("ptr", "bit", "count"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_predictions_are_those_of_the_formula(panel: endpoints.Endpoints) -> None:
    """By hand for one molecule, one endpoint of each kind; the class has a curve."""
    z, told, t = embed(MODEL, SMILES).z, counts.describe(SMILES), panel.tensors
    found = endpoints.predict(panel, z, told)
    x = np.clip((told.descriptors[1] - t["scale.centre"]) / t["scale.width"], -endpoints.CUT, endpoints.CUT)
    row = told.counts[1].toarray()[0]
    near = by_hand(t, z[1], row)
    for column in (0, 1):
        members = []
        for m in range(3):
            head = t["z.weight"][column, m] @ z[1] + t["z.bias"][column, m] + t["z.descriptors"][column, m] @ x
            hidden = np.maximum(
                row @ (t["net.columns"][m] * t["net.step"][m]) + x @ t["net.descriptors"][m] + t["net.bias"][m], 0
            )
            net = hidden @ t["net.out"][m][:, column] + t["net.last"][m][column]
            members.append(t["blend"][column] @ [head, net, near[m] if column == 1 else 0.0, 1.0])
        middle, members = float(np.mean(members)), np.array(members)
        if column == 0:
            middle, members = (np.interp(v, t["curve.x"][0], t["curve.y"][0]) for v in (middle, members))
            middle, members = (1 / (1 + np.exp(-v)) for v in (middle, members))
        np.testing.assert_allclose(found.value[1, column], middle, rtol=1e-9)
        np.testing.assert_allclose(found.sd[1, column], members.std(ddof=1), rtol=1e-9)
    assert np.isnan(found.low[:, 0]).all()
    assert (found.low[:, 1] <= found.value[:, 1]).all()
    assert (found.code[:, 1] == conformal.UNKNOWN).all()
    assert (found.code[:, 0] >= 0).all()


def test_the_folds_probe_is_the_z_branch(panel: endpoints.Endpoints) -> None:
    z, told = embed(MODEL, SMILES).z, counts.describe(SMILES)
    zeros = panel.tensors | {"z.descriptors": np.zeros_like(panel.tensors["z.descriptors"]), "curve.on": np.zeros(3)}
    bare = replace(panel, tensors=zeros)
    alone = endpoints.predict(bare, z, told, endpoints.Z_ALONE).value
    weights, bias = endpoints.fold_probes(bare)
    said = z @ weights.T + bias
    np.testing.assert_allclose(alone[:, 1], said[:, 1], rtol=1e-9)
    np.testing.assert_allclose(alone[:, 0], endpoints.sigmoid(said[:, 0]), rtol=1e-9)


def test_what_is_no_molecule_has_no_prediction(panel: endpoints.Endpoints) -> None:
    """A salt is its parent, stereo is not seen, and rows keep their places."""
    found = endpoints.assess(MODEL, ["C[C@H](N)C(=O)O", "no molecule", "", "Cl.C[C@@H](N)C(=O)O"], panel)
    assert np.isnan(found.value[1:3]).all()
    assert (found.code[1:3] == conformal.UNKNOWN).all()
    assert np.isfinite(found.value[[0, 3]]).all()
    np.testing.assert_allclose(found.value[0], found.value[3], rtol=1e-5)


def test_no_molecules_are_no_predictions(panel: endpoints.Endpoints) -> None:
    assert endpoints.assess(MODEL, [], panel).value.shape == (0, 3)


def test_counts_do_not_depend_on_company() -> None:
    all_of_them, alone = counts.describe(SMILES), counts.describe(SMILES[3:4])
    np.testing.assert_array_equal(all_of_them.counts[3].toarray(), alone.counts.toarray())
    assert all_of_them.counts.shape == (len(SMILES), counts.COLUMNS)
    np.testing.assert_array_equal(all_of_them.descriptors[3], alone.descriptors[0])


def test_every_endpoint_is_told_in_words() -> None:
    for name, one in ENDPOINTS.items():
        assert one.name == name
        assert one.meaning.endswith(".")
        assert one.data
        assert one.unit
        assert one.amber < one.red
        assert (one.kind == "class") == (one.unit == "probability") == bool(one.threshold)
        assert one.yes != one.no
    assert ENDPOINTS["dili"].report_only
    assert {name for name, one in ENDPOINTS.items() if one.bad == ""} == {"bbb"}, "a property, not a fault"
