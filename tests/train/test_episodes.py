"""Episodes: which tasks make them, what they hold, and that their fit is the Gaussian process it says it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rdkit import DataStructs  # noqa: E402
from rdkit.Chem import MolFromSmiles, rdFingerprintGenerator  # noqa: E402
from sklearn.gaussian_process import GaussianProcessRegressor  # noqa: E402
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel  # noqa: E402

from drylab.train.batches import molecules_of  # noqa: E402
from drylab.train.data import read_labels  # noqa: E402
from drylab.train.episodes import FEWEST, LEFT, Fit, episodes_of, standard, tanimoto  # noqa: E402


def test_an_episode_has_measured_and_left_molecules_of_one_training_task(data: Path) -> None:
    labels = read_labels(data, frozenset())
    train = np.arange(len(labels.parents)) % 4 > 0
    episodes, rng = episodes_of(labels, train), np.random.default_rng(1)
    assert len(episodes) > 2
    assert (np.diff(episodes.ptr) >= FEWEST).all()
    pairs = set(zip(labels.mol.tolist(), labels.value.tolist(), strict=True))
    for _ in range(20):
        one = episodes.draw(rng)
        assert len(set(one.mol.tolist())) == len(one.mol)
        assert train[one.mol].all()
        assert 0 < one.given <= len(one.mol) - LEFT
        assert set(zip(one.mol.tolist(), one.value.tolist(), strict=True)) <= pairs


def test_the_fit_is_scikit_learns_gaussian_process() -> None:
    rng = np.random.default_rng(2)
    z, y = rng.normal(size=(40, 5)).astype(np.float32), rng.normal(size=40).astype(np.float32)
    fit = Fit()
    with torch.no_grad():
        kernel = fit.kernel(torch.from_numpy(z), torch.zeros(40, 40), (0, 1, 0))
        said = fit(kernel, torch.from_numpy(y[:30])).numpy()
    known = GaussianProcessRegressor(
        RBF(np.sqrt(5.0), "fixed") + ConstantKernel(0.3, "fixed") + WhiteKernel(float(np.exp(-1.5)), "fixed"),
        optimizer=None,
    ).fit(z[:30], y[:30] - y[:30].mean())
    np.testing.assert_allclose(said, known.predict(z[30:]) + y[:30].mean(), atol=1e-4)


def test_similarity_is_rdkits() -> None:
    smiles = ["CCO", "CCN", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1"]
    maker = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    prints = [maker.GetFingerprint(MolFromSmiles(text)) for text in smiles]
    truth = [DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints]
    found = tanimoto(molecules_of(smiles, 1), np.arange(4))
    np.testing.assert_allclose(found.numpy(), truth, atol=1e-6)


def test_standard_z_does_not_depend_on_scale_or_origin() -> None:
    z = torch.randn(30, 6)
    torch.testing.assert_close(standard(z), standard(5.0 * z + 3.0), rtol=1e-3, atol=1e-4)
