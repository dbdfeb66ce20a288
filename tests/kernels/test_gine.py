"""The bfloat16 encoder: its definition against the float64 reference, and the CUDA kernel on a core, bit for bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from drylab.featurize import reference
from drylab.kernels import gine, gine_gpu, message
from drylab.score import panel
from drylab.score.engine import GineEncoder
from drylab.score.engine_gpu import graph_arrays, layout_of, probes_of
from drylab.score.features import ATOM_SIZES, BOND_CLASSES
from drylab.score.model import EncoderWeights, load_model
from drylab.types import MolGraphs
from tests.gpu import on_host
from tests.molecules import DRUGS, ODD

SIZES = [(64, 64), (128, 128), (64, 128), (100, 40)]  # the last is padded to 128 x 64
on_cpu = pytest.mark.skipif(on_host.COMPILER is None, reason="no g++ here to build the CUDA kernel as C++")


def weights(width: int, hidden: int, layers: int = 2) -> EncoderWeights:
    rng, d = np.random.default_rng(width + hidden), 16
    table, edge, *rest = (
        rng.normal(size=size) / np.sqrt(width)
        for size in [
            (sum(ATOM_SIZES), width), (layers, BOND_CLASSES, width), (layers, width, hidden), (layers, hidden),
            (layers, hidden, width), (layers, width), (width, d), (width, d), (d,),
        ]
    )  # fmt: skip
    return EncoderWeights(table, edge, *rest)


def probes(w: EncoderWeights, count: int = 3) -> gine_gpu.Probes:
    rng = np.random.default_rng(5)
    lines, bias = rng.normal(size=(count, len(w.c))) / 100, rng.normal(size=count)
    return gine_gpu.folded(w.r_mean, w.r_sum, w.c, lines, bias, np.arange(count) % 2 == 1, layout_of(w).kinds.shape[1])


def graphs_of(smiles: list[str]) -> MolGraphs:
    return reference.graphs(reference.parse(smiles))


def cage(atoms: int, bonds: list[tuple[int, int]], seed: int = 0) -> tuple[np.ndarray, ...]:
    """One molecule with bonds as given and random classes, as arrays: no chemistry limits those."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.integers(0, size, atoms) for size in ATOM_SIZES], axis=1).astype(np.uint8)
    begin, end = np.array(bonds, np.uint8).reshape(-1, 2).T.copy()
    e = rng.integers(0, BOND_CLASSES, len(bonds)).astype(np.uint8)
    return x, begin, end, e, np.array([0, atoms], np.int32), np.array([0, len(bonds)], np.int32)


