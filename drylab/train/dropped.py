"""What became of every row: file x reason -> count, so that read = kept + merged + dropped; as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

ROWS, MERGED, KEPT = "rows", "replicates_merged", "kept"

# reason -> what it means, in the order of the report; "kept out: X" are added by the origins of drylab.train.keepout
REASONS = {
    "no_value": "the row has no number",
    "not_readable": "RDKit refuses the SMILES",
    "inorganic": "no carbon, or an element that is none of H B C N O F Si P S Cl Se Br I: metals, noble gases",
    "mixture": "two different organic parts of similar size: nobody knows which was active",
    "impossible": "-log10 of mol/l below 2 or above 12: an error of units",
    "measured": "a library molecule that has a label: it is presumed nothing",
    "too_few": "its assay or target has too few molecules left to learn from",
    "contradicting": "replicates more than 1 log unit apart, or both 0 and 1",
}

Counts = dict[str, dict[str, int]]


def started(rows: pd.DataFrame) -> Counts:
    """The count of a report before anything is dropped; ``rows`` has a column "file"."""
    return {str(name): {ROWS: int(number)} for name, number in rows.groupby("file", sort=True).size().items()}


def drop(rows: pd.DataFrame, which: Any, reason: str, counts: Counts) -> pd.DataFrame:
    """The rows without those of ``which`` (n,) bool, which are counted."""
    for name, number in rows.loc[which, "file"].value_counts().items():
        counts[str(name)][reason] = counts[str(name)].get(reason, 0) + int(number)
    return rows[~which]


def count_merged(before: pd.DataFrame, after: pd.DataFrame, counts: Counts) -> None:
    """Count the rows that were merged into another."""
    rows, left = before["file"].value_counts(), after["file"].value_counts()
    for name, count in counts.items():
        count[MERGED] = int(rows.get(name, 0) - left.get(name, 0))


def finish(rows: pd.DataFrame, counts: Counts) -> None:
    """Count what is kept; every row must have gone somewhere."""
    kept = rows["file"].value_counts()
    for name, count in counts.items():
        count[KEPT] = int(kept.get(name, 0))
    check(counts)


def check(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Assert read = kept + merged + dropped for every file."""
    for name, count in counts.items():
        gone = sum(number for reason, number in count.items() if reason != ROWS)
        assert count[ROWS] == gone, f"{name}: {count[ROWS]} rows read, {gone} accounted for: {count}"
        assert min(count.values()) >= 0, f"{name}: {count}"


def markdown(counts: Mapping[str, Mapping[str, int]]) -> str:
    """The report as a table: a line a file, a column a reason, and the reasons in words."""
    found = dict.fromkeys(reason for count in counts.values() for reason in count)
    known = [reason for reason in REASONS if reason in found]
    others = [reason for reason in found if reason not in (*REASONS, ROWS, MERGED, KEPT)]
    columns = [ROWS, *known, *others, MERGED, KEPT]
    lines = ["| file | " + " | ".join(column.replace("_", " ") for column in columns) + " |"]
    lines.append("| --- |" + " ---: |" * len(columns))
    for name, count in counts.items():
        lines.append(f"| {name} | " + " | ".join(f"{count.get(column, 0):,}" for column in columns) + " |")
    lines += ["", *(f"* **{reason.replace('_', ' ')}**: {REASONS[reason]}" for reason in known)]
    return "\n".join(lines) + "\n"


def write(counts: Mapping[str, Mapping[str, int]], path: Path) -> None:
    """The report beside one another: ``path`` with the suffix .md and with .json."""
    path.with_suffix(".md").write_text(markdown(counts), encoding="utf-8")
    path.with_suffix(".json").write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
