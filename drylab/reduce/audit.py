"""How far a fold's values are from the reference values, where both are known, and what a run may say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drylab.reduce.accounts import added

AUDIT_BITS = 10  # of a molecule's key: one in 1,024 is audited
CONFIDENCE = 0.95


def audited(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(n,) bool: which molecules are audited, by their keys (n, 2), which are hashes: a random sample, the same in any run."""
    return (keys[:, 1] & np.uint64((1 << AUDIT_BITS) - 1)) == 0


@dataclass(frozen=True, slots=True)
class Audit:
    """Fold values held to reference values.

    errors    (t,) float64: the largest |fold - reference| of each probe of the fold
    rescored  why -> molecules whose reference values were computed, each under one reason
    audited   molecules that ``audited`` chose, whatever else was asked of them
    outside   molecules with a value farther from the reference than its bound
    """

    errors: NDArray[np.float64]
    rescored: Mapping[str, int] = field(default_factory=dict)
    audited: int = 0
    outside: int = 0

    @staticmethod
    def of(errors: NDArray[np.float64], bounds: NDArray[np.float64], why: Mapping[str, int], audited: int = 0) -> Audit:
        """Some molecules' |fold - reference| (n, t), NaN where it is not known, and bounds (t,)."""
        known = np.nan_to_num(errors, nan=0.0)
        worst = known.max(axis=0, initial=0.0)
        return Audit(worst, why, audited, int((known > bounds).any(axis=1).sum()))

    def merge(self, other: Audit) -> Audit:
        """Sums, and the larger errors."""
        return Audit(
            np.maximum(self.errors, other.errors),
            added(self.rescored, other.rescored),
            self.audited + other.audited,
            self.outside + other.outside,
        )


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why a list of hits is the one that reference scores alone would give.

    precision, device  of the fold            bounds   probe -> how far its fold values may be from the reference; the
                                              target's first
    errors    probe -> the largest error seen, among all molecules whose reference values were computed
    kept      rows that could be among the best, by fold scores and bounds
    rescored  why -> molecules whose reference values were computed        audited  those chosen by their keys
    violations  molecules found outside the bounds; each fold that had one was repeated: repairs
    margin    from the best score that a molecule which was not kept can have up to the last hit's; None: there is none
    histogram whether it, too, is that of reference scores
    """

    precision: str
    device: str
    bounds: Mapping[str, float]
    errors: Mapping[str, float]
    kept: int
    rescored: Mapping[str, int]
    audited: int
    violations: int
    repairs: int
    margin: float | None
    histogram: bool

    def failure_rate_below(self) -> float | None:
        """Upper end of the one-sided 95 % Clopper-Pearson interval of the share of molecules outside the bounds.

        The fold that counts has none outside (it would have been repeated), and the interval of 0 of n ends where
        (1 - p)**n = 5 % (Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404). None without an audit.
        """
        return float(1 - (1 - CONFIDENCE) ** (1 / self.audited)) if self.audited else None
