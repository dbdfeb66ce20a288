"""The sections of the report around the hits: banners, known actives, endpoints, the record of the run, limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from drylab.report.html import Html, count, figure, join, tag
from drylab.resources import sentence

LIMITS = (
    "Scores rank hypotheses; they are not measurements. Expect most of the molecules in this list to be inactive.",
    "A score is a prediction learned from published measurements of different assays; differences below the error of "
    "the model (RMSE, under What was run) mean nothing.",
    "Outside its domain the model extrapolates. A molecule marked as outside may still be good; its score says less.",
    "The shading of atoms shows what the model used, not how the molecule binds.",
    "Toxicity predictions are for setting priorities, not for safety. A green flag is not a clean bill of health.",
    "Structural alerts are notes: many marketed drugs carry one.",
    "Structures are as standardised by the library recipe; tautomers, salts and stereochemistry may differ from the "
    "vendor's record. Ask the vendor whether a molecule exists before planning with it.",
)
_METRICS = {
    "n_train": "Training molecules",
    "n_test": "Held-out molecules",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R\N{SUPERSCRIPT TWO}",
    "spearman": "Spearman rho",
    "ece": "Calibration error",
}
_SHOWN = 20  # known actives in plain view: the hits are to be seen below them
_BASELINES = {"_1nn": "nearest neighbour", "_5nn": "5 nearest neighbours", "_rf": "random forest"}
_INTERVAL = ("_low", "_high")  # of the headline figure, 95 %
_HEADLINES = ("auroc", "spearman", "rmse")


def heading(run: Mapping[str, Any], shown: int) -> Html:
    """Title, what was asked and when, and how many answers there are."""
    probe, tally = run.get("probe", {}), run.get("tally", {})
    aliases = ", ".join(map(str, probe.get("aliases", ())))
    facts = [
        f"Target {run.get('name', '')}" + (f" ({aliases})" if aliases else ""),
        moment(run.get("started", "")),
        f"{count(shown)} of {count(tally.get('scored', 0))} scored molecules",
        str(run.get("contact") or ""),
    ]
    return join(
        [
            tag("h1", run.get("title") or run.get("name", "")),
            tag("p", join(filter(None, facts), " \N{MIDDLE DOT} "), class_="facts"),
        ]
    )


def banners(run: Mapping[str, Any]) -> Html:
    """How far the model can be trusted for this target, and whether the page may leave the house."""
    tier = run.get("tier", {})
    letter = str(tier.get("tier", "?"))
    parts = [
        tag(
            "div",
            tag("strong", f"Tier {letter}"),
            tag("span", tier.get("label", "")),
            tag("p", tier.get("sentence", "")),
            class_="tier",
            data_tier=letter,
        )
    ]
    if run.get("confidential"):
        parts.insert(
            0,
            tag("div", tag("strong", "Confidential."), " Holds structures that are not public.", class_="confidential"),
        )
    return join(parts)


def known(run: Mapping[str, Any]) -> Html:
    """Where the target file's known actives fall in the ranking: the first check of any screen."""
    rows: Sequence[Mapping[str, Any]] = run.get("known", ())
    if not rows:
        return tag(
            "p", "The target file names no known actives, so nothing checks this ranking from outside.", class_="note"
        )
    # "percentile" counts from the top: 0.012 is among the best 0.012 % of all scored molecules.
    kept = [row for row in rows if not row.get("filtered_by")]
    removed = len(rows) - len(kept)
    top = sum(1 for row in kept if _ranked(row) and row["percentile"] <= 1.0)
    scored = run.get("tally", {}).get("scored", 0)
    sentence = (
        f"{top} of {len(rows)} known {'active' if len(rows) == 1 else 'actives'} {'ranks' if top == 1 else 'rank'} "
    )
    sentence += f"in the top 1\N{NO-BREAK SPACE}% of {count(scored)} scored."
    if removed:
        sentence += f" {removed} more cannot: the limits of the target file remove them."
    ordered = sorted(rows, key=lambda row: (not _ranked(row), row.get("rank") or 0))
    # A column that says nothing of any of them is left out.
    said = {"Measured": any(row.get("value") is not None for row in rows), "Note": bool(removed)}
    columns = [column for column in _KNOWN if said.get(column, True)]
    body = [tuple(_KNOWN[column](row) for column in columns) for row in ordered]
    numbers = {i for i, column in enumerate(columns) if column in ("Measured", "Score", "Rank", "Top %")}
    note = "A known active that was in the model's training data is no test of the model. The rank of one that is not in the library is where it would stand. "
    note += str(run.get("model", {}).get("excluded", {}).get("sentence", ""))
    listed = table(columns, body[:_SHOWN], numbers)
    if rest := body[_SHOWN:]:
        more = tag("summary", f"{len(rest)} more, ranked lower")
        listed = join([listed, tag("details", more, table(columns, rest, numbers))])
    return join([tag("p", sentence, class_="lead"), listed, tag("p", note, class_="note")])


