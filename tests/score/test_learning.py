"""What is learned from molecules: both halves, with and without a prior, saved and read again, and what a broken file says."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from drylab.errors import ModelError
from drylab.fitting import fit_measured
from drylab.library.embedded import products
from drylab.measured import Measured
from drylab.score.applicability import held_out, tier
from drylab.score.figures import auroc, spearman
from drylab.score.fitted import Fitted, load_fitted, save_fitted
from drylab.score.learning import Features, features, learn, predict
from drylab.score.model import Model, load_model


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def molecules(model: Model) -> tuple[list[str], Features, np.ndarray]:
    """Products of the demonstration, and what fingerprints and z both know of them, with noise."""
    smiles = [text for _, text in islice(products(), 0, 18_000, 200)]
    y = np.array([0.15 * text.count("c") + 0.8 * text.count("F") + 0.3 * text.count("N") for text in smiles])
    y = y + np.random.default_rng(0).normal(0, 0.1, len(y))
    return smiles, features(model, smiles), y


def measured(smiles: list[str], y: np.ndarray, units: str = "pX") -> Measured:
    n = len(smiles)
    nothing = np.zeros(n, np.int64)
    ids = tuple(f"m{i}" for i in range(n))
    return Measured(ids, tuple(smiles), units, np.arange(n), y, nothing.astype(np.int8), nothing, ("",), n)


@pytest.fixture(scope="module")
def fitted(model: Model, molecules: tuple[list[str], Features, np.ndarray]) -> Fitted:
    smiles, _, y = molecules
    return fit_measured(measured(smiles[:60], y[:60]), "made", model)


def test_both_halves_foretell(model: Model, molecules: tuple[list[str], Features, np.ndarray]) -> None:
    _, found, y = molecules
    train, test = np.arange(60), np.arange(60, 90)
    learned = learn(found.take(train), y[train], model.domain)
    mean, variance = predict(learned, found.take(test), model.domain)
    assert np.sqrt(np.mean((mean - y[test]) ** 2)) < 0.65 * y[test].std()
    assert np.sqrt(np.mean((learned.probe.mean(found.z[test]) - y[test]) ** 2)) < 0.8 * y[test].std()
    assert (variance > 0).all()


def test_the_probe_says_of_z_what_it_says_of_whitened_z(
    model: Model, molecules: tuple[list[str], Features, np.ndarray]
) -> None:
    _, found, y = molecules
    bare = learn(found, y, model.domain).probe
    prior = (model.probes.weights[0], float(model.probes.bias[0]))
    informed = learn(found, y, model.domain, prior=prior).probe
    for probe in (bare, informed):
        # Left out one by one, a molecule is foretold worse than left in, and better than by the mean.
        inside, outside = np.mean((probe.mean(found.z) - y) ** 2), np.mean((probe.loo - y) ** 2)
        assert inside < outside < 0.7 * y.var()
        assert (probe.variance(found.z) >= probe.noise).all()


def test_a_prior_decides_where_nothing_is_known(
    model: Model, molecules: tuple[list[str], Features, np.ndarray]
) -> None:
    _, found, _ = molecules
    prior = (model.probes.weights[0], float(model.probes.bias[0]))
    said = found.z @ prior[0] + prior[1]
    few = np.arange(5)
    learned = learn(found.take(few), said[few], model.domain, prior=prior)
    mean, _ = predict(learned, found, model.domain)
    np.testing.assert_allclose(mean, said, atol=0.05)


def test_a_file_gives_back_what_was_fitted(
    tmp_path: Path, model: Model, fitted: Fitted, molecules: tuple[list[str], Features, np.ndarray]
) -> None:
    found = molecules[1]
    save_fitted(fitted, tmp_path / "made.safetensors")
    again = load_fitted(tmp_path / "made.safetensors", model)
    for one, other in zip(
        predict(fitted.learned, found, model.domain), predict(again.learned, found, model.domain), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    assert (again.name, again.unit, again.ids) == (fitted.name, fitted.unit, fitted.ids)
    assert again.learned.probe.w.tobytes() == fitted.learned.probe.w.tobytes()
    assert again.info["tier"] == fitted.info["tier"]


def test_what_is_left_out_is_judged_beside_controls(fitted: Fitted) -> None:
    figures, controls = fitted.info["figures"], fitted.info["controls"]
    assert figures["spearman"]["low"] < figures["spearman"]["value"] < figures["spearman"]["high"]
    assert fitted.info["tier"]["tier"] == "A"
    assert controls["shuffled values"] < 0.5 < figures["spearman"]["value"]
    assert set(controls) == {
        "random probe",
        "shuffled values",
        "mean over the panel",
        "heavy atoms",
        "nearest neighbour",
    }


def test_the_bound_of_the_fold_holds(
    model: Model, fitted: Fitted, molecules: tuple[list[str], Features, np.ndarray]
) -> None:
    from drylab.featurize import reference
    from drylab.featurize.curation import flat_parent
    from drylab.score.engine import SAFETY, GineEncoder

    smiles, found, _ = molecules
    w = fitted.learned.probe.w
    exact = GineEncoder(model.encoder)(reference.graphs(reference.parse([flat_parent(text) for text in smiles]))).z
    assert 0 < np.abs(found.z @ w - exact @ w).max() < SAFETY * fitted.float_error


def broken(path: Path, change: str) -> Path:
    """The file with one thing wrong."""
    from safetensors import safe_open

    tensors = load_file(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["drylab"])
    if change == "schema":
        header["schema"] = "other/1"
    elif change == "model":
        header["model"]["sha256"] = "0" * 64
    elif change == "kernels":
        header["kernels"] = header["kernels"][:-1]
    elif change == "nan":
        tensors["alpha"] = tensors["alpha"] * np.nan
    elif change == "alpha":
        tensors["alpha"] = tensors["alpha"] + 1.0
    elif change == "order":
        tensors["pairs.bit"] = tensors["pairs.bit"][::-1].copy()
    elif change == "offsets":
        tensors["pairs.ptr"] = tensors["pairs.ptr"] + 1
    elif change == "tensor":
        del tensors["ecfp6.bit"]
    elif change == "variance":
        tensors["numbers"] = -tensors["numbers"]
    other = path.with_name(f"{change}.safetensors")
    save_file(tensors, other, metadata={"drylab": json.dumps(header)})
    return other


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("schema", "schema is 'other/1', expected 'drylab.fitted/1'"),
        ("model", "was fitted with model panel-2 \\(0000"),
        ("kernels", "kernels are"),
        ("nan", "tensor alpha .* not finite"),
        ("alpha", "the duals are not those"),
        ("order", "fingerprints pairs are not in order"),
        ("offsets", "fingerprints pairs have offsets that do not fit"),
        ("tensor", "ecfp6.bit"),
        ("variance", "a variance is not above zero"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, model: Model, fitted: Fitted, change: str, says: str) -> None:
    save_fitted(fitted, tmp_path / "made.safetensors")
    with pytest.raises(ModelError, match=says):
        load_fitted(broken(tmp_path / "made.safetensors", change), model)


def test_no_file(tmp_path: Path, model: Model) -> None:
    (tmp_path / "x").write_text("no")
    with pytest.raises(ModelError, match="not a readable fitted target"):
        load_fitted(tmp_path / "x", model)


def test_tiers() -> None:
    prior = {"tier": "B", "label": "panel target", "sentence": "Known target."}
    assert tier(16, 0.31, False, prior)["tier"] == "A"
    assert tier(16, 0.30, False, prior)["tier"] == "B"
    assert tier(15, 0.9, False, None)["tier"] == "E"
    assert "15 measured molecules" in tier(15, 0.9, False, prior)["sentence"]
    assert "actives" in tier(5, None, True, None)["sentence"]


def test_held_out_looks_past_the_own_scaffold() -> None:
    similarity = np.array([[1.0, 0.9, 0.2], [0.9, 1.0, 0.4], [0.2, 0.4, 1.0]])
    apart = held_out(similarity, ["a", "a", "b"])
    assert apart[[0, -1]].tolist() == pytest.approx([0.6, 0.8])
    assert held_out(similarity, ["a", "a", "a"])[[0, -1]].tolist() == pytest.approx([0.1, 0.6])


def test_figures() -> None:
    assert spearman(np.array([1.0, 2, 3]), np.array([10.0, 20, 15])) == pytest.approx(0.5)
    assert spearman(np.ones(3), np.arange(3.0)) == 0.0
    assert auroc(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.5, 0.5, 0.9])) == pytest.approx(0.875)
    assert auroc(np.ones(3), np.arange(3.0)) == 0.5
