"""Laws of the substructure kernels, and their facts of atoms, against RDKit. Queries against RDKit: test_alerts.py."""

import random
from itertools import pairwise

import numpy as np
import pytest
from rdkit import Chem

from drylab.featurize import alerts, reference
from drylab.kernels import substructure
from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS, adjacency
from drylab.kernels.query import FIELDS, total_valence
from drylab.kernels.ring_facts import ring_lengths
from drylab.kernels.rings import rings_flat
from drylab.kernels.search import Programs
from drylab.kernels.substructure import ASK, NO, YES, any_match, match
from drylab.types import MolGraphs
from tests.molecules import AWKWARD, DRUGS

SMARTS = (
    "[#6]", "c1ccccc1", "[NX3;H2,H1;!$(N-C=[O,S])]", "C(=O)[OH]", "[R2]", "[r5]", "[$([#7]~[#6]~[#8]);!$(*:*)]", "[OH].[OH]", "[v5]", "*1****1",
)  # fmt: skip


def molecules() -> list[Chem.Mol]:
    return [
        mol for mol in reference.parse([*DRUGS, *AWKWARD]) if mol is not None and 0 < mol.GetNumAtoms() <= MAX_ATOMS
    ]


def without_screen(programs: Programs) -> Programs:
    """The same programs, none of which the screen can dismiss."""
    a = len(programs.entry)
    return programs._replace(
        group=np.array([0, a], np.int32),
        group_word=np.zeros(1, np.int32),
        group_bit=np.zeros(1, np.int64),
        need=np.zeros(a + 1, np.int32),
    )


@pytest.mark.parametrize("names", [("brenk",), ("nih",), ("pains",), SMARTS], ids=["brenk", "nih", "pains", "own"])
def test_the_screen_dismisses_only_what_does_not_match(names: tuple[str, ...]) -> None:
    compiled = alerts.patterns(names) if names is SMARTS else alerts.compiled(names)
    graphs = reference.graphs(molecules())
    screened, searched = match(graphs, compiled.programs), match(graphs, without_screen(compiled.programs))
    assert (screened[searched == YES] == YES).all()
    assert (screened[searched == NO] == NO).all()
    assert (searched == YES).any()


def test_any_match_is_the_greatest_of_its_codes() -> None:
    graphs = reference.graphs(molecules())
    for names in (SMARTS, SMARTS[2:4], SMARTS[5:6], ("[C^2]",)):
        programs = alerts.patterns(names).programs
        codes, some = match(graphs, programs), any_match(graphs, programs)
        assert some.tolist() == [YES if YES in row else ASK if ASK in row else NO for row in codes]


def test_the_order_of_atoms_does_not_matter() -> None:
    rng = random.Random(5)
    programs = alerts.patterns(SMARTS).programs
    for mol in molecules():
        order = list(range(mol.GetNumAtoms()))
        rng.shuffle(order)
        both = match(reference.graphs([mol, Chem.RenumberAtoms(mol, order)]), programs)
        told = (both != ASK).all(axis=0)  # rings may be declined where the order is not that of a SMILES
        assert (both[0, told] == both[1, told]).all(), Chem.MolToSmiles(mol)


def test_splitting_a_batch_changes_nothing() -> None:
    mols, programs = molecules(), alerts.patterns(SMARTS).programs
    whole = match(reference.graphs(mols), programs)
    parts = [match(reference.graphs(mols[i : i + 7]), programs) for i in range(0, len(mols), 7)]
    assert (whole == np.concatenate(parts)).all()


def test_total_valence_is_rdkits_or_not_told() -> None:
    told = 0
    for mol in molecules():
        g = reference.graphs([mol])
        n, m = mol.GetNumAtoms(), mol.GetNumBonds()
        start, neighbour, via = np.zeros(n + 1, np.uint16), np.zeros(2 * m, np.uint8), np.zeros(2 * m, np.uint16)
        adjacency(g.begin, g.end, n, m, start, neighbour, via)
        for atom in mol.GetAtoms():
            i = atom.GetIdx()
            found = total_valence(i, g.element, g.charge, g.hydrogens, g.aromatic, start, via, g.order)
            assert found in (-1, atom.GetTotalValence()), (Chem.MolToSmiles(mol), i)
            told += found >= 0
    assert told > 500


@pytest.mark.parametrize(
    ("smiles", "lengths"),
    [
        ("CC", []),
        ("C1CCCCC1", [6]),
        ("C1CC2CCC1CC2", range(6, 62)),  # bridged: anything from the smallest ring up is thought possible
        ("c1ccc2ccccc2c1", [6, 10]),
        ("C1CC1C1CCC1", [3, 4]),
        ("C1CC2CCCC2C1", [5, 8]),
        ("c1ccc2cc3ccccc3cc2c1", [6, 10, *range(14, 62)]),
    ],
)
def test_ring_lengths(smiles: str, lengths: list[int]) -> None:
    g = reference.graphs(reference.parse([smiles]))
    counts, sizes, _, bonds = rings_flat(g.atom_ptr, g.bond_ptr, g.status, g.begin, g.end, g.bond_ring)
    ptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint16)
    cover, group = np.zeros(MAX_BONDS, np.int64), np.zeros(62, np.int64)
    mask = ring_lengths(ptr, bonds, int(counts[0]), len(g.begin), cover, group)
    assert [k for k in range(62) if mask >> k & 1] == list(lengths)


def test_facts_fit_their_words() -> None:
    for word in (0, 1):
        taken = [(first, len(values)) for w, first, values, _ in FIELDS.values() if w == word]
        assert all(a + k == b for (a, k), (b, _) in pairwise(taken))
        assert sum(taken[-1]) <= 62


def test_molecules_at_the_limits() -> None:
    smiles = ["C" * 255, "C" * 256, "C", "[H][H]", "C(C)(C)" * 84 + "C"]
    codes = match(
        reference.graphs(reference.parse(smiles)), alerts.patterns(("CC", "C", "[#1]", "[CH2][CH3]")).programs
    )
    assert codes.tolist() == [[1, 1, 0, 1], [2, 2, 2, 2], [0, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0]]


def test_bonds_that_are_not_certain_are_asked_about() -> None:
    graphs = reference.graphs(reference.parse(["C->[Fe]", "C:C", "c1ccccc1"]))
    assert match(graphs, alerts.patterns(("C", "c")).programs).tolist() == [[ASK, ASK], [ASK, ASK], [NO, YES]]


def test_a_batch_that_is_not_of_graphs_is_all_asked() -> None:
    graphs = reference.graphs(reference.parse(["C", "not a molecule", ""]))
    assert isinstance(graphs, MolGraphs)
    assert match(graphs, alerts.patterns(("C",)).programs)[:, 0].tolist() == [YES, ASK, ASK]
    assert substructure.any_match(graphs, alerts.patterns(("C",)).programs).tolist() == [YES, ASK, ASK]
