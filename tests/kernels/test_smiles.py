"""The SMILES kernel gives RDKit's graph or declines; it never gives another graph, and never leaves its arrays."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from drylab.featurize import reference
from drylab.featurize.route import ATOM_FIELDS, BOND_FIELDS
from drylab.featurize.text import as_bytes
from drylab.kernels import smiles as kernel
from tests.kernels.made_up_rings import made_up
from tests.kernels.twins import twins
from tests.molecules import AWKWARD
from tests.real import data_files, smiles_of

SYMBOLS = [Chem.GetPeriodicTable().GetElementSymbol(z) for z in range(1, 119)]


BOTH = twins(kernel.parse_on_cpu, kernel.parse_on_gpu)
Twin = Callable[..., kernel.Parsed]


def judge(texts: list[str], parse: Twin = kernel.parse) -> dict[str, list[str]]:
    """Parse with a twin, hold every answer to RDKit's, and return what was declined, by reason."""
    data, offsets = as_bytes(texts)
    parsed = parse(data, offsets)
    mols = [Chem.MolFromSmiles(text) for text in texts]
    oracle = reference.graphs(mols)
    declined: dict[str, list[str]] = {}
    for i, text in enumerate(texts):
        reason = int(parsed.reason[i])
        atoms, bonds = slice(*parsed.atom_ptr[i : i + 2]), slice(*parsed.bond_ptr[i : i + 2])
        if reason != kernel.OK:
            assert (atoms.start, bonds.start) == (atoms.stop, bonds.stop), text
            assert reason < kernel.FIRST_INVALID or mols[i] is None, f"RDKit reads {text!r}: {kernel.REASONS[reason]}"
            declined.setdefault(kernel.REASONS[reason], []).append(text)
            continue
        assert mols[i] is not None, f"RDKit refuses {text!r}"
        for ptr, names, ours, where in (
            (oracle.atom_ptr, ATOM_FIELDS, parsed.atoms, atoms),
            (oracle.bond_ptr, BOND_FIELDS, parsed.bonds, bonds),
        ):
            for name, column in zip(names, ours, strict=True):
                theirs = getattr(oracle, name)[ptr[i] : ptr[i + 1]]
                assert column[where].tolist() == theirs.tolist(), f"{name} of {text}"
    return declined


def writings(mol: Chem.Mol, seed: int) -> list[str]:
    """A molecule written from another atom, in Kekule form, and with all bonds and hydrogens spelled out."""
    random_ = Chem.MolToRandomSmilesVect(mol, 2, randomSeed=seed)
    kekule = Chem.Mol(mol)
    Chem.Kekulize(kekule, clearAromaticFlags=True)
    return [
        *random_,
        Chem.MolToSmiles(kekule, kekuleSmiles=True),
        Chem.MolToSmiles(mol, allBondsExplicit=True),
        Chem.MolToSmiles(mol, allHsExplicit=True),
    ]


@pytest.mark.twins
@BOTH
def test_awkward_molecules(twin: Twin) -> None:
    judge(AWKWARD, twin)


def test_awkward_molecules_in_other_writings() -> None:
    judge([text for smiles in AWKWARD if (mol := Chem.MolFromSmiles(smiles)) for text in writings(mol, 1)])


@pytest.mark.twins
@BOTH
def test_every_element(twin: Twin) -> None:
    declined = judge([f"[{symbol}{charge}]" for symbol in SYMBOLS for charge in ("", "+", "-", "+2", "--", "+3")], twin)
    assert sum(map(len, declined.values())) <= 6, declined  # the hydrogen atom


def test_elements_in_molecules() -> None:
    hydrides = [f"[{symbol}H{h}{charge}]" for symbol in SYMBOLS for h in (1, 2, 3, 4) for charge in ("", "+", "-")]
    bonded = [f"C[{symbol}{h}{charge}]C" for symbol in SYMBOLS for h in ("", "H", "H2") for charge in ("", "+", "-")]
    rings = [f"c1cc[{symbol}{rest}]c1" for symbol in "bcnops" for rest in ("", "H", "+", "H+", "-", "H-", "H2")]
    judge(hydrides + bonded + rings + [f"[{mass}{s}]C" for s in SYMBOLS for mass in (1, 12, 250, 999)])


