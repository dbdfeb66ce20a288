"""Morgan fingerprints against RDKit, on real molecules as written and as RDKit writes them, and on awkward ones."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from drylab.featurize import reference
from drylab.kernels import morgan_gpu
from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS
from drylab.kernels.environments import DECLINED, ROW, SMALL_BONDS, SMALL_WORK, TOO_BIG, environments_small
from drylab.kernels.environments_any import any_slots, any_work, codes_length, environments_any
from drylab.kernels.isotopes import delta_mass
from drylab.kernels.morgan import bits_on_cpu, counts_on_cpu, morgan_bits, morgan_counts, morgan_reference
from tests.kernels.twins import twins
from tests.molecules import DRUGS, ODD
from tests.real import data_files, smiles_of

# Each radius and each size once or more, the default first.
SETTINGS = [(2, 2048), (0, 64), (1, 1000), (2, 1024), (3, 4096), (5, 2048), (6, 1), (2, 2**32 - 1)]
MOST_BITS = 2**20  # rows of more bits would fill memory
AWKWARD = [
    *("[H][H]", "[2H][2H]", "C", "CC", "[Na+]", "CC.CC", "C.CC.CCC", "CCO.[Na+].[Cl-].O", "C1CC1.CC"),
    *("S(F)(F)(F)(F)(F)F", "FS(F)(F)(F)F", "CC(C)(C)C", "C(F)(F)(F)F", "CCCC", "C1CCC1", "C1CC2CC1C2", "C12C3C1C23"),
    *(
        "[13CH4]",
        "[11CH4]",
        "[235U]",
        "[300C]",
        "[2H]c1ccccc1",
        "[5*]C",
        "*c1ccccc1*",
        "[H]/N=C/C",
        "[3H]OC([2H])[13CH3]",
    ),
    *(
        "[O-][N+](=O)c1ccccc1",
        "[Fe-2]",
        "C[Si](C)(C)O[Si](C)(C)C",
        "c1ccc2c(c1)c1ccccc1c1ccccc21",
        "[U+6]",
        "B1OB(C)O1",
    ),
    *("F/C=C/F", "F/C=C\\F", "FC=CF", "C[C@H](F)Cl", "C[C@@H](F)Cl", "C[C@](F)(Cl)C=O", "C[S@](=O)CC", "CC=C=CC"),
    *(
        "C[P@@](=O)(O)F",
        "[C@H]12CC[C@H](CC1)O2",
        "C1CC[C@@H]2CCCC[C@H]2C1",
        "OC1C(O)C(O)C(O)C(O)C1O",
        "C[N@+](CC)(F)Cl",
    ),
    *("C" * SMALL_BONDS, "C" * (SMALL_BONDS + 1), "C" * (SMALL_BONDS + 2), "C" * ROW, "C" * (ROW + 1)),
    *(
        "C1" + "C" * (SMALL_BONDS - 1) + "1",
        "C1" + "C" * SMALL_BONDS + "1",
        "CC(=O)N" * 51,
        "C" * MAX_ATOMS,
        "OC(C)C(=O)" * 20,
    ),
    "C(C)(C)" * 40,
    "c1cc2ccc3cccc4ccc(c1)c2c34",
]


Answer = tuple[Any, tuple[Any, Any]]
Twin = Callable[..., Answer]


def both(bits: Callable[..., Any], counts: Callable[..., Any]) -> Twin:
    """Two launchers as one: what they give for (graphs, radius, n_bits, marks), no bits where they would fill memory."""
    return lambda *asked: (bits(*asked) if asked[2] < MOST_BITS else None, counts(*asked))


ANY = both(morgan_bits, morgan_counts)
BOTH = twins(both(bits_on_cpu, counts_on_cpu), both(morgan_gpu.bits_on_gpu, morgan_gpu.counts_on_gpu))


@cache
def generator(radius: int, n_bits: int, chiral: bool = False):  # type: ignore[no-untyped-def]
    return rdFingerprintGenerator.GetMorganGenerator(radius, fpSize=n_bits, includeChirality=chiral)


def spaced(file: Path, count: int, rows: int | None = None) -> list[str]:
    """About ``count`` molecules from all over the first rows of a file."""
    smiles = list(dict.fromkeys(smiles_of(file, most=rows)))
    return smiles[:: max(1, len(smiles) // count)]


def molecules(smiles: list[str]) -> list[Chem.Mol]:
    """What RDKit parses and the graphs hold, as written and then as RDKit writes it."""
    raw = [mol for mol in reference.parse(smiles) if mol is not None and 0 < mol.GetNumAtoms() <= MAX_ATOMS]
    return raw + [mol for mol in reference.parse([Chem.MolToSmiles(mol) for mol in raw]) if mol is not None]


def marks_of(mols: list[Chem.Mol]) -> tuple[np.ndarray, np.ndarray]:
    """What chirality needs, from RDKit: CIP labels of the atoms, stereo of the bonds."""
    cip = [{"R": 1, "S": 2}.get(a.GetPropsAsDict().get("_CIPCode", ""), 0) for mol in mols for a in mol.GetAtoms()]
    return np.array(cip, np.uint8), np.array([int(b.GetStereo()) for mol in mols for b in mol.GetBonds()], np.uint8)


def rows_of(counts: tuple[np.ndarray, np.ndarray, np.ndarray]) -> list[dict[int, int]]:
    ptr, bit, count = counts
    pairs = list(zip(bit.tolist(), count.tolist(), strict=True))
    rows = [pairs[i:j] for i, j in pairwise(ptr)]
    assert all(row == sorted(row) for row in rows), "bits must ascend"
    return [dict(row) for row in rows]


def differences(mols: list[Chem.Mol], radius: int, n_bits: int, chiral: bool = False, twin: Twin = ANY) -> list[str]:
    """SMILES of the molecules whose bits or counts differ from RDKit's."""
    graphs = reference.graphs(mols)
    marks = marks_of(mols) if chiral else None
    both_bits, (counts, declined) = twin(graphs, radius, n_bits, marks)
    oracle = [generator(radius, n_bits, chiral).GetCountFingerprint(mol).GetNonzeroElements() for mol in mols]
    wrong = {k for k, (ours, theirs) in enumerate(zip(rows_of(counts), oracle, strict=True)) if ours != theirs}
    if both_bits is not None:
        bits, declined_too = both_bits
        assert bits.shape == (len(mols), -(-n_bits // 64))
        assert np.array_equal(declined, declined_too)
        unpacked = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
        wrong |= {k for k, row in enumerate(unpacked) if np.flatnonzero(row).tolist() != sorted(oracle[k])}
    known = (graphs.order != 0) | (radius == 0)
    unknown = [not known[i:j].all() for i, j in pairwise(graphs.bond_ptr)]
    assert np.array_equal(declined, unknown), "declined: a bond of no known type, and nothing else"
    assert both_bits is None or not unpacked[declined != 0].any()
    return [Chem.MolToSmiles(mols[k]) for k in sorted(wrong) if not declined[k]]


@pytest.fixture(scope="module")
def sample(shared_data: Path) -> list[Chem.Mol]:
    """A few molecules of every public file."""
    return molecules([text for file in data_files() for text in spaced(file, 12, 3_000)])


@pytest.mark.twins
@BOTH
@pytest.mark.parametrize(("radius", "n_bits"), [(2, 2048), (3, 1000), (0, 2**32 - 1)])
def test_small_and_awkward_molecules_are_rdkits(radius: int, n_bits: int, twin: Twin) -> None:
    mols = molecules([*(smiles for smiles in AWKWARD if len(smiles) < 40), *DRUGS[:5], "CC(=O)N" * 12])
    assert differences(mols, radius, n_bits, twin=twin) == []
    assert differences(mols, radius, n_bits, chiral=True, twin=twin) == []


@BOTH
@pytest.mark.parametrize(("radius", "n_bits"), SETTINGS)
def test_awkward_molecules_are_rdkits(radius: int, n_bits: int, twin: Twin) -> None:
    mols = molecules([*AWKWARD, *DRUGS, *ODD])
    assert differences(mols, radius, n_bits, twin=twin) == []
    assert differences(mols, radius, n_bits, chiral=True, twin=twin) == []


@pytest.mark.twins
@BOTH
@pytest.mark.parametrize("n", [0, 1, morgan_gpu.THREADS - 1, morgan_gpu.THREADS, morgan_gpu.THREADS + 1])
def test_numbers_of_molecules(n: int, twin: Twin) -> None:
    mols = reference.parse(["CC(C)(C)C" if i % 7 else "FS(F)(F)(F)F" for i in range(n)])
    assert differences(mols, 2, 64, twin=twin) == []


@pytest.mark.twins
@BOTH
def test_little_scratch_is_used_again(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(morgan_gpu, "ANY_SCRATCH", 1)
    mols = molecules(["FS(F)(F)(F)F", "CC.CC", "S(F)(F)(F)(F)(F)F", "CC(=O)N" * 12, "C.CC.CCC", "C" * MAX_ATOMS, "CC"])
    assert differences(mols, 2, 2048, twin=twin) == []


@BOTH
@pytest.mark.parametrize(("radius", "n_bits"), SETTINGS)
def test_real_molecules_are_rdkits(sample: list[Chem.Mol], radius: int, n_bits: int, twin: Twin) -> None:
    assert len(sample) > 500
    assert differences(sample, radius, n_bits, twin=twin) == []


@BOTH
@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_chirality_is_rdkits(sample: list[Chem.Mol], radius: int, twin: Twin) -> None:
    assert differences(sample, radius, 2048, chiral=True, twin=twin) == []


def test_hydrogen_atoms_are_counted_as_rdkit_does() -> None:
    mols = [Chem.AddHs(mol) for mol in reference.parse(DRUGS)]
    assert differences(mols, 2, 2048) == []


def test_delta_mass_is_rdkits_for_every_isotope() -> None:
    table = Chem.GetPeriodicTable()
    for z in range(1, 119):
        weight = table.GetAtomicWeight(z)
        want = [int((table.GetMassForIsotope(z, mass) or mass) - weight) for mass in range(1, 1000)]
        assert [delta_mass(z, mass) for mass in range(1, 1000)] == want, z
    assert delta_mass(0, 7) == 0


@pytest.mark.parametrize("chiral", [False, True])
@pytest.mark.parametrize("radius", [0, 1, 2, 3, 6])
def test_reference_is_rdkits(radius: int, chiral: bool) -> None:
    mols = molecules([*AWKWARD, *DRUGS, *(smiles for smiles in ODD if "->" not in smiles)])
    graphs, marks = reference.graphs(mols), marks_of(mols) if chiral else None
    for k, mol in enumerate(mols):
        theirs = generator(radius, 2048, chiral).GetSparseCountFingerprint(mol).GetNonzeroElements()
        ours = morgan_reference(graphs, k, radius, marks)
        assert ours == sorted(code for code, count in theirs.items() for _ in range(count)), Chem.MolToSmiles(mol)


def network(elements: list[int], ends: list[tuple[int, int]], order: list[int], **more: np.ndarray) -> SimpleNamespace:
    """MolGraphs of one molecule with any bonds between any atoms, whether chemistry allows it or not."""
    n = len(elements)
    begin, end = np.array(ends, np.uint8).reshape(-1, 2).T.copy()
    fields = {name: np.zeros(n, np.uint8) for name in ("hydrogens", "atom_ring", "chirality")}
    return SimpleNamespace(
        **fields
        | {
            "atom_ptr": np.array([0, n], np.int32),
            "bond_ptr": np.array([0, len(ends)], np.int32),
            "status": np.zeros(1, np.uint8),
            "element": np.array(elements, np.uint8),
            "charge": np.zeros(n, np.int8),
            "isotope": np.zeros(n, np.uint16),
            "degree": np.bincount(np.concatenate([begin, end]), minlength=n).astype(np.uint8),
            "begin": begin,
            "end": end,
            "order": np.array(order, np.uint8),
        }
        | more
    )


@st.composite
def graph(draw: st.DrawFn) -> SimpleNamespace:
    """Any bonds between a few atoms, in any number of parts."""
    n = draw(st.integers(1, 12))
    pairs = [(u, v) for u in range(n) for v in range(u)]
    ends = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=18)) if pairs else []
    order = draw(st.lists(st.integers(1, 4), min_size=len(ends), max_size=len(ends)))
    elements = draw(st.lists(st.sampled_from([1, 6, 7]), min_size=n, max_size=n))
    chirality = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), np.uint8)
    charge = np.array(draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n)), np.int8)
    return network(elements, ends, order, chirality=chirality, charge=charge)


