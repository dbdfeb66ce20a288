"""Refits around a head, temperature, and the baselines they are held against."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from drylab.train.baselines import forest, neighbours
from drylab.train.probes import anchored_logistic, anchored_ridge, cross_entropy, sigmoid, temperature

RNG = np.random.default_rng(2)
X = RNG.normal(size=(300, 4)) + 2.0
W = np.array([1.0, -2.0, 0.5, 0.0])


def test_a_weak_ridge_is_least_squares_and_a_strong_one_is_the_anchor() -> None:
    y, anchor = X @ W + 3.0, (np.array([5.0, 5.0, 5.0, 5.0]), -1.0)
    weak, strong, none = anchored_ridge(X, y, np.ones(300), anchor, [1e-9, 1e12, np.inf])
    w, b = weak
    np.testing.assert_allclose(w, W, atol=1e-6)
    assert b == pytest.approx(3.0, abs=1e-5)
    w, b = strong
    np.testing.assert_allclose(w, anchor[0], atol=1e-6)
    assert (X @ w + b).mean() == pytest.approx(y.mean())  # the intercept is free
    assert none == anchor


def test_rows_of_no_weight_change_nothing() -> None:
    y = X @ W + RNG.normal(size=300)
    weight = np.repeat([1.0, 0.0], 150)
    anchor = (np.zeros(4), 0.0)
    (half,) = anchored_ridge(X[:150], y[:150], np.ones(150), anchor, [10.0])
    ((w, b),) = anchored_ridge(X, y, weight, anchor, [10.0])
    np.testing.assert_allclose(w, half[0])
    assert b == pytest.approx(half[1])


def test_logistic_refit_lowers_the_loss_and_keeps_a_strong_anchor() -> None:
    truth = (RNG.random(300) < sigmoid(X @ W)).astype(float)
    zero = np.zeros(4)
    w, b = anchored_logistic(X, truth, zero, 0.0, 1.0)
    assert cross_entropy(truth, X @ w + b) < 0.8 * np.log(2)
    w, _ = anchored_logistic(X, truth, zero, 0.0, 1e9)
    np.testing.assert_allclose(w, 0.0, atol=1e-4)


def test_temperature_finds_how_overconfident_logits_are() -> None:
    logit = RNG.normal(size=20_000) * 2
    truth = (RNG.random(20_000) < sigmoid(logit)).astype(float)
    assert temperature(truth, 3.0 * logit) == pytest.approx(3.0, rel=0.1)
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_the_nearest_neighbour_of_a_training_molecule_is_itself() -> None:
    bits = np.packbits(RNG.random((60, 64)) < 0.3, axis=1)
    value = RNG.normal(size=60)
    np.testing.assert_allclose(neighbours(bits, value, bits[:7], 1), value[:7])
    assert neighbours(bits, np.ones(60), bits[:3], 5) == pytest.approx(1.0)
    assert neighbours(bits[:2], value[:2], bits[:1], 5).shape == (1,)


def test_a_forest_learns_a_bit() -> None:
    bits = RNG.random((200, 64)) < 0.5
    packed, truth = np.packbits(bits, axis=1), bits[:, 0].astype(float)
    guess = forest(packed[:150], truth[:150], packed[150:], classes=True)
    assert guess[truth[150:] == 1].mean() > guess[truth[150:] == 0].mean() + 0.2
    assert not forest(packed, np.zeros(200), packed[:4], classes=True).any()
