"""The encoder: GINE messages, dense layers and read-out, one molecule at a time, in float64.

For a molecule with atoms i, bonds (i, j) of class e, width h and l layers::

    h_i  = sum_f T_f[x_if]                                   (features f, one table each)
    m_i  = h_i + sum_(j bonded to i) relu(h_j + E_l[e_ij])    (GINE, https://arxiv.org/abs/1905.12265, eps = 0)
    h_i <- h_i + relu(relu(m_i W1_l + b1_l) W2_l + b2_l)      (residual; batch norm folded into W and b at export)
    z    = (sum_i h_i / n) R_mean + (sum_i h_i / SUM_SCALE) R_sum + c

A molecule's bits depend on the molecule and the weights alone: every sum runs in the order written here, over one
molecule, without fused multiply-add and without BLAS, so batch size, position and thread count cannot enter.

Contract of ``encode`` (numba, one core):
    x (a, f) uint8 atom class indices, each smaller than its table; begin, end (b,) uint8; e (b,) uint8 bond classes
    atom_ptr, bond_ptr (n+1,) int32; returns z (n, d) float64, zeros for a molecule without atoms
Edges: zero molecules give (0, d); a molecule without bonds has m = h.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.dense import ROWS64, WIDE64, block64
from drylab.kernels.twin import launcher

SUM_SCALE = 32.0  # keeps the sum read-out near the size of the mean for a drug-like molecule


@launcher
def _dense_relu(x, weight, bias, out, n):
    """out[:n] = relu(x[:n] @ weight + bias), every element summed in the order of k; rows up to a multiple of ROWS64 are used."""
    width = weight.shape[1]
    whole = width - width % WIDE64
    for column in range(0, whole, WIDE64):
        for row in range(0, n, ROWS64):
            block64(x, row, weight, column, width, bias, column, out, True)
    for i in range(n):
        for j in range(whole, width):
            out[i, j] = bias[j]
        for k in range(len(weight)):
            for j in range(whole, width):
                out[i, j] += x[i, k] * weight[k, j]
        for j in range(whole, width):
            out[i, j] = max(out[i, j], 0.0)


@launcher
def _room(n, width, hidden):
    """Buffers h, m (rows, width) and u (rows, hidden) for n atoms."""
    rows = -(-n // ROWS64) * ROWS64
    return np.zeros((rows, width)), np.zeros((rows, width)), np.zeros((rows, hidden))


@launcher
def _messages(h, begin, end, e, table, m, n):
    width = h.shape[1]
    for i in range(n):
        for j in range(width):
            m[i, j] = h[i, j]
    for b in range(len(begin)):
        u, v = begin[b], end[b]
        row = table[e[b]]
        for j in range(width):
            m[v, j] += max(h[u, j] + row[j], 0.0)
            m[u, j] += max(h[v, j] + row[j], 0.0)


@launcher
def _atom_states(x, begin, end, e, tables, table_ptr, edges, w1, b1, w2, b2, h, m, u):
    """Final h (n_atoms, width) of one molecule, into the buffer h."""
    n, width = len(x), tables.shape[1]
    for i in range(n):
        for j in range(width):
            h[i, j] = 0.0
        for f in range(x.shape[1]):
            row = tables[table_ptr[f] + x[i, f]]
            for j in range(width):
                h[i, j] += row[j]
    for layer in range(len(w1)):
        _messages(h, begin, end, e, edges[layer], m, n)
        _dense_relu(m, w1[layer], b1[layer], u, n)
        _dense_relu(u, w2[layer], b2[layer], m, n)
        for i in range(n):
            for j in range(width):
                h[i, j] += m[i, j]


@launcher
def encode(x, begin, end, e, atom_ptr, bond_ptr, tables, table_ptr, edges, w1, b1, w2, b2, r_mean, r_sum, c):
    """z (n, d) float64 of n molecules, by the formula and the contract at the top of this file."""
    n, width, d = len(atom_ptr) - 1, tables.shape[1], len(c)
    z = np.zeros((n, d))
    most = 0
    for i in range(n):
        most = max(most, atom_ptr[i + 1] - atom_ptr[i])
    h, m, u = _room(most, width, w1.shape[2])
    total = np.empty(width)
    for i in range(n):
        a0, a1, b0, b1_ = atom_ptr[i], atom_ptr[i + 1], bond_ptr[i], bond_ptr[i + 1]
        if a1 == a0:
            continue
        _atom_states(x[a0:a1], begin[b0:b1_], end[b0:b1_], e[b0:b1_], tables, table_ptr, edges, w1, b1, w2, b2, h, m, u)
        total[:] = 0.0
        for atom in range(a1 - a0):
            for j in range(width):
                total[j] += h[atom, j]
        for k in range(d):
            z[i, k] = c[k]
        for j in range(width):
            mean, scaled = total[j] / (a1 - a0), total[j] / SUM_SCALE
            for k in range(d):
                z[i, k] += mean * r_mean[j, k] + scaled * r_sum[j, k]
    return z


@launcher
def atom_contributions(
    x, begin, end, e, atom_ptr, bond_ptr, tables, table_ptr, edges, w1, b1, w2, b2, r_mean, r_sum, c, probe
):
    """What each atom adds to the score z @ probe: (a,) float64. Their sum is z @ probe - c @ probe up to rounding."""
    width = tables.shape[1]
    mean_weight, sum_weight = np.zeros(width), np.zeros(width)
    for j in range(width):
        for k in range(len(c)):
            mean_weight[j] += r_mean[j, k] * probe[k]
            sum_weight[j] += r_sum[j, k] * probe[k]
    out = np.zeros(len(x))
    for i in range(len(atom_ptr) - 1):
        a0, a1, b0, b1_ = atom_ptr[i], atom_ptr[i + 1], bond_ptr[i], bond_ptr[i + 1]
        n = a1 - a0
        h, m, u = _room(n, width, w1.shape[2])
        _atom_states(x[a0:a1], begin[b0:b1_], end[b0:b1_], e[b0:b1_], tables, table_ptr, edges, w1, b1, w2, b2, h, m, u)
        for atom in range(n):
            for j in range(width):
                out[a0 + atom] += h[atom, j] * (mean_weight[j] / n + sum_weight[j] / SUM_SCALE)
    return out


def encode_reference(x, begin, end, e, atom_ptr, bond_ptr, tables, table_ptr, edges, w1, b1, w2, b2, r_mean, r_sum, c):
    """The formula above in plain NumPy, one molecule after the other."""
    z = np.zeros((len(atom_ptr) - 1, len(c)))
    for i in range(len(z)):
        atoms, bonds = slice(atom_ptr[i], atom_ptr[i + 1]), slice(bond_ptr[i], bond_ptr[i + 1])
        u, v = begin[bonds].astype(int), end[bonds].astype(int)
        h = tables[x[atoms].astype(int) + table_ptr].sum(axis=1)
        if not len(h):
            continue
        for layer in range(len(w1)):
            m = h.copy()
            edge = edges[layer][e[bonds]]
            np.add.at(m, v, np.maximum(h[u] + edge, 0))
            np.add.at(m, u, np.maximum(h[v] + edge, 0))
            h = h + np.maximum(np.maximum(m @ w1[layer] + b1[layer], 0) @ w2[layer] + b2[layer], 0)
        z[i] = h.mean(axis=0) @ r_mean + h.sum(axis=0) / SUM_SCALE @ r_sum + c
    return z