@pytest.mark.parametrize("n", [32, 33])  # 496 bonds, 528 bonds
def test_the_most_bonds(n: int) -> None:
    ends = [(u, v) for u in range(n) for v in range(u)]
    graphs = network([6] * n, ends, [1] * len(ends))
    (_, codes, count), declined = morgan_counts(graphs, 2, 2**32 - 1)
    assert declined.tolist() == [len(ends) > MAX_BONDS]
    assert np.repeat(codes, count).tolist() == ([] if declined[0] else morgan_reference(graphs, 0, 2))


@given(graph(), st.integers(0, 6), st.booleans())
def test_any_graph_is_the_definition(graphs: SimpleNamespace, radius: int, chiral: bool) -> None:
    marks = (graphs.element % 3, (graphs.order == 2).astype(np.uint8) * 3) if chiral else None
    (_, codes, count), declined = morgan_counts(graphs, radius, 2**32 - 1, marks)
    assert not declined.any()
    assert np.repeat(codes, count).tolist() == sorted(
        code % (2**32 - 1) for code in morgan_reference(graphs, 0, radius, marks)
    )


@given(st.sampled_from([*AWKWARD, *DRUGS]), st.integers(0, 2**32 - 1), st.integers(0, 4), st.booleans())
def test_order_of_atoms_is_nothing(smiles: str, seed: int, radius: int, chiral: bool) -> None:
    mol = Chem.MolFromSmiles(smiles)
    order = list(range(mol.GetNumAtoms()))
    random.Random(seed).shuffle(order)
    shuffled = Chem.RenumberAtoms(mol, order)
    written = Chem.MolFromSmiles(Chem.MolToRandomSmilesVect(mol, 1, seed % 2**31)[0])
    results = []
    for one in (mol, shuffled, written):
        marks = marks_of([one]) if chiral else None
        (_, bit, count), _ = morgan_counts(reference.graphs([one]), radius, 2**20, marks)
        results.append((bit.tolist(), count.tolist()))
    assert results[0] == results[1] == results[2]


