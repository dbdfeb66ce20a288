"""What ``drylab plan`` shows on a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from drylab.terminal import out

if TYPE_CHECKING:
    from drylab.plans import Plan


def plan(found: Plan) -> None:
    """What a screen would take, one quantity a line."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for heading, text in found.lines():
        table.add_row(Text(heading, style="bold"), Text(text))
    out.print(table)


def plan_json(found: Plan) -> None:
    """The same for programs."""
    sys.stdout.write(json.dumps(found.to_dict(), indent=1) + "\n")
