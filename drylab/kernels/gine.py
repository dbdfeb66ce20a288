"""The encoder in bfloat16, un-fused: the arithmetic of kernels/gine.cu in array operations, on the CPU and on a GPU.

The formula is that of kernels/message.py. States, messages, bias, ReLU, residual and pooling are float32, in its order;
of the two products of a layer both factors are rounded to bfloat16 (nearest, ties to even), products and sums of 16
terms are exact (float64 holds them), and each 16 are added to a float32. The first states are the row of the first
feature plus the row for all other features, each rounded to float32 once. So the result is defined to the bit. The CUDA
kernel stepped through on a CPU gives the same bits (tests/kernels/test_gine.py); tensor cores, which add up the 16 with a
little less care, give nearly the same.

``pooled(layout, x, begin, end, e, atom_ptr, bond_ptr)`` -> (n, w) float32, the sum of a molecule's last states, on the
device of its arrays (as in message.py), where the layout has to be too. It takes any width and any molecule, so it does
what gine.cu leaves, and judges it. ``arranged`` lays out weights for both. w is the width padded with zeros to a multiple
of 64.
Edges: no molecules give (0, w); a molecule without atoms gives zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from drylab.device import array_module, to_host
from drylab.kernels.ragged import picked

STEP = 16  # terms that mma.sync takes at once
PAD = 64
RUN_ATOMS = {False: 2048, True: 1 << 18}  # worked on together: what fits a cache, and what fills a GPU


@dataclass(frozen=True, slots=True)
class Layout:
    """Weights as the kernels read them; w and u are width and hidden, padded with zeros to multiples of 64.

    kinds (k, w), rests (r, w) float32   rows for the first feature, and for each combination of the other features
    stride (f,) int32     row of ``rests`` = sum_f stride[f] x[f]
    edges (l, c, w), b1 (l, u), b2 (l, w) float32
    w1 (l, w, u), w2 (l, u, w) float32, rounded to bfloat16
    steps (l (w + u) / 16, 16 max(w, u)) uint16: rows 0-15 of w1, 16-31 ... then of w2, layer after layer, as fragments
    width                 before padding
    """

    kinds: Any
    rests: Any
    stride: Any
    edges: Any
    w1: Any
    b1: Any
    w2: Any
    b2: Any
    steps: Any
    width: int


def rounded(values: Any) -> Any:
    """float32 -> the nearest bfloat16, ties to even, as float32. Finite values only."""
    xp = array_module(values)
    bits = values.view(xp.uint32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1))) & xp.uint32(0xFFFF0000)).astype(xp.uint32).view(xp.float32)


def arranged(tables, table_ptr, edges, w1, b1, w2, b2) -> Layout:
    """The weights of message.py (float64, on the host) -> Layout on the host."""
    layers, width, hidden = w1.shape
    w, u = (-(-size // PAD) * PAD for size in (width, hidden))
    sizes = np.diff([*table_ptr, len(tables)])
    parts = np.split(tables, table_ptr[1:])
    stride = np.zeros(len(sizes), np.int32)
    rests = np.zeros((1, width))
    for f in range(1, len(sizes)):
        rests = (rests[:, None] + parts[f]).reshape(-1, width)
        stride[f] = np.prod(sizes[f + 1 :], dtype=np.int64)
    weights = {"w1": rounded(_padded(w1, w, u)), "w2": rounded(_padded(w2, u, w))}
    steps = np.zeros((layers, (w + u) // STEP, STEP * max(w, u)), np.uint16)
    steps[:, : w // STEP, : STEP * u] = fragments(weights["w1"])
    steps[:, w // STEP :, : STEP * w] = fragments(weights["w2"])
    return Layout(
        kinds=_padded(parts[0], w),
        rests=_padded(rests, w),
        stride=stride,
        edges=_padded(edges, w),
        b1=_padded(b1, u),
        b2=_padded(b2, w),
        steps=steps.reshape(-1, STEP * max(w, u)),
        width=width,
        **weights,
    )


def _padded(values: NDArray[np.float64], *sizes: int) -> NDArray[np.float32]:
    """float32, with zeros after the last axes up to ``sizes``."""
    lead = values.ndim - len(sizes)
    out = np.zeros((*values.shape[:lead], *sizes), np.float32)
    out[tuple(slice(size) for size in values.shape)] = values
    return out


def fragments(weights: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(l, k, n) bfloat16 values -> (l, k / 16, 16 n) uint16: for each 16 rows and 16 columns the 32 lanes of a warp, each
    with eight values: two fragments B of mma.m16n8k16 (PTX ISA, figure of the .bf16 matrix B), as one load of 16 bytes."""
    layers, rows, columns = weights.shape
    bits = (np.ascontiguousarray(weights).view(np.uint32) >> 16).astype(np.uint16)
    # A row is 8 high + 2 lane % 4 + low, a column 16 pair + 8 half + lane // 4.
    split = bits.reshape(layers, rows // 16, 2, 4, 2, columns // 16, 2, 8)
    _, steps, high, lane_low, low, pair, half, lane_high = range(8)
    return split.transpose(0, steps, pair, lane_high, lane_low, half, high, low).reshape(
        layers, rows // 16, 16 * columns
    )


def pooled(layout: Layout, x, begin, end, e, atom_ptr, bond_ptr) -> Any:
    """(n, w) float32, by the definition at the top of this file; a few thousand atoms at a time."""
    xp = array_module(x)
    n, width = len(atom_ptr) - 1, layout.kinds.shape[1]
    out = xp.zeros((n, width), xp.float32)
    atoms, bonds = (xp.asarray(ptr).astype(xp.int64) for ptr in (atom_ptr, bond_ptr))
    for first, last in _runs(atoms, RUN_ATOMS[xp is not np]):
        mine = slice(int(atoms[first]), int(atoms[last]))
        theirs = slice(int(bonds[first]), int(bonds[last]))
        starts, counts = atoms[first:last] - atoms[first], atoms[first + 1 : last + 1] - atoms[first:last]
        shift = starts[xp.searchsorted(bonds[first + 1 : last + 1], xp.arange(theirs.start, theirs.stop), side="right")]
        h = _last_states(layout, x[mine], begin[theirs] + shift, end[theirs] + shift, e[theirs])
        for at in range(int(counts.max())):
            rows = xp.flatnonzero(counts > at)
            out[first + rows] += h[starts[rows] + at]
    return out


def some(rows, x, begin, end, e, atom_ptr, bond_ptr) -> tuple[Any, ...]:
    """The molecules at ``rows`` as arrays of their own."""
    (atom_ptr, atoms), (bond_ptr, bonds) = (picked(ptr, rows) for ptr in (atom_ptr, bond_ptr))
    return x[atoms], begin[bonds], end[bonds], e[bonds], atom_ptr, bond_ptr


def _runs(ptr: Any, atoms: int) -> list[tuple[int, int]]:
    """Molecules first:last in runs of at most so many atoms, or one molecule."""
    host = to_host(ptr)
    cuts = [0]
    while cuts[-1] < len(host) - 1:
        last = int(np.searchsorted(host, host[cuts[-1]] + atoms, side="right")) - 1
        cuts.append(max(last, cuts[-1] + 1))
    return list(pairwise(cuts))


def _last_states(layout: Layout, x, u, v, e) -> Any:
    """h (a, w) float32 of atoms x (a, f) with bonds u, v (b,) int64 of classes e."""
    xp = array_module(x)
    h = layout.kinds[x[:, 0]] + layout.rests[(x.astype(xp.int32) * layout.stride).sum(axis=1)]
    target, other = xp.stack((v, u), axis=1).ravel(), xp.stack((u, v), axis=1).ravel()
    order = xp.argsort(target * len(target) + xp.arange(len(target)))
    target, other, bond = target[order], other[order], xp.repeat(e, 2)[order]
    place = xp.arange(len(target)) - xp.searchsorted(target, target)
    # An atom's first bonds, then second bonds: each atom is once in each, and its bonds come in their order.
    rounds = [xp.flatnonzero(place == at) for at in range(int(place.max()) + 1 if len(place) else 0)]
    zero = xp.float32(0)
    for layer in range(len(layout.w1)):
        m = h.copy()
        for rows in rounds:
            m[target[rows]] += xp.maximum(h[other[rows]] + layout.edges[layer][bond[rows]], zero)
        hidden = xp.maximum(_product(rounded(m), layout.w1[layer]) + layout.b1[layer], zero)
        h = h + xp.maximum(_product(rounded(hidden), layout.w2[layer]) + layout.b2[layer], zero)
    return h


def _product(x: Any, weights: Any) -> Any:
    """x @ weights, float32: 16 terms at a time are added exactly, then rounded."""
    xp = array_module(x)
    total = xp.zeros((len(x), weights.shape[1]), xp.float32)
    if xp is np:
        _product_on_cpu(x, weights.astype(np.float64), total)
        return total
    for k in range(0, len(weights), STEP):
        part = x[:, k : k + STEP].astype(xp.float64) @ weights[k : k + STEP].astype(xp.float64)
        part += total
        total = part.astype(xp.float32)
    return total


@njit(cache=True, nogil=True)
def _product_on_cpu(x, weights, total):
    """The same without BLAS, whose threads wait for one another on a busy machine. total (a, n) float32 is 0 on entry."""
    part = np.empty(weights.shape[1])
    for i in range(len(x)):
        for start in range(0, len(weights), STEP):
            part[:] = total[i]
            for k in range(start, start + STEP):
                xk = np.float64(x[i, k])
                for j in range(len(part)):
                    part[j] += xk * weights[k, j]
            total[i] = part