def codes_by_both(mol: Chem.Mol, radius: int) -> tuple[list[int], list[int]]:
    """Codes of a molecule by the fast path ([] if it refuses) and by the other."""
    g = reference.graphs([mol])
    n, m = mol.GetNumAtoms(), mol.GetNumBonds()
    table = np.zeros(any_slots(radius), np.int32)
    codes = [np.zeros(codes_length(radius), np.uint32) for _ in range(2)]
    for out in codes:
        out[:n] = np.arange(n) % 3
    here, there = np.zeros(ROW, np.int64), np.zeros(ROW, np.int64)
    bonds, work = (g.begin, g.end, g.order), np.zeros(SMALL_WORK, np.int64)
    small = environments_small(n, m, *bonds, radius, work, here, there, table, codes[0])
    lists = (np.zeros(MAX_ATOMS + 1, np.uint16), np.zeros(2 * MAX_BONDS, np.uint8), np.zeros(2 * MAX_BONDS, np.uint16))
    marks = (False, g.chirality, g.chirality, g.chirality)
    large = np.zeros(any_work(radius), np.int64)
    full = environments_any(n, m, *bonds, *marks, radius, *lists, large, table, codes[1])
    assert small == TOO_BIG or small == full >= n
    return sorted(codes[0][: max(small, 0)].tolist()), sorted(codes[1][:full].tolist())


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 4, 6, 9, 300])
def test_both_paths_give_the_same_codes(radius: int) -> None:
    refused = 0
    for mol in molecules([*AWKWARD[:-1], *DRUGS]):
        fast, full = codes_by_both(mol, radius)
        refused += not fast
        assert fast in ([], full), Chem.MolToSmiles(mol)
    assert (refused > 0) == (radius > 0)


