"""The split: by scaffold, for ever."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drylab.train.split import TEST, TRAIN, VALID, fold_of, folds, split_hash


@given(st.text(min_size=1, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_scaffold_lies_in_one_fold(scaffold: str, one: str, other: str) -> None:
    assert fold_of(scaffold, one) == fold_of(scaffold, other)


def test_acyclic_molecules_are_their_own_groups() -> None:
    found = {fold_of("", "C" * length) for length in range(1, 60)}
    assert found == {TRAIN, VALID, TEST}


def test_shares_are_80_10_10() -> None:
    counts = np.bincount(folds([f"s{i}" for i in range(20_000)], [""] * 20_000)) / 20_000
    np.testing.assert_allclose(counts, [0.8, 0.1, 0.1], atol=0.01)


def test_the_split_never_moves() -> None:
    found = [fold_of(s, "") for s in ("c1ccccc1", "c1ccncc1", "c1ccc2ncncc2c1", "C1CCNCC1")]
    assert found == [TRAIN, VALID, TRAIN, TRAIN]


def test_hash_names_the_split_not_the_order() -> None:
    names, numbers = ["a", "b", "c"], np.array([0, 1, 2], np.uint8)
    assert split_hash(names, numbers) == split_hash(names[::-1], numbers[::-1])
    assert split_hash(names, numbers) != split_hash(names, np.array([0, 2, 1], np.uint8))
