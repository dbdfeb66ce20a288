"""What training needs to know of a molecule before it is a graph: its parent, its scaffold, its fingerprint.

RDKit is used here because curation is an edge: it runs once for a training set, never in a screen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.MolStandardize import rdMolStandardize
from rdkit.Chem.Scaffolds import MurckoScaffold

RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]

Mol = Chem.Mol
FINGERPRINT_BITS = 1024
_FRAGMENTS = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
_UNCHARGER = rdMolStandardize.Uncharger()
_ECFP4 = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=FINGERPRINT_BITS)


def flat_parent(smiles: str) -> str:
    """Canonical SMILES of the largest organic fragment, neutralised, without stereo and isotopes; "" if RDKit refuses."""
    mol = Chem.MolFromSmiles(smiles) if smiles.strip() else None
    if mol is None:
        return ""
    if "." in smiles:
        mol = _FRAGMENTS.choose(mol)
    if "+" in smiles or "-" in smiles:
        mol = _UNCHARGER.uncharge(mol)
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
    Chem.RemoveStereochemistry(mol)
    # A second reading makes the text a fixed point: removed stereo may leave explicit hydrogens behind.
    again = Chem.MolFromSmiles(Chem.MolToSmiles(mol))
    return "" if again is None else Chem.MolToSmiles(again)


def skeleton(smiles: str) -> str:
    """First block of the InChIKey, "" if RDKit refuses: one for all tautomers, stereoisomers and ways to draw a molecule.

    Give it a flat parent, so that salts and charges do not matter either. (Heller 2015, 10.1186/s13321-015-0068-4)
    """
    mol = Chem.MolFromSmiles(smiles)
    return "" if mol is None else str(Chem.MolToInchiKey(mol))[:14]


def scaffold(mol: Mol) -> str:
    """SMILES of the Bemis-Murcko scaffold, "" for an acyclic molecule (Bemis 1996, 10.1021/jm9602928)."""
    return str(MurckoScaffold.MurckoScaffoldSmiles(mol=mol))


def ecfp4(mols: Sequence[Mol]) -> NDArray[np.uint8]:
    """(n, 128) uint8: ECFP4 of 1024 bits, packed by numpy.packbits (Rogers 2010, 10.1021/ci100050t)."""
    bits = np.zeros((len(mols), FINGERPRINT_BITS), np.uint8)
    for row, mol in zip(bits, mols, strict=True):
        DataStructs.ConvertToNumpyArray(_ECFP4.GetFingerprint(mol), row)
    return np.packbits(bits, axis=1)