def joined(*parts: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    flat = [np.concatenate(columns) for columns in zip(*(part[:4] for part in parts), strict=True)]
    counts = [np.concatenate([np.diff(part[at]) for part in parts]) for at in (4, 5)]
    return *flat, *(np.concatenate([[0], np.cumsum(count)]).astype(np.int32) for count in counts)


def awkward() -> tuple[np.ndarray, ...]:
    """Molecules at the edges of a tile, without atoms, with many bonds on an atom, and ordinary ones."""
    sizes = [f"C{'N' * (size - 2)}O" for size in (127, 128, 129, 255)]
    star = [(0, leaf) for leaf in range(1, 9)]
    full = [(a, b) for a in range(9) for b in range(a + 1, 9)]  # eight bonds on each of nine atoms
    return joined(
        graph_arrays(graphs_of(["C", "not a molecule", *sizes, "[Na+]", *ODD, *DRUGS, "C" * 128])),
        cage(9, star, 1),
        cage(10, [*star, (9, 0)], 2),
        cage(9, full, 3),
        graph_arrays(graphs_of(DRUGS[::-1])),
    )


def too_large(arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """(n,) bool: more than 128 atoms, or an atom of more than 8 bonds."""
    _, begin, end, _, atom_ptr, bond_ptr = arrays
    ends = [np.concatenate([begin[i:j], end[i:j]]) for i, j in pairwise(bond_ptr)]
    return (np.diff(atom_ptr) > 128) | np.array([np.bincount(each, minlength=1).max() > 8 for each in ends])


def test_rounding_is_to_the_nearest_and_to_even() -> None:
    exact = {
        1.0: 1.0,
        1 + 2**-8: 1.0,
        1 + 3 * 2**-8: 1 + 2**-6,
        1 + 2**-8 + 2**-20: 1 + 2**-7,
        -(1 + 2**-8): -1.0,
        0.0: 0.0,
    }
    got = gine.rounded(np.array(list(exact), np.float32))
    assert got.tolist() == list(exact.values())


def test_fragments_hold_each_weight_where_the_instruction_reads_it() -> None:
    """Matrix B of mma.m16n8k16 in the PTX ISA: b_i of a lane is row 2 (lane % 4) + i % 2 + 8 (i / 2), column lane / 4."""
    w = np.arange(2 * 32 * 64, dtype=np.float32).reshape(2, 32, 64)
    bits = (w.view(np.uint32) >> 16).astype(np.uint16)
    got = gine.fragments(w).reshape(2, 2, 4, 32, 2, 4)
    for layer, step, pair, lane, half, i in np.ndindex(got.shape):
        row, column = 16 * step + 2 * (lane % 4) + i % 2 + 8 * (i // 2), 16 * pair + 8 * half + lane // 4
        assert got[layer, step, pair, lane, half, i] == bits[layer, row, column]


@pytest.mark.parametrize("sizes", [(24, 40), (64, 64), (200, 130)])
def test_without_rounding_it_is_the_reference(sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """With bfloat16's rounding left out, what differs from float64 is float32's."""
    monkeypatch.setattr(gine, "rounded", lambda values: values)
    w, arrays = weights(*sizes), awkward()
    sums = gine.pooled(layout_of(w), *arrays)[:, : sizes[0]].astype(np.float64)
    z = sums / np.maximum(np.diff(arrays[4]), 1)[:, None] @ w.r_mean + sums / message.SUM_SCALE @ w.r_sum + w.c
    z[np.diff(arrays[4]) == 0] = 0
    want = message.encode(*arrays, *w_arrays(w))
    assert (np.abs(z - want) <= 1e-5 * np.abs(want).max(axis=1, keepdims=True)).all()


def w_arrays(w: EncoderWeights) -> tuple[np.ndarray, ...]:
    table_ptr = np.concatenate([[0], np.cumsum(ATOM_SIZES)[:-1]]).astype(np.int32)
    return w.tables, table_ptr, w.edges, w.w1, w.b1, w.w2, w.b2, w.r_mean, w.r_sum, w.c


def test_a_molecules_bits_do_not_depend_on_the_batch() -> None:
    layout, arrays = layout_of(weights(64, 64)), awkward()
    whole, n = gine.pooled(layout, *arrays), len(arrays[4]) - 1
    order = np.random.default_rng(0).permutation(n)
    for start in range(0, n, 7):
        rows = order[start : start + 7]
        assert gine.pooled(layout, *gine.some(rows, *arrays)).tobytes() == whole[rows].tobytes()


def test_no_molecules() -> None:
    layout = layout_of(weights(64, 64))
    nothing = gine.some(np.zeros(0, np.int64), *awkward())
    assert gine.pooled(layout, *nothing).shape == (0, 64)


@on_cpu
@pytest.mark.parametrize(("sizes", "threads"), [*((sizes, 256) for sizes in SIZES), ((128, 128), 128)])
def test_the_cuda_kernel_gives_the_same_bits(sizes: tuple[int, int], threads: int) -> None:
    w, arrays = weights(*sizes), awkward()
    layout, lines = layout_of(w), probes(w)
    want, left = gine.pooled(layout, *arrays), too_large(arrays)
    assert left.sum() == 4
    for grid, backwards in ((1, False), (3, True)):
        found = on_host.run(layout, arrays, lines, grid=grid, backwards=backwards, threads=threads)
        assert (found.left == left).all()
        assert found.pooled[~left].tobytes() == want[~left].tobytes()
    values = gine_gpu.values_reference(lines, found.pooled, arrays[4])
    np.testing.assert_allclose(found.values, values, rtol=1e-12, atol=1e-12)


@on_cpu
def test_its_bits_do_not_depend_on_tile_or_place() -> None:
    layout, arrays = layout_of(weights(64, 64)), awkward()
    lines, n = probes(weights(64, 64)), len(arrays[4]) - 1
    whole = on_host.run(layout, arrays, lines)
    order = np.random.default_rng(1).permutation(n)
    other = on_host.run(layout, gine.some(order, *arrays), lines, grid=1)
    ok = whole.left[order] == 0
    assert (other.left == whole.left[order]).all()
    assert other.pooled[ok].tobytes() == whole.pooled[order][ok].tobytes()
    assert other.values[ok].tobytes() == whole.values[order][ok].tobytes()


@on_cpu
def test_it_stays_within_its_arrays() -> None:
    """Under the address and undefined-behaviour sanitizers: one size with weights padded both ways, in tiles that are full."""
    w, arrays = weights(100, 40, layers=1), awkward()
    found = on_host.run(layout_of(w), arrays, probes(w), backwards=True, sanitized=True)
    keep = found.left == 0
    assert found.pooled[keep].tobytes() == gine.pooled(layout_of(w), *arrays)[keep].tobytes()


@on_cpu
def test_tiles_of_a_library_are_nearly_full() -> None:
    """2,000 molecules of one atom to forty, in chunks of 512; weights do not matter here, so one small layer."""
    rng = np.random.default_rng(2)
    arrays = joined(*(cage(int(size), [], int(size)) for size in rng.integers(1, 41, 2000)))
    w = weights(8, 8, layers=1)
    found = on_host.run(layout_of(w), arrays, probes(w), grid=4)
    assert found.pooled.tobytes() == gine.pooled(layout_of(w), *arrays).tobytes()
    assert len(arrays[0]) / (gine_gpu.ROWS * len(found.tiles)) > 0.9


@on_cpu
def test_the_default_model(drugs: MolGraphs) -> None:
    model = load_model()
    layout, arrays = layout_of(model.encoder), graph_arrays(drugs)
    found = on_host.run(layout, arrays, probes_of(model, range(len(model.probes))))
    assert found.pooled.tobytes() == gine.pooled(layout, *arrays).tobytes()
    want = panel.values(model.probes, GineEncoder(model.encoder)(drugs).z)
    # bfloat16 has eight bits; the model file has the bounds that were measured, here only the size is looked at.
    assert np.abs(found.values - want).max() < 0.2


@pytest.fixture(scope="module")
def drugs() -> MolGraphs:
    return graphs_of([*DRUGS, "C", "C" * 100])
