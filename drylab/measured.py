"""A chemist's measurements, read from a file: units, relations, replicates, assays. What comes out is one value a molecule.

units      nM, uM and M become -log10(mol/l); pX and "number" are taken as they are; "class" is 0 or 1
relation   "> 10 uM" says that pX is below 5, so for concentrations the sign turns; it may stand in the value's cell
replicates of a molecule in an assay: the median; where some are bounds, the values count, or the strictest bound
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.library.rows import Columns
from drylab.library.standardize import standardize_texts
from drylab.library.tabular import Tabular, read_table

Array = NDArray[np.float64]
MOLAR = {"nM": 9.0, "uM": 6.0, "M": 0.0}
UNITS = (*MOLAR, "pX", "class", "number")
ACTIVES = "actives"  # in place of units: every molecule is an active, and no column holds values
MOST_PX = 15.0
_SIGNS = {"": 0, "=": 0, "==": 0, "~": 0, ">": 1, ">=": 1, ">>": 1, "<": -1, "<=": -1, "<<": -1}
_CELL = re.compile(r"\s*([<>=~]{0,2})\s*(.*?)\s*")
_TRUTHS = {"1": 1.0, "1.0": 1.0, "true": 1.0, "active": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0, "inactive": 0.0}
# Names that say what a column holds; compared without case, blanks and punctuation.
_USUAL = {
    "pX": ("pactivity", "pchemblvalue", "pic50", "pki", "pkd", "pec50", "px", "logvalue"),
    "nM": ("ic50nm", "kinm", "kdnm", "ec50nm"),
    "uM": ("ic50um", "kium", "kdum", "ec50um"),
    "class": ("active", "label", "class", "activity01"),
}


@dataclass(frozen=True, slots=True)
class Fields:
    """Which columns hold what; "" means: find it by a usual name (value, with its units), or there is none."""

    smiles: str = ""
    id: str = ""
    value: str = ""
    units: str = ""
    relation: str = ""
    assay: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """m measurements of n molecules.

    ids, smiles (n)   standardised with stereo, each once         units   one of UNITS, or "actives" without values
    molecule (m,) int64    value (m,) in pX, as a number, or 0 and 1    relation (m,) int8: 0 value, 1 above it, -1 below
    assay (m,) int64  into assays             rows    rows of the file
    """

    ids: tuple[str, ...]
    smiles: tuple[str, ...]
    units: str
    molecule: NDArray[np.int64]
    value: Array
    relation: NDArray[np.int8]
    assay: NDArray[np.int64]
    assays: tuple[str, ...]
    rows: int


def read_measured(file: str, fields: Fields) -> Measured:
    """Read measurements. Raises InputError naming file and line for the first row that cannot be used: none is dropped."""
    table = read_table(file, Columns(fields.smiles, fields.id))
    fields = _chosen(table, fields)
    rows = [i for i in range(len(table)) if not _blank(table, fields, i)]
    for row in rows:
        if row in table.troubles:
            raise InputError(f"{table.where(row)}: {table.troubles[row]}; correct or remove the row")
    smiles = standardize_texts([table.smiles[row] for row in rows])
    for row, (_, reason) in zip(rows, smiles, strict=True):
        if reason:
            raise InputError(
                f"{table.where(row)}: the SMILES of {table.ids[row]!r}: {reason}; correct or remove the row"
            )
    value = [_value(table, fields, row) for row in rows] if fields.value else [(1.0, 0)] * len(rows)
    assays = [table.columns[fields.assay][row].strip() for row in rows] if fields.assay else [""] * len(rows)
    places = {text: place for place, text in enumerate(dict.fromkeys(text for text, _ in smiles))}
    names = {text: place for place, text in enumerate(dict.fromkeys(assays))}
    molecule = [places[text] for text, _ in smiles]
    first = {place: table.ids[row] for place, row in reversed(list(zip(molecule, rows, strict=True)))}
    groups = _replicates(molecule, [names[text] for text in assays], value)
    merged = [together(pairs) for pairs in groups.values()]
    return Measured(
        ids=tuple(first[place] for place in range(len(places))),
        smiles=tuple(places),
        units=fields.units,
        molecule=np.array([place for place, _ in groups], np.int64),
        value=np.array([one for one, _ in merged], np.float64),
        relation=np.array([sign for _, sign in merged], np.int8),
        assay=np.array([number for _, number in groups], np.int64),
        assays=tuple(names),
        rows=len(rows),
    )


def _blank(table: Tabular, fields: Fields, row: int) -> bool:
    """A line of empty cells, or a molecule without a value: nothing was measured."""
    return not (table.columns[fields.value][row].strip() if fields.value else table.smiles[row])


def _chosen(table: Tabular, fields: Fields) -> Fields:
    """The fields with the value's column and units found, and all that are named checked."""
    there = ", ".join(table.columns) or "not named"
    for what, name in (("value", fields.value), ("relation", fields.relation), ("assay", fields.assay)):
        if name and name not in table.columns:
            raise InputError(f"{table.where(0)}: no column {name!r} for the {what}; the columns are {there}")
    if fields.units == ACTIVES and not (fields.value or fields.relation or fields.assay):
        return fields
    if fields.units and fields.units not in UNITS:
        raise InputError(f"units {fields.units!r} are not known; choose one of {', '.join(UNITS)}, or {ACTIVES} alone")
    if fields.value:
        units = fields.units or _usual_units(fields.value)
        if not units:
            raise InputError(f"column {fields.value!r}: in which units? give --units, one of {', '.join(UNITS)}")
        return _with(fields, fields.value, units)
    found = [(name, _usual_units(name)) for name in table.columns if _usual_units(name)]
    found.sort(key=lambda pair: list(_USUAL).index(pair[1]))
    if found:
        return _with(fields, found[0][0], fields.units or found[0][1])
    raise InputError(
        f"{table.where(0)}: which column holds the values? give --value, or --units {ACTIVES} if none does; the columns are {there}"
    )


