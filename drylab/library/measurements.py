"""A chemist's own molecules: known actives with their values, and molecules to leave out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.library.keys import keys_of
from drylab.library.places import shown
from drylab.library.rows import Columns
from drylab.library.sources import blocks, expand, open_source, read_rows
from drylab.library.standardize import standardize_texts
from drylab.library.texts import plain, stem_of

_TO_PX = {"nM": 9.0, "uM": 6.0, "M": 0.0}
UNITS = (*_TO_PX, "pX")
BLOCK_BYTES = 1 << 20
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
    """Read a file of any kind that a library is built from; a molecule measured twice has the mean of its pX, and its first id.

    ``value`` is the column of the measurements, in ``units`` (nM, uM, M or pX). Raises InputError naming file and line
    for the first row whose SMILES or value cannot be used: a measurement is never dropped in silence.
    """
    if expand([file]) != [file]:
        raise InputError(f"{shown(file)}: is a glob, and the molecules are to be in one file; give its name")
    if value and units not in UNITS:
        raise InputError(
            f"{shown(file)}: unit {units!r} of column {value!r} is not known; choose one of {', '.join(UNITS)}"
        )
    rows = list(_rows(file, columns, value))
    if not rows:
        raise InputError(f"{shown(file)}: holds no molecules; give a file with at least one")
    canonical = standardize_texts([smiles for _, _, smiles, _ in rows])
    found: dict[str, tuple[str, list[float]]] = {}
    names: set[str] = set()
    for (number, ident, _, said), (smiles, reason) in zip(rows, canonical, strict=True):
        if reason:
            # Without the SMILES itself: a confidential structure is not to stand in a log.
            raise InputError(f"{shown(file)}:{number}: the SMILES of {ident!r}: {reason}; correct or remove the row")
        measured = _px(f"{shown(file)}:{number}", said, units) if value else math.nan
        if smiles not in found:
            # Two molecules under one id are to be told apart in the report.
            found[smiles] = (f"{ident} (row {number})" if ident in names else ident, [])
            names.add(ident)
        found[smiles][1].append(measured)
    return Known(
        ids=tuple(ident for ident, _ in found.values()),
        smiles=tuple(found),
        keys=keys_of(list(found)),
        values=np.array([np.mean(measured) for _, measured in found.values()]),
    )


def _rows(file: str, columns: Columns, value: str) -> Iterator[tuple[int, str, str, str]]:
    """(line or row number, id, SMILES, value) of each row."""
    source = open_source(file, 0, replace(columns, more=(value,) if value else ()))
    for block in blocks(source, BLOCK_BYTES):
        rows = read_rows(source, block)
        said = rows.more[value].to_pylist() if value else [""] * len(rows)
        cells = zip(rows.numbers.tolist(), rows.ids.to_pylist(), rows.smiles().to_pylist(), said, strict=True)
        for i, (number, ident, smiles, measured) in enumerate(cells):
            if i in rows.troubles:
                raise InputError(
                    f"{shown(file)}:{number}: {ident[:50]!r}: {rows.troubles[i]}; correct or remove the row"
                )
            nameless = bool(value) and ident == f"{stem_of(file)}:{number}"
            if nameless and not (smiles or measured):
                continue  # a line of empty cells measures nothing
            yield number, f"row {number}" if nameless else ident, plain(smiles), measured or ""


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
