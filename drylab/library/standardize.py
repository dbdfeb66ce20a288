"""One molecule as it comes in -> one canonical SMILES, by a named and versioned recipe. A door to RDKit.

``standard``: RDKit parse, largest organic fragment, neutralised where the result is a valid molecule, canonical isomeric
SMILES (stereo kept).
``none``: RDKit parse and canonical SMILES only, for vendors whose files are trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import rdkit
from numpy.typing import NDArray
from rdkit import Chem, RDLogger
from rdkit.Chem.MolStandardize import rdMolStandardize

from drylab.errors import InputError

RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]

_CHOOSER = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
_UNCHARGER = rdMolStandardize.Uncharger(canonicalOrder=True)

# The reasons a row can be refused for: few, so that a table of them is readable.
EMPTY = "no SMILES in the row"
UNPARSABLE = "RDKit cannot parse it"
INORGANIC = "no carbon atom"
LONGEST = 5000
TOO_LONG = f"longer than {LONGEST} characters"


def recipe(name: str) -> dict[str, str]:
    """What is stored with a library so that two can be compared. Raises InputError for an unknown recipe."""
    if name not in RECIPES:
        raise InputError(f"recipe {name!r} is not known; choose one of {', '.join(RECIPES)}")
    return {"name": name, "version": "1", "rdkit": rdkit.__version__}


def standardize(smiles: Sequence[str], name: str = "standard") -> list[tuple[str, str]]:
    """For each SMILES (canonical SMILES, "") or ("", reason): nothing is dropped and the order is kept."""
    step = RECIPES[name]
    return [_one(text, step) for text in smiles]


def _one(text: str, step: Callable[[Chem.Mol], Chem.Mol]) -> tuple[str, str]:
    if not text:
        return "", EMPTY
    if len(text) > LONGEST:  # RDKit's time grows with the square: a megabyte in a row would take an hour
        return "", TOO_LONG
    # RDKit cannot take a lone surrogate and stops at a NUL, so that it would pass over what follows.
    mol = None if "\0" in text or not text.isascii() else Chem.MolFromSmiles(text)
    if mol is None or mol.GetNumAtoms() == 0:
        return "", UNPARSABLE
    mol = step(mol)
    if not any(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms()):
        return "", INORGANIC
    return _settled(Chem.MolToSmiles(mol)), ""


def _settled(text: str) -> str:
    """Where the stereo of a ring depends on itself, the first SMILES that RDKit writes is not yet its canonical one."""
    for _ in range(3 if "@" in text else 0):
        mol = Chem.MolFromSmiles(text)
        again = text if mol is None else Chem.MolToSmiles(mol)
        if again == text:
            break
        text = again
    return text


def _standard(mol: Chem.Mol) -> Chem.Mol:
    # Both steps leave a single neutral molecule as it is, so they are run only where they can act.
    if len(Chem.GetMolFrags(mol)) > 1:
        mol = _CHOOSER.choose(mol)
    if any(atom.GetFormalCharge() for atom in mol.GetAtoms()):
        # A carbanion in an aromatic ring or a charged metal has no neutral form with a valid SMILES: it stays charged.
        neutral = Chem.MolFromSmiles(Chem.MolToSmiles(_UNCHARGER.uncharge(mol)))
        mol = mol if neutral is None else neutral
    return mol


def _none(mol: Chem.Mol) -> Chem.Mol:
    return mol


RECIPES: dict[str, Callable[[Chem.Mol], Chem.Mol]] = {"standard": _standard, "none": _none}


def keys(canonical: Sequence[str]) -> NDArray[np.uint64]:
    """(n, 2) uint64: BLAKE2b-128 of each canonical SMILES, high word first (https://www.rfc-editor.org/rfc/rfc7693)."""
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=16).digest() for text in canonical)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64).reshape(-1, 2)
