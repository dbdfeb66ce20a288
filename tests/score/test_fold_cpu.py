"""The fold's engine against the float64 reference, and the law that makes a score the molecule's own."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from drylab.device import gpus
from drylab.errors import DeviceError, ModelError
from drylab.featurize import graphs
from drylab.library.embedded import drugs, products
from drylab.score import fold_cpu, panel
from drylab.score.engine import GineEncoder, errors_of, fold_engine
from drylab.score.features import ATOM_SIZES, BOND_CLASSES
from drylab.score.fold_cpu import CpuEncoder
from drylab.score.model import EncoderWeights, Model, load_model
from tests.molecules import AWKWARD, DRUGS, ODD
from tests.real import rows_of

EDGES = ["", "C", "CC", "C" * 127, "C" * 128, "C" * 255, "C" * 256, "not a molecule", "F[Pt](F)(F)(F)(F)(F)(F)F", *ODD]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


def made_up(layers: int, width: int, hidden: int, d: int, seed: int = 5) -> EncoderWeights:
    rng = np.random.default_rng(seed)
    return EncoderWeights(
        tables=rng.normal(size=(sum(ATOM_SIZES), width)) / 2,
        edges=rng.normal(size=(layers, BOND_CLASSES, width)) / 2,
        w1=rng.normal(size=(layers, width, hidden)) / 8,
        b1=rng.normal(size=(layers, hidden)),
        w2=rng.normal(size=(layers, hidden, width)) / 8,
        b2=rng.normal(size=(layers, width)),
        r_mean=rng.normal(size=(width, d)) / 8,
        r_sum=rng.normal(size=(width, d)) / 8,
        c=rng.normal(size=d),
    )


def library(n: int) -> list[str]:
    return [drug.smiles for drug in drugs()] + [text for _, (_, text) in zip(range(n), products(), strict=False)]


def linear(weights: EncoderWeights, probes: np.ndarray, bias: np.ndarray, smiles: Sequence[str]) -> np.ndarray:
    return GineEncoder(weights)(graphs(smiles)).z @ probes.T + bias


@pytest.mark.parametrize(
    ("layers", "width", "hidden", "d", "t"),
    [
        (1, 8, 8, 4, 1),
        (2, 24, 40, 16, 3),
        (3, 64, 64, 32, 70),
        (4, 128, 128, 128, 1),
        (4, 96, 200, 128, 100),
        (5, 33, 17, 9, 2),
    ],
)
def test_any_encoder_is_within_rounding_of_the_reference(layers: int, width: int, hidden: int, d: int, t: int) -> None:
    weights = made_up(layers, width, hidden, d)
    rng = np.random.default_rng(1)
    probes, bias = rng.normal(size=(t, d)), rng.normal(size=t)
    smiles = [*DRUGS, *EDGES, *AWKWARD]
    want = linear(weights, probes, bias, smiles)
    got = CpuEncoder(weights, probes, bias)(graphs(smiles))
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-4 * np.abs(want).max())
    typical = np.abs(got - want) / (1 + np.abs(want))
    assert np.median(typical) < 2e-6


def test_no_molecules_and_no_atoms(model: Model) -> None:
    engine = fold_engine(model, [3, 60])
    assert engine.values(graphs([])).shape == (0, 2)
    reference = panel.values(model.probes, np.zeros((2, 128)))[:, [3, 60]]
    np.testing.assert_array_equal(engine.values(graphs(["", "no molecule"])), reference)


@pytest.fixture(scope="module")
def real() -> list[str]:
    return library(1500)


def test_shipped_model_is_within_its_bounds(model: Model, real: list[str]) -> None:
    rows = list(range(len(model.probes)))
    engine = fold_engine(model, rows)
    assert engine.precision == "float32"
    want = panel.values(model.probes, GineEncoder(model.encoder)(graphs(real)).z)
    got = engine.values(graphs(real))
    assert (np.abs(got - want) <= engine.bounds).all()
    assert (np.abs(got - want).max(axis=0) > engine.bounds / 1000).all(), "a bound that says nothing"
    assert (engine.bounds < 1e-3).all()


def fresh(model: Model, rows: list[int], memory: int = fold_cpu.MEMORY) -> CpuEncoder:
    return CpuEncoder(model.encoder, model.probes.weights[rows], model.probes.bias[rows], memory)


@pytest.mark.parametrize("rows", [[0], list(range(70))], ids=["few probes", "many"])
@pytest.mark.parametrize("size", [1, 7, 256, 4096])
def test_bits_do_not_depend_on_the_batch_nor_on_what_came_before(
    model: Model, real: list[str], rows: list[int], size: int
) -> None:
    whole = fresh(model, rows)(graphs(real))
    order = np.random.default_rng(size).permutation(len(real))[: 200 if size == 1 else None]
    engine = fresh(model, rows)
    parts = [engine(graphs([real[i] for i in order[at : at + size]])) for at in range(0, len(order), size)]
    assert np.concatenate(parts).tobytes() == whole[order].tobytes()


def test_bits_of_twenty_thousand_real_molecules(model: Model) -> None:
    smiles = rows_of("libraries/zinc_a.smi.gz")[:10_000] + rows_of("affinity/chembl22.csv.gz")[:10_000]
    whole = fresh(model, [0])(graphs(smiles))
    order = np.random.default_rng(2).permutation(len(smiles))
    for size in (256, 4096):
        engine = fresh(model, [0])
        parts = [engine(graphs([smiles[i] for i in order[at : at + size]])) for at in range(0, len(order), size)]
        assert np.concatenate(parts).tobytes() == whole[order].tobytes()
    ones = fresh(model, [0])
    for i in order[:500]:
        assert ones(graphs([smiles[i]])).tobytes() == whole[i].tobytes()


def test_forgetting_changes_no_bit(model: Model, real: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fresh(model, [0])(graphs(real))
    monkeypatch.setattr(fold_cpu, "RUN_ATOMS", 60)
    engine = fresh(model, [0], memory=1)
    assert engine(graphs(real)).tobytes() == whole.tobytes()
    memory = engine._memory
    assert (memory.used <= memory.capacity).all()
    assert memory.used[-1] < len(set(real)), "the tables were never too small: nothing was forgotten"


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(DRUGS), st.integers(1, 2**31 - 1))
def test_the_writing_of_a_molecule_does_not_matter(smiles: str, seed: int) -> None:
    """Up to the order in which atoms are added in float64."""
    other = Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smiles), 1, randomSeed=seed)[0]
    engine = fold_engine(load_model(), [0, 5])
    np.testing.assert_allclose(engine.values(graphs([other])), engine.values(graphs([smiles])), rtol=1e-13)


def test_an_engine_travels_without_what_it_has_learnt(model: Model, real: list[str]) -> None:
    engine = fold_engine(model, [1, 2], widen=3.0)
    before = engine.values(graphs(real[:50]))
    sent = pickle.dumps(engine)
    assert len(sent) < len(pickle.dumps(model)) + 1000
    there = pickle.loads(sent)
    np.testing.assert_array_equal(there.bounds, engine.bounds)
    assert there.values(graphs(real[:50])).tobytes() == before.tobytes()


def test_precision(model: Model) -> None:
    exact = fold_engine(model, [4], "float64")
    assert (exact.bounds == 0).all()
    want = panel.values(model.probes, GineEncoder(model.encoder)(graphs(DRUGS)).z)[:, [4]]
    assert exact.values(graphs(DRUGS)).tobytes() == np.ascontiguousarray(want).tobytes()
    np.testing.assert_array_equal(fold_engine(model, [4], widen=4).bounds, 4 * fold_engine(model, [4]).bounds)
    with pytest.raises(ModelError, match="choose auto, float64, float32 or bfloat16"):
        fold_engine(model, [4], "float8")


def test_a_model_that_does_not_know_its_errors_is_folded_exactly(model: Model) -> None:
    old = replace(model, info={key: value for key, value in model.info.items() if key != "engine"})
    assert fold_engine(old, [0]).precision == "float64"
    with pytest.raises(ModelError, match="does not say how far float32 is"):
        fold_engine(old, [0], "float32")
    damaged = replace(model, info={**model.info, "engine": {"float32": {"largest_error": [1e-6, 2e-6]}}})
    with pytest.raises(ModelError, match="not one a probe"):
        errors_of(damaged)


@pytest.mark.skipif(bool(gpus()[0]), reason="there is a GPU here")
def test_bfloat16_needs_a_gpu(model: Model) -> None:
    with pytest.raises(DeviceError, match="none can be used"):
        fold_engine(model, [4], "bfloat16")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 32_385)), max_size=40))
def test_a_run_fits_its_room(sizes: list[tuple[int, int]]) -> None:
    """Atoms and neighbours of the molecules worked on together never pass the buffers made for them."""
    columns = np.array(sizes, np.int32).reshape(-1, 2)
    atom_ptr, bond_ptr = (np.concatenate([[0], np.cumsum(columns[:, i])]).astype(np.int32) for i in (0, 1))
    room = fold_cpu._room(4, 32, 32)
    runs = list(fold_cpu._runs(atom_ptr, bond_ptr))
    assert [at for run in runs for at in range(*run)] == list(range(len(sizes)))
    for first, last in runs:
        assert atom_ptr[last] - atom_ptr[first] <= len(room.owner)
        assert 2 * (bond_ptr[last] - bond_ptr[first]) <= room.near.shape[1]
