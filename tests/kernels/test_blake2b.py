"""The digests against hashlib's, at the edges of a block and on any bytes."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.kernels.blake2b import BLOCK, blake2b


def reference(rows: list[bytes]) -> np.ndarray:
    digests = b"".join(hashlib.blake2b(row, digest_size=16).digest() for row in rows)
    return np.frombuffer(digests, ">u8").astype(np.uint64).reshape(-1, 2)


def columns(rows: list[bytes], kind: type = np.int32) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(kind)
    return np.frombuffer(b"".join(rows), np.uint8), offsets


@pytest.mark.twins
@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_rows_of_every_length_about_a_block(kind: type) -> None:
    rng = np.random.default_rng(1)
    lengths = [0, 1, 7, 8, 9, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 5000, 0]
    rows = [rng.integers(0, 256, length, np.uint8).tobytes() for length in lengths]
    with np.errstate(over="ignore"):  # as plain Python, in `make sim`, NumPy would warn of what is wanted here
        found = blake2b(*columns(rows, kind))
    assert found.dtype == np.uint64
    np.testing.assert_array_equal(found, reference(rows))


def test_no_rows() -> None:
    assert blake2b(np.zeros(0, np.uint8), np.zeros(1, np.int32)).shape == (0, 2)


@given(st.lists(st.binary(max_size=400), max_size=8))
def test_any_rows(rows: list[bytes]) -> None:
    np.testing.assert_array_equal(blake2b(*columns(rows)), reference(rows))
