"""What a molecule says of itself: standardised, the same every time, and near for what is alike."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from drylab.train.pretext import importance, pretext
from tests.train.conftest import molecules


def test_columns_are_standard_and_the_same_every_time() -> None:
    smiles = molecules()
    found = pretext(smiles, 20)
    assert found.shape == (len(smiles), 20 + 15)
    np.testing.assert_allclose(found[:, :20].astype(float).mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(found[:, :20].astype(float).std(axis=0), 1, atol=0.2)
    np.testing.assert_array_equal(found, pretext(smiles, 20))


def test_molecules_of_one_core_are_nearer_than_others() -> None:
    smiles = molecules()
    found = pretext(smiles, 20)[:, :20].astype(float)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    alike = found @ found.T
    core = np.arange(len(smiles)) // 13
    same = core[:, None] == core[None]
    assert alike[same & ~np.eye(len(core), dtype=bool)].mean() > alike[~same].mean() + 0.2


def test_importance_falls_and_has_mean_one() -> None:
    weight = importance(215)
    assert weight.mean() == pytest.approx(1.0, rel=1e-5)
    assert (np.diff(weight[:200]) < 0).all()
