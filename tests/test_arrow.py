"""Arrow arrays made from memory, against pa.array."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.arrow import floats, lists, numbers, texts


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "uint64", "float32", "float64"])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 100])
def test_numbers(dtype: str, n: int) -> None:
    values = np.random.default_rng(n).integers(0, 2, (n, 3)).astype(dtype)[:, 1]
    assert not n > 1 or not values.flags.c_contiguous
    found = numbers(values)
    found.validate(full=True)
    assert found.equals(pa.array(values))
    valid = np.arange(n) % 3 != 1
    nulls = numbers(values, valid)
    nulls.validate(full=True)
    assert nulls.equals(pa.array(values, mask=~valid))
    assert nulls.null_count == int((~valid).sum())


def test_not_a_number_is_a_value() -> None:
    assert numbers(np.array([np.nan, 1.0])).null_count == 0
    assert numbers(np.array([np.nan, 1.0]), np.array([False, True])).to_pylist() == [None, 1.0]


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)))
def test_texts(values: list[str | None]) -> None:
    found = texts(values)
    found.validate(full=True)
    assert found.equals(pa.array(values, pa.string()))


@given(st.lists(st.none() | st.lists(st.floats(width=32, allow_nan=False), max_size=5)))
def test_lists(values: list[list[float] | None]) -> None:
    found = lists([None if row is None else np.array(row, np.float32) for row in values])
    found.validate(full=True)
    assert found.equals(pa.array(values, pa.list_(pa.float32())))


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int32(), pa.uint8()])
def test_numbers_come_back_with_nan_for_null(kind: pa.DataType) -> None:
    column = pa.chunked_array([pa.array([1, None, 3], kind), pa.array([], kind), pa.array([4, 5, None, 7], kind)])
    for some in (column, column.slice(1), column.slice(2, 3), column.slice(7), column.chunk(0)):
        want = np.array([np.nan if value is None else value for value in some.to_pylist()], np.float64)
        assert np.array_equal(floats(some), want, equal_nan=True)
