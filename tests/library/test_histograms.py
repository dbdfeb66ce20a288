"""Histograms count every row once, and those of parts add up to that of the whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.library import histograms, layout

VALUES = st.sampled_from([-1e9, -6.0, -0.0, 0.05, 0.15, 0.35, 24.99, 25.0, 975.0, 1000.0, 1e9]) | st.floats(-20, 1100)


def made(values: list[float]) -> pa.Table:
    whole = [int(np.clip(value, -300, 300)) for value in values]
    return pa.table(
        {name: pa.array(whole if kind == pa.int16() else values, kind) for name, kind in layout.PROPERTIES.items()}
    )


@given(values=st.lists(VALUES, max_size=40))
def test_a_bin_holds_what_is_between_its_edges(values) -> None:
    table = made(values)
    counted = histograms.count(table)
    for name, edges in histograms.HISTOGRAMS.items():
        expected = [0] * (len(edges) - 1)
        for value in table.column(name).to_pylist():
            inside = [i for i in range(len(expected)) if edges[i] <= value]
            expected[inside[-1] if inside else 0] += 1
        assert counted[name] == expected
        assert sum(counted[name]) == len(values)


@given(values=st.lists(VALUES, max_size=30), at=st.integers(0, 30))
def test_histograms_add(values, at) -> None:
    parts = [histograms.count(made(values[:at])), histograms.count(made(values[at:]))]
    assert histograms.add(parts) == histograms.count(made(values))
    assert histograms.add([]) == histograms.empty()


@pytest.mark.parametrize("name", layout.PROPERTIES)
def test_every_property_has_rising_edges(name: str) -> None:
    edges = histograms.HISTOGRAMS[name]
    assert all(low < high for low, high in pairwise(edges))
    said = histograms.to_json(histograms.empty())[name]
    assert len(said["edges"]) == len(said["counts"]) + 1
