"""Which molecules are trained on, which tune, which judge: fixed rules, each with a hash that says what came out.

scaffold  Bemis-Murcko, hashed: over the union of all files, for ever; the only rule that training itself uses
cluster   groups of similar molecules: no test molecule is the leader's neighbour of a training molecule
target    groups of similar proteins, for proteins that were never trained on: gene and family
file      the years or folds that a file itself has
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

TRAIN, VALID, TEST, SKIPPED = 0, 1, 2, 3  # SKIPPED: too large to train on
SALT = "drylab-panel-1"
NEAR = 0.4  # Tanimoto similarity on ECFP4 from which two molecules are in one cluster: distance 0.6
GENE, FAMILY = 0.85, 0.3  # normalised Smith-Waterman from which two proteins are one gene's, one family's
YEARS = {"5thresh_train": TRAIN, "5thresh_valid": TRAIN, "sparse_valid": TEST}  # of ChEMBL 22; the last is later


@dataclass(frozen=True, slots=True)
class Split:
    """n things and their folds: keys (n,) distinct texts; fold (n,) uint8; names: fold -> what it is called."""

    keys: tuple[str, ...]
    fold: NDArray[np.uint8]
    names: Mapping[int, str]

    def __post_init__(self) -> None:
        if len(self.keys) != len(self.fold) or len(set(self.keys)) != len(self.keys):
            raise ValueError(f"Split: {len(self.keys)} keys, {len(set(self.keys))} distinct, {len(self.fold)} folds")

    @property
    def sha256(self) -> str:
        """Names the split: two runs agree on it exactly if they agree on every fold."""
        return split_hash(self.keys, self.fold)

    def sizes(self) -> dict[str, int]:
        """How many things each fold has, by name."""
        return {name: int((self.fold == number).sum()) for number, name in self.names.items()}


THREE = {TRAIN: "train", VALID: "valid", TEST: "test"}


def fold_of(scaffold: str, parent: str) -> int:
    """TRAIN, VALID or TEST (80/10/10) by a hash of the scaffold; an acyclic molecule is its own group."""
    digest = hashlib.sha256(f"{SALT}:{scaffold or parent}".encode()).digest()
    percent = int.from_bytes(digest[:8], "big") % 100
    return TRAIN if percent < 80 else VALID if percent < 90 else TEST


def folds(scaffolds: Sequence[str], parents: Sequence[str]) -> NDArray[np.uint8]:
    """(n,) uint8: the fold of each molecule."""
    return np.array([fold_of(s, p) for s, p in zip(scaffolds, parents, strict=True)], dtype=np.uint8)


def split_hash(parents: Sequence[str], fold: NDArray[np.uint8]) -> str:
    """SHA-256 over the sorted lines "parent<TAB>fold": two runs agree on it exactly if they agree on the split."""
    lines = sorted(f"{parent}\t{int(number)}\n" for parent, number in zip(parents, fold, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def by_scaffold(parents: Sequence[str], scaffolds: Sequence[str]) -> Split:
    """80/10/10 by scaffold."""
    return Split(tuple(parents), folds(scaffolds, parents), THREE)


def by_cluster(parents: Sequence[str], cluster: NDArray[np.integer]) -> Split:
    """80/10/10 by a hash of each cluster's first parent in the order of the alphabet, whatever the order of the parents."""
    first: dict[int, str] = {}
    for number, parent in sorted(zip(cluster.tolist(), parents, strict=True), key=lambda pair: pair[1]):
        first.setdefault(number, parent)
    return by_scaffold(parents, [f"cluster of {first[number]}" for number in cluster.tolist()])


def by_groups(keys: Sequence[str], group: NDArray[np.integer], k: int = 5) -> Split:
    """k folds as even as whole groups allow: the largest group first, each into the emptiest fold.

    Groups of one size come in the order of a hash of their first key.
    """
    members: dict[int, list[str]] = {}
    for number, key in zip(group.tolist(), keys, strict=True):
        members.setdefault(number, []).append(key)
    order = sorted(members, key=lambda number: (-len(members[number]), _digest(min(members[number]))))
    filled, fold = [0] * k, {}
    for number in order:
        fold[number] = filled.index(min(filled))
        filled[fold[number]] += len(members[number])
    numbers = np.array([fold[number] for number in group.tolist()], np.uint8)
    return Split(tuple(keys), numbers, {i: f"fold {i}" for i in range(k)})


def by_file(keys: Sequence[str], part: Sequence[str], number: Mapping[str, int]) -> Split:
    """The split that a file itself makes: its name of a part -> fold; ValueError for a part that has no number."""
    unknown = sorted(set(part) - set(number))
    if unknown:
        raise ValueError(f"parts {unknown} have no fold; known are {sorted(number)}")
    names = {fold: "+".join(name for name in number if number[name] == fold) for fold in sorted(set(number.values()))}
    return Split(tuple(keys), np.array([number[name] for name in part], np.uint8), names)


def linked(similarity: NDArray[np.float64], at_least: float) -> NDArray[np.int64]:
    """(n,) cluster numbers by average linkage of (n, n) similarities in [0, 1], cut where the mean falls below ``at_least``.

    For some thousands: it holds all pairs. (Sokal and Michener 1958, by scipy.)
    """
    if len(similarity) < 2:
        return np.zeros(len(similarity), np.int64)
    distance = 1.0 - (similarity + similarity.T) / 2
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    return np.asarray(fcluster(tree, 1.0 - at_least, criterion="distance"), np.int64) - 1


def spheres(parents: Sequence[str], bits: NDArray[np.uint8], near: float = NEAR) -> NDArray[np.int64]:
    """(n,) cluster numbers: the first molecule that is free leads, and takes every free one that is similar to it.

    bits  (n, b) packed fingerprints     near  similarity to the leader from which a molecule joins
    Molecules lead in the order of a hash of their parents, so the clusters do not depend on the order they come in.
    (Sphere exclusion: Hudson 1996, 10.1002/qsar.19960150402.) Any number: it holds no pairs.
    """
    order = np.array(sorted(range(len(parents)), key=lambda i: _digest(parents[i])), np.int64)
    words = _words(bits)[order]
    sizes = np.bitwise_count(words).sum(axis=1, dtype=np.int32)
    found, free, number = np.full(len(parents), -1, np.int64), np.arange(len(order)), 0
    while len(free):
        common = np.bitwise_count(words & words[0]).sum(axis=1, dtype=np.int32)
        joins = (common > 0) & (common >= near * (sizes + sizes[0] - common))
        joins[0] = True  # of an empty fingerprint nothing can be said
        found[order[free[joins]]] = number
        free, words, sizes, number = free[~joins], words[~joins], sizes[~joins], number + 1
    return found


def _words(bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    padded = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))
    return np.ascontiguousarray(padded).view(np.uint64)


def _digest(text: str) -> bytes:
    return hashlib.sha256(f"{SALT}:{text}".encode()).digest()