def endpoints(run: Mapping[str, Any]) -> Html:
    """What each toxicity endpoint means, its thresholds, and how well it is predicted."""
    rows = run.get("toxicity", ())
    if not rows:
        return tag("p", "This model predicts no toxicity endpoints.", class_="note")
    head = (
        "Endpoint",
        "Meaning",
        "Unit",
        "Amber above",
        "Red above",
        "Held-out figure",
        "Random forest",
        "Held-out molecules",
    )
    body = [
        (
            tag("strong", row["name"]),
            row.get("meaning", ""),
            row.get("unit", ""),
            figure(row.get("amber"), 2),
            figure(row.get("red"), 2),
            *headline(row.get("metrics", {})),
        )
        for row in rows
    ]
    note = "A flag is \u201cunknown\u201d where the target file sets no threshold. An AUROC of 0.5 is a coin, 1 is perfect; below 0.7 take a flag as a hint. "
    note += "Brackets hold 95 % intervals; the forest is a simple model on the same molecules. More figures stand in the model card below."
    return join([table(head, body, {3, 4, 5, 6, 7}), tag("p", note, class_="note")])


def headline(metrics: Mapping[str, Any]) -> tuple[str, str, str]:
    """The figure an endpoint is known by, with its interval, the same of the forest, and on how many molecules."""
    name = next((name for name in _HEADLINES if name in metrics), None)
    tested = _measured("n_test", metrics) if "n_test" in metrics else figure(None)
    if name is None:
        return figure(None), figure(None), tested
    return f"{_METRICS[name]} {_measured(name, metrics)}", figure(metrics.get(f"{name}_rf")), tested


def record(run: Mapping[str, Any]) -> Html:
    """Model, library, versions, times, and the question itself: enough to run the screen again."""
    model, library, certificate = run.get("model", {}), run.get("library", {}), run.get("certificate", {})
    return join(
        [
            tag("h3", "Prediction for this target"),
            tag("p", run.get("probe", {}).get("meaning", "")),
            _metrics(run.get("probe", {}).get("metrics", {})),
            tag("h3", "Model"),
            _facts(_model_facts(model)),
            tag("h3", "Library"),
            _facts({k: v for k, v in library.items() if k not in ("build", "sources")}),
            _sources(library.get("sources", ())),
            tag("h3", "Machine and times"),
            tag("p", certificate.get("sentence", "")),
            *([tag("p", run["cascade"]["sentence"])] if "cascade" in run else []),
            _facts(
                {
                    "drylab": run.get("drylab"),
                    "started": moment(run.get("started", "")),
                    "seconds": run.get("seconds", {}),
                    "used": sentence(run["resources"]) if run.get("resources") else None,
                    "executor": run.get("executor", {}),
                    "certificate": {k: v for k, v in certificate.items() if k != "sentence"},
                    "machine": run.get("machine"),
                    "versions": run.get("versions", {}),
                }
            ),
            _folded("Property ranges", _yaml(run.get("ranges", {}))),
            _folded("Target file, with defaults", _yaml(run.get("target", {}))),
            _folded("Model card", str(model.get("card", "")) or "This model has no card."),
        ]
    )


def _model_facts(model: Mapping[str, Any]) -> dict[str, Any]:
    """What names a model and its training; the rest of its header is in the model card below, and whole in run.json."""
    training = model.get("training", {})
    return {
        **{name: model.get(name) for name in ("name", "path", "sha256")},
        **{name: training.get(name) for name in ("molecules", "split", "split_sha256", "command")},
        "kept out": model.get("excluded", {}).get("sentence"),
    }


def limits() -> Html:
    """What the numbers of this page cannot say."""
    return tag("ul", *(tag("li", line) for line in LIMITS))


