"""A library of any size in which new surroundings of atoms keep coming: real molecules of few atoms, joined two by two.

Enumerated libraries of vendors are made like this. The pieces are of the shared data, so nothing of it is kept here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

from rdkit import Chem, RDLogger

from tests.real import smiles_of

SOURCES = ("affinity/chembl22.csv.gz", "libraries/zinc_b.smi.gz", "libraries/pubchem_100k.csv.gz")
EVERY = 3  # rows of a file that stand together are alike
LEAST, MOST = 7, 18  # heavy atoms of a piece: a product has 14 to 36, most about 27
PART = 100_000


def write_products(path: Path, data: Path, rows: int) -> None:
    """A .smi file of so many distinct molecules, small and large ones mixed."""
    side = math.isqrt(rows) + 2
    found = list(itertools.islice(_pieces(data), side))
    assert len(found) == side, f"{len(found)} pieces in {data} make {len(found) ** 2:,} molecules, not {rows:,}"
    step = next(n for n in itertools.count(int(side * side * 0.618)) if math.gcd(n, side * side) == 1)
    with open(path, "w", encoding="ascii") as file:
        for start in range(0, rows, PART):
            places = (divmod(number * step % (side * side), side) for number in range(start, min(start + PART, rows)))
            lines = (f"{found[a]}-{found[b]}\tP{a:05d}-{b:05d}\n" for a, b in places)
            file.write("".join(lines))


def _pieces(data: Path) -> Iterator[str]:
    """Canonical SMILES that another atom can be bonded to at either end of the text."""
    RDLogger.DisableLog("rdApp.*")
    columns = [smiles_of(data / name, EVERY) for name in SOURCES]
    seen: set[str] = set()
    for text in itertools.chain.from_iterable(zip(*columns, strict=False)):
        mol = Chem.MolFromSmiles(text)
        if mol is None or not LEAST <= mol.GetNumAtoms() <= MOST or len(Chem.GetMolFrags(mol)) > 1:
            continue
        piece = Chem.MolToSmiles(mol, isomericSmiles=False)
        if piece not in seen and all(Chem.MolFromSmiles(joined) for joined in (f"{piece}-C", f"C-{piece}")):
            seen.add(piece)
            yield piece
