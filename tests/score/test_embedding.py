"""z from SMILES, fast, against the float64 reference; and what becomes of texts that are no molecules."""

from __future__ import annotations

import numpy as np
import pytest

from drylab.featurize import graphs
from drylab.score import embedding
from drylab.score.embedding import Embedded, embed
from drylab.score.engine import GineEncoder
from drylab.score.model import Model, load_model
from tests.real import rows_of

SMILES = ["CCO", "c1ccccc1C(=O)N", "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "[Na+].[Cl-]", "C"]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("default")


def reference(model: Model, smiles: list[str]) -> np.ndarray:
    return GineEncoder(model.encoder)(graphs(smiles)).z


def test_it_is_the_reference_to_float32(model: Model) -> None:
    found = embed(model, SMILES)
    assert found.ok.all()
    np.testing.assert_allclose(found.z, reference(model, SMILES), atol=1e-5 * np.abs(found.z).max())


def test_rows_keep_their_places_whatever_is_among_them(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "BLOCK", 2)  # so that blocks begin and end among them
    texts = ["no molecule", *SMILES[:3], "", "c1ccccc1" * 60, *SMILES[3:]]
    found = embed(model, texts)
    assert found.ok.tolist() == [False, True, True, True, False, False, True, True, True]
    assert not found.z[~found.ok].any()
    np.testing.assert_allclose(found.z[found.ok], embed(model, SMILES).z, atol=1e-4)


def test_it_says_the_same_again_and_nothing_of_nothing(model: Model) -> None:
    assert (embed(model, SMILES).z == embed(model, SMILES).z).all()
    assert embed(model, []).z.shape == (0, len(model.encoder.c))


def test_stereo_is_not_seen(model: Model) -> None:
    z = embed(model, ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC(N)C(=O)O"]).z
    np.testing.assert_allclose(z[:2], z[[2, 2]], atol=1e-4)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"z \(2, 3\), ok \(1,\)"):
        Embedded(np.zeros((2, 3)), np.zeros(1, bool))


def test_real_drugs(model: Model) -> None:
    smiles = rows_of("libraries/drugs.smi.gz")[:300]
    found = embed(model, smiles)
    wanted = reference(model, smiles)
    np.testing.assert_allclose(found.z, wanted, atol=2e-5 * np.abs(wanted).max())
