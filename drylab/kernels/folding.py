"""Codes of environments -> bits or counts of a fingerprint of any size: what the Morgan kernel ends with, on both twins.

A code falls on the bit that is its remainder modulo n_bits; the count of a bit is how many codes fall there.
codes are uint32; n_bits is 1 to 2**32 - 1. Edges: no codes.
"""

from __future__ import annotations

from drylab.kernels.twin import per_molecule

BUCKETS = 128  # of the sort in fold_counts


@per_molecule
def _fold(codes, count, n_bits):
    """Turn codes into numbers of bits, in place."""
    mask = n_bits - 1
    if n_bits & mask == 0:  # a remainder takes ten times as long, and no vector instruction
        for k in range(count):
            codes[k] = int(codes[k]) & mask
    else:
        for k in range(count):
            codes[k] = int(codes[k]) % n_bits


@per_molecule
def fold_bits(codes, count, n_bits, row):
    """Set the bits of ``count`` codes in ``row``, uint32 words: bit i at word i // 32, position i % 32. codes are lost."""
    _fold(codes, count, n_bits)
    for k in range(count):
        bit = int(codes[k]) + 0
        row[bit >> 5] |= 1 << (bit & 31)


@per_molecule
def fold_counts(codes, count, n_bits, buckets, bits, bit_out, count_out, at):
    """Write the bits of ``count`` codes, ascending, and how often each occurs, from position ``at``. Returns the end;
    codes are lost.

    Scratch: buckets (BUCKETS + 1,) int32, bits (count,) uint32. Bits go to buckets by their leading digits, which
    sorts them so far that the insertion sort after it is linear.
    """
    shift = 0
    while (n_bits - 1) >> shift >= BUCKETS:
        shift += 1
    for k in range(BUCKETS + 1):
        buckets[k] = 0
    _fold(codes, count, n_bits)
    for k in range(count):
        buckets[(int(codes[k]) >> shift) + 1] += 1
    for k in range(BUCKETS):
        buckets[k + 1] += buckets[k]
    for k in range(count):
        bucket = int(codes[k]) >> shift
        bits[buckets[bucket]] = codes[k]
        buckets[bucket] += 1
    for k in range(1, count):
        bit = int(bits[k])
        j = k
        while j > 0 and int(bits[j - 1]) > bit:
            bits[j] = bits[j - 1]
            j -= 1
        bits[j] = bit
    for k in range(count):
        if k > 0 and bits[k] == bits[k - 1]:
            count_out[at - 1] += 1
        else:
            bit_out[at] = bits[k]
            count_out[at] = 1
            at += 1
    return at
