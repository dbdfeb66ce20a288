"""The command line: parse, call one library function, print. Nothing is computed here."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from drylab.errors import DrylabError

if TYPE_CHECKING:
    from drylab.types import Hits

app = typer.Typer(
    help="drylab: put a library of molecules through a graph neural network, and read the few hundred worth making.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
library_app = typer.Typer(help="Make and look at libraries.", no_args_is_help=True)
app.add_typer(library_app, name="library")
console = Console(stderr=True, highlight=False)
# In a pipe nobody looks, and text cut to a width would be lost.
out_console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 500)

ExecutorOption = Annotated[str, typer.Option("--executor", help="auto, serial, processes or dask.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Workers; default: one a core.")]
AddressOption = Annotated[str | None, typer.Option("--address", help="Dask scheduler, tcp://host:port or its file.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an output folder that drylab wrote before.")]


@app.command()
def screen(
    target: Annotated[Path, typer.Argument(help="The target file; `drylab init` writes one.")],
    library: Annotated[
        str | None, typer.Option("--library", "-l", help="Instead of the target file's library.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; default: runs/NAME.")] = None,
    executor: ExecutorOption = "auto",
    workers: WorkersOption = None,
    address: AddressOption = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, max=65_536, help="Molecules a batch.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Rank a library for a target; write report.html, hits.csv, hits.parquet, hits.sdf and run.json."""
    from drylab.config import load_target
    from drylab.execute import by_name
    from drylab.screening import screen_to

    checked = load_target(target)
    folder = out or Path("runs") / checked.name
    with _progress() as progress:
        hits, files = screen_to(
            checked,
            folder,
            library,
            executor=by_name(executor, workers, address),
            batch_size=batch_size,
            force=force,
            progress=progress,
        )
    _summary(hits)
    _files(files)


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the library, the target file and the run.")
    ] = Path("demo"),
    target: Annotated[str, typer.Option("--target", help="A panel target that approved drugs act on.")] = "EGFR",
    molecules: Annotated[
        int | None, typer.Option("--molecules", min=1, help="Only the first so many products.")
    ] = None,
    executor: ExecutorOption = "auto",
    workers: WorkersOption = None,
    force: ForceOption = False,
) -> None:
    """Screen a library that drylab makes itself, and see where the approved drugs come out."""
    from drylab.demo import run_demo
    from drylab.execute import by_name

    with _progress() as progress:
        done = run_demo(
            out,
            target=target,
            executor=by_name(executor, workers),
            force=force,
            progress=progress,
            molecules=molecules,
        )
    _summary(done.hits)
    _known_table(done.hits)
    _files(done.files)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("target.yaml"),
    name: Annotated[str, typer.Option("--name", help="What the project is called.")] = "EGFR round 1",
    target: Annotated[str, typer.Option("--target", help="A panel target; `drylab targets` lists them.")] = "EGFR",
    library: Annotated[str, typer.Option("--library", help="A library folder, or molecule files.")] = "library",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a commented target file to start from."""
    from drylab.checking import write_template

    written = write_template(file, name, target, library, force)
    out_console.print(f"wrote {written}; next: drylab check {written}", markup=False)


@app.command()
def check(
    target: Annotated[Path, typer.Argument(help="The target file.")],
    library: Annotated[
        str | None, typer.Option("--library", "-l", help="Instead of the target file's library.")
    ] = None,
) -> None:
    """Say what a screen of this target file would do, without doing it."""
    from drylab.checking import check as run_check

    out_console.print(str(run_check(target, library)), markup=False)


@app.command()
def targets() -> None:
    """List what the model scores: targets with their held-out figures, and toxicity endpoints."""
    from drylab.score.model import load_model

    model = load_model()
    table = Table("name", "kind", "unit", "also called", "trained on", "held-out", box=None)
    for probe in model.probes.probes:
        figure = next((f"{key} {probe.metrics[key]:.2f}" for key in ("spearman", "auroc") if key in probe.metrics), "")
        table.add_row(
            probe.name,
            probe.kind,
            probe.unit,
            ", ".join(probe.aliases),
            f"{probe.metrics.get('n_train', 0):.0f}",
            figure,
        )
    out_console.print(table)


@library_app.command("build")
def library_build(
    sources: Annotated[list[str], typer.Argument(help=".smi, .csv, .tsv (plain or .gz) or .parquet files, or globs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The library folder to make.")],
    smiles: Annotated[str, typer.Option("--smiles", help="Column of the SMILES.")] = "",
    ids: Annotated[str, typer.Option("--id", help="Column of the ids.")] = "",
    recipe: Annotated[str, typer.Option("--recipe", help="standard or none.")] = "standard",
    max_rejected: Annotated[
        float, typer.Option("--max-rejected", min=0, max=1, help="Share of rejected rows that fails.")
    ] = 0.05,
    executor: ExecutorOption = "auto",
    workers: WorkersOption = None,
    force: ForceOption = False,
) -> None:
    """Make a library: read, standardise, keep each molecule once, account for every row."""
    from drylab.build import BuildOptions, build_library
    from drylab.execute import by_name
    from drylab.library.sources import Columns

    options = BuildOptions(recipe, Columns(smiles, ids), max_rejected)
    with _progress() as progress:
        progress.stage("building the library", None)
        built = build_library(
            sources, out, options=options, executor=by_name(executor, workers), force=force, progress=progress.rows
        )
    _library_table(built)


@library_app.command("info")
def library_info(folder: Annotated[Path, typer.Argument(help="A library folder.")]) -> None:
    """Show what a library holds and where its rows came from."""
    from drylab.library.store import open_library

    _library_table(open_library(folder))


@app.callback(invoke_without_command=True)
def version_option(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Show the version, or run a command."""
    if version:
        from importlib.metadata import version as installed

        out_console.print(f"drylab {installed('drylab')}")
        raise typer.Exit