def moment(started: Any) -> str:
    """A time stamp for people, in its own zone; what is not one is shown as it is."""
    try:
        when = datetime.fromisoformat(str(started))
    except ValueError:
        return str(started)
    return f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip()


def _ranked(row: Mapping[str, Any]) -> bool:
    """A known active without a score (RDKit could not parse it, say) has no rank, whatever the field says."""
    return row.get("score") is not None and row.get("percentile") is not None


def _potency(row: Mapping[str, Any]) -> str:
    value = row.get("value")
    return "\N{EN DASH}" if value is None else f"{figure(value, 2)} {row.get('units') or ''}".strip()


def _top_percent(row: Mapping[str, Any]) -> str:
    if not _ranked(row):
        return "\N{EN DASH}"
    return "<0.01" if row["percentile"] < 0.01 else f"{row['percentile']:.2f}"


_KNOWN: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "Known active": lambda row: tag("strong", row["id"], title=row.get("smiles")),
    "Measured": _potency,
    "Score": lambda row: figure(row.get("score"), 2),
    "Rank": lambda row: figure(row.get("rank") if _ranked(row) else None),
    "Top %": _top_percent,
    "In library": lambda row: figure(row.get("in_library")),
    "Note": lambda row: f"removed by {row['filtered_by']}" if row.get("filtered_by") else "",
}


def _metrics(metrics: Mapping[str, Any]) -> Html:
    """Held-out figures with each baseline in the column beside the model's."""
    used = [ending for ending in _BASELINES if any(name.endswith(ending) for name in metrics)]
    plain = [name for name in metrics if not name.endswith((*_BASELINES, *_INTERVAL))]
    # A baseline without the model's own figure still gets its line.
    plain += sorted({_stem(name) for name in metrics if not name.endswith(_INTERVAL)} - set(plain))
    head = ("Held-out figure", "this model", *(_BASELINES[ending] for ending in used))
    body = [
        (_METRICS.get(n, n), *(_measured(n + e, metrics) if n + e in metrics else "" for e in ("", *used)))
        for n in plain
    ]
    return (
        table(head, body, set(range(1, len(head))))
        if body
        else tag("p", "No held-out figures were recorded.", class_="note")
    )


def _measured(name: str, metrics: Mapping[str, Any]) -> str:
    """A figure, with its interval where there is one. Counts travel as floats among the other figures."""
    value = metrics[name]
    if name.startswith("n_") and value == value // 1:
        return count(value)
    low, high = (metrics.get(f"{name}{end}") for end in _INTERVAL)
    return figure(value) if low is None or high is None else f"{figure(value)} [{figure(low)}, {figure(high)}]"


def _stem(name: str) -> str:
    return next((name.removesuffix(ending) for ending in _BASELINES if name.endswith(ending)), name)


def _sources(sources: Sequence[Mapping[str, Any]]) -> Html:
    if not sources:
        return Html("")
    head = ("Source file", "Read", "Kept", "Duplicates", "Rejected")
    names = ("read", "kept", "duplicates", "rejected")
    body = [(s.get("path", ""), *(figure(_total(s.get(name))) for name in names)) for s in sources]
    return table(head, body, {1, 2, 3, 4})


def _total(value: Any) -> Any:
    return sum(value.values()) if isinstance(value, Mapping) else value


def _facts(facts: Mapping[str, Any]) -> Html:
    lines = [(name, _words(value)) for name, value in facts.items() if value not in (None, "", {}, [])]
    return tag(
        "dl", *(join([tag("dt", name.replace("_", " ")), tag("dd", words)]) for name, words in lines), class_="facts"
    )


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    return f"{value:.4g}" if isinstance(value, float) else figure(value)


def table(head: Sequence[str], body: Sequence[Sequence[Any]], numeric: set[int]) -> Html:
    """A table that scrolls sideways in a narrow window; ``numeric`` are columns of numbers."""

    def cells(kind: str, row: Sequence[Any]) -> Html:
        scope = "col" if kind == "th" else None
        return tag(
            "tr", *(tag(kind, c, class_="number" if i in numeric else None, scope=scope) for i, c in enumerate(row))
        )

    whole = tag("table", tag("thead", cells("th", head)), tag("tbody", *(cells("td", row) for row in body)))
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=head[0])


def _folded(summary: str, body: str) -> Html:
    return tag("details", tag("summary", summary), tag("pre", body)) if body.strip() not in ("", "{}") else Html("")


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100) if value else ""
