"""Times two ways of doing the same thing in turn, in CPU seconds, and prints their ratio pair by pair.

On a shared machine a ratio of neighbours in time holds where an absolute time does not.
"""

from __future__ import annotations

import csv
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


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


def report(bench: str, what: str, n: int, ratio: Ratio) -> None:
    """Print a row and append it to bench/results/BENCH.csv, with the day, the processor and the commit."""
    print(ratio.line(what, n))
    rates = (f"{n / ratio.ours:.0f}", f"{n / ratio.theirs:.0f}")
    spread = (f"{value:.2f}" for value in (ratio.median, ratio.low, ratio.high))
    append(bench, ("what", "ours_per_s", "theirs_per_s", "ratio", "low", "high"), (what, *rates, *spread))


def append(bench: str, names: Sequence[str], values: Sequence[object]) -> None:
    """Append a row to bench/results/BENCH.csv: the day, the processor, the commit, and values under these names."""
    file = Path(__file__).parent / "results" / f"{bench}.csv"
    new = not file.exists()
    file.parent.mkdir(exist_ok=True)
    with open(file, "a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(["day", "processor", "commit", *names])
        writer.writerow([f"{datetime.now(UTC):%Y-%m-%d}", _processor(), _commit(), *values])


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def paired(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 7) -> Ratio:
    """One warm-up of each, then ``rounds`` pairs."""
    ours(), theirs()
    return of_pairs([(_cpu(ours), _cpu(theirs)) for _ in range(rounds)])


def of_pairs(pairs: Sequence[tuple[float, float]]) -> Ratio:
    """The ratio of seconds that were taken in turn, (ours, theirs) a round."""
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
