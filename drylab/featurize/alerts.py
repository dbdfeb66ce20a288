"""Structural alerts and SMARTS rules without RDKit's search: catalogues and patterns as programs (kernels/substructure.py).

The queries are those of RDKit's own catalogues, taken out of the entries it serialises, hydrogens already merged into
their heavy atoms: PAINS (Baell 2010, 10.1021/jm901137j), Brenk (2008, 10.1002/cmdc.200700139), NIH (Jadhav 2010,
10.1021/jm901070c; Doveston 2015, 10.1039/C4OB02287D). An entry that cannot be taken out, or asks for another number of
matches than "at least one", is one RDKit has to be asked about. Where a code is ASK, entry e of the answer is
``reference.alert_catalog(names).GetEntryWithIdx(e).HasFilterMatch(mol)``, or HasSubstructMatch for a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from drylab.featurize import reference, stored
from drylab.featurize.programs import fits, pack
from drylab.featurize.smarts import query
from drylab.featurize.terms import Query
from drylab.kernels.search import Programs
from drylab.kernels.substructure import ASK, NO, any_match, match
from drylab.types import MolGraphs

CATALOGS = ("pains", "brenk", "nih")

# An entry is a Boost text archive: a matcher's name, the pickled query, least and greatest number of matches.
_NAME = re.compile(rb"22 serialization::archive \d+ [\d \n]*?\n1 0 0 (\d+) ")
_PICKLE = re.compile(rb" (\d+) ")
_ONCE = re.compile(rb" 1 4294967295 ")


@dataclass(frozen=True, slots=True)
class Alerts:
    """Compiled queries: names (e,), their programs, which of them only RDKit can tell for sure, and the catalogue (e,) of each."""

    names: tuple[str, ...]
    programs: Programs
    inexact: tuple[str, ...] = ()
    catalogs: tuple[str, ...] = ()

    def match(self, graphs: MolGraphs) -> NDArray[np.uint8]:
        """(n, e) uint8: substructure.NO, YES or ASK."""
        return match(graphs, self.programs)

    def any_match(self, graphs: MolGraphs) -> NDArray[np.uint8]:
        """(n,) uint8: whether any of them matches."""
        return any_match(graphs, self.programs)


def entry_query(archive: bytes) -> Chem.Mol | None:
    """The query molecule of a serialised FilterCatalogEntry, None if it is not a single one that has to match once."""
    name = _NAME.match(archive)
    length = _PICKLE.match(archive, name.end() + int(name[1])) if name else None
    if length is None:
        return None
    end = length.end() + int(length[1])
    return Chem.Mol(archive[length.end() : end]) if _ONCE.match(archive, end) else None  # type: ignore[call-overload]


def compile_query(mol: Chem.Mol | None) -> Query | None:
    """A query that kernels can run, None if RDKit has to be asked each time."""
    try:
        found = query(mol) if mol is not None else None
    except ValueError:
        return None
    return found if found is not None and found.atoms and fits(found) else None


def _alerts(names: Sequence[str], mols: Sequence[Chem.Mol | None]) -> Alerts:
    queries = [compile_query(mol) for mol in mols]
    inexact = tuple(name for name, one in zip(names, queries, strict=True) if one is None or not one.exact)
    return Alerts(tuple(names), pack(queries), inexact)


@lru_cache(maxsize=16)
def compiled(names: tuple[str, ...]) -> Alerts:
    """The entries of catalogues ("pains", "brenk", "nih"), in RDKit's order; reference.alert_catalog is the oracle."""
    kept = stored.read("catalogs") if names == CATALOGS else None
    return Alerts(kept.names, kept.programs, catalogs=kept.catalogs) if kept else compile_catalogs(names)


def compile_catalogs(names: tuple[str, ...]) -> Alerts:
    """``compiled``, from RDKit's own entries."""
    catalog = reference.alert_catalog(names)
    entries = [catalog.GetEntryWithIdx(i) for i in range(catalog.GetNumEntries())]
    alerts = _alerts(
        [entry.GetDescription() for entry in entries], [entry_query(entry.Serialize()) for entry in entries]
    )
    homes = tuple(name for name in names for _ in range(reference.alert_catalog((name,)).GetNumEntries()))
    return replace(alerts, catalogs=homes)


@lru_cache(maxsize=64)
def patterns(smarts: tuple[str, ...]) -> Alerts:
    """SMARTS of a target file, as HasSubstructMatch reads them. Raises InputError where RDKit refuses one."""
    return compile_patterns(smarts)


def compile_patterns(smarts: tuple[str, ...]) -> Alerts:
    """``patterns``, each compiled."""
    return _alerts(smarts, [reference.pattern(text) for text in smarts])


def compile_smarts(smarts: str) -> Query | None:
    """One SMARTS, None if the kernels cannot run it; Query.exact says whether they can be trusted on a match."""
    return compile_query(reference.pattern(smarts))


def alerts(graphs: MolGraphs, names: tuple[str, ...]) -> NDArray[np.uint8]:
    """(n, e) uint8 codes of the entries of some catalogues, whose names are ``compiled(names).names``."""
    return compiled(names).match(graphs)


def names_found(
    graphs: MolGraphs, mol_of: Callable[[int], reference.Mol], catalogs: Sequence[str]
) -> dict[str, list[list[str]]]:
    """Catalogue -> for each of n molecules the names of its entries that match, each once, sorted.

    One search for all; mol_of(row) gives RDKit's molecule, for an entry that the kernel asks about.
    """
    found: dict[str, list[set[str]]] = {catalog: [set() for _ in range(len(graphs))] for catalog in catalogs}
    if not catalogs:
        return {}
    whole = compiled(CATALOGS)
    codes = whole.match(graphs)
    for row, entry in np.argwhere(codes != NO).tolist():
        if whole.catalogs[entry] not in found:
            continue
        asked = codes[row, entry] == ASK
        if not asked or reference.alert_catalog(CATALOGS).GetEntryWithIdx(entry).HasFilterMatch(mol_of(row)):
            found[whole.catalogs[entry]][row].add(whole.names[entry])
    return {catalog: [sorted(names) for names in rows] for catalog, rows in found.items()}
