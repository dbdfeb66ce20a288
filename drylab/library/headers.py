"""Which column of a table holds the SMILES, which the ids: by their names, and where there are none, by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drylab.errors import InputError
from drylab.kernels.smiles import FIRST_INVALID, REASONS, parse
from drylab.library.places import shown
from drylab.library.rows import Columns
from drylab.library.streams import squeezed

# Compared without case, blanks and punctuation: "Catalog ID" is "catalog_id". The first that is there wins.
SMILES_NAMES = (
    "smiles",
    "canonical_smiles",
    "structure",
    "drug",
    "mol",
    "isomeric_smiles",
    "iso_smiles",
    "compound_iso_smiles",
    "smiles_string",
    "cxsmiles",
    "smi",
)
ID_NAMES = (
    "id",
    "name",
    "vendor_id",
    "catalog_id",
    "chembl_id",
    "molecule_chembl_id",
    "zinc_id",
    "compound_id",
    "drug_id",
    "id_number",
    "catalog_number",
    "catalog_no",
    "cat_no",
    "molport_id",
    "mcule_id",
    "enamine_id",
    "emolecules_id",
    "pubchem_cid",
    "cid",
    "molecule_id",
    "mol_id",
    "product_id",
    "substance_id",
    "sample_id",
    "supplier_id",
    "internal_id",
    "compound_name",
    "molecule_name",
)
# A SMILES of these is none that stands in a column of SMILES: a number, or a code such as S11.
_UNLIKELY = tuple(REASONS.index(text) for text in ("no atoms", "symbols in an unusual order", "unusual ring closure"))
LIKELY = 0.8  # of the cells of a column of SMILES parse: a file may start with a row that is wrong


@dataclass(frozen=True, slots=True)
class Found:
    """Positions of columns from 0; id -1 where there is none; more: name -> position."""

    smiles: int
    id: int
    more: tuple[tuple[str, int], ...] = ()


def folded(name: str) -> str:
    """A name as it is compared: letters and digits only, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


_SMILES = tuple(map(folded, SMILES_NAMES))
_IDS = tuple(map(folded, ID_NAMES))


def usual(header: Sequence[str], ids: bool = False) -> int | None:
    """Position of the column with a usual name for SMILES, or for ids."""
    there = {folded(text): i for i, text in reversed(list(enumerate(header)))}
    return next((there[name] for name in (_IDS if ids else _SMILES) if name in there), None)


def is_header(header: Sequence[str], columns: Columns) -> bool:
    """Whether these cells of a first line name the column of the SMILES."""
    if columns.smiles and not columns.smiles.isdecimal():
        return columns.smiles in [text.strip() for text in header]
    return usual(header) is not None


def find_columns(path: str, header: Sequence[str], columns: Columns, hint: str = "") -> Found:
    """Positions of the columns that are wanted. Raises InputError that lists the columns there are."""
    exact = {text.strip(): i for i, text in reversed(list(enumerate(header)))}
    there = squeezed(", ".join(header)) or "not named"

    def find(given: str, what: str) -> int:
        if given in exact:
            return exact[given]
        if given.isdecimal() and 1 <= int(given) <= len(header):
            return int(given) - 1
        raise InputError(f"{shown(path)}:1: no column {given!r} for the {what}; the columns are {there}")

    more = tuple((name, find(name, "values")) for name in columns.more)
    at_smiles = find(columns.smiles, "SMILES") if columns.smiles else usual(header)
    if at_smiles is None:
        raise InputError(
            f"{shown(path)}:1: no column is named like SMILES ({', '.join(SMILES_NAMES[:5])}, ...); the columns are {there}: "
            f"say which one holds the SMILES{hint}"
        )
    at_id = find(columns.id, "ids") if columns.id else usual(header, ids=True)
    return Found(at_smiles, -1 if at_id is None else at_id, more)


def numbered(path: str, rows: Sequence[Sequence[str]], columns: Columns) -> Found:
    """The same for a file without a header, whose columns are given by number or guessed. Raises InputError."""
    width = max(map(len, rows))

    def at(given: str, what: str) -> int:
        if not (given.isdecimal() and 1 <= int(given) <= width):
            raise InputError(
                f"{shown(path)}:1: no column {given!r} for the {what}: the file has no header, only columns 1 to {width}; give a number"
            )
        return int(given) - 1

    more = tuple((name, at(name, "values")) for name in columns.more)
    smiles = at(columns.smiles, "SMILES") if columns.smiles else smiles_column(rows)
    assert smiles is not None
    return Found(smiles, at(columns.id, "ids") if columns.id else _id_column(rows, smiles), more)


def smiles_column(rows: Sequence[Sequence[str]]) -> int | None:
    """The first column most of whose cells are SMILES; None where there is none."""
    for i in range(max(map(len, rows), default=0)):
        cells = [row[i] for row in rows if i < len(row) and row[i]]
        if cells and (len(set(cells)) > 1 or len(rows) == 1) and sum(are_smiles(cells)) >= LIKELY * len(cells):
            return i
    return None


def _id_column(rows: Sequence[Sequence[str]], smiles: int) -> int:
    """The first column of cells that are all there, all different, and neither SMILES nor decimal fractions; else -1."""
    for i in range(max(map(len, rows))):
        cells = [row[i] for row in rows if i < len(row) and row[i]]
        fractions = all(re.fullmatch(r"[-+]?\d*\.\d+([eE][-+]?\d+)?", cell) for cell in cells)
        if i != smiles and len(set(cells)) == len(rows) and not fractions and 2 * sum(are_smiles(cells)) < len(cells):
            return i
    return -1


def are_smiles(cells: Sequence[str]) -> list[bool]:
    """Whether each cell is a SMILES, as the kernel parses it, with or without a ChemAxon extension."""
    texts = [cell.partition(" |")[0].encode() for cell in cells]
    offsets = np.zeros(len(texts) + 1, np.int32)
    offsets[1:] = np.cumsum([len(text) for text in texts])
    reasons = parse(np.frombuffer(b"".join(texts), np.uint8), offsets).reason
    return [
        reason < FIRST_INVALID and reason not in _UNLIKELY and not text.split()[1:]
        for reason, text in zip(reasons.tolist(), texts, strict=True)
    ]
