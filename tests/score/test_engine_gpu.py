"""The GPU engine as a fold uses it, launchers and all: on the GPU where there is one, else with kernels on a core."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from drylab.device import to_device, to_host
from drylab.errors import DeviceError, ModelError
from drylab.featurize import reference
from drylab.featurize.text import as_bytes
from drylab.kernels import gine, gine_gpu
from drylab.score import panel
from drylab.score.engine import GineEncoder
from drylab.score.engine_gpu import SAFETY, Bfloat16Values, GpuFold, gpu_fold, layout_of
from drylab.score.model import Model, load_model
from drylab.streaming import candidates
from drylab.types import PARSED, MolGraphs, SmilesBatch
from tests.gpu import on_host
from tests.gpu.cupy_on_host import CupyOnHost
from tests.kernels.test_gine import SIZES, awkward, probes, too_large, weights
from tests.kernels.twins import GPU, moved
from tests.molecules import DRUGS, ODD

pytestmark = pytest.mark.gpu
ROWS = [3, 0, 41]
SMILES = [*DRUGS, "not a molecule", *ODD]


@pytest.fixture(scope="module", autouse=True)
def device() -> Iterator[None]:
    """The GPU there is, or a core in its place."""
    if GPU:
        yield
    elif on_host.COMPILER is None:
        pytest.skip("no GPU here, and no g++ to build CUDA kernels as C++")
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "cupy", CupyOnHost())
            yield
            gine_gpu._kernels.cache_clear()


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def molecules() -> MolGraphs:
    return reference.graphs(reference.parse(SMILES))


@pytest.fixture(scope="module")
def fold(model: Model) -> GpuFold:
    return gpu_fold(model, ROWS, np.full(len(model.probes), 0.05), widen=2.0)


def there(*arrays: Any) -> tuple[Any, ...]:
    return moved(to_device, arrays)


@pytest.mark.parametrize("sizes", [*SIZES, (200, 130)])
def test_launchers(sizes: tuple[int, int]) -> None:
    """Fused, un-fused for what the fused kernel leaves, and un-fused for all where it is too wide; whatever the place."""
    w, arrays = weights(*sizes), awkward()
    layout, engine = layout_of(w), gine_gpu.GpuEncoder(layout_of(w), probes(w))
    want = gine.pooled(layout, *arrays)
    assert to_host(gine.pooled(engine.layout, *there(*arrays))).tobytes() == want.tobytes()
    got = to_host(engine.pooled(*there(*arrays)))
    same = too_large(arrays) if GPU and engine.shape.fused else np.ones(len(want), bool)
    assert got[same].tobytes() == want[same].tobytes()
    # Tensor cores add up in another order, so a value may round to the other neighbour in bfloat16, now and then.
    assert (np.abs(got - want) <= 2.0**-8 * np.abs(want).max(axis=1, keepdims=True)).all()
    order = np.random.default_rng(3).permutation(len(want))
    again = to_host(engine.pooled(*there(*gine.some(order, *arrays))))
    assert again.tobytes() == got[order].tobytes()
    values = to_host(engine.values(*there(*arrays)))
    np.testing.assert_allclose(values, gine_gpu.values_reference(probes(w), got, arrays[4]), rtol=1e-12, atol=1e-12)


def test_no_molecules() -> None:
    engine = gine_gpu.GpuEncoder(layout_of(weights(64, 64)), probes(weights(64, 64)))
    assert engine.values(*there(*gine.some(np.zeros(0, np.int64), *awkward()))).shape == (0, 3)


def test_values_of_a_fold(fold: GpuFold, model: Model, molecules: MolGraphs) -> None:
    values = fold.values(molecules)
    reference_values = panel.values(model.probes, GineEncoder(model.encoder)(molecules).z)[:, ROWS]
    on_cpu = Bfloat16Values.of(model)(molecules)[:, ROWS]
    assert (values.dtype, values.shape) == (np.float64, (len(SMILES), len(ROWS)))
    assert np.abs(values - on_cpu).max() < (1e-2 if GPU else 1e-12)
    assert (np.abs(values - reference_values) <= fold.bounds).all()
    unparsed = molecules.status != PARSED
    np.testing.assert_allclose(values[unparsed], reference_values[unparsed], rtol=1e-15)


def test_a_fold_is_small_and_the_same_elsewhere(fold: GpuFold, molecules: MolGraphs) -> None:
    again = pickle.loads(pickle.dumps(fold))
    assert again.values(molecules).tobytes() == fold.values(molecules).tobytes()
    assert (again.precision, again.device, again.widen) == ("bfloat16", "cuda", 2.0)
    assert again.bounds.tolist() == [SAFETY * 2.0 * 0.05] * 3


def test_candidates_are_what_reaches_a_threshold(fold: GpuFold) -> None:
    data, offsets = as_bytes(SMILES)
    ids, n = np.array(SMILES, dtype=object), len(SMILES)
    whole = SmilesBatch(np.zeros((n, 2), np.uint64), ids, data, offsets)
    batches = [whole.slice(0, 8), whole.slice(8, 8), whole.slice(8, n)]
    values = fold.values(reference.graphs(reference.parse(SMILES)))
    thresholds = np.array([np.inf, np.median(values[:, 1]), np.sort(values[:, 2])[-2]])
    found = list(candidates(fold, batches, thresholds))
    starts = np.cumsum([0, *(len(one.batch) for one in found)])[:-1]
    rows = np.concatenate([one.rows + start for one, start in zip(found, starts, strict=True)])
    parsed = reference.graphs(reference.parse(SMILES)).status == PARSED
    want = np.flatnonzero((values >= thresholds).any(axis=1) & parsed)
    assert rows.tolist() == want.tolist()
    assert 0 < len(want) < parsed.sum()
    assert np.concatenate([one.values for one in found]).tobytes() == values[want].tobytes()


def test_refusals(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="does not say how far bfloat16 is from float64; export it again"):
        gpu_fold(model, ROWS, None)
    monkeypatch.setattr("drylab.score.engine_gpu.gpus", lambda: ([], "CUDA sees no GPU"))
    with pytest.raises(DeviceError, match="none can be used: CUDA sees no GPU; use precision: float32"):
        gpu_fold(model, ROWS, np.zeros(len(model.probes)))
