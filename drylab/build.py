"""From vendor files to a library: read, standardise, drop what is there already, write shards, account for every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drylab.errors import AccountingError, InputError
from drylab.execute import Executor, in_order, serial
from drylab.library.sources import Chunk, Columns, chunks, expand
from drylab.library.standardize import keys, recipe, standardize
from drylab.library.store import DUPLICATES, Library, Writer, file_sha256, open_library
from drylab.report.folder import check_apart, new_folder
from drylab.types import Rejected

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How a library is made: recipe "standard" or "none", columns, and the share of rejected rows that fails a build."""

    recipe: str = "standard"
    columns: Columns = field(default_factory=Columns)
    max_rejected: float = 0.05


def build_library(
    sources: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    options: BuildOptions | None = None,
    executor: Executor | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Library:
    """Build a library folder from .smi, .csv, .tsv (plain or .gz) and .parquet files or globs.

    Rows of the same molecule (after the recipe) are kept once; the others stand in duplicates.parquet. Rows that cannot
    be used stand in rejected.parquet. Raises InputError for a missing, empty or damaged file, a column that is not
    there, or more rejected rows than ``options.max_rejected``; OutputError for an output folder that cannot be used.
    """
    options = options or BuildOptions()
    files = expand([str(source) for source in ([sources] if isinstance(sources, str | Path) else sources)])
    check_apart(Path(out), files)
    with new_folder(Path(out), force, (DUPLICATES,)) as folder:
        sums = _sums(files)  # before they are read: a file that changes meanwhile is not recorded as what was read
        rows = chunks(files, options.columns)
        write_library(folder, ", ".join(files), rows, options, executor or serial(), progress, sums)
    return open_library(out)


def write_library(
    folder: Path,
    name: str,
    rows: Iterable[Chunk],
    options: BuildOptions,
    executor: Executor,
    progress: Progress | None = None,
    sums: Mapping[str, str] | None = None,
) -> None:
    """The same into a folder that exists, from chunks of rows; ``sums`` has the SHA-256 of those sources that are files."""
    writer = Writer(folder, recipe(options.recipe))
    seen: set[bytes] = set()
    counts: dict[str, Counter[str]] = {}
    bad: Rejected | None = None
    for chunk in in_order(executor, Standardize(options.recipe), rows):
        refused = _store(writer, seen, counts.setdefault(chunk.source, Counter()), chunk)
        bad = bad or next(iter(refused), None)
        if progress is not None:
            progress(len(chunk.rows))
    sources = [_source(source, count, (sums or {}).get(source, "")) for source, count in counts.items()]
    writer.close(sources)
    _check(name, sources, options.max_rejected, bad)


@dataclass(frozen=True, slots=True)
class Standardized:
    """A chunk with, for each of its rows, (canonical SMILES, reason it is refused for)."""

    source: str
    rows: tuple[tuple[int, str, str], ...]
    results: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Standardize:
    """The task of a worker."""

    recipe: str

    def __call__(self, chunk: Chunk) -> Standardized:
        return Standardized(chunk.source, chunk.rows, tuple(standardize([row[2] for row in chunk.rows], self.recipe)))


def _store(writer: Writer, seen: set[bytes], count: Counter[str], chunk: Standardized) -> list[Rejected]:
    pairs = list(zip(chunk.rows, chunk.results, strict=True))
    refused = [
        Rejected(chunk.source, row[0], row[1], row[2][:200], "standardise", reason)
        for row, (_, reason) in pairs
        if reason
    ]
    good = [(row, smiles) for row, (smiles, reason) in pairs if not reason]
    codes = keys([smiles for _, smiles in good])
    fresh = np.array([_first(seen, code.tobytes()) for code in codes], dtype=bool)
    new = [pair for pair, flag in zip(good, fresh, strict=True) if flag]
    old = [row for (row, _), flag in zip(good, fresh, strict=True) if not flag]
    if new:
        writer.add([row[1] for row, _ in new], codes[fresh], [smiles for _, smiles in new])
    if old:
        writer.add_duplicates(chunk.source, [row[0] for row in old], [row[1] for row in old], codes[~fresh])
    if refused:
        writer.add_rejected(refused)
    count.update({"read": len(pairs), "kept": len(new), "duplicates": len(old)})
    count.update(f"rejected {row.reason}" for row in refused)
    return refused


def _first(seen: set[bytes], code: bytes) -> bool:
    if code in seen:
        return False
    seen.add(code)
    return True


def _sums(files: Sequence[str]) -> dict[str, str]:
    sums = {}
    for name in files:
        try:
            sums[name] = file_sha256(name)
        except OSError as error:
            raise InputError(
                f"{name}: cannot be read ({error.strerror}); look at its permissions and its disk"
            ) from error
    return sums


def _source(path: str, count: Counter[str], sha256: str) -> dict[str, Any]:
    rejected = {name.removeprefix("rejected "): n for name, n in sorted(count.items()) if name.startswith("rejected ")}
    read, kept, duplicates = count["read"], count["kept"], count["duplicates"]
    if read != kept + duplicates + sum(rejected.values()):
        raise AccountingError(
            f"{path}: rows do not add up: read {read}, kept {kept}, duplicates {duplicates}, rejected {rejected}; please report it"
        )
    return {
        "path": path,
        "sha256": sha256,  # "": rows that came from no file
        "read": read,
        "kept": kept,
        "duplicates": duplicates,
        "rejected": rejected,
    }


def _check(name: str, sources: Sequence[dict[str, Any]], max_rejected: float, bad: Rejected | None) -> None:
    read = sum(entry["read"] for entry in sources)
    reasons: Counter[str] = Counter()
    for entry in sources:
        reasons.update(entry["rejected"])
    if read == 0:
        raise InputError(f"{name}: no rows, so there is no library to make; give files that hold molecules")
    if bad is None or not (reasons.total() > max_rejected * read or reasons.total() == read):
        return
    why = ", ".join(f"{reason}: {n}" for reason, n in reasons.most_common())
    what = f"{bad.source}:{bad.row}: {reasons.total()} of {read} rows are rejected ({why})"
    hint = "the first is this one; check that the SMILES column is the right one, correct the rows"
    if reasons.total() < read:
        what += f", more than {max_rejected:.0%}"
        hint += ", or allow more with `drylab library build --max-rejected`"
    raise InputError(f"{what}; {hint}")


def build_totals(library: Library) -> dict[str, Any]:
    """read = kept + duplicates + rejected over all sources of a library, with reasons."""
    rejected: Counter[str] = Counter()
    for entry in library.manifest["sources"]:
        rejected.update(entry["rejected"])
    totals = {key: sum(entry[key] for entry in library.manifest["sources"]) for key in ("read", "kept", "duplicates")}
    return {**totals, "rejected": dict(rejected)}


def source_chunks(name: str, rows: Iterable[tuple[str, str]], size: int = 4096) -> Iterator[Chunk]:
    """(id, SMILES) pairs as chunks of a source called ``name``, for rows that come from no file."""
    part: list[tuple[int, str, str]] = []
    for number, (ident, smiles) in enumerate(rows, 1):
        part.append((number, ident, smiles))
        if len(part) == size:
            yield Chunk(name, tuple(part))
            part = []
    if part:
        yield Chunk(name, tuple(part))
