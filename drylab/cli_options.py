"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

ExecutorOption = Annotated[str, typer.Option("--executor", help="auto, serial, processes or dask.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Workers; default: one a core.")]
AddressOption = Annotated[str | None, typer.Option("--address", help="Dask scheduler, tcp://host:port or its file.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an output folder that drylab wrote before.")]
SinceOption = Annotated[int | None, typer.Option("--since", min=0, help="Only what was added after this version.")]
