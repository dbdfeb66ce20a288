"""Prediction sets hold what they promise, each class by itself, and say it in words that cannot be mistaken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from drylab.score import conformal
from drylab.train.conformal_fit import floor_and_width, thresholds

Array = NDArray[np.float64]


def test_words_tell_no_opinion_from_safe() -> None:
    codes = [conformal.NOTHING, conformal.NO, conformal.YES, conformal.BOTH, conformal.UNKNOWN]
    assert conformal.words(codes) == ["unlike anything seen", "safe", "toxic", "no opinion", ""]
    assert conformal.braces(codes, "blocker", "clean") == ["{}", "{clean}", "{blocker}", "{both}", ""]


def test_a_set_is_read_off_both_thresholds() -> None:
    low = np.array([[0.3, 0.4]])  # least P(no), least P(yes)
    found = conformal.sets(np.array([[0.1], [0.5], [0.9], [np.nan]]), low)[:, 0]
    assert found.tolist() == [conformal.NO, conformal.BOTH, conformal.YES, conformal.UNKNOWN]
    assert conformal.sets(np.array([[0.5]]), np.array([[0.6, 0.6]])).item() == conformal.NOTHING


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(10, 60), sharp=st.floats(0.2, 4.0))
def test_exchangeable_molecules_of_each_class_are_covered(seed: int, n: int, sharp: float) -> None:
    """The law: over calibrations and new molecules drawn alike, at least nine in ten; at most 1 / (n + 1) more."""
    rng = np.random.default_rng(seed)
    held = []
    for _ in range(300):
        truth = np.repeat([0.0, 1.0], n + 20)
        probability = 1 / (1 + np.exp(-sharp * (rng.normal(size=len(truth)) + truth - 0.5)))
        fitting = np.arange(len(truth)) % (n + 20) < n
        low = thresholds(probability[fitting], truth[fitting], np.arange(2 * n))
        code = conformal.sets(probability[~fitting][:, None], low[None, :])[:, 0]
        yes = truth[~fitting] > 0.5
        held.append([((code[~yes] & conformal.NO) > 0).mean(), ((code[yes] & conformal.YES) > 0).mean()])
    shares, error = np.mean(held, axis=0), np.std(held, axis=0, ddof=1) / np.sqrt(len(held))
    assert (shares >= 0.9 - 5 * error).all()
    assert (shares <= 0.9 + 1 / (n + 1) + 5 * error).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(10, 60))
def test_exchangeable_values_lie_in_their_intervals(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    held = []
    for _ in range(300):
        sd = rng.exponential(0.5, n + 20)
        value = rng.normal(size=n + 20)
        truth = value + rng.normal(size=n + 20) * (0.3 + sd)
        floor, width = floor_and_width(value[:n], sd[:n], truth[:n], np.arange(n))
        low, high = conformal.intervals(value[n:], sd[n:], np.array(floor), np.array(width))
        held.append(((low <= truth[n:]) & (truth[n:] <= high)).mean())
    # The floor is a median over the same molecules, so that the law is very nearly, not exactly, that of split conformal.
    error = np.std(held, ddof=1) / np.sqrt(len(held))
    assert 0.9 - 0.02 - 5 * error <= np.mean(held) <= 0.9 + 1 / (n + 1) + 0.02 + 5 * error


@pytest.mark.parametrize("n", [0, 1, 8])
def test_too_few_molecules_rule_nothing_out(n: int) -> None:
    probability = np.full(n, 0.7)
    assert thresholds(probability, np.ones(n), np.arange(n)).tolist() == [0.0, 0.0]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(12, 40))
def test_a_large_family_does_not_speak_for_the_others(seed: int, n: int) -> None:
    """The law by scaffolds: a new scaffold's molecules are covered, however many molecules the others bring."""
    rng = np.random.default_rng(seed)
    held = []
    for _ in range(300):
        sizes = rng.choice([1, 2, 40], n + 1, p=[0.6, 0.3, 0.1])
        scaffold = np.repeat(np.arange(n + 1), sizes)
        score = 1 / (1 + np.exp(-rng.normal(size=n + 1)[scaffold] - 0.3 * rng.normal(size=len(scaffold))))
        new = scaffold == n
        low = thresholds(score[~new], np.ones((~new).sum()), scaffold[~new])[1]
        held.append((score[new] >= low).mean())
    error = max(float(np.std(held, ddof=1)), 0.3) / np.sqrt(len(held))
    assert 0.9 - 4 * error <= np.mean(held) <= 0.9 + 1 / (n + 1) + 4 * error


@given(st.integers(0, 2**32 - 1))
def test_surer_members_make_a_narrower_interval(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value, sd = rng.normal(size=(5, 2)), np.sort(rng.exponential(size=(5, 2)), axis=0)
    low, high = conformal.intervals(value, sd, np.array([0.1, 0.4]), np.array([1.0, 2.0]))
    assert (np.diff(high - low, axis=0) >= -1e-12).all()
    assert (low <= value).all()
    assert (value <= high).all()
