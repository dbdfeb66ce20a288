"""The commands of ``drylab library``: parse, call one library function, print. Nothing is computed here."""

from __future__ import annotations

from typing import Annotated

import typer

from drylab import terminal, terminal_library
from drylab.cli_options import AddressOption, ExecutorOption, SinceOption, WorkersOption

app = typer.Typer(help="Make, look at, check and use libraries.", no_args_is_help=True)

LibraryArgument = Annotated[str, typer.Argument(help="A library: its folder, or its address in an object store.")]
ForceFileOption = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]


@app.command()
def build(
    sources: Annotated[
        list[str],
        typer.Argument(
            help=".smi, .cxsmiles, .csv, .tsv, .sdf (.gz, .bz2, .zst) or .parquet: files, addresses, globs."
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", help="The library: a folder or an address.")],
    add: Annotated[bool, typer.Option("--add", help="Add to the library that is there, as a new version.")] = False,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="standard (the default), none or tautomer; with --add the library's.")
    ] = None,
    smiles: Annotated[str, typer.Option("--smiles", help="Column or tag of the SMILES, or its number from 1.")] = "",
    ids: Annotated[str, typer.Option("--id", help="Column or tag of the ids, or its number from 1.")] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first so many rows.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read, and how long it takes.")] = False,
    memory: Annotated[str, typer.Option("--memory", help="Most that all workers take: 4GB. Default: no limit.")] = "",
    scratch: Annotated[str, typer.Option("--scratch", help="Folder to work in; default: beside the library.")] = "",
    max_rejected: Annotated[
        float, typer.Option("--max-rejected", min=0, max=1, help="Share of rejected rows above which a build fails.")
    ] = 0.05,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a build that was stopped.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a library, or an unfinished build.")] = False,
    executor: ExecutorOption = "auto",
    workers: WorkersOption = None,
    address: AddressOption = None,
) -> None:
    """Make a library: read, standardise, keep each molecule once, account for every row."""
    from drylab.build import BuildOptions, build_library
    from drylab.config.options import read_size
    from drylab.execute import by_name
    from drylab.library.rows import Columns
    from drylab.library.summary import library_info
    from drylab.planning import plan_build

    bytes_ = read_size(memory, "--memory") if memory else None
    options = BuildOptions(recipe, Columns(smiles, ids), max_rejected, limit, bytes_, scratch)
    chosen = by_name(executor, workers, address)
    if dry_run:
        terminal.out.print(str(plan_build(sources, options, chosen, onto=out if add else None)), markup=False)
        return
    with terminal.progress() as progress:
        built = build_library(
            sources, out, options=options, executor=chosen, force=force, resume=resume, add=add, progress=progress
        )
    terminal_library.info(library_info(built))


@app.command()
def info(
    library: LibraryArgument,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show what a library holds, how its properties are spread, and where its rows came from."""
    from drylab.library.summary import library_info

    (terminal_library.info_json if as_json else terminal_library.info)(library_info(library))


@app.command()
def verify(
    library: LibraryArgument,
    deep: Annotated[bool, typer.Option("--deep", help="Let RDKit write every SMILES again.")] = False,
    executor: ExecutorOption = "auto",
    workers: WorkersOption = None,
    address: AddressOption = None,
) -> None:
    """Compare every file and every row with what was written; exit code 1 if anything is wrong."""
    from drylab.execute import by_name
    from drylab.verifying import verify_library

    with terminal.progress() as progress:
        verified = verify_library(library, deep=deep, executor=by_name(executor, workers, address), progress=progress)
    terminal_library.verified(verified)
    if not verified.ok:
        raise typer.Exit(1)


@app.command()
def sample(
    library: LibraryArgument,
    number: Annotated[int, typer.Option("--number", "-n", min=0, help="How many rows.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed is another sample.")] = 0,
    out: Annotated[str, typer.Option("--out", "-o", help="A file, by its suffix as in export.")] = "",
    force: ForceFileOption = False,
) -> None:
    """Rows by chance, each as likely as any other: SMILES, a tab and the id, or a file."""
    from drylab.exporting import write_rows
    from drylab.library.exports import smi
    from drylab.library.picking import sample_library

    rows = sample_library(library, number, seed)
    if out:
        terminal_library.exported(write_rows(rows, out, force=force))
    else:
        terminal_library.lines(smi(rows))


@app.command()
def export(
    library: LibraryArgument,
    out: Annotated[str, typer.Option("--out", "-o", help=".smi, .csv, .tsv, .sdf (.gz, .bz2, .zst) or .parquet.")],
    ranges: Annotated[
        list[str] | None, typer.Option("--range", help="PROPERTY:LOW:HIGH, e.g. mw:300:400; may be repeated.")
    ] = None,
    since: SinceOption = None,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="At most so many rows.")] = None,
    force: ForceFileOption = False,
    executor: ExecutorOption = "auto",
    workers: WorkersOption = None,
    address: AddressOption = None,
) -> None:
    """Write rows of a library to a file for other programs."""
    from drylab.config.options import read_bounds
    from drylab.execute import by_name
    from drylab.exporting import export_library

    with terminal.progress() as progress:
        done = export_library(
            library,
            out,
            ranges=[read_bounds(text, "--range") for text in ranges or ()],
            since=since or 0,
            limit=limit,
            executor=by_name(executor, workers, address),
            force=force,
            progress=progress,
        )
    terminal_library.exported(done)


@app.command()
def find(
    library: LibraryArgument,
    ids: Annotated[list[str], typer.Argument(help="Vendors' ids.")],
) -> None:
    """Find molecules by vendors' ids, also of rows that were duplicates; exit code 1 if one is not there."""
    from drylab.library.picking import find_library

    found = find_library(library, ids)
    terminal_library.found(found)
    if found.column("key").null_count:
        raise typer.Exit(1)
