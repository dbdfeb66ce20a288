"""Hits and the record of a run as files: Parquet, CSV, SD, one HTML page, JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drylab.errors import OutputError
from drylab.report.columns import describe, shown
from drylab.report.depict import sdf
from drylab.report.page import page
from drylab.report.tables import csv, parquet
from drylab.types import Hits

__all__ = ["write"]


def write(hits: Hits, folder: Path) -> dict[str, Path]:
    """Write hits.parquet, hits.csv, hits.sdf, report.html and run.json into a folder; returns the paths by file name.

    The folder is made if need be; files of these names in it are replaced. run.json goes first and comes last, so a
    folder with run.json is complete. The same hits give the same bytes. A folder that cannot be written is an
    OutputError.
    """
    writers: dict[str, Callable[[Path], object]] = {
        "hits.parquet": lambda path: parquet(hits, path),
        "hits.csv": lambda path: _text(path, csv(hits)),
        "hits.sdf": lambda path: _text(path, _sdf(hits)),
        "report.html": lambda path: _text(path, page(hits)),
        "run.json": lambda path: _text(path, _json(hits.run)),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.json").unlink(missing_ok=True)
        for name, writer in writers.items():
            # Written beside its place and moved, so that a reader never sees half a file.
            partial = folder / f".{name}.partial"
            writer(partial)
            os.replace(partial, folder / name)
    except OSError as problem:
        raise OutputError(
            f"{folder}: expected a folder that drylab can write its results into, got {problem.strerror or problem}; "
            "choose another output folder"
        ) from problem
    return {name: folder / name for name in writers}


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _json(run: Mapping[str, Any]) -> str:
    return json.dumps(_finite(run), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """The same tree with null for NaN and infinities, which JSON does not have: a rank correlation can be undefined."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sdf(hits: Hits) -> str:
    names = [column.name for column in describe(hits) if column.kind != "list"]
    return sdf(hits.table.slice(0, shown(hits)).select(names).to_pylist())
