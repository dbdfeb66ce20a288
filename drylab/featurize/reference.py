"""The RDKit path from SMILES to numbers: slow, trusted, and the oracle that kernels are held to.

One of the few doors to RDKit. A SMILES is parsed once into a molecule; graph codes, properties and rules all read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, RDLogger, rdBase
from rdkit.Chem import QED, Crippen, Descriptors, FilterCatalog, Lipinski, rdFingerprintGenerator, rdMolDescriptors

from drylab.errors import InputError
from drylab.types import DECLINED, INVALID, PARSED, MolGraphs

RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]

VERSION = rdBase.rdkitVersion
MAX_ATOMS = 255  # atom numbers within a molecule are one byte
_ORDER = {
    Chem.BondType.SINGLE: 1,
    Chem.BondType.DOUBLE: 2,
    Chem.BondType.TRIPLE: 3,
    Chem.BondType.AROMATIC: 4,
}
_DIRECTION = {Chem.BondDir.ENDUPRIGHT: 1, Chem.BondDir.ENDDOWNRIGHT: 2}
_CHIRALITY = {Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 1, Chem.ChiralType.CHI_TETRAHEDRAL_CW: 2}

Mol = Chem.Mol

# RDKit's own names of the columns that drylab.featurize.descriptors gives.
DESCRIPTORS: Mapping[str, Callable[[Mol], float]] = {
    "MolWt": Descriptors.MolWt,  # type: ignore[attr-defined]
    "ExactMolWt": Descriptors.ExactMolWt,  # type: ignore[attr-defined]
    "FractionCSP3": rdMolDescriptors.CalcFractionCSP3,
    "TPSA": rdMolDescriptors.CalcTPSA,
    "MolLogP": Crippen.MolLogP,  # type: ignore[attr-defined]
    "MolMR": Crippen.MolMR,  # type: ignore[attr-defined]
    "HeavyAtomCount": Lipinski.HeavyAtomCount,
    "FormalCharge": Chem.GetFormalCharge,
    "NumHDonors": Lipinski.NumHDonors,  # type: ignore[attr-defined]
    "NumHAcceptors": Lipinski.NumHAcceptors,  # type: ignore[attr-defined]
    "NumRotatableBonds": rdMolDescriptors.CalcNumRotatableBonds,
    "RingCount": rdMolDescriptors.CalcNumRings,
    "NumAromaticRings": rdMolDescriptors.CalcNumAromaticRings,
    "NumAtomStereoCenters": rdMolDescriptors.CalcNumAtomStereoCenters,
    "NumUnspecifiedAtomStereoCenters": rdMolDescriptors.CalcNumUnspecifiedAtomStereoCenters,
}

# Name in target.yaml -> RDKit's name. Units: mw in Da, tpsa in square angstrom, the rest are counts or dimensionless.
RDKIT_NAMES: Mapping[str, str] = {
    "mw": "MolWt",
    "clogp": "MolLogP",
    "tpsa": "TPSA",
    "hbd": "NumHDonors",
    "hba": "NumHAcceptors",
    "rotatable": "NumRotatableBonds",
    "rings": "RingCount",
    "aromatic_rings": "NumAromaticRings",
    "fsp3": "FractionCSP3",
    "heavy_atoms": "HeavyAtomCount",
    "charge": "FormalCharge",
}
PROPERTIES: Mapping[str, Callable[[Mol], float]] = {name: DESCRIPTORS[rdkit] for name, rdkit in RDKIT_NAMES.items()}

QED_ALERTS: tuple[str, ...] = tuple(QED.StructuralAlertSmarts)  # SMARTS of the structural alerts that QED counts

_CATALOGS = {
    "pains": FilterCatalog.FilterCatalogParams.FilterCatalogs.PAINS,
    "brenk": FilterCatalog.FilterCatalogParams.FilterCatalogs.BRENK,
    "nih": FilterCatalog.FilterCatalogParams.FilterCatalogs.NIH,
}


def parse(smiles: Sequence[str]) -> list[Mol | None]:
    """RDKit molecules, None where RDKit refuses the SMILES or it is empty."""
    return [(Chem.MolFromSmiles(text) if text.strip() else None) for text in smiles]


def status(mols: Sequence[Mol | None]) -> NDArray[np.uint8]:
    """(n,) uint8: PARSED, INVALID for None, DECLINED for a molecule without atoms or with more than 255."""
    return np.array(
        [INVALID if mol is None else PARSED if 0 < mol.GetNumAtoms() <= MAX_ATOMS else DECLINED for mol in mols],
        dtype=np.uint8,
    )


def graphs(mols: Sequence[Mol | None]) -> MolGraphs:
    """Graph codes of parsed molecules; None gives INVALID, more than 255 atoms gives DECLINED."""
    states = status(mols)
    parsed = [mol for mol, state in zip(mols, states, strict=True) if state == PARSED]
    # By number: RDKit's own iterators take as long as all the codes.
    atoms = [_atom_codes(mol.GetAtomWithIdx(i)) for mol in parsed for i in range(mol.GetNumAtoms())]  # type: ignore[union-attr]
    bonds = [_bond_codes(mol.GetBondWithIdx(i)) for mol in parsed for i in range(mol.GetNumBonds())]  # type: ignore[union-attr]
    n_atoms = np.zeros(len(mols), np.int64)
    n_bonds = np.zeros(len(mols), np.int64)
    n_atoms[states == PARSED] = [mol.GetNumAtoms() for mol in parsed]  # type: ignore[union-attr]
    n_bonds[states == PARSED] = [mol.GetNumBonds() for mol in parsed]  # type: ignore[union-attr]
    a = np.array(atoms, dtype=np.int32).reshape(-1, 8)
    b = np.array(bonds, dtype=np.uint8).reshape(-1, 5)
    return MolGraphs(
        atom_ptr=_offsets(n_atoms),
        bond_ptr=_offsets(n_bonds),
        status=states,
        element=a[:, 0].astype(np.uint8),
        charge=a[:, 1].astype(np.int8),
        hydrogens=a[:, 2].astype(np.uint8),
        degree=a[:, 3].astype(np.uint8),
        aromatic=a[:, 4].astype(np.uint8),
        atom_ring=a[:, 5].astype(np.uint8),
        chirality=a[:, 6].astype(np.uint8),
        isotope=a[:, 7].astype(np.uint16),
        begin=b[:, 0].copy(),
        end=b[:, 1].copy(),
        order=b[:, 2].copy(),
        bond_ring=b[:, 3].copy(),
        direction=b[:, 4].copy(),
    )


def _atom_codes(atom: Chem.Atom) -> tuple[int, ...]:
    return (
        atom.GetAtomicNum(),
        atom.GetFormalCharge(),
        atom.GetTotalNumHs(),
        atom.GetDegree(),
        atom.GetIsAromatic(),
        atom.IsInRing(),
        _CHIRALITY.get(atom.GetChiralTag(), 0),
        atom.GetIsotope(),
    )


def _bond_codes(bond: Chem.Bond) -> tuple[int, ...]:
    return (
        bond.GetBeginAtomIdx(),
        bond.GetEndAtomIdx(),
        _ORDER.get(bond.GetBondType(), 0),
        bond.IsInRing(),
        _DIRECTION.get(bond.GetBondDir(), 0),
    )


def _offsets(counts: np.ndarray) -> np.ndarray:
    total = int(counts.sum())
    assert total < 2**31, "a batch holds fewer than 2**31 atoms; use smaller batches"
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def properties(mols: Sequence[Mol], names: Sequence[str] = tuple(PROPERTIES)) -> dict[str, np.ndarray]:
    """Named RDKit properties, each (n,) float64."""
    return {name: np.array([PROPERTIES[name](mol) for mol in mols], dtype=np.float64) for name in names}


def fingerprints(mols: Sequence[Mol], radius: int, n_bits: int, chirality: bool) -> list[dict[int, int]]:
    """RDKit's Morgan fingerprints: for each molecule, how often each bit that is set occurs."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits, includeChirality=chirality)
    return [generator.GetCountFingerprint(mol).GetNonzeroElements() for mol in mols]


