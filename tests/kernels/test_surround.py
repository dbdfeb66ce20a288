"""Names of environments: two atoms have one name exactly if their environments are the same."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from drylab.featurize import graphs
from drylab.kernels.surround import class_numbers, environments_reference, name_environments
from drylab.score.features import ATOM_SIZES, atom_classes, bond_classes
from drylab.types import MolGraphs
from tests.molecules import AWKWARD, DRUGS, ODD

RADII = 4


def names_of(parsed: MolGraphs) -> tuple[np.ndarray, np.ndarray]:
    """(radii + 1, atoms, 2) names, and the class numbers."""
    numbers = np.zeros(len(parsed.element), np.int32)
    class_numbers(
        parsed.element, parsed.charge, parsed.hydrogens, parsed.degree, parsed.aromatic, parsed.atom_ring,
        np.array(ATOM_SIZES), numbers,
    )  # fmt: skip
    names = np.zeros((RADII + 1, max(1, len(numbers)), 2), np.uint64)
    name_environments(
        numbers,
        parsed.begin,
        parsed.end,
        parsed.order,
        parsed.bond_ring,
        parsed.atom_ptr,
        parsed.bond_ptr,
        0,
        len(parsed),
        names,
    )
    return names[:, : len(numbers)], numbers


def test_class_numbers_are_the_classes() -> None:
    parsed = graphs(AWKWARD)
    digits = np.stack(np.unravel_index(names_of(parsed)[1], ATOM_SIZES), axis=1)
    np.testing.assert_array_equal(digits, atom_classes(parsed))


def check(smiles: list[str]) -> None:
    parsed = graphs(smiles)
    names, numbers = names_of(parsed)
    kinds = bond_classes(parsed)
    for radius in range(RADII + 1):
        truth: list[tuple[object, ...]] = []
        for i in range(len(parsed)):
            atoms, bonds = slice(*parsed.atom_ptr[i : i + 2]), slice(*parsed.bond_ptr[i : i + 2])
            edges = list(
                zip(parsed.begin[bonds].tolist(), parsed.end[bonds].tolist(), kinds[bonds].tolist(), strict=True)
            )
            truth += environments_reference(numbers[atoms], edges, radius)
        for half in range(2):  # each half alone: what is looked up is split between the two
            pairs = set(zip(names[radius, :, half].tolist(), map(repr, truth), strict=True))
            assert len(pairs) == len({name for name, _ in pairs}) == len({text for _, text in pairs})


def test_one_name_for_one_environment() -> None:
    check([*DRUGS, *(text for text in ODD if len(text) < 100)])
    check([])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(DRUGS + AWKWARD[20:80]), min_size=1, max_size=6))
def test_one_name_for_one_environment_of_any_molecules(smiles: list[str]) -> None:
    check(smiles)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(DRUGS), st.integers(1, 2**31 - 1))
def test_names_do_not_depend_on_the_writing(smiles: str, seed: int) -> None:
    other = Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles), 1, randomSeed=seed)[0]
    one, two = names_of(graphs([smiles]))[0], names_of(graphs([other]))[0]
    for radius in range(RADII + 1):
        np.testing.assert_array_equal(np.sort(one[radius, :, 0]), np.sort(two[radius, :, 0]))
