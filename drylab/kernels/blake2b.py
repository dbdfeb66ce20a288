"""BLAKE2b with a digest of 16 bytes of each row of a column of text: the 128 bits that name a molecule.

Formula: RFC 7693 (https://www.rfc-editor.org/rfc/rfc7693), sections 2.1 to 3.3, without a key, digest length 16; bit for bit
``hashlib.blake2b(row, digest_size=16)``. The state is eight words of 64 bits; each block of 128 bytes is mixed into it by
twelve rounds of eight ``mix`` steps; the digest is the first two words, low byte first.

``blake2b(data (bytes,) uint8, offsets (n+1,) int32 or int64)`` -> (n, 2) uint64: bytes 0 to 7 and 8 to 15 of each digest read
as big-endian numbers, so that numbers, bytes and hexadecimal text sort alike. On the CPU; one core.
Edges: no rows; an empty row has the digest of no bytes; rows of any length.

All arithmetic is uint64 and wraps, as the RFC wants it. A literal would be int64 and make a float of the sum, so constants are
np.uint64. ``digest`` is written for one row and could be called from a CUDA kernel as it stands.

Versions tried: AMD EPYC, one of two shared cores, nanoseconds a row of 30 to 66 bytes
    hashlib in a list comprehension over slices of the text                                           580
    this: state in sixteen variables, message in scratch, eight bytes of a word in one expression     220
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.twin import inlined, launcher, per_molecule

BLOCK = 128  # bytes
IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
PARAMETERS = np.uint64(0x01010000 ^ 16)  # fanout 1, depth 1, no key, 16 bytes of digest
# Which word of the message each step takes; rounds 10 and 11 are rounds 0 and 1 again (table of section 2.7).
SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.uint8,
)  # fmt: skip
ZERO, ONES = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)
S1, S8, S16, S24, S32, S40, S48, S56, S63 = (np.uint64(k) for k in (1, 8, 16, 24, 32, 40, 48, 56, 63))
LOW8, LOW16 = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)


@inlined
def mix(a, b, c, d, x, y):
    """The function G of section 3.1: rotations by 32, 24, 16 and 63."""
    a = a + b + x
    d = d ^ a
    d = (d >> S32) | (d << S32)
    c = c + d
    b = b ^ c
    b = (b >> S24) | (b << S40)
    a = a + b + y
    d = d ^ a
    d = (d >> S16) | (d << S48)
    c = c + d
    b = b ^ c
    b = (b >> S63) | (b << S1)
    return a, b, c, d


@inlined
def load(data, first, last, m):
    """Bytes first to last, at most 128, into 16 words, low byte first; what is beyond the end is zero."""
    for w in range(16):
        at = first + 8 * w
        if at + 8 <= last:
            m[w] = (
                np.uint64(data[at]) | (np.uint64(data[at + 1]) << S8) | (np.uint64(data[at + 2]) << S16)
                | (np.uint64(data[at + 3]) << S24) | (np.uint64(data[at + 4]) << S32) | (np.uint64(data[at + 5]) << S40)
                | (np.uint64(data[at + 6]) << S48) | (np.uint64(data[at + 7]) << S56)
            )  # fmt: skip
        else:
            word = ZERO
            for k in range(at, last):
                word = word | (np.uint64(data[k]) << np.uint64(8 * (k - at)))
            m[w] = word


@inlined
def compress(h, m, count, final):
    """The function F of section 3.2: 16 words of message and the count of bytes so far into the state h."""
    v0, v1, v2, v3, v4, v5, v6, v7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    v8, v9, v10, v11 = IV[0], IV[1], IV[2], IV[3]
    v12, v13, v14, v15 = IV[4] ^ count, IV[5], IV[6] ^ final, IV[7]
    for r in range(12):
        v0, v4, v8, v12 = mix(v0, v4, v8, v12, m[SIGMA[r, 0]], m[SIGMA[r, 1]])
        v1, v5, v9, v13 = mix(v1, v5, v9, v13, m[SIGMA[r, 2]], m[SIGMA[r, 3]])
        v2, v6, v10, v14 = mix(v2, v6, v10, v14, m[SIGMA[r, 4]], m[SIGMA[r, 5]])
        v3, v7, v11, v15 = mix(v3, v7, v11, v15, m[SIGMA[r, 6]], m[SIGMA[r, 7]])
        v0, v5, v10, v15 = mix(v0, v5, v10, v15, m[SIGMA[r, 8]], m[SIGMA[r, 9]])
        v1, v6, v11, v12 = mix(v1, v6, v11, v12, m[SIGMA[r, 10]], m[SIGMA[r, 11]])
        v2, v7, v8, v13 = mix(v2, v7, v8, v13, m[SIGMA[r, 12]], m[SIGMA[r, 13]])
        v3, v4, v9, v14 = mix(v3, v4, v9, v14, m[SIGMA[r, 14]], m[SIGMA[r, 15]])
    h[0], h[1], h[2], h[3] = h[0] ^ v0 ^ v8, h[1] ^ v1 ^ v9, h[2] ^ v2 ^ v10, h[3] ^ v3 ^ v11
    h[4], h[5], h[6], h[7] = h[4] ^ v4 ^ v12, h[5] ^ v5 ^ v13, h[6] ^ v6 ^ v14, h[7] ^ v7 ^ v15


@inlined
def swapped(word):
    """The eight bytes of a word in the opposite order."""
    word = ((word >> S8) & LOW8) | ((word & LOW8) << S8)
    word = ((word >> S16) & LOW16) | ((word & LOW16) << S16)
    return (word >> S32) | (word << S32)


@per_molecule
def digest(data, first, last, h, m, out):
    """The digest of data[first:last] into out (2,) uint64. h (8,) and m (16,) uint64 are scratch."""
    for k in range(8):
        h[k] = IV[k]
    h[0] = h[0] ^ PARAMETERS
    at = first
    while last - at > BLOCK:
        load(data, at, at + BLOCK, m)
        at += BLOCK
        compress(h, m, np.uint64(at - first), ZERO)
    load(data, at, last, m)
    compress(h, m, np.uint64(last - first), ONES)
    out[0] = swapped(h[0])
    out[1] = swapped(h[1])


@launcher
def digest_rows(data, offsets, h, m, out):
    """The CPU's loop over rows."""
    for i in range(len(offsets) - 1):
        digest(data, np.int64(offsets[i]), np.int64(offsets[i + 1]), h, m, out[i])


def blake2b(data: NDArray[np.uint8], offsets: NDArray[np.int32] | NDArray[np.int64]) -> NDArray[np.uint64]:
    """(n, 2) uint64: the digest of each of n rows. The contract is at the top of this file."""
    out = np.zeros((len(offsets) - 1, 2), np.uint64)
    digest_rows(data, offsets, np.zeros(8, np.uint64), np.zeros(16, np.uint64), out)
    return out