@pytest.mark.twins
@BOTH
def test_edges(twin: Twin) -> None:
    (bits, declined), ((ptr, bit, count), _) = twin(reference.graphs([]), 2, 2048, None)
    assert bits.shape == (0, 32)
    assert declined.shape == (0,)
    assert [len(column) for column in (ptr, bit, count)] == [1, 0, 0]
    mols = [None, Chem.MolFromSmiles("C"), None, Chem.MolFromSmiles("C" * 256), Chem.MolFromSmiles("CCO"), None]
    (bits, declined), (counts, _) = twin(reference.graphs(mols), 2, 2048, None)
    assert bits.any(axis=1).tolist() == [False, True, False, False, True, False]
    assert not declined.any()
    assert [bool(row) for row in rows_of(counts)] == bits.any(axis=1).tolist()
    nothing, _ = twin(reference.graphs([None]), 2, 2048, None)
    assert not nothing[0].any()


@pytest.mark.twins
@BOTH
def test_an_unknown_bond_is_declined_on_both_paths(twin: Twin) -> None:
    for smiles in ("N->[Fe]", "N->[Fe](Cl)(Cl)(Cl)(Cl)Cl"):
        (bits, declined), _ = twin(reference.graphs(reference.parse([smiles, "CCO"])), 2, 2048, None)
        assert declined.tolist() == [1, 0]
        assert bits.any(axis=1).tolist() == [False, True]
        assert DECLINED < 0


