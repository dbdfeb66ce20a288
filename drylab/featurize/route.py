"""Text -> graphs by the kernel, and by RDKit for the rows that the kernel declines; both are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.device import array_module, to_device, to_host
from drylab.featurize import reference
from drylab.featurize.text import text_of
from drylab.kernels import smiles as kernel
from drylab.types import DECLINED, INVALID, PARSED, MolGraphs

ATOM_FIELDS = ("element", "charge", "hydrogens", "degree", "aromatic", "atom_ring", "chirality", "isotope")
BOND_FIELDS = ("begin", "end", "order", "bond_ring", "direction")


@dataclass(frozen=True, slots=True)
class Routed:
    """Graphs of n rows and how each came about.

    graphs    n molecules; those that the kernel declined are filled in from RDKit
    reason    (n,) uint8, on the host: 0, or why the kernel did not parse the row (drylab.kernels.smiles.REASONS)
    position  (n,) int32, on the host: for a row that no reader accepts, the byte where the trouble is
    asked     row -> RDKit's molecule, for the rows that the kernel declined and RDKit parsed
    data, offsets  the text
    """

    graphs: MolGraphs
    reason: NDArray[np.uint8]
    position: NDArray[np.int32]
    asked: Mapping[int, reference.Mol]
    data: Any
    offsets: Any

    def mol(self, row: int) -> reference.Mol:
        """RDKit's molecule of a row that is one: for what a kernel does not do."""
        found = self.asked.get(row)
        if found is None:
            found = reference.parse(_texts(self.data, self.offsets, [row]))[0]
        assert found is not None, "a row that the kernel parsed, RDKit parses"
        return found

    def declined(self) -> dict[str, int]:
        """How many rows went to RDKit, by the kernel's reason."""
        codes = self.reason[(self.reason > 0) & (self.reason < kernel.FIRST_INVALID)]
        return {kernel.REASONS[code]: count for code, count in sorted(Counter(codes.tolist()).items())}

    def trouble(self, row: int) -> str:
        """Why a row that is INVALID or DECLINED cannot be used: one short phrase, the same for the same cause."""
        code = int(self.reason[row])
        if code >= kernel.FIRST_INVALID:
            return kernel.REASONS[code]
        if row in self.asked:
            return f"more than {reference.MAX_ATOMS} atoms"
        return "no atoms" if code == kernel.EMPTY else "RDKit cannot parse it"


def route(data: Any, offsets: Any) -> Routed:
    """Parse n SMILES (data (bytes,) uint8, offsets (n+1,) int32; both on the host or both on a GPU)."""
    parsed = kernel.parse(data, offsets)
    reason, position = to_host(parsed.reason), to_host(parsed.position)
    graphs = MolGraphs(
        atom_ptr=parsed.atom_ptr,
        bond_ptr=parsed.bond_ptr,
        status=_status(parsed.reason),
        **dict(zip(ATOM_FIELDS, parsed.atoms, strict=True)),
        **dict(zip(BOND_FIELDS, parsed.bonds, strict=True)),
    )
    rows = np.flatnonzero((reason > 0) & (reason < kernel.FIRST_INVALID))
    if not len(rows):
        return Routed(graphs, reason, position, {}, data, offsets)
    mols = reference.parse(_texts(data, offsets, rows))
    asked = {int(row): mol for row, mol in zip(rows, mols, strict=True) if mol is not None and mol.GetNumAtoms()}
    return Routed(merge(graphs, rows, reference.graphs(mols), parsed.room), reason, position, asked, data, offsets)


def on_host(graphs: MolGraphs) -> MolGraphs:
    """The same graphs in NumPy arrays."""
    return MolGraphs(*(to_host(getattr(graphs, field.name)) for field in fields(graphs)))


def _status(reason: Any) -> Any:
    xp = array_module(reason)
    status = xp.full(len(reason), DECLINED, xp.uint8)
    status[reason == 0] = PARSED
    status[reason >= kernel.FIRST_INVALID] = INVALID
    return status


