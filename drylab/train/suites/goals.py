"""Goals as sentences for a table's notes, each with what was reached and whether that meets it: misses are said as plainly."""

from __future__ import annotations

from collections.abc import Sequence

from drylab.train.suites.table import DIFFERENCE, LOWER, Row, text

WORD = "Goal"  # how each sentence begins: the page collects them


def row_of(rows: Sequence[Row], task: str, method: str) -> Row:
    """The row of a task and method; KeyError where there is none."""
    found = [row for row in rows if (row.task, row.method) == (task, method)]
    if not found:
        raise KeyError(f"no row of {method!r} on {task!r}")
    return found[0]


def reaches(row: Row, metric: str, goal: float) -> str:
    """Whether a figure is at least, or at most, a number."""
    figure = row.metrics[metric]
    less = metric in LOWER
    met = figure.value <= goal if less else figure.value >= goal
    return f"{WORD}, {row.task}: {metric} {'at most' if less else 'at least'} {goal:g}: {text(figure)}, {_word(met)}."


def beats(row: Row, metric: str, other: str, beyond: bool = True) -> str:
    """Whether the paired difference to a baseline is to our favour; ``beyond``: with its whole interval."""
    figure = row.metrics[f"{metric}{DIFFERENCE}{other}"]
    sign = -1.0 if metric in LOWER else 1.0
    worst = min(sign * figure.low, sign * figure.high) if beyond else sign * figure.value
    asked = f"better than {other} beyond doubt" if beyond else f"no worse than {other}"
    met = worst > 0 if beyond else worst >= 0
    return f"{WORD}, {row.task}: {metric} {asked}: difference {text(figure)}, {_word(met)}."


def _word(met: bool) -> str:
    return "met" if met else "missed"
