"""The bootstrap against what is known of it: where intervals must lie, and what pairing must do to them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from drylab.train.metrics import rmse, spearman
from drylab.train.suites.intervals import details, judge, pool, repeated, rows
from drylab.train.suites.table import Budget

METRICS = {"Spearman": spearman, "RMSE": rmse}
BUDGET = Budget(draws=400)


def _tasks(count: int, n: int, gap: float) -> list:
    """Tasks of their own difficulty; method "b" errs by ``gap`` more than "a" on the same molecules."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(count):
        truth = rng.normal(size=n)
        error = rng.normal(size=n) * rng.uniform(0.3, 2.0)
        guesses = {"a": truth + error, "b": truth + (1 + gap) * error, "flat": np.zeros(n)}
        found.append(judge(f"t{number}", truth, guesses, METRICS, number))
    return found


def test_the_mean_is_the_mean_and_lies_in_its_interval() -> None:
    tasks = _tasks(30, 40, 0.1)
    figure = pool(tasks, BUDGET).figure("a", "RMSE")
    assert figure.value == pytest.approx(np.mean([task.values[0, 1] for task in tasks]))
    assert figure.low < figure.value < figure.high
    assert figure.n == 30


def test_a_small_difference_is_seen_where_tasks_differ_much_more() -> None:
    pooled = pool(_tasks(30, 40, 0.1), BUDGET)
    a, b, gap = pooled.figure("a", "RMSE"), pooled.figure("b", "RMSE"), pooled.difference("a", "b", "RMSE")
    assert a.high > b.low  # apart, the two overlap
    assert gap.value == pytest.approx(a.value - b.value)
    assert gap.high < 0  # paired, they do not


def test_a_method_does_not_differ_from_itself() -> None:
    gap = pool(_tasks(5, 20, 0.0), BUDGET).difference("a", "b", "RMSE")
    assert (gap.value, gap.low, gap.high) == pytest.approx((0, 0, 0), abs=1e-12)


def test_what_is_not_defined_stays_so() -> None:
    tasks = _tasks(5, 20, 0.1)
    pooled = pool(tasks, BUDGET)
    assert np.isnan(pooled.figure("flat", "Spearman").value)
    assert pooled.figure("flat", "Spearman").n == 0
    assert pooled.figure("flat", "RMSE").n == 5
    made = {(row.method, row.ours): row.metrics for row in rows("all", pooled, ("a",), ("b", "a"))}
    assert set(made["a", True]) == {"Spearman", "RMSE", "Spearman less b", "RMSE less b"}
    assert len(details(tasks, ("a",))) == 15


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        tasks = []
        for number in range(20):
            error = rng.normal(rng.normal(1.0, 0.3), 0.5, 30)
            mean_error = {"mean": lambda truth, guess: (guess - truth).mean(axis=-1)}
            tasks.append(judge("t", np.zeros(30), {"a": error}, mean_error, number))
        figure = pool(tasks, Budget(draws=200)).figure("a", "mean")
        inside += figure.low <= 1.0 <= figure.high
    assert 85 <= inside <= 100


def test_more_repeats_narrow_a_task_and_one_repeat_has_no_width() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for r in (1, 10, 1000):
        draws = repeated("t", ("a",), ("x",), rng.normal(size=(1, 1, r)), 1).draws
        widths.append(float(np.ptp(draws)))
    assert widths[0] == 0 < widths[2] < widths[1]
