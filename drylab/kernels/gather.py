"""Cells of a file -> flat text and offsets: trimmed, with quotes undone. CPU only, after fields.py.

A cell that is not there, or empty, has begin = end. Blanks are what bytes.strip() takes. Offsets are int32: a block is
shorter than 2**31 bytes, which the launchers assert.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drylab.kernels.fields import BLANK, DOUBLED, PARTED, PLAIN, QUOTE, is_blank
from drylab.kernels.twin import launcher, per_molecule


def gathered(data: Any, begin: Any, end: Any, marks: Any) -> tuple[Any, Any]:
    """The cells data[begin:end], trimmed and with their marks undone, one behind the other: uint8, (n+1,) int32.

    ``data`` bytes or (d,) uint8; begin, end (n,) int64, a cell that is not there has begin = end; marks (n,) uint8.
    """
    view = data if isinstance(data, np.ndarray) else np.frombuffer(data, np.uint8)
    assert len(view) < 2**31, "a block holds fewer than 2**31 bytes; use smaller blocks"
    return gather(view, begin, end, marks)


@launcher
def gather(data, begin, end, marks):
    n = len(begin)
    first, last, offsets = np.empty(n, np.int32), np.empty(n, np.int32), np.zeros(n + 1, np.int32)
    total = 0
    for i in range(n):
        b, e = begin[i], end[i]
        while b < e and is_blank(data[b]):
            b += 1
        while b < e and is_blank(data[e - 1]):
            e -= 1
        first[i], last[i] = b, e
        total += e - b
    text = np.empty(total, np.uint8)
    at = 0
    for i in range(n):
        b, e = first[i], last[i]
        if marks[i] == PLAIN:
            # An index from range(len()) needs no check of its sign: 4 times faster.
            cell, out = data[b:e], text[at : at + e - b]
            for j in range(len(cell)):
                out[j] = cell[j]
            at += e - b
        else:
            at = mended(data, b, e, marks[i], text, at)
        offsets[i + 1] = at
    return text[:at], offsets


@per_molecule
def mended(data, b, e, mark, text, at):
    """Copy a cell with its mark undone; where its text ends."""
    while b < e:
        c = data[b]
        b += 1
        if mark == DOUBLED and c == QUOTE:
            b += 1
        elif mark == PARTED and is_blank(c):
            c = np.uint8(BLANK)
            while b < e and is_blank(data[b]):
                b += 1
            mark = PLAIN
        text[at] = c
        at += 1
    return at


@launcher
def filled(text, offsets, numbers, stem):
    """The same cells, where empty ones hold "STEM:NUMBER": uint8, (n+1,) int64. ``stem`` uint8."""
    n, total = len(numbers), len(text)
    for i in range(n):
        total += len(stem) + 20 if offsets[i] == offsets[i + 1] else 0
    out, ends = np.empty(total, np.uint8), np.zeros(n + 1, np.int64)
    at = 0
    for i in range(n):
        b, size = np.int64(offsets[i]), np.int64(offsets[i + 1]) - np.int64(offsets[i])
        for j in range(size):
            out[at + j] = text[b + j]
        at += size
        if size == 0:
            for j in range(len(stem)):
                out[at + j] = stem[j]
            at += len(stem)
            out[at] = 58  # a colon
            digits, value = 1, numbers[i]
            while value >= 10:
                value //= 10
                digits += 1
            value = numbers[i]
            for j in range(digits):
                out[at + digits - j] = 48 + value % 10
                value //= 10
            at += digits + 1
        ends[i + 1] = at
    return out[:at], ends
