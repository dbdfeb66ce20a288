"""Figures as text, the best in bold, and JSON that comes back as it went."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.errors import InputError
from drylab.train.suites.table import Evaluation, Figure, Row, Suite, from_json, markdown, text, to_json


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (Figure(0.62, 0.5812, 0.66), "0.620 [0.581, 0.660]"),
        (Figure(10.71, 8.2, 13.06), "10.7 [8.2, 13.1]"),
        (Figure(1234.5, 1200.0, 1300.0), "1,234 [1,200, 1,300]"),
        (Figure(-0.0001, -0.01, 0.02), "0.000 [-0.010, 0.020]"),
        (Figure(0.671), "0.671"),
        (Figure(math.nan, n=3), "-"),
    ],
)
def test_text_of_a_figure(figure: Figure, said: str) -> None:
    assert text(figure) == said


def _suite(ours: Figure, theirs: Figure, metric: str) -> Suite:
    return Suite("s", (Row("t", "ours", {metric: ours}, True), Row("t", "theirs", {metric: theirs})), ("A note.",), "S")


def test_bold_is_best_beyond_its_interval_in_the_metrics_own_direction() -> None:
    low, high = Figure(0.5, 0.4, 0.6, 9), Figure(0.9, 0.8, 1.0, 9)
    assert "| t | ours | 9 | **0.900 [0.800, 1.000]** |" in markdown(_suite(high, low, "AUROC"))
    assert "| t | theirs | 9 | **0.500 [0.400, 0.600]** |" in markdown(_suite(high, low, "RMSE"))
    assert "**" not in markdown(_suite(high, Figure(0.85, 0.7, 1.0), "AUROC"))  # the other is within its interval
    assert "**" not in markdown(_suite(high, low, "RMSE less RF-ECFP4"))
    assert "**" not in markdown(_suite(high, Figure(math.nan), "AUROC"))


def test_a_row_without_a_metric_has_an_empty_cell() -> None:
    suite = Suite("s", (Row("t", "a", {"X": Figure(1.0)}), Row("t", "b", {"Y": Figure(2.0)})))
    assert markdown(suite).splitlines()[2:6] == [
        "| task | method | n | X | Y |",
        "|---|---|---|---|---|",
        "| t | a |  | 1.00 |  |",
        "| t | b |  |  | 2.00 |",
    ]


numbers = st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.5g}")) | st.just(math.nan)
figures = st.builds(Figure, numbers, numbers, numbers, st.integers(0, 10**6))
table_rows = st.builds(
    Row,
    st.text(max_size=5),
    st.text(max_size=5),
    st.dictionaries(st.text(max_size=3), figures, max_size=3),
    st.booleans(),
)
suites = st.builds(
    Suite,
    st.text(max_size=5),
    st.lists(table_rows, max_size=3).map(tuple),
    st.lists(st.text(max_size=5), max_size=2).map(tuple),
    st.text(max_size=5),
    st.lists(table_rows, max_size=2).map(tuple),
    st.floats(0, 1e4).map(lambda x: float(f"{x:.5g}")),
)


@given(st.lists(suites, max_size=2))
def test_json_comes_back_as_it_went(found: list[Suite]) -> None:
    evaluation = Evaluation({"model": "m"}, tuple(found))
    again = from_json(to_json(evaluation), "here")
    assert repr(again) == repr(evaluation)  # NaN equals itself in writing


def test_another_schema_is_refused() -> None:
    with pytest.raises(InputError, match=r"file\.json: schema is 'old'"):
        from_json('{"schema": "old", "suites": []}', "file.json")
