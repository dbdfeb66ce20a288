"""Named fingerprints: RDKit's counts, rows kept in their places, similarities of known pairs."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from drylab.errors import InputError
from drylab.score.similarity import NAMES, SIZE, named, similarity, sparse
from tests.molecules import DRUGS, ODD

SMILES = [*DRUGS, *ODD]


def test_every_name_gives_every_molecule() -> None:
    found = named([*SMILES, "not a molecule"])
    assert set(found) == set(NAMES)
    for fp in found.values():
        assert len(fp) == len(SMILES) + 1
        assert fp.ptr[-1] == fp.ptr[-2], "no bits for what is no molecule"
        own = similarity(fp, fp)
        assert (np.diag(own)[np.diff(fp.ptr) > 0] == 1.0).all()


def test_ecfp6_counts_are_rdkits() -> None:
    found = named(SMILES, ["ecfp6"])["ecfp6"]
    make = rdFingerprintGenerator.GetMorganGenerator(radius=3, includeChirality=True, fpSize=SIZE)
    for row, smiles in enumerate(SMILES):
        part = slice(found.ptr[row], found.ptr[row + 1])
        got = dict(zip(found.bit[part].tolist(), found.count[part].tolist(), strict=True))
        assert got == make.GetCountFingerprint(Chem.MolFromSmiles(smiles)).GetNonzeroElements()


@pytest.mark.parametrize("name", NAMES)
def test_stereoisomers_differ(name: str) -> None:
    fp = named(["C[C@H](O)c1ccccc1", "C[C@@H](O)c1ccccc1", "OC(C)c1ccccc1"], [name])[name]
    own = similarity(fp, fp)
    assert 0.0 < own[0, 1] < 1.0
    assert own[0, 2] < 1.0


def test_take_is_a_gather() -> None:
    fp = named(SMILES, ["pairs"])["pairs"]
    rows = np.array([3, 0, 3])
    np.testing.assert_array_equal(similarity(fp.take(rows), fp), similarity(fp, fp)[rows])
    assert len(fp.take(np.zeros(0, np.int64))) == 0


def test_large_counts_are_capped() -> None:
    assert sparse([{5: 1_000_000}]).count.tolist() == [65_535]


def test_unknown_name() -> None:
    with pytest.raises(InputError, match="'maccs' is not known; choose from ecfp4"):
        named(["C"], ["maccs"])
