"""What a verb tells as its work goes on; a terminal shows it, a notebook need not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Told as work goes on.

    stage(name, rows)  a stage starts, with so many rows to do (None: not known)
    rows(n)            n more rows are done
    part(share)        so much of the stage is done, 0 to 1, where the rows are not known beforehand
    """

    stage: Callable[[str, int | None], None]
    rows: Callable[[int], None]
    part: Callable[[float], None] = lambda share: None


SILENT = Progress(stage=lambda name, rows: None, rows=lambda n: None)