@pytest.mark.twins
@BOTH
@pytest.mark.parametrize("n", [1, 2, 127, 128, 129, 254, 255])
def test_sizes(n: int, twin: Twin) -> None:
    declined = judge(["C" * n, "C(" * (n - 1) + "C" + ")" * (n - 1), "C" + "(F)(C" * (n // 3) + ")" * (n // 3)], twin)
    assert not declined


def test_a_direction_at_a_ring_digit_only() -> None:
    assert not judge(["C=C/1CCCC1", "CC/1=CCCC1", "C/1CCCC1", "CC=C1CCCC/1", "CC=C/1CC1C", "N=C/1CCCCCCCC1"])


@pytest.mark.twins
@BOTH
def test_too_large_is_declined(twin: Twin) -> None:
    assert list(judge(["C" * 256, "CC" * 2000], twin)) == ["more than 255 atoms"]


@pytest.mark.twins
@BOTH
def test_a_hundred_open_rings(twin: Twin) -> None:
    """All hundred ring numbers open at once, twice over; more closures than the kernel holds are declined."""
    numbers = [str(i) if i < 10 else f"%{i:02d}" for i in range(100)]
    ladder = "".join(f"C{i}" for i in numbers) + "C" + "".join(f"C{i}" for i in numbers)
    assert kernel.REASONS[kernel.MANY_BONDS] not in judge([ladder], twin)
    judge(["C1CC1" * 60, "C1CC1" * 84, "C12CC1C2" * 50], twin)


@pytest.mark.twins
@BOTH
def test_positions_of_the_trouble(twin: Twin) -> None:
    cases = {"CCX": 2, "CC(": 3, "C1CC": 1, "CC)": 2, "C[N": 1, "CC=": 3, "C{C": 1, "C12CC1": 2}
    data, offsets = as_bytes(list(cases))
    parsed = twin(data, offsets)
    assert all(reason >= kernel.FIRST_INVALID for reason in parsed.reason)
    assert dict(zip(cases, parsed.position.tolist(), strict=True)) == cases


@pytest.mark.twins
@BOTH
def test_a_molecule_is_the_same_in_any_company(twin: Twin) -> None:
    """A row does not see its neighbours, whatever they left behind."""
    rows = [*AWKWARD, "C[N+", "[13CH3]C(", "[NH4+].[Cl-]", "F[C@](Cl)(Br)I1", "C" * 300, "", "CCO"]
    together = twin(*as_bytes(rows * 2))
    for i, text in enumerate(rows * 2):
        alone = kernel.parse(*as_bytes([text]))
        assert together.reason[i] == alone.reason[0], text
        for ptr, ours, theirs in (
            (together.atom_ptr, together.atoms, alone.atoms),
            (together.bond_ptr, together.bonds, alone.bonds),
        ):
            assert all(a[ptr[i] : ptr[i + 1]].tolist() == b.tolist() for a, b in zip(ours, theirs, strict=True)), text


@pytest.mark.twins
@BOTH
def test_no_rows(twin: Twin) -> None:
    parsed = twin(*as_bytes([]))
    assert len(parsed.reason) == 0
    assert parsed.atom_ptr.tolist() == [0]


ALPHABET = "CNOFSPIBrlcnosp[]()=#-+:/\\@H%0123456789.*$~ "


@given(st.lists(st.text(st.sampled_from(ALPHABET), max_size=30), max_size=8))
def test_near_smiles_never_another_graph(texts: list[str]) -> None:
    judge([text for text in texts if " " not in text])


@given(st.integers(0, 2**32), st.integers(1, 3))
def test_mutated_molecules_never_another_graph(seed: int, edits: int) -> None:
    chance = random.Random(seed)
    text = list(chance.choice(AWKWARD)) or ["C"]
    for _ in range(edits):
        at = chance.randrange(len(text))
        text[at : at + chance.randrange(3)] = chance.choice([chance.choice(ALPHABET), chance.choice(text), ""])
        text = text or ["C"]
    if not set(" \t") & set(text):
        judge(["".join(text)])


@pytest.mark.parametrize("seed", range(4))
def test_made_up_rings_never_another_graph(seed: int) -> None:
    """Where RDKit's aromaticity has corners: as it writes them, from another atom, and in Kekule form."""
    rng = random.Random(seed)
    mols = [mol for _ in range(300) if (mol := made_up(rng)) is not None]
    assert len(mols) > 100
    declined = judge([text for mol in mols for text in (Chem.MolToSmiles(mol), *writings(mol, seed)[:3])])
    assert sum(map(len, declined.values())) <= 0.02 * 4 * len(mols), declined


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes(rows: list[bytes]) -> None:
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    parsed = kernel.parse(np.frombuffer(b"".join(rows), np.uint8), offsets)
    assert len(parsed.reason) == len(rows)
    assert (np.diff(parsed.atom_ptr) >= 0).all()
    assert parsed.atom_ptr[-1] == len(parsed.atoms[0])


@pytest.mark.parametrize("file", data_files(), ids=lambda path: path.name)
def test_real_molecules(file: Path) -> None:
    """A sample of each real file, as the vendor wrote it, as RDKit writes it and from a random atom."""
    check_file(smiles_of(file, every=997, most=120))


@pytest.mark.slow
@pytest.mark.parametrize("file", data_files(), ids=lambda path: path.name)
def test_all_real_molecules(file: Path) -> None:
    rows = smiles_of(file)
    for start in range(0, len(rows), 20_000):
        check_file(rows[start : start + 20_000])


def check_file(rows: list[str]) -> None:
    mols = [mol for text in rows if (mol := Chem.MolFromSmiles(text)) is not None]
    judge(rows)
    canonical = [Chem.MolToSmiles(mol) for mol in mols]
    shuffled = [Chem.MolToSmiles(mol, canonical=False, doRandom=True) for mol in mols]
    for texts in (canonical, shuffled):
        fitting = [text for text, mol in zip(texts, mols, strict=True) if drug_like(mol)]
        declined = sum(map(len, judge(fitting).values()))
        assert declined <= max(2, len(fitting) // 1000), declined
        judge(texts)


def drug_like(mol: Chem.Mol) -> bool:
    """One molecule of the usual elements, of a size that is screened."""
    usual = {1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53}
    return (
        5 <= mol.GetNumHeavyAtoms() <= 100
        and len(Chem.GetMolFrags(mol)) == 1
        and all(atom.GetAtomicNum() in usual for atom in mol.GetAtoms())
    )
