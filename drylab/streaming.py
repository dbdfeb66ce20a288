"""SMILES in, the few rows that matter out: the way through a GPU, where all between stays.

Text goes up, and is parsed, encoded, probed and held against thresholds there; what comes back is a list of rows and
their values. A thread reads the batches that come next while the device works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.device import to_device
from drylab.featurize.route import Routed, route
from drylab.library.ahead import ahead
from drylab.score.engine_gpu import GpuFold
from drylab.types import SmilesBatch

DEPTH = 2  # batches that wait, read and not yet begun


@dataclass(frozen=True, slots=True)
class Found:
    """Of one batch: rows (k,) int64 in it that reach a threshold, their values (k, t) float64, and how all rows were parsed."""

    batch: SmilesBatch
    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    routed: Routed


def candidates(fold: GpuFold, batches: Iterable[SmilesBatch], thresholds: NDArray[np.float64]) -> Iterator[Found]:
    """For each batch, in order, the rows where some probe's value is at least its threshold (t,).

    Rows that are no molecule are no candidates. Batches of a hundred thousand rows and more fill a GPU.
    """
    for batch in ahead([lambda: iter(batches)], threads=1, depth=DEPTH):
        routed = route(to_device(batch.data), to_device(batch.offsets))
        yield Found(batch, *fold.candidates(routed.graphs, thresholds), routed)
