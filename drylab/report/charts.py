"""The funnel and the score histogram, as plain HTML and SVG without a drawing library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drylab.report.html import Html, count, join, tag

_WIDTH, _HEIGHT = 660, 310
_LEFT, _RIGHT, _BOTTOM = 46, 16, 44
_LANE = 14
_RUG = 12
_LANES = 5
_NAMED = 15  # more known actives than this are a rug of short ticks: names and long lines would hide the bars
# Names of known actives start below the title of the axis and the label of the cut.
_NAMES = 34


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the funnel: a stage that rows reach, or a loss on the way to the next stage."""

    label: str
    rows: int
    loss: bool = False


def steps(run: Mapping[str, Any], kept: int, shown: int) -> list[Step]:
    """What became of every row, from the vendor's files to the report; ``kept`` and ``shown`` are rows of hits."""
    library, tally = run.get("library", {}), run.get("tally", {})
    lines: list[Step] = []
    if build := library.get("build"):
        lines += [Step("Read from files", build["read"])]
        lines += _losses("not usable", build.get("rejected", {}))
        lines += [Step("duplicates of another row", build["duplicates"], loss=True)]
        if build["kept"] != tally.get("read"):
            lines += [Step("In the library", build["kept"])]
            lines += [Step("not part of this screen", build["kept"] - tally.get("read", 0), loss=True)]
    lines += [Step("Screened", tally.get("read", 0))]
    lines += _losses("rejected", tally.get("rejected", {}))
    lines += _losses("filtered", tally.get("filtered", {}))
    lines += [Step("Scored", tally.get("scored", 0))]
    lines += [Step("below the best scores", tally.get("scored", 0) - kept, loss=True)]
    lines += [Step("Kept, in hits.parquet", kept)]
    lines += [Step("only in hits.parquet", kept - shown, loss=True)]
    lines += [Step("Shown in this report", shown)]
    return [line for line in lines if line.rows or not line.loss]


def balanced(lines: Sequence[Step]) -> bool:
    """Whether each stage is the one before it less the losses between them."""
    left: int | None = None
    for line in lines:
        if not line.loss and left is not None and line.rows != left:
            return False
        left = (left or 0) - line.rows if line.loss else line.rows
    return True


def funnel(lines: Sequence[Step]) -> Html:
    """The steps as a table with bars on a logarithmic scale."""
    largest = max((line.rows for line in lines), default=1)
    warning = tag(
        "p", "These numbers do not add up: a fault in drylab. Please report it, with run.json.", class_="warning"
    )
    table = tag("table", tag("tbody", *(_line(line, largest) for line in lines)), class_="funnel")
    note = tag(
        "p", "Bars are logarithmic. Each line in bold is the one above it less the indented ones.", class_="note"
    )
    return join([table, note] if balanced(lines) else [warning, table, note])


def histogram(run: Mapping[str, Any], cut: float | None) -> Html:
    """Scores of all scored molecules with logarithmic counts, the cut of the hit list and ticks for known actives."""
    data = run.get("histogram", {})
    counts, low, width = data.get("counts", []), data.get("low", 0.0), data.get("width", 1.0)
    filled = [index for index, number in enumerate(counts) if number]
    if not filled:
        return tag("p", "No molecule was scored, so there is no histogram.", class_="note")
    known = [(str(k["id"]), float(k["score"])) for k in run.get("known", ()) if k.get("score") is not None]
    marks = [score for _, score in known] + ([cut] if cut is not None else [])
    first = min([low + filled[0] * width, *marks]) - width
    last = max([low + (filled[-1] + 1) * width, *marks]) + width
    lanes = _in_lanes(known, first, last) if len(known) <= _NAMED else [(*mark, -1) for mark in known]
    top = _NAMES + 8 + _LANE * (max((lane for _, _, lane in lanes), default=-1) + 1)
    scale = _Scale(first, last, max(counts), top)
    bars = [_bar(scale, low + i * width, width, counts[i]) for i in filled]
    ticks = [_tick(scale, *place, rug=len(known) > _NAMED) for place in lanes]
    # Names come last: a tick that runs through one would make it hard to read.
    inside = [*_axes(scale), *bars, *ticks, *_cut(scale, cut), *(_name(scale, *place) for place in lanes)]
    label = f"Histogram of {sum(counts)} predicted scores"
    return tag("svg", *inside, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=label, class_="histogram")


@dataclass(frozen=True, slots=True)
class _Scale:
    first: float
    last: float
    most: int
    top: int

    def x(self, score: float) -> float:
        return _LEFT + (score - self.first) / (self.last - self.first) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, rows: float) -> float:
        # The axis starts at half a molecule, so that a bin with one molecule has a bar.
        share = math.log10(rows / 0.5) / math.log10(max(self.most, 2) / 0.5)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - self.top)


