"""Molecules without labels: what a student learns its teacher on, and the libraries that judge it.

Which molecules train and which judge is decided by a hash of the text, so it never depends on how many are taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.featurize import graphs
from drylab.score.features import atom_classes, bond_classes
from drylab.train.batches import Molecules, joined
from drylab.types import PARSED, MolGraphs

Teacher = Callable[[MolGraphs], NDArray[np.float64]]
CHUNK = 20_000
SALT = "drylab-first-1"
HELD_OUT = 10  # per cent of every training source that is never trained on
# file -> separator, column of the SMILES (a number where the file has no header), molecules taken at most
SOURCES: dict[str, tuple[str, str | int, int]] = {
    "libraries/zinc_a.smi.gz": (" ", 0, 100_000),
    "libraries/pubchem_100k.csv.gz": ("\t", 0, 100_000),
    "libraries/natural_products_50k.smi.gz": (" ", 0, 50_000),
    "affinity/chembl22.csv.gz": (",", "smiles", 50_000),
    "affinity/fsmol_train.csv.gz": (",", "smiles", 100_000),
    "benchmarks/dude_decoys_by_id.tsv.gz": ("\t", "smiles", 120_000),
}
# Libraries that judge: of the first, what the training held out; the others no student has seen.
JUDGES: dict[str, tuple[str, str | int, int]] = {
    "benchmarks/dude_decoys_by_id.tsv.gz": ("\t", "smiles", 100_000),
    "libraries/zinc_b.smi.gz": (" ", 0, 100_000),
    "libraries/quinazoline_1M.csv.gz": (",", "SMILES", 100_000),
}


def held_out(text: str) -> bool:
    """Whether a molecule is never trained on."""
    digest = hashlib.sha256(f"{SALT}:{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100 < HELD_OUT


def training_texts(folder: Path) -> list[str]:
    """The distinct SMILES that train, one component each, in a fixed order."""
    found: dict[str, None] = {}
    for file, (separator, column, most) in SOURCES.items():
        kept = (text for text in _column(folder / file, separator, column) if not held_out(text))
        found |= dict.fromkeys(_first(kept, most))
    return sorted(found)


def judging_texts(folder: Path, seen: Iterable[str]) -> dict[str, list[str]]:
    """Library -> distinct SMILES, none of them among ``seen``."""
    trained, libraries = frozenset(seen), {}
    for file, (separator, column, most) in JUDGES.items():
        texts = _column(folder / file, separator, column)
        fresh = (text for text in texts if text not in trained and (file not in SOURCES or held_out(text)))
        libraries[Path(file).name.split(".")[0]] = _first(fresh, most)
    return libraries


def _first(texts: Iterable[str], most: int) -> list[str]:
    """At most ``most``, those of the lowest hash: an even sample of any file, whatever its order."""
    ranked = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
    return sorted(ranked[:most])


def _column(path: Path, separator: str, column: str | int) -> list[str]:
    """Distinct SMILES of one component."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the folder of the training data with --data")
    header = None if isinstance(column, int) else 0
    texts = pd.read_csv(path, sep=separator, header=header, usecols=[column], keep_default_na=False)[column]
    return [text for text in texts.unique() if text and "." not in text]


def taught(texts: Sequence[str], teacher: Teacher) -> tuple[Molecules, NDArray[np.float32]]:
    """Graphs of those SMILES that can be screened, without scaffolds and fingerprints, and what the teacher says of each.

    teacher  MolGraphs of m molecules -> (m, d)
    """
    parts, said = [], []
    for start in range(0, len(texts), CHUNK):
        found = graphs(list(texts[start : start + CHUNK]))
        kept = np.flatnonzero((found.status == PARSED) & (np.diff(found.atom_ptr) > 0))
        parts.append(_molecules(found, kept))
        said.append(teacher(found)[kept].astype(np.float32))
    return joined(parts), np.concatenate(said)


def _molecules(found: MolGraphs, kept: NDArray[np.int64]) -> Molecules:
    return Molecules(
        x=atom_classes(found),
        ends=np.stack([found.begin, found.end]),
        classes=bond_classes(found),
        # A molecule that is not parsed has no atoms and no bonds, so its offsets can be left out.
        atom_ptr=np.append(found.atom_ptr[kept], found.atom_ptr[-1]).astype(np.int64),
        bond_ptr=np.append(found.bond_ptr[kept], found.bond_ptr[-1]).astype(np.int64),
        scaffolds=[],
        ecfp4=np.zeros((0, 0), np.uint8),
    )
