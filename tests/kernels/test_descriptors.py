"""Every descriptor column against RDKit's function of that name: equal, floats to the last bit."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from drylab.featurize import reference
from drylab.kernels import descriptors_gpu, elements, properties
from drylab.kernels.descriptors import DESCRIPTORS, NAMES, NOT_PARSED, REASONS, descriptors, descriptors_on_cpu
from drylab.kernels.descriptors_gpu import THREADS, descriptors_on_gpu
from tests.kernels.odd_molecules import ODD_MOLECULES
from tests.kernels.twins import SIMULATED, twins
from tests.molecules import DRUGS, ODD
from tests.real import data_files, smiles_of

RDKIT: dict[str, Callable[[Chem.Mol], float]] = {
    name: getattr(Descriptors, name) for name in NAMES if name != "FormalCharge"
}
RDKIT["FormalCharge"] = Chem.GetFormalCharge
TABLE = Chem.GetPeriodicTable()
Twin = Callable[..., tuple[dict[str, np.ndarray], np.ndarray]]
BOTH = twins(descriptors_on_cpu, descriptors_on_gpu)


def read(mols: Sequence[Chem.Mol], twin: Twin = descriptors) -> tuple[dict[str, np.ndarray], np.ndarray]:
    return twin(reference.graphs(mols), NAMES)


def assert_as_rdkit(mols: Sequence[Chem.Mol], twin: Twin = descriptors) -> np.ndarray:
    """All columns of all molecules that were not declined; returns the codes of declined ones."""
    columns, declined = read(mols, twin)
    done = np.flatnonzero(declined == 0)
    for name in NAMES:
        expected = np.array([RDKIT[name](mols[i]) for i in done], columns[name].dtype)
        wrong = done[columns[name][done] != expected]
        assert not len(wrong), f"{name}: {[(Chem.MolToSmiles(mols[i]), columns[name][i]) for i in wrong[:5]]}"
    return declined


def sample_texts(per_file: int, within: int) -> list[str]:
    """SMILES of every file: at most per_file each, evenly from the first ``within`` rows."""
    found = set[str]()
    for file in data_files():
        rows = smiles_of(file, most=within)
        found.update(rows[:: max(1, len(rows) // per_file)][:per_file])
    return sorted(found)


@pytest.mark.twins
@BOTH
def test_a_few_molecules_are_as_in_rdkit(twin: Twin) -> None:
    texts = [
        *DRUGS,
        *ODD[::5],
        *ODD_MOLECULES[::100],
        *ODD_MOLECULES[-300::10],
        "C[C@H](F)Cl",
        "CC1CCC(C)CC1",
        "N->[Fe]",
    ]
    assert_as_rdkit(reference.parse(texts), twin)


@pytest.mark.twins
@BOTH
@pytest.mark.parametrize("n", [THREADS - 1, THREADS, THREADS + 1])
def test_numbers_of_molecules(n: int, twin: Twin) -> None:
    assert not assert_as_rdkit(reference.parse(["CNO"] * n), twin).any()


@pytest.mark.twins
@pytest.mark.skipif(not SIMULATED, reason="scratch of a thread can be looked at in the CUDA simulator only")
def test_a_thread_has_the_scratch_that_a_molecule_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[tuple[int, np.dtype]]()

    def describe(*arguments: object) -> int:
        seen.extend((len(array), array.dtype) for array in arguments[-1])  # type: ignore[attr-defined]
        return 0

    monkeypatch.setattr(descriptors_gpu, "describe", describe)
    descriptors_on_gpu(reference.graphs(reference.parse(["C"])), NAMES)
    assert seen == [(length, np.dtype(dtype)) for length, dtype in properties.SCRATCH]


@BOTH
def test_odd_molecules_are_as_in_rdkit(twin: Twin) -> None:
    smiles = [*DRUGS, *ODD, *ODD_MOLECULES]
    declined = assert_as_rdkit(reference.parse(smiles), twin)
    why = {text: REASONS[code] for text, code in zip(smiles, declined, strict=True) if code}
    assert why["[300C]"] == why["[1H]C"] == "no mass"
    assert why["N->[Fe]"] == "odd bond"
    assert why["O=[Os](=O)(=O)=O"] == "too many neighbours"
    assert "too many matches" in why.values()
    assert len(why) < 20


@BOTH
def test_a_sample_of_every_file_is_as_in_rdkit(shared_data: Path, twin: Twin) -> None:
    texts = sample_texts(per_file=50, within=5000)
    declined = assert_as_rdkit([mol for mol in reference.parse(texts) if mol is not None], twin)
    assert np.count_nonzero(declined[declined != NOT_PARSED]) <= len(declined) // 500


@pytest.mark.slow
def test_300_thousand_molecules_are_as_in_rdkit(shared_data: Path) -> None:
    counts = np.zeros(len(REASONS), np.int64)
    texts = sample_texts(per_file=20_000, within=200_000)
    for at in range(0, len(texts), 5_000):
        mols = [mol for mol in reference.parse(texts[at : at + 5_000]) if mol is not None]
        counts += np.bincount(assert_as_rdkit(mols), minlength=len(REASONS))
    assert counts.sum() > 300_000
    assert counts[1:].sum() - counts[NOT_PARSED] < counts.sum() / 500


def test_the_order_of_atoms_changes_no_count() -> None:
    rng = random.Random(5)
    for smiles in DRUGS + ODD_MOLECULES[-300:-5]:
        mol = Chem.MolFromSmiles(smiles)
        shuffled = [Chem.MolToSmiles(mol, doRandom=True) for _ in range(3)]
        rng.shuffle(shuffled)
        columns, declined = read(reference.parse([smiles, *shuffled]))
        assert len(set(declined.tolist())) == 1, smiles
        for name in NAMES:
            np.testing.assert_allclose(
                columns[name], columns[name][0], rtol=1e-12, atol=1e-12, err_msg=f"{smiles} {name}"
            )


def test_the_columns_asked_for_come_alone_and_equal() -> None:
    graphs = reference.graphs(reference.parse(DRUGS))
    everything, _ = descriptors(graphs)
    for name in NAMES:
        columns, declined = descriptors(graphs, [name])
        assert list(columns) == [name]
        assert not declined.any()
        np.testing.assert_array_equal(columns[name], everything[name])
    with pytest.raises(KeyError, match="BalabanJ"):
        descriptors(graphs, ["BalabanJ"])


@pytest.mark.twins
@BOTH
def test_edges(twin: Twin) -> None:
    columns, declined = read([], twin)
    assert len(declined) == 0
    assert [(name, column.dtype.name) for name, column in columns.items()] == [(d.name, d.dtype) for d in DESCRIPTORS]
    columns, declined = read(
        [None, Chem.MolFromSmiles("C" * 256), Chem.MolFromSmiles("N->[Fe]"), Chem.MolFromSmiles("O")], twin
    )
    assert [REASONS[code] for code in declined] == ["not parsed", "not parsed", "odd bond", ""]
    assert all(not column[:3].any() for column in columns.values())
    assert columns["FractionCSP3"][3] == 0.0


def test_masses_are_rdkits() -> None:
    every = range(elements.ELEMENTS)
    np.testing.assert_array_equal(elements.WEIGHT, [TABLE.GetAtomicWeight(z) for z in every])
    np.testing.assert_array_equal(elements.EXACT_MASS, [TABLE.GetMostCommonIsotopeMass(z) for z in every])
    for element, number, mass in elements.ISOTOPES:
        assert TABLE.GetMassForIsotope(element, number) == mass == elements.isotope_mass(element, number)
    assert elements.isotope_mass(6, 300) == elements.NO_MASS
