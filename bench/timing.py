"""Times two ways of doing the same thing in turn, in CPU seconds, and prints their ratio pair by pair.

On a shared machine a ratio of neighbours in time holds where an absolute time does not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """CPU seconds of ours and theirs (medians), and theirs/ours pair by pair: median, least, greatest."""

    ours: float
    theirs: float
    median: float
    low: float
    high: float

    def line(self, what: str, n: int) -> str:
        """One row to print: molecules/s a core of each, and the ratio."""
        return (
            f"{what:<34} ours {n / self.ours:>9,.0f}/s  theirs {n / self.theirs:>9,.0f}/s  "
            f"ratio {self.median:.2f} ({self.low:.2f} to {self.high:.2f})"
        )


def paired(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 7) -> Ratio:
    """One warm-up of each, then ``rounds`` pairs."""
    ours(), theirs()
    pairs = [(_cpu(ours), _cpu(theirs)) for _ in range(rounds)]
    ratios = sorted(b / a for a, b in pairs)
    return Ratio(
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(ratios),
        ratios[0],
        ratios[-1],
    )


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
