"""Prediction sets: what can be said of a molecule at 90 % confidence, and in which words.

A class is in the set where the molecule looks at least as much like it as all but a tenth of held-out molecules known to
be of that class did: P(class) >= its threshold. So of new molecules that are truly toxic nine in ten have {toxic} or
{both}, of the safe ones nine in ten {safe} or {both}, each class by itself (Mondrian; Vovk 2005, Algorithmic Learning in
a Random World; Norinder 2014, 10.1021/ci5001168). New means of a scaffold that was not trained on.

    {toxic}  the data rule out safe          {safe}  the data rule out toxic
    {both}   "no opinion": nothing is ruled out, which is not the same as safe
    {}       "unlike anything seen": it resembles neither the toxic nor the safe molecules held out

A number has an interval: value +- width * sqrt(floor^2 + sd^2), wider where the members of the ensemble differ
(Papadopoulos 2008, normalised conformal prediction).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int8]

LEVEL = 0.9
NOTHING, NO, YES, BOTH = 0, 1, 2, 3  # a set is the sum of its classes
UNKNOWN = -1  # no molecule, or an endpoint that is a number
SETS = {NOTHING: "unlike anything seen", BOTH: "no opinion"}


def sets(probability: Array, threshold: Array) -> Codes:
    """(n, t) codes from P(yes) (n, t) and thresholds (t, 2): least P(no) and least P(yes); UNKNOWN where P is NaN."""
    no, yes = 1.0 - probability >= threshold[:, 0], probability >= threshold[:, 1]
    codes = (NO * no + YES * yes).astype(np.int8)
    return np.where(np.isnan(probability), np.int8(UNKNOWN), codes)


def words(codes: Sequence[int] | Codes, yes: str = "toxic", no: str = "safe") -> list[str]:
    """Codes in words; "" for UNKNOWN."""
    said = SETS | {NO: no, YES: yes, UNKNOWN: ""}
    return [said[int(code)] for code in codes]


def braces(codes: Sequence[int] | Codes, yes: str = "toxic", no: str = "safe") -> list[str]:
    """Codes as a table holds them: "{toxic}", "{safe}", "{both}", "{}"; "" for UNKNOWN."""
    said = {NOTHING: "{}", NO: f"{{{no}}}", YES: f"{{{yes}}}", BOTH: "{both}", UNKNOWN: ""}
    return [said[int(code)] for code in codes]


def spread(sd: Array, floor: Array) -> Array:
    """What an error is measured in: (n, t) from the members' standard deviation (n, t) and a floor (t,)."""
    return np.sqrt(floor**2 + sd**2)


def intervals(value: Array, sd: Array, floor: Array, width: Array) -> tuple[Array, Array]:
    """Lower and upper ends (n, t); floor and width (t,)."""
    half = width * spread(sd, floor)
    return value - half, value + half
