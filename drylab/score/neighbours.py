"""The third branch of the toxicity panel: what is known of the measured molecules that look like this one.

Kernel ridge on all molecules that hERG was measured on, which the file brings along, for the endpoints that were measured
there. With l molecules, c codes, e endpoints, m members, embeddings of d rotated to q:

    near.size (l,) uint16          how many codes each molecule has
    near.code (c,) uint16          32 * column + count: of the ecfp4 columns of counts.py, counts cut off at 31
    near.z (l, q) int8             z turned, in steps     near.centre (d,), near.turn (d, q)  (z - centre) @ turn: in steps
    near.weight (e, m, l) float16  near.middle (e, m)     near.endpoint (e,) which column of the panel each is

    k(x, y) = 0.6 * Tanimoto of counts + 0.4 * ((1 + cosine of turned z) / 2) ** 8
    a member says  middle + sum over y of weight[y] * k(x, y)

Fragments find the same series, z finds what acts alike: each alone ranks held-out scaffolds worse than both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drylab.errors import ModelError
from drylab.score.counts import SIZES, Described
from drylab.score.similarity import Sparse, similarity

Array = NDArray[np.float64]
FRAGMENTS = SIZES["ecfp4"]  # the first columns of the counts
LEVELS = 32  # a code is LEVELS * column + count
SHARE, POWER = 0.6, 8
CHUNK = 1000  # molecules at once: their similarities to all l are held


def near(t: Mapping[str, Array], z: Array, described: Described, endpoints: int) -> Array:
    """(m, n, t) what each member says of n molecules, 0 for endpoints without this branch."""
    members = t["near.weight"].shape[1]
    out = np.zeros((members, len(z), endpoints))
    columns, known = t["near.endpoint"].astype(np.int64), (unpacked(t), t["near.z"])
    asked = (fragments(described), turned(z, t["near.centre"], t["near.turn"]))
    for start in range(0, len(z), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(z)))
        alike = kernel((asked[0].take(rows), asked[1][rows]), known)
        for weight, middle, column in zip(t["near.weight"], t["near.middle"], columns, strict=True):
            out[:, rows, column] = weight @ alike.T + middle[:, None]
    return out


def kernel(x: tuple[Sparse, Array], y: tuple[Sparse, Array]) -> Array:
    """(n, m) from the fragments and turned z of both; positive definite, since powers and sums of such are."""
    cosine = _unit(x[1]) @ _unit(y[1]).T
    found: Array = SHARE * similarity(x[0], y[0]) + (1.0 - SHARE) * (0.5 + 0.5 * cosine) ** POWER
    return found


def turned(z: Array, centre: Array, turn: Array) -> Array:
    """(n, q) whole steps from -127 to 127."""
    found: Array = np.clip(np.round((z - centre) @ turn), -127, 127)
    return found


def fragments(described: Described) -> Sparse:
    """The ecfp4 columns as whole counts."""
    part = described.counts[:, :FRAGMENTS].tocsr()
    part.sort_indices()
    count = np.minimum(np.round(np.expm1(part.data)), LEVELS - 1).astype(np.uint16)
    return Sparse(part.indptr.astype(np.int64), part.indices.astype(np.uint32), count)


def packed(fragments: Sparse) -> dict[str, Array]:
    """near.size and near.code of molecules."""
    code = fragments.bit.astype(np.float64) * LEVELS + fragments.count
    return {"near.size": np.diff(fragments.ptr).astype(np.float64), "near.code": code}


def unpacked(t: Mapping[str, Array]) -> Sparse:
    """The molecules of near.size and near.code."""
    code = t["near.code"].astype(np.int64)
    ptr = np.concatenate([[0], np.cumsum(t["near.size"].astype(np.int64))])
    return Sparse(ptr, (code // LEVELS).astype(np.uint32), (code % LEVELS).astype(np.uint16))


def check_near(path: Path, t: Mapping[str, Array]) -> None:
    """ModelError where the numbers of codes or the columns of the endpoints do not fit the other tensors."""
    codes, endpoints = len(t["near.code"]), len(t["z.weight"])
    if int(t["near.size"].sum()) != codes:
        raise ModelError(f"{path}: near.size counts {int(t['near.size'].sum())} codes, near.code has {codes}")
    if (t["near.endpoint"] >= endpoints).any() or (t["near.endpoint"] < 0).any():
        raise ModelError(f"{path}: near.endpoint names a column beyond the {endpoints} endpoints; make the file again")


def _unit(rows: Array) -> Array:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