@contextmanager
def _progress() -> Iterator[Any]:
    """A drylab Progress that draws a bar on the terminal's error stream."""
    from drylab.screening import Progress as Told

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        _told_when_stopped(),
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        tasks: list[Any] = []

        def stage(name: str, total: int | None) -> None:
            tasks.append(bar.add_task(name, total=total))

        yield Told(stage=stage, rows=lambda n: bar.advance(tasks[-1], n))


@contextmanager
def _told_when_stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        console.print("stopped; the output folder is as it was")
        raise typer.Exit(130) from stop


def _summary(hits: Hits) -> None:
    tally, seconds, build = hits.run["tally"], hits.run["seconds"], hits.run["library"]["build"]
    out_console.print(hits.run["tier"]["sentence"], markup=False)
    if build["read"] != build["kept"]:
        bad = sum(build["rejected"].values())
        out_console.print(
            f"library: read {build['read']:,}, rejected {bad:,}, duplicates {build['duplicates']:,}, kept {build['kept']:,}"
        )
    parts = [f"read {tally['read']:,}"]
    for kind in ("rejected", "filtered"):
        parts.append(f"{kind} {sum(tally[kind].values()):,}")
        out_console.print(
            *(f"  {kind}: {reason}: {n:,}" for reason, n in tally[kind].items()),
            sep="\n",
            end="\n" * bool(tally[kind]),
            markup=False,
        )
    parts += [f"scored {tally['scored']:,}", f"kept {tally['kept']:,}"]
    out_console.print(", ".join(parts) + f" in {seconds['total']:.1f} s", markup=False)


def _known_table(hits: Hits) -> None:
    known = hits.run["known"]
    table = Table("known drug", "predicted", "rank", "top %", box=None)
    for row in known:
        table.add_row(row["id"], f"{row['score']:.2f}", f"{row['rank']:,}", f"{row['percentile']:.3f}")
    out_console.print(table)
    near = sum(row["percentile"] <= 1 for row in known)
    out_console.print(
        f"{near} of {len(known)} known drugs are in the top 1 % of {hits.run['tally']['scored']:,} scored"
    )
    out_console.print(hits.run["model"].get("excluded", {}).get("sentence", ""), markup=False)


def _library_table(library: Any) -> None:
    table = Table("source", "read", "kept", "duplicates", "rejected", box=None)
    for entry in library.manifest["sources"]:
        reasons = "; ".join(f"{reason}: {n:,}" for reason, n in entry["rejected"].items()) or "0"
        table.add_row(
            escape(entry["path"]), f"{entry['read']:,}", f"{entry['kept']:,}", f"{entry['duplicates']:,}", reasons
        )
    out_console.print(table)
    out_console.print(
        f"{library.path}: {library.rows:,} molecules, recipe {library.manifest['recipe']['name']}", markup=False
    )


def _files(files: dict[str, Path]) -> None:
    for name in ("report.html", "hits.csv", "hits.parquet", "hits.sdf", "run.json", "rejected.parquet"):
        if name in files:
            out_console.print(f"{name:<17} {files[name].resolve()}", markup=False)


def main() -> None:
    """The ``drylab`` command: what drylab raises on purpose is one line and exit code 2."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a batch system's time limit: clean up as for Ctrl-C
    try:
        app()
    except DrylabError as error:
        console.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
