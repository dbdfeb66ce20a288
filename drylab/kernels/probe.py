"""Probe values of embedded molecules: z W' + b, and a logistic curve where a probe is a probability. float64.

    value[i, p] = sum_k z[i, k] W[p, k] + b[p], summed in the order of k, then 1 / (1 + exp(-value)) where logistic[p]

No BLAS, since its sums depend on how many rows come with a row. z (n, d), weights (t, d), bias (t,), logistic (t,)
bool; gives (n, t). Edges: n = 0 gives (0, t).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def probe_values(z, weights, bias, logistic):
    """(n, t) float64, by the formula at the top of this file."""
    n, d = z.shape
    t = len(bias)
    columns = np.ascontiguousarray(weights.T)
    out = np.empty((n, t))
    for i in range(n):
        for p in range(t):
            out[i, p] = bias[p]
        for k in range(d):
            zk = z[i, k]
            for p in range(t):
                out[i, p] += zk * columns[k, p]
        for p in range(t):
            if logistic[p]:
                out[i, p] = 1.0 / (1.0 + math.exp(-out[i, p]))
    return out


def probe_values_reference(z, weights, bias, logistic):
    """The same in one line of NumPy each."""
    value = z @ weights.T + bias
    return np.where(logistic, 1.0 / (1.0 + np.exp(-value)), value)
