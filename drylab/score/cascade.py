"""How sure a cascade can be: from a random sample that both stages scored to a threshold, and to the recall it gives.

A cascade scores every row with a cheap first stage, and only rows at or above a threshold with the full model. Its
*recall* is the share of the full model's k best rows that pass. Nothing is assumed of the scores. Every row is in the
sample by a coin of its own, and each half of the sample serves once:

* the calibration half sets the threshold, the highest with recall >= asked at the confidence asked. The i-th smallest
  first-stage score of m positives fails with probability P(Bin(m, 1 - recall) < i): split conformal prediction
  (Vovk 2012, https://arxiv.org/abs/1209.2673, Proposition 2a; the order statistics of Wilks 1941).
* the test half then measures: Clopper and Pearson's exact interval (1934, https://doi.org/10.1093/biomet/26.4.404).

Which rows of a half are among the k best of the *library* is not known, only how many: Bin(k, chance of a row to be in
the half), and that they come first when the half is ordered by the full model. So a tenth of the error allowed
is spent on the range that this number can have, and what is said holds for every number in the range.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drylab.errors import ConfigError

SLACK = 0.1  # of the error allowed, spent on not knowing how many of the k best a half holds
MOST = 0.5  # of the library as a sample: above it, scoring everything is the better plan
LEAST = 0.02  # what auto takes at least: it costs little, and with more positives the threshold can be higher


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be certified: ``recall`` of the full model's ``k`` best, with ``confidence``; sample, the share of rows."""

    k: int
    recall: float
    confidence: float
    sample: float

    @property
    def half(self) -> float:
        """The chance of a row to be in one half of the sample."""
        return self.sample / 2

    def positives(self) -> tuple[int, int]:
        """The fewest and the most of the k best that a half holds, but for a chance of SLACK * (1 - confidence)."""
        return likely_counts(self.k, self.half, SLACK * (1.0 - self.confidence))


@dataclass(frozen=True, slots=True)
class Measured:
    """What the test half found: ``found`` of about ``positives`` passed; limits hold with the confidence asked."""

    positives: int
    found: int
    low: float
    high: float


def plan(k: int, recall: float, confidence: float, sample: float | None, where: str) -> Claim:
    """The claim; where ``sample`` is None, with the smallest that can certify it, and at least LEAST.

    Raises ConfigError, starting with ``where``, where no sample worth its price can, or the one given cannot.
    """
    chosen = smallest_sample(k, recall, confidence) if sample is None else sample
    if sample is None and chosen is not None:
        chosen = max(chosen, LEAST)
    if chosen is not None and chosen <= MOST and _enough(Claim(k, recall, confidence, chosen)):
        return Claim(k, recall, confidence, chosen)
    needed, least = (
        needed_positives(recall, confidence),
        smallest_k(recall, confidence, MOST if sample is None else sample),
    )
    if sample is not None:
        low, _ = Claim(k, recall, confidence, sample).positives()
        larger = smallest_sample(k, recall, confidence)
        more = "" if larger is None or larger > MOST else f"the sample to at least {_up(larger):g} (or auto), "
        what = f"a sample of {sample:g} holds at least {low} of the {k:,} best in each half"
    else:
        more = ""
        what = f"no sample of at most half the library holds enough of the {k:,} best in each half"
    raise ConfigError(
        f"{where}: {what}, and {needed} are needed to certify a recall of {recall:g} with confidence {confidence:g}; "
        f"raise {more}top_k to at least {least:,}, lower recall, or use mode: exact"
    )


def threshold(first: Sequence[float], claim: Claim) -> float:
    """The highest first-stage score with recall >= asked, with the confidence asked.

    first  the calibration half's first-stage scores, in the order of the full model, best first; its
           ``claim.positives()[1]`` best suffice

    Raises ConfigError where the half holds fewer rows than that: the library has hardly more than k rows to choose from.
    """
    low, high = claim.positives()
    _check_long(len(first), high, claim)
    error = (1.0 - SLACK) * (1.0 - claim.confidence)
    ordered: list[float] = []
    lowest = math.inf
    for m, score in enumerate(first[:high], start=1):
        insort(ordered, score)
        if m >= low:
            lowest = min(lowest, ordered[spared(m, claim.recall, error)])
    return lowest


