"""The engine that screens against the PyG network that trains: the same vectors, to rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drylab.featurize import reference  # noqa: E402
from drylab.library.embedded import drugs  # noqa: E402
from drylab.score.encoder import GineNetwork, fold, graph_tensors, unfold  # noqa: E402
from drylab.score.engine import GineEncoder  # noqa: E402
from drylab.score.model import DomainWeights, EncoderWeights, load_model, save_model  # noqa: E402
from drylab.types import MolGraphs, Probe, ProbeBank  # noqa: E402

ODD = ["C", "[Na+].[Cl-]", "O=C=O", "C[Si](C)(C)C#C", "OB(O)c1ccccc1", "C1CC2CCC1CC2", "[O-][N+](=O)c1ccc2nsnc2c1"]


def network(seed: int = 3) -> GineNetwork:
    """A network with batch-norm statistics as wild as training leaves them, in evaluation mode, float64."""
    torch.manual_seed(seed)
    net = GineNetwork().double()
    for layer in net.layers:
        for norm in (layer.nn[1], layer.nn[4]):
            norm.running_mean.normal_(std=0.5)
            norm.running_var.uniform_(0.2, 3.0)
            torch.nn.init.uniform_(norm.weight, 0.3, 1.5)
            torch.nn.init.normal_(norm.bias, std=0.3)
    return net.eval()


@pytest.fixture(scope="module")
def graphs() -> MolGraphs:
    smiles = [drug.smiles for drug in drugs()] + ODD
    assert len(smiles) >= 200
    return reference.graphs(reference.parse(smiles))


def by_torch(net: GineNetwork, graphs: MolGraphs) -> np.ndarray:
    with torch.no_grad():
        return net(graph_tensors(graphs)).numpy()


def test_folded_engine_is_the_network(graphs: MolGraphs) -> None:
    net = network()
    expected = by_torch(net, graphs)
    got = GineEncoder(fold(net))(graphs).z
    assert np.abs(expected).max() > 1.0
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_engine_from_the_file_is_the_network_with_the_weights_of_the_file(graphs: MolGraphs, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save(path, fold(network()))
    stored = load_model(path).encoder
    got = GineEncoder(stored)(graphs).z
    np.testing.assert_allclose(got, by_torch(unfold(stored), graphs), rtol=1e-9, atol=1e-9)
    # Rounding the weights to float32 is all that the file may change.
    drift = np.abs(got - by_torch(network(), graphs)).max()
    assert 0 < drift < 1e-4 * np.abs(got).max()


def test_unfold_then_fold_gives_the_weights_back() -> None:
    weights = fold(network())
    again = fold(unfold(weights))
    for name in ("tables", "edges", "w1", "b1", "w2", "b2", "r_mean", "r_sum", "c"):
        np.testing.assert_allclose(getattr(again, name), getattr(weights, name), rtol=1e-12, atol=1e-12)


def test_a_molecule_that_was_not_parsed_is_zero() -> None:
    mixed = reference.graphs(reference.parse(["CCO", "not a molecule", "c1ccccc1"]))
    z = by_torch(network(), mixed)
    assert not z[1].any()
    assert z[0].any()
    np.testing.assert_allclose(GineEncoder(fold(network()))(mixed).z, z, rtol=1e-9, atol=1e-9)


def test_atom_order_does_not_change_the_vector() -> None:
    twins = reference.graphs(reference.parse(["OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1C(=O)O"]))
    z = by_torch(network(), twins)
    np.testing.assert_allclose(z[0], z[1], rtol=1e-9, atol=1e-9)


def save(path: Path, weights: EncoderWeights) -> None:
    d = len(weights.c)
    probe = Probe("x", "affinity", "pActivity", True, "nothing")
    bank = ProbeBank((probe,), np.zeros((1, d)), np.zeros(1))
    save_model(path, {"name": "m"}, weights, bank, DomainWeights(np.zeros(d), np.eye(d), np.zeros(101)))