SIMULATE = """
import sys
import numpy as np
from types import SimpleNamespace
from typing import Any
from drylab.kernels import morgan
assert not hasattr(morgan.fold_bits, "py_func"), "this is to run as plain Python"
data = np.load(sys.argv[1])
graphs = SimpleNamespace(**{name: data[name] for name in data.files})
bits, _ = morgan.morgan_bits(graphs, 3)
counts, _ = morgan.morgan_counts(graphs, 3, marks=(graphs.cip, graphs.stereo))
np.savez(sys.argv[2], bits, *counts)
"""


def test_plain_python_gives_the_same(tmp_path: Path) -> None:
    """As a machine steps through the logic that has no GPU, and no compiler: rules of twin.py, overflow is an error."""
    mols = molecules([*DRUGS[:6], *AWKWARD[:20], "C" * (SMALL_BONDS + 3)])
    graphs, marks = reference.graphs(mols), marks_of(mols)
    fields = {name: getattr(graphs, name) for name in graphs.__slots__}
    np.savez(tmp_path / "in.npz", **fields, cip=marks[0], stereo=marks[1])
    plain = {**os.environ, "NUMBA_DISABLE_JIT": "1", "NUMBA_ENABLE_CUDASIM": "1"}
    command = [sys.executable, "-W", "error", "-c", SIMULATE, str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    subprocess.run(command, env=plain, check=True)
    want = (morgan_bits(graphs, 3)[0], *morgan_counts(graphs, 3, marks=marks)[0])
    with np.load(tmp_path / "out.npz") as out:
        for name, column in zip(out.files, want, strict=True):
            np.testing.assert_array_equal(out[name], column)


@pytest.mark.slow
def test_everything_is_rdkits(shared_data: Path) -> None:
    """All of the small files and a share of the big ones, about 300,000 molecules, each as written and as RDKit writes it."""
    for file in data_files():
        smiles = spaced(file, 12_000)
        for start in range(0, len(smiles), 5_000):
            mols = molecules(smiles[start : start + 5_000])
            for radius, n_bits, chiral in ((2, 2048, False), (1, 1024, False), (3, 1000, False), (3, 2048, True)):
                assert differences(mols, radius, n_bits, chiral) == [], file