def _losses(word: str, reasons: Mapping[str, int]) -> list[Step]:
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Step(f"{word}: {reason}", rows, loss=True) for reason, rows in ordered]


def _line(line: Step, largest: int) -> Html:
    width = 100 * math.log10(1 + max(line.rows, 0)) / math.log10(1 + max(largest, 1))
    bar = tag("rect", width=f"{width:.2f}", height=10)
    sign = "\N{MINUS SIGN}" if line.loss else ""
    return tag(
        "tr",
        tag("th", line.label, scope="row"),
        tag("td", sign, count(line.rows), class_="number", data_rows=line.rows),
        tag("td", tag("svg", bar, viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true"), class_="bar"),
        class_="loss" if line.loss else "stage",
    )


def _bar(scale: _Scale, start: float, width: float, rows: int) -> Html:
    left, right, top = scale.x(start), scale.x(start + width), scale.y(rows)
    title = tag("title", f"{start:.2f} to {start + width:.2f}: {count(rows)}")
    return tag(
        "rect",
        title,
        class_="bin",
        x=f"{left:.1f}",
        y=f"{top:.1f}",
        width=f"{max(right - left - 0.8, 0.6):.1f}",
        height=f"{_HEIGHT - _BOTTOM - top:.1f}",
    )


def _axes(scale: _Scale) -> list[Html]:
    base = _HEIGHT - _BOTTOM
    parts = [tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=base, y2=base, class_="axis")]
    for power in range(int(math.log10(max(scale.most, 1))) + 1):
        y = f"{scale.y(10**power):.1f}"
        parts.append(tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(_label(_LEFT - 6, float(y) + 3.5, _short(10**power), "end"))
    gap = _step(scale.last - scale.first)
    for index in range(math.ceil(scale.first / gap), math.floor(scale.last / gap) + 1):
        parts.append(_label(scale.x(index * gap), base + 15, f"{index * gap:.10g}", "middle"))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(_label(middle, _HEIGHT - 8, "predicted pActivity (-log10 mol/l)", "middle"))
    parts.append(_label(_LEFT - 40, 12, "molecules (logarithmic)", "start"))
    return parts


def _cut(scale: _Scale, cut: float | None) -> list[Html]:
    if cut is None:
        return []
    x = f"{scale.x(cut):.1f}"
    near_right = scale.x(cut) > _WIDTH - 120
    label = _label(
        scale.x(cut) + (-5 if near_right else 5), 26, f"kept from {cut:.2f}", "end" if near_right else "start", "cut"
    )
    return [tag("line", x1=x, x2=x, y1=17, y2=_HEIGHT - _BOTTOM, class_="cut"), label]


def _tick(scale: _Scale, name: str, score: float, lane: int, rug: bool) -> Html:
    x, y = scale.x(score), _HEIGHT - _BOTTOM - _RUG if rug else _NAMES + _LANE * max(lane, 0)
    line = tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=y + 2, y2=_HEIGHT - _BOTTOM, class_="known")
    return tag("g", tag("title", f"{name}: {score:.2f}"), line)


def _name(scale: _Scale, name: str, score: float, lane: int) -> Html:
    if lane < 0:
        return join([])
    x, y = scale.x(score), _NAMES + _LANE * lane
    anchor = "end" if x > _WIDTH / 2 else "start"
    return _label(x + (-3 if anchor == "end" else 3), y + 9, _cropped(name), anchor, "known")


def _in_lanes(known: Sequence[tuple[str, float]], first: float, last: float) -> list[tuple[str, float, int]]:
    """Each known active with the first lane its name fits into; -1 for a tick without a name."""
    scale = _Scale(first, last, 1, 0)
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_LANES)]
    placed = []
    for name, score in sorted(known, key=lambda pair: (-pair[1], pair[0])):
        x, length = scale.x(score), 6.4 * len(_cropped(name)) + 10
        span = (x - length, x + 4) if x > _WIDTH / 2 else (x - 4, x + length)
        free = (n for n, lane in enumerate(taken) if all(span[1] < a or span[0] > b for a, b in lane))
        lane = next(free, -1)
        if lane >= 0:
            taken[lane].append(span)
        placed.append((name, score, lane))
    return placed


def _label(x: float, y: float, words: str, anchor: str, class_: str | None = None) -> Html:
    return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=class_)


def _cropped(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}\N{HORIZONTAL ELLIPSIS}"


def _short(rows: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if rows >= size:
            return f"{rows // size}{letter}"
    return str(rows)


def _step(span: float) -> float:
    return next(gap for gap in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e9) if span / gap <= 12)