# Kinds of fingerprint that no kernel computes; stereo is told apart in all. Sources: fcfp4 Rogers 2010,
# 10.1021/ci100050t; atom pairs Carhart 1985, 10.1021/ci00046a002; torsions Nilakantan 1987, 10.1021/ci00054a008.
_GENERATORS: Mapping[str, Callable[[], rdFingerprintGenerator.FingerprintGenerator64]] = {
    "fcfp4": lambda: rdFingerprintGenerator.GetMorganGenerator(
        radius=2,
        includeChirality=True,
        atomInvariantsGenerator=rdFingerprintGenerator.GetMorganFeatureAtomInvGen(),
    ),
    "pairs": lambda: rdFingerprintGenerator.GetAtomPairGenerator(includeChirality=True),
    "torsions": lambda: rdFingerprintGenerator.GetTopologicalTorsionGenerator(includeChirality=True),
}


def named_fingerprints(mols: Sequence[Mol | None], kind: str, n_bits: int) -> list[dict[int, int]]:
    """RDKit's "fcfp4", "pairs" or "torsions": how often each code, modulo n_bits, occurs; None gives none."""
    generator = _GENERATORS[kind]()
    found = []
    for mol in mols:
        counts: dict[int, int] = {}
        codes = {} if mol is None else generator.GetSparseCountFingerprint(mol).GetNonzeroElements()
        for code, count in codes.items():
            counts[code % n_bits] = counts.get(code % n_bits, 0) + count
        found.append(counts)
    return found


