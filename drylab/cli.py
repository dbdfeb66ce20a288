"""The command line: parse, call one library function, print. Nothing is computed here."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from drylab import cli_library, cli_models, cli_plan, terminal
from drylab.cli_options import AddressOption, ExecutorOption, ForceOption, SinceOption, WorkersOption
from drylab.errors import DrylabError

app = typer.Typer(
    help="drylab: put a library of molecules through a graph neural network, and read the few hundred worth making.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_library.app, name="library")
app.add_typer(cli_models.models, name="models")
app.command()(cli_plan.plan)
app.command()(cli_models.fit)
app.command()(cli_models.predict)
app.command()(cli_models.evaluate)


@app.command()
def screen(
    targets: Annotated[list[Path], typer.Argument(help="The target file, or several; `drylab init` writes one.")],
    library: Annotated[
        str | None, typer.Option("--library", "-l", help="Instead of the target files' library.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Run folder, or with several targets the folder of theirs; default: runs/NAME."
        ),
    ] = None,
    executor: ExecutorOption = "auto",
    workers: WorkersOption = None,
    address: AddressOption = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1, help="Molecules a batch.")] = None,
    since: SinceOption = None,
    force: ForceOption = False,
) -> None:
    """Rank a library for a target, or for several in one pass; write report.html, hits.csv, hits.parquet, hits.sdf and run.json."""
    from drylab.config import load_target
    from drylab.execute import by_name
    from drylab.screening import screen_many_to, screen_to

    checked = [load_target(target) for target in targets]
    how: dict[str, Any] = {"batch_size": batch_size, "since": since, "force": force}
    done: list[tuple[Mapping[str, Any], dict[str, Path]]] = []
    with terminal.progress() as progress:
        how |= {"executor": by_name(executor, workers, address), "progress": progress}
        if len(checked) == 1:
            hits, files = screen_to(checked[0], out or Path("runs") / checked[0].name, library, **how)
            done.append((hits.run, files))
        else:
            screen_many_to(checked, out or "runs", library, done=lambda *run: done.append((run[0].run, run[1])), **how)
    for run, files in done:
        terminal.summary(run)
        terminal.files(files)


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

    with terminal.progress() as progress:
        done = run_demo(
            out,
            target=target,
            executor=by_name(executor, workers),
            force=force,
            progress=progress,
            molecules=molecules,
        )
    terminal.summary(done.hits.run)
    terminal.known_table(done.hits)
    terminal.files(done.files)


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
    terminal.out.print(f"wrote {written}; next: drylab check {written}", markup=False)


@app.command()
def check(
    target: Annotated[Path, typer.Argument(help="The target file.")],
    library: Annotated[
        str | None, typer.Option("--library", "-l", help="Instead of the target file's library.")
    ] = None,
) -> None:
    """Say what a screen of this target file would do, without doing it."""
    from drylab.checking import check as run_check

    terminal.out.print(str(run_check(target, library)), markup=False)


@app.command()
def targets() -> None:
    """List what the model scores: targets with their held-out figures, and toxicity endpoints."""
    from drylab.score.model import load_model

    terminal.model_table(load_model())


@app.callback(invoke_without_command=True)
def version_option(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Show the version, or run a command."""
    if version:
        from importlib.metadata import version as installed

        terminal.out.print(f"drylab {installed('drylab')}")
        raise typer.Exit


# What a command loads stays until it ends: to look through it for garbage again and again takes a tenth of a short run.
gc.set_threshold(100_000, 20, 100)


def main() -> None:
    """The ``drylab`` command: what drylab raises on purpose is one line and exit code 2."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a batch system's time limit: clean up as for Ctrl-C
    try:
        app()
    except DrylabError as error:
        terminal.err.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
