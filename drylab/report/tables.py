"""Hits as Parquet (all rows) and as CSV (the rows of the report), the same bytes for the same hits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from drylab.report.columns import Column, describe, shown, written
from drylab.types import Hits

SCHEMA = "drylab.hits/1"
# A spreadsheet runs a cell that starts with one of these as a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def parquet(hits: Hits, path: Path) -> None:
    """Write all rows; the file's metadata says by which model, library and question they came about, and no time."""
    pq.write_table(hits.table.replace_schema_metadata(provenance(hits.run)), path, compression="zstd")


def provenance(run: Mapping[str, Any]) -> dict[str, str]:
    """The key-value metadata of hits.parquet; ``target_sha256`` is of the target as JSON with sorted keys."""
    target = json.dumps(run.get("target", {}), sort_keys=True, separators=(",", ":"))
    return {
        "drylab.schema": SCHEMA,
        "drylab.version": str(run.get("drylab", "")),
        "drylab.model_sha256": str(run.get("model", {}).get("sha256", "")),
        "drylab.library_manifest_sha256": str(run.get("library", {}).get("manifest_sha256", "")),
        "drylab.target_sha256": hashlib.sha256(target.encode()).hexdigest(),
    }


def csv(hits: Hits) -> str:
    """The first ``report_n`` rows as RFC 4180 text (but "\\n" line ends), without list columns; no cell is a formula."""
    columns = [column for column in describe(hits) if column.kind != "list"]
    rows = hits.table.slice(0, shown(hits)).select([column.name for column in columns]).to_pylist()
    lines = [",".join(_quoted(column.name) for column in columns)]
    lines += [",".join(_cell(row[column.name], column) for column in columns) for row in rows]
    return "\n".join(lines) + "\n"


def harmless(text: str) -> str:
    """Text with an apostrophe before it where a spreadsheet would otherwise take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cell(value: Any, column: Column) -> str:
    text = written(value, column)
    return text if column.kind in ("number", "bool") else _quoted(harmless(text))


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
