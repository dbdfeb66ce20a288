"""The split: by scaffold, for ever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.train.split import (
    NEAR,
    TEST,
    TRAIN,
    VALID,
    YEARS,
    Split,
    by_cluster,
    by_file,
    by_groups,
    fold_of,
    folds,
    linked,
    spheres,
    split_hash,
)


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


def test_a_split_says_how_large_its_folds_are() -> None:
    split = Split(("a", "b", "c"), np.array([0, 1, 1], np.uint8), {0: "train", 1: "test"})
    assert split.sizes() == {"train": 1, "test": 2}
    assert split.sha256 == split_hash(["c", "a", "b"], np.array([1, 0, 1], np.uint8))
    with pytest.raises(ValueError, match=r"3 keys, 2 distinct, 3 folds"):
        Split(("a", "b", "b"), split.fold, {})


def prints(n: int, seed: int = 3) -> np.ndarray:
    """Packed fingerprints in families: each is one of ten patterns with some bits turned."""
    rng = np.random.default_rng(seed)
    patterns = rng.random((10, 256)) < 0.2
    return np.packbits(patterns[rng.integers(10, size=n)] ^ (rng.random((n, 256)) < 0.03), axis=1)


def tanimoto(a: np.ndarray, b: np.ndarray) -> float:
    x, y = np.unpackbits(a), np.unpackbits(b)
    return float((x & y).sum() / max((x | y).sum(), 1))


def test_a_sphere_is_around_its_leader_and_leaders_are_apart() -> None:
    names, bits = [f"m{i}" for i in range(80)], prints(80)
    cluster = spheres(names, bits)
    leaders = []
    for number in range(cluster.max() + 1):
        members = np.flatnonzero(cluster == number)
        near = [i for i in members if all(tanimoto(bits[i], bits[j]) >= NEAR for j in members)]
        assert near, "nobody in this cluster is near to all of it"
        leaders.append(near)
    assert 10 <= len(leaders) < 60


def test_clusters_and_their_folds_do_not_depend_on_the_order() -> None:
    names, bits = [f"m{i}" for i in range(60)], prints(60)
    order = np.random.default_rng(0).permutation(60)
    one = by_cluster(names, spheres(names, bits))
    other = by_cluster([names[i] for i in order], spheres([names[i] for i in order], bits[order]))
    assert one.sha256 == other.sha256


def test_molecules_without_bits_lead_themselves() -> None:
    assert sorted(spheres(["a", "b"], np.zeros((2, 8), np.uint8))) == [0, 1]


def test_average_linkage_cuts_where_the_mean_falls() -> None:
    similarity = np.array([[1.0, 0.9, 0.5, 0.0], [0.9, 1.0, 0.2, 0.0], [0.5, 0.2, 1.0, 0.1], [0.0, 0.0, 0.1, 1.0]])
    pairs = linked(similarity, 0.85)
    assert pairs[0] == pairs[1]
    assert len(set(pairs.tolist())) == 3
    assert len(set(linked(similarity, 0.36).tolist())) == 3  # the mean of 0.5 and 0.2 is 0.35
    assert len(set(linked(similarity, 0.34).tolist())) == 2
    assert linked(similarity[:1, :1], 0.5).tolist() == [0]


@given(st.lists(st.integers(0, 9), min_size=5, max_size=60))
def test_groups_stay_whole_and_folds_are_even(groups: list[int]) -> None:
    keys = [f"k{i}" for i in range(len(groups))]
    split = by_groups(keys, np.array(groups))
    for number in set(groups):
        assert len({int(f) for f, g in zip(split.fold, groups, strict=True) if g == number}) == 1
    sizes, largest = split.sizes().values(), max(groups.count(number) for number in groups)
    assert max(sizes) - min(sizes) <= largest


def test_a_files_own_split_is_taken_as_it_is() -> None:
    split = by_file(["a", "b", "c"], ["sparse_valid", "5thresh_train", "5thresh_valid"], YEARS)
    assert split.fold.tolist() == [TEST, TRAIN, TRAIN]
    assert split.sizes() == {"5thresh_train+5thresh_valid": 2, "sparse_valid": 1}
    with pytest.raises(ValueError, match=r"parts \['other'\] have no fold; known are"):
        by_file(["a"], ["other"], YEARS)
