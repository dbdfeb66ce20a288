"""A goal is met or missed as its figure says, whichever way is better."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn")

from drylab.train.suites.goals import beats, reaches, row_of
from drylab.train.suites.table import Figure, Row


@pytest.mark.parametrize(
    ("metric", "value", "said"), [("CI", 0.61, "met"), ("CI", 0.59, "missed"), ("MSE", 0.6, "met")]
)
def test_reached(metric: str, value: float, said: str) -> None:
    text = reaches(Row("cold", "ours", {metric: Figure(value, 0.5, 0.7)}, True), metric, 0.6)
    assert text.startswith("Goal, cold:")
    assert text.endswith(f"{said}.")
    assert f"{value:.3f} [0.500, 0.700]" in text


@pytest.mark.parametrize(
    ("metric", "difference", "beyond", "said"),
    [
        ("Spearman", (0.03, 0.01, 0.05), True, "met"),
        ("Spearman", (0.03, -0.01, 0.05), True, "missed"),
        ("Spearman", (0.03, -0.01, 0.05), False, "met"),
        ("RMSE", (-0.03, -0.05, -0.01), True, "met"),
        ("RMSE", (0.03, 0.01, 0.05), True, "missed"),
        ("RMSE", (0.03, 0.01, 0.05), False, "missed"),
    ],
)
def test_better_than_a_baseline(metric: str, difference: tuple[float, float, float], beyond: bool, said: str) -> None:
    row = Row("later", "ours", {f"{metric} less RF": Figure(*difference)}, True)
    assert beats(row, metric, "RF", beyond).endswith(f"{said}.")


def test_a_row_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="no row of 'mine' on 'x'"):
        row_of([], "x", "mine")
