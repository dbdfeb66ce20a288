"""The toxicity panel in the report: the state of a hit at each endpoint, as a mark, and what marks and endpoints mean.

A state is what can be said at 90 % confidence (score/conformal.py), with the probability beside it: where one molecule in fifty is
toxic, most of those that look toxic are not, so a flag whose probability is low has a mark of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drylab.report.html import Html, figure, join, tag
from drylab.report.sections import headline, table

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """code in the data of the page, sign on the mark, class of its colours, name and meaning in the legend."""

    code: str
    sign: str
    kind: str
    name: str
    meaning: str


STATES = (
    State("R", "\u25b2", "flagged", "flagged", "unlike nine in ten harmless molecules, and likely"),
    State(
        "r", "\u25b3", "hint", "weak flag", "unlike nine in ten harmless molecules, but improbable: mostly false alarms"
    ),
    State("u", "?", "open", "no opinion", "nothing is ruled out; this is not \u201csafe\u201d"),
    State(
        "o",
        "\u00d7",
        "strange",
        "outside",
        "unlike anything seen, harmful or harmless; this is not \u201csafe\u201d either",
    ),
    State("c", "\u2713", "clear", "clear", "unlike nine in ten harmful molecules; one in ten of them passes"),
    State("+", "+", "property", "yes", "a property, neither good nor bad"),
    State("-", "\N{MINUS SIGN}", "property", "no", "a property, neither good nor bad"),
    State("", "", "none", "not predicted", "the panel cannot read this molecule"),
)
# Where an endpoint stands, by how its name begins; the first that fits.
GROUPS = (
    ("nr_", "Nuclear"),
    ("sr_", "Stress"),
    ("herg", "Heart"),
    ("nav", "Heart"),
    ("cav", "Heart"),
    ("cyp", "CYP"),
    ("", "Other"),
)
_OFTEN = ("R", "r", "u", "o", "c")


def panel(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The endpoints of run.json that a panel tells of, in the order of their groups; [] for a model without one."""
    rows = [row for row in run.get("toxicity", ()) if row.get("panel")]
    order = list(dict.fromkeys(name for _, name in GROUPS))
    return sorted(rows, key=lambda row: order.index(group(str(row["name"]))))


def group(name: str) -> str:
    """The heading an endpoint stands under."""
    return next(heading for start, heading in GROUPS if name.startswith(start))


def limit(endpoint: Mapping[str, Any]) -> float:
    """Where an endpoint starts to matter: the target file's amber, or else what is usual."""
    own = endpoint.get("amber")
    return float(endpoint["usual"]["amber"] if own is None else own)


def state(endpoint: Mapping[str, Any], row: Row) -> str:
    """The code of a hit's state at an endpoint; "" where nothing was predicted."""
    name = endpoint["name"]
    if endpoint["kind"] == "class":
        return _of_class(endpoint, row.get(f"{name}_set"), row.get(f"{name}_prob"))
    return _of_value(endpoint, row.get(f"{name}_low"), row.get(f"{name}_high"))


def states(endpoints: Sequence[Mapping[str, Any]], row: Row) -> str:
    """The states of a hit, a letter an endpoint; a space where nothing was predicted."""
    return "".join(state(endpoint, row) or " " for endpoint in endpoints)


def _of_class(endpoint: Mapping[str, Any], said: str | None, probability: float | None) -> str:
    open_ones = {None: "", "": "", "{both}": "u", "{}": "o"}
    if said in open_ones or probability is None:
        return open_ones.get(said, "")
    yes = said == f"{{{endpoint['yes']}}}"
    if not endpoint["bad"]:
        return "+" if yes else "-"
    if yes != (endpoint["bad"] == "high"):
        return "c"
    return "R" if (probability if yes else 1.0 - probability) >= limit(endpoint) else "r"


def _of_value(endpoint: Mapping[str, Any], low: float | None, high: float | None) -> str:
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    least, most = (low, high) if endpoint["bad"] != "low" else (-high, -low)
    at = limit(endpoint) if endpoint["bad"] != "low" else -limit(endpoint)
    return "R" if least >= at else "c" if most < at else "u"


def legend(run: Mapping[str, Any], columns: Sequence[str]) -> Html:
    """How to read the list of hits: the refined activity and the marks, where there are such; "" without either."""
    parts = []
    if "refined_mean" in columns:
        parts.append(
            tag(
                "p",
                tag("strong", "Refined"),
                " is the activity by comparison with the molecules that were measured, \u00b1 its standard deviation: "
                "the better number for a single molecule. The ranking is by the score, which a whole library can be given.",
            )
        )
    if panel(run):
        kinds = {endpoint["bad"] for endpoint in panel(run)}
        shown = [each for each in STATES if each.code in _OFTEN]
        marks = [
            tag("li", mark(each.kind, each.sign), " ", tag("strong", each.name), f": {each.meaning}") for each in shown
        ]
        if "" in kinds:
            pair = join([mark(each.kind, each.sign) for each in STATES if each.kind == "property"], " ")
            marks.append(tag("li", pair, " ", tag("strong", "yes, no"), ": a property, neither good nor bad"))
        parts += [
            tag(
                "p",
                tag("strong", "Toxicity marks"),
                " say what 90\u00a0% confidence allows; point at one, or open the hit, for its words.",
            ),
            tag("ul", *marks, class_="legend"),
        ]
    return tag("div", *parts, class_="reading") if parts else Html("")


def mark(kind: str, sign: str) -> Html:
    """One mark."""
    return tag("span", sign, class_=f"mark {kind}", aria_hidden="true")


def meanings(run: Mapping[str, Any]) -> Html:
    """What each endpoint of the panel means, where it starts to matter, and how many molecules it was learned from."""
    head = ("Endpoint", "Meaning", "Unit", "Matters from", "Learned from", "Held out, the fold\u2019s probe")
    body = [
        (
            join([tag("strong", row["label"]), " ", tag("small", row["name"])]),
            join([row["meaning"], *(tag("small", f" {words}") for words in _small(row))]),
            row["unit"],
            figure(limit(row), 2) if row["bad"] else figure(None),
            figure(int(row["metrics"]["n_train"])) if "n_train" in row.get("metrics", {}) else figure(None),
            headline(row.get("metrics", {}))[0],
        )
        for row in panel(run)
    ]
    note = (
        "A probability is calibrated; a set or an interval holds the truth for nine in ten new molecules of each class, on scaffolds "
        "unlike those learned from. The last column is of the linear probe that the fold filters with; what is shown of a hit is by the "
        "whole panel, which is better, so a hit may pass a limit of the target file in the fold and be flagged here."
    )
    return join([table(head, body, {3, 4, 5}), tag("p", note, class_="note")])


def _small(row: Mapping[str, Any]) -> list[str]:
    cut = [f"\u201c{row['yes']}\u201d: {row['threshold']}."] if row.get("threshold") else []
    return [*cut, *map(str, row.get("cautions", ()))]
