"""Which molecules are trained on, which tune, which judge: by scaffold, over the union of all files, for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TRAIN, VALID, TEST, SKIPPED = 0, 1, 2, 3  # SKIPPED: too large to train on
SALT = "drylab-panel-1"


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
