"""Graphs, fingerprints and properties of a column: RDKit's, row by row, whatever way the row went."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from drylab.device import on_device, to_device
from drylab.errors import InputError
from drylab.featurize import descriptors, fingerprints, graphs, reference
from drylab.featurize.route import merge, on_host, route, take
from drylab.featurize.text import as_bytes
from drylab.types import DECLINED, INVALID, PARSED, MolGraphs, SmilesBatch
from tests.kernels.twins import GPU
from tests.molecules import AWKWARD, DRUGS

# By the kernel, by RDKit since the kernel declines, too large for a graph, and no molecule at all.
MIXED = [*DRUGS, "[Na+].[Cl-]", "C" * 300, "C1CC", "", "[Fe]C", "*CC", *AWKWARD, "C[C@H](N)O |o1:1|"]
FIELDS = MolGraphs.__slots__


def same(ours: MolGraphs, theirs: MolGraphs) -> None:
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


def test_graphs_are_rdkits_whoever_parsed() -> None:
    same(graphs(MIXED), reference.graphs(reference.parse(MIXED)))


def test_what_went_to_rdkit_is_counted() -> None:
    routed = route(*as_bytes(["CCO", "CC.O", "C.C", "C" * 256, "C1CC", "", "O=[Sn](O)O"]))
    assert routed.declined() == {
        "no atoms": 1,
        "disconnected, wildcard, dative, quadruple or query bond, or white space": 2,
        "more than 255 atoms": 1,
        "bonded metal": 1,
    }
    assert routed.graphs.status.tolist() == [PARSED, PARSED, PARSED, DECLINED, INVALID, INVALID, PARSED]
    assert [routed.trouble(row) for row in (3, 4, 5)] == [
        "more than 255 atoms",
        "a ring that is not closed",
        "no atoms",
    ]


@pytest.mark.parametrize(
    "kind", ["list", "tuple", "series", "array", "arrow", "large", "chunked", "dictionary", "sliced"]
)
def test_a_column_may_come_in_any_form(kind: str) -> None:
    text = ["CCO", None, "c1ccccc1", "C(", "N"]
    array = pa.array(text)
    column = {
        "list": text,
        "tuple": tuple(text),
        "series": pd.Series(text, index=[5, 4, 3, 2, 1]),
        "array": np.array(text, dtype=object),
        "arrow": array,
        "large": array.cast(pa.large_string()),
        "chunked": pa.chunked_array([array[:2], array[2:]]),
        "dictionary": array.dictionary_encode(),
        "sliced": pa.array(["XX", *text, "YY"])[1:-1],
    }[kind]
    same(graphs(column), reference.graphs(reference.parse([t or "" for t in text])))


def test_other_columns_are_refused() -> None:
    with pytest.raises(InputError, match=r"row 1: expected a SMILES as text, got int \(7\)"):
        graphs(["CCO", 7])
    with pytest.raises(InputError, match="expected a list of SMILES, got one text"):
        graphs("CCO")
    with pytest.raises(InputError, match=r"expected an Arrow column of SMILES \(string\), got int64"):
        graphs(pa.array([1, 2]))
    with pytest.raises(InputError, match=r"radius -1, n_bits 2048: expected radius >= 0"):
        fingerprints(["C"], radius=-1)
    with pytest.raises(InputError, match="n_bits 0"):
        fingerprints(["C"], n_bits=0)


@pytest.mark.parametrize(("radius", "n_bits"), [(0, 64), (1, 1024), (2, 2048), (3, 1000)])
@pytest.mark.parametrize("chirality", [False, True])
def test_fingerprints_are_rdkits_whoever_parsed(radius: int, n_bits: int, chirality: bool) -> None:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits, includeChirality=chirality)
    bits = fingerprints(MIXED, radius, n_bits, chirality=chirality)
    counts = fingerprints(MIXED, radius, n_bits, count=True, chirality=chirality)
    assert len(bits) == len(counts) == len(MIXED)
    dense, dense_counts = bits.to_numpy(), counts.to_numpy()
    for row, mol in enumerate(reference.parse(MIXED)):
        usable = mol is not None and mol.GetNumAtoms() > 0
        assert bits.status[row] == counts.status[row] == (PARSED if usable else INVALID)
        want = generator.GetCountFingerprintAsNumPy(mol) if usable else np.zeros(n_bits)
        np.testing.assert_array_equal(dense_counts[row], want, err_msg=MIXED[row])
        np.testing.assert_array_equal(dense[row], want > 0, err_msg=MIXED[row])


def test_descriptors_are_rdkits_whoever_parsed() -> None:
    table = descriptors(MIXED)
    assert table.num_rows == len(MIXED)
    for row, mol in enumerate(reference.parse(MIXED)):
        ours = {name: table.column(name)[row].as_py() for name in table.column_names}
        if mol is None or not mol.GetNumAtoms():
            assert set(ours.values()) == {None}, MIXED[row]
        else:
            assert ours == {name: value(mol) for name, value in reference.DESCRIPTORS.items()}, MIXED[row]


def test_no_rows() -> None:
    assert len(graphs([])) == 0
    assert fingerprints([], n_bits=100).to_numpy().shape == (0, 100)
    assert fingerprints([], n_bits=100, count=True).to_numpy().shape == (0, 100)
    assert descriptors([]).num_rows == 0


def test_take_and_merge_move_whole_molecules() -> None:
    whole = graphs(DRUGS)
    order = np.array([3, 0, 5])
    same(take(whole, order), graphs([DRUGS[i] for i in order]))
    holes = graphs([text if i % 3 else "C1" for i, text in enumerate(DRUGS)])
    rows = np.arange(0, len(DRUGS), 3)
    same(merge(holes, rows, take(whole, rows)), whole)


def test_canonical_writing_changes_no_fingerprint() -> None:
    """The same molecule from another atom, and in Kekule form."""
    mols = [mol for mol in reference.parse(DRUGS) if mol is not None]
    shuffled = [Chem.MolToSmiles(mol, canonical=False, doRandom=True) for mol in mols]
    kekule = []
    for mol in mols:
        copy = Chem.Mol(mol)
        Chem.Kekulize(copy, clearAromaticFlags=True)
        kekule.append(Chem.MolToSmiles(copy, kekuleSmiles=True))
    want = fingerprints(DRUGS).words
    for writing in (shuffled, kekule):
        np.testing.assert_array_equal(fingerprints(writing).words, want)


@pytest.mark.gpu
@pytest.mark.skipif(not GPU, reason="no GPU here")
def test_a_column_on_a_gpu() -> None:
    """Text on a GPU is parsed there, with the same answers; what RDKit does goes over the host."""
    data, offsets = as_bytes(MIXED)
    batch = SmilesBatch(
        np.zeros((len(MIXED), 2), np.uint64), pa.array([""] * len(MIXED)), to_device(data), to_device(offsets)
    )
    there = graphs(batch)
    assert on_device(there.element)
    same(on_host(there), graphs(MIXED))
    for chirality in (False, True):
        bits = fingerprints(batch, chirality=chirality)
        assert on_device(bits.words)
        np.testing.assert_array_equal(bits.to_numpy(), fingerprints(MIXED, chirality=chirality).to_numpy())
    counts = fingerprints(batch, radius=3, n_bits=1024, count=True)
    np.testing.assert_array_equal(counts.to_numpy(), fingerprints(MIXED, 3, 1024, count=True).to_numpy())
    assert descriptors(batch).equals(descriptors(MIXED))
