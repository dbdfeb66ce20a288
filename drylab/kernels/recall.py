"""What was computed once and may be asked again: a bounded hash table from environments to rows of states.

A table is (slots, 2) uint64, a power of two of slots, open addressing with linear probing: the tag of who lies there, and
``row + 1`` in the low 32 bits (0: nobody) under the number of uses in the high ones. An environment is known by 128 bits:
the low half says where to look, all of the high half must agree. Two environments of one molecule in 10**10 are taken for one
another with a chance below 10**-8; the audit of a screen would see it.

When a table is full, ``forgotten`` keeps those used most and halves their counts: what a library keeps on showing stays, and stays
where it is; rows that are free are taken in the order of a list.
Which rows are there never changes a value, only how often it is computed again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from drylab.kernels.twin import inlined, launcher

MOST_USES = 255
_ROW = np.uint64(0xFFFFFFFF)
_ONE_USE = np.uint64(1 << 32)
_HIGH = np.uint64(32)
_FULL = np.uint64(MOST_USES)


@intrinsic
def fetch(typing: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of an array's element (of its first axis): a table is far larger than what a core has at hand."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        shape = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        ask = cgutils.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0")
        whole = context.make_array(signature.args[0])(context, builder, args[0])
        stride = cgutils.unpack_tuple(builder, whole.strides)[0]
        start = builder.bitcast(whole.data, pointer)
        place = builder.gep(start, [builder.mul(args[1], stride)])
        builder.call(ask, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


@inlined
def home(start, slots, low):
    """The slot where an environment is looked for first."""
    return start + np.int64(low & np.uint64(slots - 1))


@inlined
def found_or_added(table, start, slots, low, high, following):
    """The row of an environment, or -1 after it was put in as row ``following``."""
    mask = np.uint64(slots - 1)
    at = low & mask
    while True:
        slot = start + np.int64(at)
        word = table[slot, 1]
        if word == np.uint64(0):
            table[slot, 0] = high
            table[slot, 1] = np.uint64(following + 1)
            return np.int64(-1)
        if table[slot, 0] == high:
            if (word >> _HIGH) < _FULL:
                table[slot, 1] = word + _ONE_USE
            return np.int64(word & _ROW) - 1
        at = (at + np.uint64(1)) & mask


@launcher
def forgotten(table, places, order, start, slots, keep):
    """Keep at most ``keep`` of the rows in use, those with most uses, where they are; returns how many.

    places (rows,) uint64: the low half of each row's environment, which the table does not hold
    order (rows,) int32: all rows; those that are kept come first in it after this
    """
    counts = np.zeros(MOST_USES + 1, np.int64)
    word_of = np.zeros(len(places), np.uint64)
    tag_of = np.zeros(len(places), np.uint64)
    for slot in range(start, start + slots):
        word = table[slot, 1]
        if word != np.uint64(0):
            row = np.int64(word & _ROW) - 1
            word_of[row], tag_of[row] = word, table[slot, 0]
            counts[np.int64(word >> _HIGH)] += 1
            table[slot, 1] = np.uint64(0)
    least, kept = MOST_USES + 1, 0
    while least > 0 and kept + counts[least - 1] <= keep:
        least -= 1
        kept += counts[least]
    mask = np.uint64(slots - 1)
    first, free = 0, kept
    for row in range(len(places)):
        uses = np.int64(word_of[row] >> _HIGH)
        if word_of[row] == np.uint64(0) or uses < least:
            order[free] = row
            free += 1
            continue
        at = places[row] & mask
        while table[start + np.int64(at), 1] != np.uint64(0):
            at = (at + np.uint64(1)) & mask
        table[start + np.int64(at), 0] = tag_of[row]
        table[start + np.int64(at), 1] = np.uint64(row + 1) | np.uint64(uses // 2) << _HIGH
        order[first] = row
        first += 1
    return first
