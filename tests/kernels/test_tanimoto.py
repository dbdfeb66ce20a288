"""Tanimoto of sparse counts against a dictionary a row and against RDKit, to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from drylab.featurize import fingerprints
from drylab.kernels.tanimoto import Rows, tanimoto, tanimoto_reference
from tests.molecules import AWKWARD

LINES = st.lists(st.dictionaries(st.integers(0, 2**32 - 1), st.integers(1, 70_000), max_size=12), max_size=5)


def packed(lines: list[dict[int, int]]) -> Rows:
    ptr = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
    pairs = [pair for line in lines for pair in sorted(line.items())]
    return ptr, np.array([bit for bit, _ in pairs], np.uint32), np.array([count for _, count in pairs], np.uint32)


@given(LINES, LINES, st.booleans())
def test_equals_the_reference(x: list[dict[int, int]], y: list[dict[int, int]], binary: bool) -> None:
    found = tanimoto(packed(x), packed(y), binary)
    assert found.shape == (len(x), len(y))
    assert found.tobytes() == tanimoto_reference(packed(x), packed(y), binary).tobytes()


@given(LINES)
def test_laws(x: list[dict[int, int]]) -> None:
    own = tanimoto(packed(x), packed(x))
    assert (own == own.T).all()
    assert np.diag(own).tolist() == [1.0 if line else 0.0 for line in x]
    # Min-max is a kernel: no eigenvalue below zero but by rounding.
    assert len(x) == 0 or np.linalg.eigvalsh(own).min() > -1e-12


@pytest.mark.parametrize("binary", [False, True])
def test_equals_rdkit(binary: bool) -> None:
    texts = [text for text in AWKWARD if text and Chem.MolFromSmiles(text) is not None]
    mols = [Chem.MolFromSmiles(text) for text in texts]
    counts = fingerprints(texts, 2, 2048, count=True)
    rows = (counts.ptr, counts.bit, counts.count)
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    theirs = [make.GetFingerprint(mol) if binary else make.GetCountFingerprint(mol) for mol in mols]
    want = np.array([DataStructs.BulkTanimotoSimilarity(one, theirs) for one in theirs])
    assert tanimoto(rows, rows, binary).tobytes() == want.tobytes()
