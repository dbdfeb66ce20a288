"""What a suite says: figures with intervals in rows, as JSON to keep and as a Markdown table to read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from drylab.errors import InputError

SCHEMA = "drylab.evaluation/1"
LOWER = frozenset({"RMSE", "cliff RMSE", "MAE", "MSE", "ECE", "Brier"})  # less of these is better; more of all others
DIFFERENCE = " less "  # in the name of a paired difference, "RMSE less RF-ECFP4": nothing there is ever best


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, its 95 % bootstrap interval (NaN: none, a published figure), and of how many it is made.

    n  tasks in a mean over tasks, else molecules; 0 where it is not known
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one task ("mean of 15 sets" is a task too). ``ours``: what drylab ships, not a baseline."""

    task: str
    method: str
    metrics: Mapping[str, Figure]
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Suite:
    """A table.

    rows      as shown, tasks together, in the order wanted
    notes     sentences under the table: protocol, sizes, goals met and missed
    detail    rows kept in the JSON alone: one a task behind each mean
    seconds   CPU seconds (all processes) that it took to make; ``drylab.train.suites.run`` fills it in
    """

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    title: str = ""
    detail: tuple[Row, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How much work a suite may do.

    draws   of each bootstrap          seed   of everything random
    trees   of each forest             tasks  at most this many a suite, evenly chosen (None: all), for a quick look
    ours    False: baselines alone     cache  folder for what is expensive to prepare (None: the user's cache folder)
    """

    draws: int = 2000
    seed: int = 1
    trees: int = 100
    tasks: int | None = None
    ours: bool = True
    cache: Path | None = None


def markdown(suite: Suite) -> str:
    """The suite as one Markdown table with its notes, a heading above.

    A figure is bold where it is the best of its task and its interval holds no other method's value.
    """
    names = list(dict.fromkeys(name for row in suite.rows for name in row.metrics))
    best = {(row.task, name) for row in suite.rows for name in names}
    winners = {key: _winner(suite.rows, *key) for key in best}
    lines = [f"## {suite.title or suite.name}", ""]
    lines += ["| " + " | ".join(["task", "method", "n", *names]) + " |"]
    lines += ["|" + "---|" * (3 + len(names))]
    for number, row in enumerate(suite.rows):
        cells = [text(row.metrics[name]) if name in row.metrics else "" for name in names]
        bold = [winners[row.task, name] == number for name in names]
        cells = [f"**{cell}**" if is_bold else cell for cell, is_bold in zip(cells, bold, strict=True)]
        count = max((figure.n for figure in row.metrics.values()), default=0)
        lines.append("| " + " | ".join([row.task, row.method, f"{count:,}" if count else "", *cells]) + " |")
    return "\n".join([*lines, "", *(f"- {note}" for note in suite.notes), ""])


def text(figure: Figure) -> str:
    """``0.620 [0.581, 0.660]``: three significant digits of the value, the same decimals for its interval."""
    if not math.isfinite(figure.value):
        return "-"
    size = abs(figure.value)
    decimals = 3 if size < 1 else max(0, 2 - math.floor(math.log10(size)))
    value = f"{_rounded(figure.value, decimals)}"
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return value
    return f"{value} [{_rounded(figure.low, decimals)}, {_rounded(figure.high, decimals)}]"


def _rounded(value: float, decimals: int) -> str:
    said = f"{value:,.{decimals}f}"
    return said.removeprefix("-") if float(said.replace(",", "")) == 0 else said


def _winner(rows: Sequence[Row], task: str, name: str) -> int:
    """Number of the row whose figure is best beyond doubt, -1 for none."""
    if DIFFERENCE in name:
        return -1
    found = {i: row.metrics[name] for i, row in enumerate(rows) if row.task == task and name in row.metrics}
    found = {i: figure for i, figure in found.items() if math.isfinite(figure.value)}
    if len(found) < 2:
        return -1
    sign = -1.0 if name in LOWER else 1.0
    first, *others = sorted(found, key=lambda i: -sign * found[i].value)
    top = found[first]
    edge = top.low if sign > 0 else top.high
    return first if all(sign * found[i].value < sign * edge for i in others) else -1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All suites of one model. ``made``: JSON facts about the run (model, its sha256, versions, command)."""

    made: Mapping[str, Any]
    suites: tuple[Suite, ...] = field(default=())


def to_json(evaluation: Evaluation) -> str:
    """The text of an evaluation file: figures to 5 significant digits, null for a number that is not there."""
    body = {"schema": SCHEMA, **evaluation.made, "suites": [_plain(asdict(suite)) for suite in evaluation.suites]}
    return json.dumps(body, indent=1, allow_nan=False) + "\n"


def from_json(content: str, where: str) -> Evaluation:
    """The evaluation of a file's text. Raises InputError, starting with ``where``, for another schema."""
    body = json.loads(content)
    if body.get("schema") != SCHEMA:
        raise InputError(f"{where}: schema is {body.get('schema')!r}, expected {SCHEMA!r}; run `drylab evaluate` again")
    suites = tuple(_suite(fields) for fields in body.pop("suites"))
    return Evaluation({name: value for name, value in body.items() if name != "schema"}, suites)


def _suite(fields: Mapping[str, Any]) -> Suite:
    rows, detail = (tuple(_row(row) for row in fields[key]) for key in ("rows", "detail"))
    return Suite(fields["name"], rows, tuple(fields["notes"]), fields["title"], detail, fields["seconds"])


def _row(fields: Mapping[str, Any]) -> Row:
    figures = {}
    for name, (*numbers, n) in fields["metrics"].items():
        value, low, high = (math.nan if number is None else float(number) for number in numbers)
        figures[name] = Figure(value, low, high, int(n))
    return Row(fields["task"], fields["method"], figures, fields["ours"])


def _plain(value: Any) -> Any:
    """Figures as [value, low, high, n], tuples as lists, NaN as None."""
    if isinstance(value, Mapping):
        if set(value) == {"value", "low", "high", "n"}:
            return [_plain(number) for number in value.values()]
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value
