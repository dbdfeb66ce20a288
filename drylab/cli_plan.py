"""The command ``drylab plan``: parse, call one library function, print. Nothing is computed here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drylab import terminal_plan
from drylab.cli_options import AddressOption, ExecutorOption, SinceOption, WorkersOption


def plan(
    targets: Annotated[list[Path], typer.Argument(help="The target file, or several to be screened together.")],
    library: Annotated[
        str | None, typer.Option("--library", "-l", help="Instead of the target files' library.")
    ] = None,
    executor: ExecutorOption = "auto",
    workers: WorkersOption = None,
    address: AddressOption = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1, help="Molecules a batch.")] = None,
    since: SinceOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="How long the library is probed, about.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Screen a few row groups, and say what the whole would take: time, memory, disk, core-hours, energy."""
    from drylab.config import load_target
    from drylab.execute import by_name
    from drylab.foreseeing import plan as foresee

    found = foresee(
        [load_target(target) for target in targets],
        library,
        executor=by_name(executor, workers, address),
        batch_size=batch_size,
        since=since,
        seconds=seconds,
    )
    (terminal_plan.plan_json if as_json else terminal_plan.plan)(found)
