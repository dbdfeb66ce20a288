"""Copies of cells against Python's own strip and replace."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drylab.kernels.fields import DOUBLED, PARTED, PLAIN
from drylab.kernels.gather import filled, gathered

BLANKS = " \t\n\v\f\r"
TEXT = st.text(st.sampled_from(BLANKS + "ab|\0\x1fé\xa0"), max_size=9)
PARTS = st.tuples(TEXT, st.sampled_from([PLAIN, DOUBLED, PARTED]), st.sampled_from(["", '"', '""', "x"]))


@given(st.lists(PARTS, max_size=6))
def test_cells_are_trimmed_and_their_marks_undone(parts: list[tuple[str, int, str]]) -> None:
    cells, wanted = [], []
    for text, mark, more in parts:
        raw = (text + more).encode()
        cells.append(raw.replace(b'"', b'""') if mark == DOUBLED else raw)
        words = raw.strip().split(None, 1)
        wanted.append(b" ".join(words) if mark == PARTED else raw.strip())
    ends = np.cumsum([0, *map(len, cells)]).astype(np.int64)
    marks = np.array([mark for _, mark, _ in parts], np.uint8)
    flat, offsets = gathered(b"".join(cells), ends[:-1], ends[1:], marks)
    assert flat.dtype == np.uint8
    assert offsets.dtype == np.int32
    assert [flat[a:b].tobytes() for a, b in pairwise(offsets)] == wanted
    assert len(flat) == offsets[-1]


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(1, 10**15)), max_size=9), st.text(max_size=5))
def test_an_empty_cell_holds_the_stem_and_the_number(rows: list[tuple[str, int]], stem: str) -> None:
    texts = [text.encode() for text, _ in rows]
    numbers = np.array([number for _, number in rows], np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int32)
    name = np.frombuffer(stem.encode(), np.uint8)
    flat, ends = filled(np.frombuffer(b"".join(texts), np.uint8), offsets, numbers, name)
    found = [flat[a:b].tobytes() for a, b in pairwise(ends)]
    assert found == [text or f"{stem}:{number}".encode() for text, (_, number) in zip(texts, rows, strict=True)]
