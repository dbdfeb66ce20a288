"""The encoder kernel against its plain reference, and the law that makes a score the molecule's own."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.featurize import reference
from drylab.kernels import message
from drylab.score.features import ATOM_SIZES, BOND_CLASSES, TABLE_PTR, atom_classes, bond_classes
from tests.molecules import DRUGS, ODD

WIDTH, HIDDEN, D = 24, 40, 16  # not equal and no power of two, so that a swapped index shows


@pytest.fixture(scope="module")
def weights() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(7)
    shape = {"w1": (3, WIDTH, HIDDEN), "b1": (3, HIDDEN), "w2": (3, HIDDEN, WIDTH), "b2": (3, WIDTH)}
    layers = [rng.normal(size=size) / 5 for size in shape.values()]
    return (
        rng.normal(size=(sum(ATOM_SIZES), WIDTH)),
        TABLE_PTR,
        rng.normal(size=(3, BOND_CLASSES, WIDTH)),
        *layers,
        rng.normal(size=(WIDTH, D)),
        rng.normal(size=(WIDTH, D)),
        rng.normal(size=D),
    )


def arrays(smiles: list[str]) -> tuple[np.ndarray, ...]:
    graphs = reference.graphs(reference.parse(smiles))
    return atom_classes(graphs), graphs.begin, graphs.end, bond_classes(graphs), graphs.atom_ptr, graphs.bond_ptr


@pytest.mark.parametrize("smiles", [[], ["C"], ["C", "CC"], ["[Na+]"], DRUGS, ODD, ["not a molecule", "CCO"]])
def test_kernel_equals_reference(weights: tuple[np.ndarray, ...], smiles: list[str]) -> None:
    got = message.encode(*arrays(smiles), *weights)
    want = message.encode_reference(*arrays(smiles), *weights)
    assert got.shape == (len(smiles), D)
    # Both are float64 sums of the same terms in another order.
    np.testing.assert_array_less(np.abs(got - want), 1e-11 * (1 + np.abs(want)))


@settings(max_examples=25, deadline=None)
@given(st.permutations(DRUGS), st.integers(1, len(DRUGS)))
def test_bits_do_not_depend_on_the_batch(order: list[str], size: int) -> None:
    rng = np.random.default_rng(3)
    w = (
        rng.normal(size=(sum(ATOM_SIZES), 8)), TABLE_PTR, rng.normal(size=(2, BOND_CLASSES, 8)),
        rng.normal(size=(2, 8, 8)), np.zeros((2, 8)), rng.normal(size=(2, 8, 8)), np.zeros((2, 8)),
        rng.normal(size=(8, 4)), rng.normal(size=(8, 4)), np.zeros(4),
    )  # fmt: skip
    whole = {s: z.tobytes() for s, z in zip(DRUGS, message.encode(*arrays(DRUGS), *w), strict=True)}
    parts = [message.encode(*arrays(order[i : i + size]), *w) for i in range(0, len(order), size)]
    for smiles, z in zip(order, np.concatenate(parts), strict=True):
        assert z.tobytes() == whole[smiles]


def test_atom_contributions_add_up_to_the_score(weights: tuple[np.ndarray, ...]) -> None:
    probe = np.random.default_rng(1).normal(size=D)
    inputs = arrays([*DRUGS, "C", "[Na+]"])
    z = message.encode(*inputs, *weights)
    parts = message.atom_contributions(*inputs, *weights, probe)
    ptr = inputs[4]
    sums = np.array([parts[i:j].sum() for i, j in pairwise(ptr)])
    np.testing.assert_allclose(sums + weights[-1] @ probe, z @ probe, rtol=1e-11, atol=1e-11)


def test_masking_an_atom_class_changes_only_what_holds_it(weights: tuple[np.ndarray, ...]) -> None:
    """A weight no molecule uses has no say: the table rows of iodine, in molecules without iodine."""
    inputs = arrays(["CCO", "CCI"])
    changed = weights[0].copy()
    changed[53] += 1.0
    before, after = message.encode(*inputs, *weights), message.encode(*inputs, changed, *weights[1:])
    assert (before[0] == after[0]).all()
    assert (before[1] != after[1]).any()
