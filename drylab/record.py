"""The record of a run: what was asked, of what, with what, and where every row went. It becomes run.json."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from drylab.build import build_totals
from drylab.certifying import Found
from drylab.config import Target, to_dict
from drylab.execute import Executor
from drylab.kernels.sift import LOW, WIDTH
from drylab.library import places
from drylab.library.store import Library, file_sha256
from drylab.question import Question
from drylab.reduce import Certificate, Histogram
from drylab.refining import about, endpoints_told
from drylab.resources import Resources
from drylab.score import extended
from drylab.score.model import SUPPORT, TOXICITY, beside

BESIDE = (TOXICITY, SUPPORT)  # the parts of a model that describe hits
PACKAGES = ("drylab", "rdkit", "numpy", "numba", "pyarrow", "dask")


@dataclass(frozen=True, slots=True)
class Performed:
    """How a run went: when (UTC) and how long each stage took, in seconds.

    executor  where            files   what was read besides the library
    since     only versions of the library after this one, None: all       groups  row groups, by what was done with them
    resources what it used: the screening, which may be for several targets, and the describing of this one's hits
    """

    executor: Executor
    files: Mapping[str, Mapping[str, str]]
    since: int | None
    groups: Mapping[str, int]
    started: datetime
    seconds: Mapping[str, float]
    resources: Resources


def run_record(target: Target, q: Question, library: Library, answer: Found, how: Performed) -> dict[str, Any]:
    """Everything about a run as JSON-ready data; the schema is drylab.run/1."""
    tally = answer.tally
    return {
        "schema": "drylab.run/1",
        "drylab": version("drylab"),
        "name": target.name,
        "title": target.report.title or target.name,
        "contact": target.report.contact or "",
        "started": how.started.isoformat(timespec="seconds"),
        "seconds": {
            name: round(value, 3) for name, value in {**how.seconds, "total": sum(how.seconds.values())}.items()
        },
        "resources": how.resources.to_dict(),
        "target": to_dict(target),
        "files": how.files,
        "probe": about(q.model.probes.probes[q.probe]),
        "tier": extended.tier(q.model, q.probe),
        "model": _model(q),
        "library": _library(library, how),
        "tally": {
            "read": tally.read,
            "rejected": dict(tally.rejected),
            "filtered": dict(tally.filtered),
            "parsed_by_rdkit": dict(tally.declined),
            "scored": tally.scored,
            "kept": len(answer.top),
        },
        "histogram": _histogram(answer.histogram),
        "known": _known(q, answer),
        "toxicity": endpoints_told(target, q),
        "ranges": {name: {"low": r.low, "high": r.high, "hard": r.hard} for name, r in target.ranges().items()},
        "executor": {"kind": how.executor.kind, "workers": how.executor.workers, "batch_size": q.batch_size},
        "certificate": certificate_record(answer.certificate),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "confidential": target.provenance.confidential,
    }


def certificate_record(c: Certificate) -> dict[str, Any]:
    """The certificate as JSON-ready data; docs/hits.md says what each entry means."""
    target, *others = c.bounds
    return {
        "precision": c.precision,
        "device": c.device,
        "error_bound": c.bounds[target],
        "bounds": {name: c.bounds[name] for name in others},
        "largest_error": c.errors[target],
        "largest_errors": {name: c.errors[name] for name in others},
        "kept": c.kept,
        "rescored": dict(c.rescored),
        "audited": c.audited,
        "failure_rate_below": c.failure_rate_below(),
        "violations": c.violations,
        "repairs": c.repairs,
        "margin": c.margin,
        "histogram": "reference scores" if c.histogram else "fold scores",
        "sentence": _certified(c),
    }


def _certified(c: Certificate) -> str:
    """What the certificate says, in words."""
    if c.precision == "float64":
        said = "Every molecule was scored in float64, so this list is exact."
    else:
        bound, share = next(iter(c.bounds.values())), c.failure_rate_below()
        said = (
            f"Scored in {c.precision} to within {bound:.1g}; the {c.kept:,} molecules that could be among the best were "
            "scored again in float64, so this list is the one that float64 alone would give"
        )
        said += (
            "."
            if share is None
            else (
                f", as far as the bound holds: of {c.audited:,} molecules audited none was outside it "
                f"(95 % sure: fewer than {100 * share:.2g} % are)."
            )
        )
    times = {1: "once", 2: "twice"}.get(c.repairs, f"{c.repairs} times")
    return said + (f" The bound was too small at first, and the fold was repeated {times}." if c.repairs else "")


def moved(record: Any, before: str, after: str) -> Any:
    """The record of a run whose folder ``before`` was moved to ``after``: every path in it."""
    if isinstance(record, Mapping):
        return {key: moved(value, before, after) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [moved(value, before, after) for value in record]
    return after + record.removeprefix(before) if isinstance(record, str) and record.startswith(before) else record


def files_read(target: Target) -> dict[str, dict[str, str]]:
    """Key -> absolute path and SHA-256 of the target file and of each file that it names, but for the library."""
    return {key: {"path": os.path.abspath(path), "sha256": file_sha256(path)} for key, path in target.files().items()}


def _model(q: Question) -> dict[str, Any]:
    card = Path(q.model.path).with_suffix(".md")
    info = {key: value for key, value in q.model.info.items() if key not in ("probes", "schema")}
    excluded = info.get("excluded", {})
    if excluded:
        excluded = {**excluded, "sentence": _excluded(excluded)}
    return {
        **info,
        "excluded": excluded,
        "sha256": q.model.sha256,
        "path": q.model.path,
        "beside": {part.lstrip("-"): file_sha256(path) for part in BESIDE if (path := beside(q.model, part)).is_file()},
        "card": card.read_text(encoding="utf-8") if card.is_file() else "",
    }


def _excluded(excluded: Mapping[str, Any]) -> str:
    return (
        f"Kept out of this model's training data: the {excluded['molecules']:,} approved drugs of the demonstration, as "
        f"any salt, stereoisomer or tautomer ({excluded['rows']:,} measurements and structures)."
    )


def _library(library: Library, how: Performed) -> dict[str, Any]:
    recipe = library.recipe
    return {
        "path": library.shown,
        "name": places.name(library.path),
        "rows": library.rows,
        "version": library.version,
        "since": how.since,
        "groups": dict(how.groups),
        "recipe": f"{recipe['name']}/{recipe['version']}",
        "manifest_sha256": library.sha256,
        "build": build_totals(library),
        "sources": library.sources(),
    }


def _histogram(histogram: Histogram) -> dict[str, Any]:
    counts = histogram.counts.tolist()
    return {"low": LOW, "width": WIDTH, "counts": counts[1:-1], "underflow": counts[0], "overflow": counts[-1]}


def _known(q: Question, answer: Found) -> list[dict[str, Any]]:
    # A known active that is not among the scored rows is ranked as if it were one more of them.
    ranks, scored = answer.ranks, answer.tally.scored
    among = [scored + (not answer.ranks.found[i] or bool(q.known_filtered[i])) for i in range(len(q.known.ids))]
    rows = [
        {
            "id": q.known.ids[i],
            "smiles": q.known.smiles[i],
            "score": float(q.known_scores[i]) if math.isfinite(q.known_scores[i]) else None,
            "rank": int(ranks.better[i]) + 1,
            "percentile": 100.0 * (int(ranks.better[i]) + 1) / among[i],
            "in_library": bool(ranks.found[i]),
            "value": float(q.known.values[i]) if math.isfinite(q.known.values[i]) else None,
            "units": "pX",
            "filtered_by": q.known_filtered[i] or None,
        }
        for i in range(len(q.known.ids))
    ]
    return sorted(rows, key=lambda row: (row["rank"], row["id"]))
