"""Keys are BLAKE2b-128 of the text, high word first, and bytes and numbers of them sort alike."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drylab.library.keys import flat, keys, keys_of
from drylab.library.layout import binary_keys, number_keys


def test_keys_are_blake2b() -> None:
    texts = ["C", "CC", "c1ccccc1"]
    found = keys_of(texts)
    assert found.shape == (3, 2)
    for text, (high, low) in zip(texts, found, strict=True):
        number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")
        assert (int(high) << 64) + int(low) == number
    assert keys_of([]).shape == (0, 2)


@given(st.lists(st.text(max_size=30), max_size=20))
def test_a_key_is_of_its_row_alone(texts: list[str]) -> None:
    whole = keys(*flat(texts))
    for text, key in zip(texts, whole, strict=True):
        np.testing.assert_array_equal(keys_of([text])[0], key)


@given(st.lists(st.text(max_size=30), max_size=20))
def test_flat_is_the_text(texts: list[str]) -> None:
    data, offsets = flat(texts)
    assert (data.dtype, offsets.dtype) == (np.uint8, np.int32)
    rows = [data[offsets[i] : offsets[i + 1]].tobytes().decode("utf-8", "surrogatepass") for i in range(len(texts))]
    assert rows == texts


def test_keys_as_bytes_sort_as_numbers() -> None:
    found = keys_of([f"{'C' * i}O" for i in range(200)])
    column = binary_keys(found)
    by_bytes = sorted(range(200), key=lambda i: column[i].as_py())
    assert by_bytes == np.lexsort((found[:, 1], found[:, 0])).tolist()
    np.testing.assert_array_equal(number_keys(column), found)
