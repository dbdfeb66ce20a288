"""A chemist's own molecules: known actives with their values, and molecules to leave out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.library.sources import Columns, cells_of, chunks, expand, find_columns, guarded, open_text, squeezed
from drylab.library.standardize import keys, standardize

_TO_PX = {"nM": 9.0, "uM": 6.0, "M": 0.0}
UNITS = (*_TO_PX, "pX")
MOST_PX = 15  # as far as target.yaml lets a potency go


@dataclass(frozen=True, slots=True)
class Known:
    """Molecules of a file, standardised, one each.

    ids, smiles  n strings    keys (n, 2) uint64    values (n,) float64, -log10(mol/l), NaN where none is given
    """

    ids: tuple[str, ...]
    smiles: tuple[str, ...]
    keys: NDArray[np.uint64]
    values: NDArray[np.float64]


def read_known(file: str, columns: Columns, value: str = "", units: str = "") -> Known:
    """Read .smi, .csv, .tsv (plain or .gz) or .parquet; a molecule measured twice has the mean of its pX, and its first id.

    ``value`` is the column of the measurements, in ``units`` (nM, uM, M or pX). Raises InputError naming file and line
    for the first row whose SMILES or value cannot be used: a measurement is never dropped in silence.
    """
    if expand([file]) != [file]:
        raise InputError(f"{file}: is a glob, and the molecules are to be in one file; give its name")
    if value and units not in UNITS:
        raise InputError(f"{file}: unit {units!r} of column {value!r} is not known; choose one of {', '.join(UNITS)}")
    rows = list(_rows(file, columns, value))
    if not rows:
        raise InputError(f"{file}: holds no molecules; give a file with at least one")
    canonical = standardize([smiles for _, _, smiles, _ in rows])
    found: dict[str, tuple[str, list[float]]] = {}
    names: set[str] = set()
    for (number, ident, _, said), (smiles, reason) in zip(rows, canonical, strict=True):
        if reason:
            # Without the SMILES itself: a confidential structure is not to stand in a log.
            raise InputError(f"{file}:{number}: the SMILES of {ident!r}: {reason}; correct or remove the row")
        measured = _px(f"{file}:{number}", said, units) if value else math.nan
        if smiles not in found:
            # Two molecules under one id are to be told apart in the report.
            found[smiles] = (f"{ident} (row {number})" if ident in names else ident, [])
            names.add(ident)
        found[smiles][1].append(measured)
    return Known(
        ids=tuple(ident for ident, _ in found.values()),
        smiles=tuple(found),
        keys=keys(list(found)),
        values=np.array([np.mean(measured) for _, measured in found.values()]),
    )


def _rows(file: str, columns: Columns, value: str) -> Iterator[tuple[int, str, str, str]]:
    if not value:
        for chunk in chunks([file], columns):
            yield from ((number, ident, smiles, "") for number, ident, smiles in chunk.rows)
        return
    cells = guarded(file, _cells(file))
    _, names = next(cells, (0, []))
    header = [name.strip() for name in names]
    if value not in header:
        raise InputError(
            f"{file}:1: no column {value!r} for the values; the columns are {squeezed(', '.join(header)) or 'not named'}"
        )
    at_smiles, at_id = find_columns(file, header, columns)
    at_value = header.index(value)
    for number, given in cells:
        if not any(given):  # a blank line measures nothing
            continue
        row = [*given, *[""] * (len(header) - len(given))]
        yield (
            number,
            (row[at_id].strip() if at_id is not None else "") or f"row {number}",
            row[at_smiles].strip(),
            row[at_value].strip(),
        )


def _cells(file: str) -> Iterator[tuple[int, list[str]]]:
    """(line or row number, cells) of each row, the header first."""
    suffix = Path(file.removesuffix(".gz")).suffix.lower()
    if suffix == ".parquet":
        table = pq.read_table(file)
        yield 0, table.column_names
        columns = [column.to_pylist() for column in table.columns]
        rows = ([("" if cell is None else str(cell)) for cell in row] for row in zip(*columns, strict=True))
        yield from enumerate(rows, 1)
    elif suffix != ".smi":
        with open_text(file) as stream:
            yield from cells_of(stream, "\t" if suffix == ".tsv" else ",")


def _px(where: str, said: str, units: str) -> float:
    try:
        number = float(said)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (units != "pX" and number <= 0):
        raise InputError(
            f"{where}: value {said!r}: expected a {'number' if units == 'pX' else 'positive number'} in {units}; correct or remove the row"
        )
    px = number if units == "pX" else _TO_PX[units] - math.log10(number)
    if not 0 <= px <= MOST_PX:
        raise InputError(
            f"{where}: value {said!r} in {units} is a pX of {px:.1f}, expected 0 (1 M) to {MOST_PX} (1 fM); is the unit right?"
        )
    return px