def _texts(data: Any, offsets: Any, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
    """The text of a few rows; from a GPU only those bytes come over."""
    where = to_host(offsets)
    if array_module(data) is np:
        return text_of(data, where, list(rows))
    return [to_host(data[where[i] : where[i + 1]]).tobytes().decode("utf-8", "replace") for i in rows]


def merge(graphs: MolGraphs, rows: NDArray[np.int64], others: MolGraphs, room: Any = None) -> MolGraphs:
    """``graphs`` with the molecules at ``rows``, which have no atoms, replaced by ``others``, on the device of ``graphs``.

    Rows are few and stand in order, so what lies between them is copied in one piece; or moved up within the room that the
    kernel left behind its columns (see Parsed), where ``graphs`` is used up.
    """
    xp = array_module(graphs.status)
    if xp is not np:
        others = MolGraphs(*(to_device(getattr(others, field.name)) for field in fields(others)))
    status = graphs.status.copy()
    status[to_device(rows) if xp is not np else rows] = others.status
    changed: dict[str, Any] = {"status": status}
    spaces = room or ((None,) * len(ATOM_FIELDS), (None,) * len(BOND_FIELDS))
    for ptr_name, names, space in zip(("atom_ptr", "bond_ptr"), (ATOM_FIELDS, BOND_FIELDS), spaces, strict=True):
        mine, theirs = to_host(getattr(graphs, ptr_name)), to_host(getattr(others, ptr_name))
        counts = np.diff(mine)
        counts[rows] = np.diff(theirs)
        changed[ptr_name] = xp.asarray(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
        cuts = [0, *mine[rows].tolist(), int(mine[-1])]
        for name, whole in zip(names, space, strict=True):
            own, new = getattr(graphs, name), getattr(others, name)
            if whole is not None and cuts[-1] + int(theirs[-1]) <= len(whole):
                changed[name] = _moved(whole, cuts, theirs, new)
                continue
            pieces = [own[: cuts[1]]]
            for at in range(len(rows)):
                pieces += [new[theirs[at] : theirs[at + 1]], own[cuts[at + 1] : cuts[at + 2]]]
            changed[name] = xp.concatenate(pieces)
    return replace(graphs, **changed)


def _moved(column: NDArray[Any], cuts: list[int], ptr: NDArray[np.int32], new: NDArray[Any]) -> NDArray[Any]:
    """``column`` with pieces of ``new`` put in at cuts[1], cuts[2]...; a text has a byte for each atom and bond, so they fit."""
    view = column.data  # a memoryview: it moves what overlaps at once; NumPy would go byte by byte
    for at in range(len(cuts) - 3, -1, -1):
        before, up, first = int(ptr[at]), int(ptr[at + 1]), cuts[at + 1]
        if up:
            view[first + up : cuts[at + 2] + up] = view[first : cuts[at + 2]]
            column[first + before : first + up] = new[before:up]
    return column[: cuts[-1] + int(ptr[-1])]


def take(graphs: MolGraphs, rows: NDArray[np.int64]) -> MolGraphs:
    """The molecules at ``rows``, in that order."""
    xp = array_module(graphs.status)
    changed: dict[str, Any] = {"status": graphs.status[rows]}
    for ptr_name, names in (("atom_ptr", ATOM_FIELDS), ("bond_ptr", BOND_FIELDS)):
        old = getattr(graphs, ptr_name)
        counts = (old[1:] - old[:-1])[rows]
        ptr = xp.zeros(len(rows) + 1, xp.int32)
        xp.cumsum(counts, out=ptr[1:])
        source = xp.repeat(old[:-1][rows] - ptr[:-1], counts) + xp.arange(int(ptr[-1]))
        changed[ptr_name] = ptr
        changed |= {name: getattr(graphs, name)[source] for name in names}
    return replace(graphs, **changed)
