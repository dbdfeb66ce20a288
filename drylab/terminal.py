"""What the commands show on a terminal: a progress bar, accounts, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from drylab.progress import Progress as Told
from drylab.resources import sentence

if TYPE_CHECKING:
    from drylab.score.model import Model
    from drylab.types import Hits

err = Console(stderr=True, highlight=False)
# In a pipe nobody looks, and text cut to a width would be lost.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 500)


@contextmanager
def progress() -> Iterator[Told]:
    """What a verb tells its progress to: a bar on the error stream, nothing where that is no terminal.

    Rows that are done, how many a second, and the time left: from the rows where their number is known, otherwise from
    the share that is done.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with (
        _told_when_stopped(),
        Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        yield _telling(bar)


def _telling(bar: Progress) -> Told:
    """What turns a stage into a bar; a bar that follows a share is as long as 1."""
    task, rows, known = TaskID(0), 0, True

    def stage(name: str, total: int | None) -> None:
        nonlocal task, rows, known
        if bar.task_ids:
            bar.stop_task(task)
        task, rows, known = bar.add_task(name, total=total, done=""), 0, total is not None

    def more(n: int) -> None:
        nonlocal rows
        rows += n
        elapsed = bar.tasks[-1].elapsed or 0
        rate = f", {rows / elapsed:,.0f}/s" if elapsed else ""
        bar.update(task, advance=n if known else 0, done=f"{rows:,} rows{rate}")

    def part(share: float) -> None:
        if not known:
            bar.update(task, total=1.0, completed=share)

    return Told(stage=stage, rows=more, part=part)


@contextmanager
def _told_when_stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        err.print("stopped; the output folder is as it was")
        raise typer.Exit(130) from stop


def summary(run: Mapping[str, Any]) -> None:
    """How far the ranking can be trusted, and where every row went."""
    tally, seconds, build = run["tally"], run["seconds"], run["library"]["build"]
    out.print(run["tier"]["sentence"], markup=False)
    if build["read"] != build["kept"]:
        bad = sum(build["rejected"].values())
        out.print(
            f"library: read {build['read']:,}, rejected {bad:,}, duplicates {build['duplicates']:,}, kept {build['kept']:,}"
        )
    parts = [f"read {tally['read']:,}"]
    for kind in ("rejected", "filtered"):
        parts.append(f"{kind} {sum(tally[kind].values()):,}")
        out.print(
            *(f"  {kind}: {reason}: {n:,}" for reason, n in tally[kind].items()),
            sep="\n",
            end="\n" * bool(tally[kind]),
            markup=False,
        )
    parts += [f"scored {tally['scored']:,}", f"kept {tally['kept']:,}"]
    out.print(", ".join(parts) + f" in {seconds['total']:.1f} s", markup=False)
    out.print(run["certificate"]["sentence"], markup=False)
    if "cascade" in run:
        out.print(run["cascade"]["sentence"], markup=False)
    out.print(f"used: {sentence(run['resources'])}", markup=False)


def known_table(hits: Hits) -> None:
    """Where the known drugs of a demonstration come out."""
    known = hits.run["known"]
    table = Table("known drug", "predicted", "rank", "top %", box=None)
    for row in known:
        table.add_row(escape(row["id"]), f"{row['score']:.2f}", f"{row['rank']:,}", f"{row['percentile']:.3f}")
    out.print(table)
    near = sum(row["percentile"] <= 1 for row in known)
    out.print(f"{near} of {len(known)} known drugs are in the top 1 % of {hits.run['tally']['scored']:,} scored")
    out.print(hits.run["model"].get("excluded", {}).get("sentence", ""), markup=False)


def files(written: dict[str, Path]) -> None:
    """Where the files of a run are, the report first."""
    for name in ("report.html", "hits.csv", "hits.parquet", "hits.sdf", "run.json", "rejected.parquet"):
        if name in written:
            out.print(f"{name:<17} {written[name].resolve()}", markup=False)


def model_table(model: Model) -> None:
    """What a model scores, with the held-out figure of each probe."""
    table = Table("name", "kind", "unit", "also called", "trained on", "held-out", box=None)
    for probe in model.probes.probes:
        figure = next((f"{key} {probe.metrics[key]:.2f}" for key in ("spearman", "auroc") if key in probe.metrics), "")
        trained = f"{probe.metrics.get('n_train', 0):.0f}"
        table.add_row(probe.name, probe.kind, probe.unit, escape(", ".join(probe.aliases)), trained, figure)
    out.print(f"model {model.name}", markup=False)
    out.print(table)
