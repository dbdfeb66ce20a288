"""Baselines and null controls: against scikit-learn and RDKit where they can be, else by what they must not know."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from rdkit import Chem, DataStructs
from rdkit.Chem import Descriptors, rdFingerprintGenerator
from sklearn.linear_model import LinearRegression
from sklearn.svm import SVR

from drylab.train.metrics import auroc, rmse
from drylab.train.suites import baselines, nulls
from drylab.train.suites.baselines import BASELINES, Problem
from drylab.train.suites.molecules import look, tanimoto
from tests.train.suites.conftest import activity, molecules

SMILES = molecules()
SEEN = look(SMILES)
Y = np.array([activity(text) for text in SMILES])
TRAIN, TEST = np.arange(0, 78, 2), np.arange(1, 78, 2)


def problem(classes: bool = False) -> Problem:
    y = (Y[TRAIN] > 5.5).astype(float) if classes else Y[TRAIN]
    return Problem(SEEN.take(TRAIN), y, SEEN.take(TEST), classes, trees=20)


def test_similarity_and_properties_are_rdkits() -> None:
    mols = [Chem.MolFromSmiles(text) for text in SMILES]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(mol) for mol in mols]
    wanted = [DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints]
    np.testing.assert_allclose(tanimoto(SEEN, SEEN), wanted, rtol=1e-12)
    np.testing.assert_allclose(SEEN.props[:, 0], [Descriptors.MolWt(mol) for mol in mols])
    np.testing.assert_allclose(SEEN.props[:, 1], [Descriptors.MolLogP(mol) for mol in mols])


def test_a_text_that_is_no_molecule_is_like_nothing() -> None:
    seen = look(["CCO", "no molecule"])
    assert tanimoto(seen, seen).tolist() == [[1, 0], [0, 0]]
    assert seen.props[1].tolist() == seen.props[0].tolist()


@pytest.mark.parametrize("classes", [False, True])
def test_every_baseline_answers_for_every_molecule(classes: bool) -> None:
    asked = problem(classes)
    for name, baseline in BASELINES.items():
        found = baseline(asked)
        assert found.shape == (len(TEST),), name
        assert np.isfinite(found).all(), name


def test_those_that_can_learn_do() -> None:
    nothing = rmse(Y[TEST], baselines.mean(problem()))
    for name in ("5-NN", "RF-ECFP4", "SVM-ECFP4"):
        assert rmse(Y[TEST], BASELINES[name](problem())) < 0.8 * nothing, name
        assert auroc(Y[TEST] > 5.5, BASELINES[name](problem(True))) > 0.8, name


def test_lines_are_scikit_learns() -> None:
    found = LinearRegression().fit(SEEN.props[TRAIN], Y[TRAIN]).predict(SEEN.props[TEST])
    np.testing.assert_allclose(baselines.weight_and_logp(problem()), found, atol=1e-5)


def test_the_nearest_is_the_molecule_itself() -> None:
    asked = Problem(SEEN, Y, SEEN)
    np.testing.assert_allclose(baselines.nearest_1(asked)[:13], Y[:13])


def test_support_vectors_see_the_gaussian_kernel_of_the_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "_searched", lambda apart, asked: (10.0, 0.01))
    bits = SEEN.bits().astype(float)
    wanted = SVR(C=10.0, gamma=0.01, epsilon=0.1).fit(bits[TRAIN], Y[TRAIN]).predict(bits[TEST])
    np.testing.assert_allclose(baselines.svm(problem()), wanted, atol=1e-3)


def test_nulls_have_the_scale_of_the_values_and_no_knowledge() -> None:
    rng = np.random.default_rng(0)
    z, w = rng.normal(size=(400, 16)), rng.normal(size=16)
    y = 6 + z @ w
    found = nulls.null_guesses(z[:200], y[:200], z[200:], lambda some: np.zeros(len(some)), seed=3)
    assert set(found) == set(nulls.NULLS)
    for name, guess in found.items():
        assert abs(guess.mean() - y.mean()) < 1.5, name
        if guess.std() > 0:
            assert abs(np.corrcoef(guess, y[200:])[0, 1]) < 0.7, name
    random = nulls.random_probe(z[:200], y[:200], 3)(z[:200])
    assert (random.mean(), random.std()) == pytest.approx((y[:200].mean(), y[:200].std()))
