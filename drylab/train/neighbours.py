"""Kernel ridge of the endpoints that share one large set of molecules: the tensors near.* of an endpoints file.

A class that was cut from a potency learns from both: its target is -1 or 1, and how far from the cut the potency lies, so
that a blocker at 10 nM counts for more than one at 9 uM. Each member leaves out the scaffolds that the heads leave out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from drylab.score import neighbours
from drylab.score.counts import Described
from drylab.score.similarity import Sparse
from drylab.train.heads import MEMBERS, Task

Array = NDArray[np.float64]
NAMES = ("herg_block", "herg")  # a class, and the potency that it was cut from at CUT
CUT, LEAST, MOST = 5.0, -1.0, 1.5  # how far from the cut a potency counts
WEAKER = 0.4  # a bound is read as so much weaker than it says, a class without a potency as so far from the cut
RIDGE = 0.3  # of the noise, where a molecule is 1 like itself
TURNED = 32  # directions of z that are kept


def near(
    z: Array, described: Described, tasks: Sequence[Task], columns: Sequence[int], log: Callable[[str], Any]
) -> dict[str, Array]:
    """Tensors near.*, empty where there are no ``tasks``, from z (n, d) and descriptions of all n molecules, training labels of NAMES and their columns."""
    rows = np.unique(np.concatenate([np.zeros(0, np.int64), *(task.mol for task in tasks)]))
    if not len(rows):
        return _none(z.shape[1])
    target, group = _targets(rows, tasks)
    found = _steps(z[rows]) | neighbours.packed(neighbours.fragments(described.take(rows)))
    found["near.z"] = neighbours.turned(z[rows], found["near.centre"], found["near.turn"])
    alike = _alike((neighbours.unpacked(found), found["near.z"]))
    weight, middle = np.zeros((len(tasks), MEMBERS, len(rows))), np.zeros((len(tasks), MEMBERS))
    for member in range(MEMBERS):
        at = np.flatnonzero(group != member)
        middle[:, member] = target[at].mean(axis=0)
        weight[:, member, at] = _solved(alike, at, target[at] - middle[:, member]).T
        log(f"neighbours {member + 1} are weighed")
    found["near.weight"] = weight.astype(np.float16).astype(np.float64)
    return found | {"near.middle": middle, "near.endpoint": np.array(columns, np.float64)}


def _none(d: int) -> dict[str, Array]:
    sizes = {"weight": (0, MEMBERS, 0), "middle": (0, MEMBERS), "endpoint": (0,), "size": (0,), "code": (0,)}
    sizes |= {"z": (0, TURNED), "centre": (d,), "turn": (d, TURNED)}
    return {f"near.{name}": np.zeros(size) for name, size in sizes.items()}


def _targets(rows: NDArray[np.int64], tasks: Sequence[Task]) -> tuple[Array, NDArray[np.int64]]:
    """(l, 2) what is learnt of each molecule, as class and as potency, and the group of each."""
    blocks, potency, group = np.full(len(rows), np.nan), np.full(len(rows), np.nan), np.zeros(len(rows), np.int64)
    for task, values in zip(tasks, (blocks, potency), strict=True):
        at = np.searchsorted(rows, task.mol)
        values[at] = task.value + WEAKER * task.relation
        group[at] = task.group
    blocks = np.where(np.isnan(blocks), potency > CUT, blocks)
    sign = 2.0 * blocks - 1.0
    potency = np.where(np.isnan(potency), CUT + WEAKER * sign, potency)
    return np.stack([sign + np.clip(potency - CUT, LEAST, MOST), potency], axis=1), group


def _alike(known: tuple[Sparse, Array]) -> NDArray[np.float32]:
    """(l, l), a thousand rows at a time: in float64 and at once it would not fit a small machine."""
    n = len(known[0])
    found = np.empty((n, n), np.float32)
    for start in range(0, n, neighbours.CHUNK):
        rows = np.arange(start, min(start + neighbours.CHUNK, n))
        found[rows] = neighbours.kernel((known[0].take(rows), known[1][rows]), known)
    return found


def _steps(z: Array) -> dict[str, Array]:
    """Principal directions of z, each in whole steps: what is smaller than a step is not kept."""
    centre, width = z.mean(axis=0), z.std(axis=0) + 1e-9
    turn = np.linalg.svd((z - centre) / width, full_matrices=False)[2][:TURNED].T / width[:, None]
    widest = np.abs((z - centre) @ turn).max() / 127
    return {"near.centre": centre.astype(np.float32).astype(np.float64), "near.turn": _stored(turn / widest)}


def _stored(values: Array) -> Array:
    return values.astype(np.float32).astype(np.float64)


def _solved(alike: NDArray[np.float32], at: NDArray[np.int64], wanted: Array) -> Array:
    system = alike[np.ix_(at, at)]
    system.flat[:: len(at) + 1] += RIDGE
    factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
    found: Array = cho_solve(factor, wanted.astype(np.float32), check_finite=False)
    return found
