"""QED from columns and alert programs, against RDKit's own, to the last bit."""

import pytest
from rdkit import Chem
from rdkit.Chem import QED

from drylab.featurize import graphs, stored
from drylab.featurize.desirability import STRUCTURAL_ALERTS, qed
from drylab.featurize.table import describe
from tests.featurize.test_alerts import RARE, parsed, real
from tests.kernels.odd_molecules import ODD_MOLECULES
from tests.molecules import AWKWARD


def held_to_rdkit(smiles: list[str]) -> int:
    """Assert equality; how many molecules were compared."""
    pairs = [(text, mol) for text in smiles for mol in parsed([text])]
    smiles, mols = [text for text, _ in pairs], [mol for _, mol in pairs]
    coded = graphs(smiles)
    found = qed(coded, mols.__getitem__, describe(coded, mols.__getitem__))
    for text, mol, value in zip(smiles, mols, found.tolist(), strict=True):
        assert value == QED.qed(mol), text
    return len(smiles)


def test_the_odd_and_the_awkward() -> None:
    assert held_to_rdkit([*ODD_MOLECULES, *AWKWARD, *RARE]) > 1500


def test_a_sample_of_every_file() -> None:
    held_to_rdkit([Chem.MolToSmiles(mol) for mol in real(8)])


def test_without_the_file_of_programs_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "read", lambda key: None)
    assert held_to_rdkit([*AWKWARD, *RARE]) > 150


def test_the_alerts_are_those_that_rdkit_counts() -> None:
    assert len(STRUCTURAL_ALERTS) == len(QED.StructuralAlerts)


def test_no_molecules() -> None:
    none, nobody = graphs([]), parsed([])
    assert qed(none, nobody.__getitem__, describe(none, nobody.__getitem__)).shape == (0,)
