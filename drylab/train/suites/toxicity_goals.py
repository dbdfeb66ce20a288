"""Which goals of the toxicity panel are met, in sentences for the table's notes: misses are said as plainly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from drylab.train.panel import CYPS
from drylab.train.suites.table import DIFFERENCE, Figure, Row, text

Mine = Mapping[str, Mapping[str, Figure]]  # our rows: task -> figures
# (task, figure, goal, whether more is better)
GOALS = (
    ("Tox21, mean", "AUROC", 0.76, True),
    ("herg_block", "AUROC", 0.86, True),
    ("ames", "AUROC", 0.85, True),
    ("ld50", "MAE", 0.60, False),
    *((name, "AUROC", 0.86, True) for name in CYPS),
    ("bbb", "AUROC", 0.90, True),
)
ECE, COVERAGE, SLACK = 0.05, 0.90, 0.02


def goals(found: Sequence[Row], ours: str, forest: str) -> tuple[str, ...]:
    """Sentences from our rows."""
    mine = {row.task: row.metrics for row in found if row.method == ours}
    said = [
        f"Goal {metric} {'at least' if more else 'at most'} {goal:.2f} for {task}: {text(mine[task][metric])}, "
        f"{'met' if (mine[task][metric].value >= goal) == more else 'missed'}{_beside(mine[task], metric, forest)}."
        for task, metric, goal, more in GOALS
        if task in mine
    ]
    return (*said, *_calibration(mine), *_coverage(mine))


def _beside(metrics: Mapping[str, Figure], metric: str, forest: str) -> str:
    gap = metrics.get(f"{metric}{DIFFERENCE}{forest}")
    return f" ({text(gap)} beside the forest)" if gap is not None else ""


def _calibration(mine: Mine) -> list[str]:
    errors = {task: row["ECE"].value for task, row in mine.items() if "covered yes" in row}
    over = [f"{task} {value:.3f}{_chance(mine[task])}" for task, value in errors.items() if value > ECE]
    if not errors:
        return []
    mean = float(np.mean(list(errors.values())))
    rest = f"above it: {', '.join(over)}" if over else "none is above it"
    return [f"Goal ECE at most {ECE:.2f} on classes: mean {mean:.3f} over {len(errors)} endpoints; {rest}."]


def _chance(metrics: Mapping[str, Figure]) -> str:
    figure = metrics.get("ECE by chance")
    return f" (by chance {text(figure)})" if figure is not None else ""


def _coverage(mine: Mine) -> list[str]:
    said = []
    for name, of in (("covered yes", "the class"), ("covered no", "the other class"), ("covered", "values")):
        shares = [row[name].value for row in mine.values() if name in row]
        shares = [share for share in shares if np.isfinite(share)]
        if shares:
            mean = float(np.mean(shares))
            verdict = "met" if abs(mean - COVERAGE) <= SLACK + 1e-9 else "missed"
            said.append(
                f"Goal coverage of 90 % sets {COVERAGE:.0%} +- {SLACK:.0%} for {of}: mean {mean:.1%} over "
                f"{len(shares)} endpoints, {min(shares):.1%} to {max(shares):.1%}; {verdict}."
            )
    return said
