"""What the commands of ``drylab library`` show on a terminal."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from drylab.quantities import size
from drylab.terminal import out

if TYPE_CHECKING:
    from drylab.exporting import Exported
    from drylab.verifying import Verified

BLOCKS = "▁▂▃▄▅▆▇█"
BARS = 30  # of a histogram
LEVEL = 8


def info(said: Mapping[str, Any]) -> None:
    """What a library holds: totals, versions, sources with every row's fate, and how the properties are spread."""
    recipe = said["recipe"]
    made = f"recipe {recipe['name']} {recipe.get('version', '')} (RDKit {recipe.get('rdkit', '?')})"
    out.print(_properties(said["properties"]))
    out.print(_sources(said["sources"]))
    if said["version"] > 1:
        out.print(_versions(said["versions"]))
    out.print(
        f"{said['path']}: {said['rows']:,} molecules, version {said['version']}, {made}, {size(said['bytes']['total'])}",
        markup=False,
    )


def info_json(said: Mapping[str, Any]) -> None:
    """The same for programs."""
    sys.stdout.write(json.dumps(said, indent=1) + "\n")


def _sources(sources: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("source", "read", "kept", "duplicates", "rejected", box=None)
    for entry in sources:
        table.add_row(escape(entry["path"]), *_numbers(entry, "read", "kept", "duplicates"), _reasons(entry))
    if len(sources) > 1:
        totals = {name: sum(entry[name] for entry in sources) for name in ("read", "kept", "duplicates")}
        rejected = sum(sum(entry["rejected"].values()) for entry in sources)
        table.add_row("all", *_numbers(totals, *totals), f"{rejected:,}")
    return table


def _versions(versions: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("version", "read", "kept", "duplicates", "files", "size", "drylab", box=None)
    for entry in versions:
        numbers = _numbers(entry, "version", "read", "rows", "duplicates", "files")
        table.add_row(*numbers, size(entry["bytes"]["shards"]), escape(entry["drylab"]))
    return table


def _properties(properties: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table("property", "5 %", "median", "95 %", "from", "", "to", box=None)
    for name, histogram in properties.items():
        edges, counts = trimmed(histogram["edges"], histogram["counts"])
        shown = [f"{histogram['quantiles'][share]:.4g}" for share in ("0.05", "0.5", "0.95")] if counts else [""] * 3
        # The outermost bins have no outer end, but where less than 0 cannot be.
        less = " or less" if histogram["counts"][0] and edges[0] < 0 else ""
        more = " or more" if histogram["counts"][-1] else ""
        table.add_row(name, *shown, f"{edges[0]:g}{less}", bars(counts), f"{edges[-1]:g}{more}")
    return table


def trimmed(edges: Sequence[float], counts: Sequence[int]) -> tuple[list[float], list[int]]:
    """A histogram without empty ends, its bins joined until they are at most BARS."""
    there = [at for at, count in enumerate(counts) if count]
    if not there:
        return list(edges[:1]), []
    first, last = there[0], there[-1] + 1
    width = -(-(last - first) // BARS)
    starts = range(first, last, width)
    joined = [sum(counts[at : min(at + width, last)]) for at in starts]
    return [*(edges[at] for at in starts), edges[last]], joined


def bars(counts: Sequence[int]) -> str:
    """A line of blocks, the highest for the largest count, none where there is nothing."""
    most = max(counts, default=1)
    return "".join(BLOCKS[min(LEVEL * count // most, LEVEL - 1)] if count else " " for count in counts)


def _numbers(entry: Mapping[str, Any], *names: str) -> list[str]:
    return [f"{entry[name]:,}" for name in names]


def _reasons(entry: Mapping[str, Any]) -> str:
    return escape("; ".join(f"{reason}: {n:,}" for reason, n in entry["rejected"].items()) or "0")


def verified(found: Verified) -> None:
    """What was looked at, how much is wrong, and where the first of it is."""
    for finding in found.findings:
        out.print(str(finding), markup=False)
    for what, number in sorted(found.counts.items(), key=lambda item: -item[1]):
        out.print(f"{number:,} times: {what}", markup=False)
    state = "whole" if found.ok else "damaged: build it again, or fetch the files that are named"
    again = f", {found.rewritten:,} of them written again by RDKit" if found.rewritten else ""
    out.print(f"{found.place}: {found.rows:,} rows in {found.files:,} files{again}: {state}", markup=False)


def exported(done: Exported) -> None:
    """What was written, and what could not be written as it was."""
    out.print(f"{done.place}: {done.rows:,} rows", markup=False)
    if done.changed_ids:
        out.print(
            f"{done.changed_ids:,} ids hold tabs or line breaks, which this format cannot: they were written with blanks; "
            ".csv keeps them",
            markup=False,
        )


def lines(text: bytes) -> None:
    """Rows for another program."""
    sys.stdout.write(text.decode())


def found(table: Any) -> None:
    """What each id is, one a line, with tabs between."""
    writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    writer.writerow(["asked", "id", "key", "smiles", "duplicate in", "row"])
    for row in table.to_pylist():
        key = row["key"].hex() if row["key"] else "not there"
        writer.writerow([row["asked"], row["id"], key, row["smiles"], row["source"], row["row"]])