def qed(mol: Mol, known: tuple[float, ...] | None = None) -> float:
    """RDKit's QED, to the bit; ``known`` spares it most of the work.

    known  weight, logP, donors, polar surface, rotatable bonds, how many of QED_ALERTS match. Not for a molecule with
           hydrogens that are atoms, which QED takes away first.
    """
    if known is None:
        return float(QED.qed(mol))
    weight, logp, donors, surface, rotatable, alerts = known
    # Counted in QED's own ways, which are none of DESCRIPTORS.
    acceptors = sum(len(mol.GetSubstructMatches(query)) for query in QED.Acceptors)
    aromatic_rings = len(Chem.GetSSSR(Chem.DeleteSubstructs(Chem.Mol(mol), QED.AliphaticRings)))
    parts = QED.QEDproperties(weight, logp, acceptors, donors, surface, rotatable, aromatic_rings, alerts)
    return float(QED.qed(mol, qedProperties=parts))


def scaffold(mol: Mol) -> str:
    """SMILES of the Bemis-Murcko scaffold without stereo, as ``MurckoScaffoldSmiles`` of RDKit writes it; "" without rings."""
    found = Chem.MurckoDecompose(mol)
    found.ClearComputedProps()
    found.UpdatePropertyCache()
    Chem.GetSymmSSSR(found)
    return Chem.MolToSmiles(found, False)


@lru_cache(maxsize=16)
def alert_catalog(names: tuple[str, ...]) -> FilterCatalog.FilterCatalog:
    """RDKit's filter catalogues of the given names ("pains", "brenk", "nih") as one."""
    params = FilterCatalog.FilterCatalogParams()
    for name in names:
        params.AddCatalog(_CATALOGS[name])
    return FilterCatalog.FilterCatalog(params)


@lru_cache(maxsize=256)
def pattern(smarts: str) -> Mol:
    """A SMARTS as a query. Raises InputError where RDKit refuses it."""
    query = Chem.MolFromSmarts(smarts)
    if query is None or not query.GetNumAtoms():
        raise InputError(f"{smarts!r} is not a SMARTS that RDKit can read; correct it")
    return query