def measure(passed: Sequence[bool], claim: Claim) -> Measured:
    """The recall that the test half shows: whether each row passed, in the order of the full model, best first."""
    low, high = claim.positives()
    _check_long(len(passed), high, claim)
    confidence = 1.0 - (1.0 - SLACK) * (1.0 - claim.confidence)
    found = sum(passed[:low])
    limits = clopper_pearson(found, low, confidence)
    for m in range(low + 1, high + 1):
        found += passed[m - 1]
        # Limits move one way while rows only pass, so the ends of each run of them say all.
        if not passed[m - 1] or m == high or not passed[m]:
            each = clopper_pearson(found, m, confidence)
            limits = min(limits[0], each[0]), max(limits[1], each[1])
    middle = min(max(round(claim.k * claim.half), low), high)
    return Measured(middle, sum(passed[:middle]), *limits)


def _check_long(rows: int, needed: int, claim: Claim) -> None:
    if rows < needed:
        raise ConfigError(
            f"screen.cascade: half of the sample holds {rows:,} rows that may become hits, where {needed:,} are needed to "
            f"tell the best {claim.k:,}: the library has too few for a cascade; lower top_k, or use mode: exact"
        )


def needed_positives(recall: float, confidence: float) -> int:
    """The fewest positives that can certify: all of them pass by chance alone with probability recall ** m."""
    error = (1.0 - SLACK) * (1.0 - confidence)
    return math.ceil(math.log(error) / math.log(recall))


def smallest_sample(k: int, recall: float, confidence: float) -> float | None:
    """The smallest share of the library whose halves hold enough of the k best; None where the whole does not."""
    if not _enough(Claim(k, recall, confidence, 1.0)):
        return None
    low, high = 0.0, 1.0
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if _enough(Claim(k, recall, confidence, middle)) else (middle, high)
    return high


def smallest_k(recall: float, confidence: float, sample: float) -> int:
    """The smallest k that a sample of this share can certify."""
    low, high = 0, 1
    while not _enough(Claim(high, recall, confidence, sample)):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _enough(Claim(middle, recall, confidence, sample)) else (middle, high)
    return high


def _enough(claim: Claim) -> bool:
    return claim.positives()[0] >= needed_positives(claim.recall, claim.confidence)


def _up(share: float) -> float:
    """Rounded up to two digits, so that what an error proposes is accepted."""
    unit = 10.0 ** (math.floor(math.log10(share)) - 1)
    return math.ceil(share / unit) * unit


def spared(m: int, recall: float, error: float) -> int:
    """How many of m positives may stay below the threshold: the largest j with P(Bin(m, 1 - recall) <= j) <= error."""
    low, high = -1, m
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if binomial_cdf(middle, m, 1.0 - recall) <= error else (low, middle)
    assert low >= 0, "fewer positives than needed_positives"
    return low


def likely_counts(n: int, p: float, error: float) -> tuple[int, int]:
    """(low, high) with P(Bin(n, p) < low) <= error / 2 and P(Bin(n, p) > high) <= error / 2, as close as can be."""
    return (
        _first(n, lambda j: binomial_cdf(j, n, p) > error / 2),
        _first(n, lambda j: binomial_cdf(j, n, p) >= 1.0 - error / 2),
    )


def _first(n: int, holds: Callable[[int], bool]) -> int:
    """The smallest j of 0..n from which on ``holds``; n where it never does."""
    low, high = -1, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def clopper_pearson(found: int, n: int, confidence: float) -> tuple[float, float]:
    """The exact two-sided interval for a share of which ``found`` of n were seen; (0, 1) for n = 0."""
    tail = (1.0 - confidence) / 2
    low = 0.0 if found == 0 else _root(lambda p: 1.0 - binomial_cdf(found - 1, n, p) > tail)
    high = 1.0 if found == n else _root(lambda p: binomial_cdf(found, n, p) <= tail)
    return low, high


def _root(holds: Callable[[float], bool]) -> float:
    """Where ``holds`` begins on 0..1."""
    low, high = 0.0, 1.0
    while high - low > 1e-12 and low < (middle := (low + high) / 2) < high:
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def binomial_cdf(j: int, n: int, p: float) -> float:
    """P(Bin(n, p) <= j): terms from the largest outwards, on the side of the mean where they fall."""
    if j < 0:
        return 0.0
    if j >= n or p <= 0.0:
        return 1.0
    if p >= 1.0:
        return 0.0
    if j > n * p:
        return 1.0 - binomial_cdf(n - j - 1, n, 1.0 - p)
    term = math.exp(
        math.lgamma(n + 1) - math.lgamma(j + 1) - math.lgamma(n - j + 1) + j * math.log(p) + (n - j) * math.log1p(-p)
    )
    total, odds = 0.0, (1.0 - p) / p
    for i in range(j, -1, -1):
        total += term
        term *= odds * i / (n - i + 1)
        if term <= total * 1e-17:
            break
    return min(total, 1.0)