def _with(fields: Fields, value: str, units: str) -> Fields:
    return Fields(fields.smiles, fields.id, value, units, fields.relation, fields.assay)


def _usual_units(name: str) -> str:
    said = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((units for units, names in _USUAL.items() if said in names), "")


def _value(table: Tabular, fields: Fields, row: int) -> tuple[float, int]:
    """(value, relation) of one row."""
    cell = table.columns[fields.value][row]
    match = _CELL.fullmatch(cell)
    assert match is not None, "the pattern matches any text"
    said = table.columns[fields.relation][row].strip().strip("'\"") if fields.relation else ""
    sign = match[1] or said
    if sign not in _SIGNS:
        raise InputError(f"{table.where(row)}: relation {sign!r}: expected one of = < > <= >= ~; correct it")
    if fields.units == "class":
        if match[2].lower() not in _TRUTHS:
            raise InputError(f"{table.where(row)}: value {cell!r}: expected 0 or 1; correct it")
        return _TRUTHS[match[2].lower()], 0
    return _number(table.where(row), cell, match[2], fields.units, _SIGNS[sign])


def _number(where: str, cell: str, said: str, units: str, sign: int) -> tuple[float, int]:
    try:
        number = float(said)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (units in MOLAR and number <= 0):
        kind = "positive number" if units in MOLAR else "number"
        raise InputError(f"{where}: value {cell!r}: expected a {kind} in {units}; correct or remove the row")
    if units == "number":
        return number, sign
    px = MOLAR[units] - math.log10(number) if units in MOLAR else number
    if not 0 <= px <= MOST_PX:
        raise InputError(
            f"{where}: value {cell!r} in {units} is a pX of {px:.1f}, expected 0 (1 M) to {MOST_PX:.0f} (1 fM); is the unit right?"
        )
    return px, -sign if units in MOLAR else sign


def _replicates(
    molecule: Sequence[int], assay: Sequence[int], value: Sequence[tuple[float, int]]
) -> dict[tuple[int, int], list[tuple[float, int]]]:
    """(molecule, assay) -> its measurements."""
    groups: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    for place, number, pair in zip(molecule, assay, value, strict=True):
        groups[place, number].append(pair)
    return groups


def together(pairs: Sequence[tuple[float, int]]) -> tuple[float, int]:
    """(value, relation) of several of one molecule: the median of values; of bounds only, the strictest."""
    exact = [value for value, sign in pairs if sign == 0]
    if exact:
        return float(np.median(exact)), 0
    above = [value for value, sign in pairs if sign > 0]
    below = [value for value, sign in pairs if sign < 0]
    if above and below:
        return 0.5 * (max(above) + min(below)), 0  # bounded on both sides: the middle is as good as a value
    return (max(above), 1) if above else (min(below), -1)
