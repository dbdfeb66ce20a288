"""Packed molecules come back: fingerprints exactly up to the largest count, z within half a step, and once more unchanged."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drylab.featurize import fingerprints
from drylab.score.packed import MOST, REACH, grid_of, pack_prints, unpack_prints
from drylab.score.similarity import Sparse


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 9))
def test_z_within_half_a_step(seed: int, n: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, d) + rng.uniform(-5, 5, d)
    grid = grid_of(z)
    packed = grid.pack(z)
    assert packed.shape == (n, (d + 1) // 2)
    assert packed.dtype == np.uint8
    back = grid.unpack(packed)
    inside = np.abs(z - z.mean(axis=0)) <= REACH * z.std(axis=0)
    assert (np.abs(back - z) <= grid.step * 0.501 + 1e-5)[inside].all()
    assert np.array_equal(grid.pack(back), packed)


def test_what_lies_beyond_is_cut() -> None:
    z = np.random.default_rng(1).normal(size=(1000, 2))
    z[0] = 100.0, -100.0
    grid = grid_of(z)
    back = grid.unpack(grid.pack(z))
    assert (back[0] == [back[:, 0].max(), back[:, 1].min()]).all()


def test_fingerprints_with_counts_cut() -> None:
    found = fingerprints(["CCO", "C" * 60, "c1ccccc1C(=O)Nc1ccccc1"], 2, 2048, count=True)
    prints = Sparse(found.ptr, found.bit, found.count)
    bit, count = unpack_prints(pack_prints(prints))
    assert np.array_equal(bit, prints.bit)
    assert np.array_equal(count, np.minimum(prints.count, MOST))
    assert found.count.max() > MOST
