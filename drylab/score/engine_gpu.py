"""The fold's engine on a GPU: bfloat16 products, all else float32, probes in float64; and the same numbers on a CPU.

What a GPU computes is defined to the bit in kernels/gine.py, but for the order in which tensor cores add 16 products. So
how far it is from the reference is measured on a CPU, when a model is exported (``Bfloat16Values``), and a bound is
SAFETY times the largest error seen; every run audits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.device import gpus, to_device, to_host
from drylab.errors import DeviceError, ModelError
from drylab.kernels import gine, gine_gpu
from drylab.score.features import TABLE_PTR, graph_arrays
from drylab.score.model import EncoderWeights, Model
from drylab.types import PARSED, MolGraphs

PRECISION = "bfloat16"
SAFETY = 3.0  # an error of rounding is a sum of many small ones: its tail is thin, unlike that of a mistake


def layout_of(w: EncoderWeights) -> gine.Layout:
    """The encoder as kernels/gine.py and gine.cu read it, on the host."""
    return gine.arranged(w.tables, TABLE_PTR, w.edges, w.w1, w.b1, w.w2, w.b2)


def probes_of(model: Model, rows: Sequence[int] | NDArray[np.int64] | None = None) -> gine_gpu.Probes:
    """The probes at ``rows`` of the model's bank (all, if not given) with the read-out folded in."""
    w, bank = model.encoder, model.probes
    chosen = np.arange(len(bank)) if rows is None else np.array(rows, np.int64)
    logistic = np.array([bank.probes[row].unit == "probability" for row in chosen.tolist()], bool)
    width = layout_of(w).kinds.shape[1]
    return gine_gpu.folded(w.r_mean, w.r_sum, w.c, bank.weights[chosen], bank.bias[chosen], logistic, width)


@dataclass(frozen=True, slots=True)
class Bfloat16Values:
    """MolGraphs on the host -> (n, t) float64 of all probes as a GPU computes them: a thousand molecules a second of a core."""

    layout: gine.Layout
    probes: gine_gpu.Probes

    @classmethod
    def of(cls, model: Model) -> Bfloat16Values:
        """For all probes of a model."""
        return cls(layout_of(model.encoder), probes_of(model))

    def __call__(self, graphs: MolGraphs) -> NDArray[np.float64]:
        sums = gine.pooled(self.layout, *graph_arrays(graphs))
        return gine_gpu.values_reference(self.probes, sums, graphs.atom_ptr)


@dataclass(frozen=True, slots=True)
class GpuFold:
    """What a fold scores with, as score/engine.py's ``Fold``, on the current GPU; weights go there at the first call.

    rows (t,) int64 rows of the model's bank     bounds (t,) float64 in the probes' units
    """

    model: Model
    rows: NDArray[np.int64]
    bounds: NDArray[np.float64]
    precision: str = PRECISION
    device: str = "cuda"
    widen: float = 1.0

    def values(self, graphs: MolGraphs) -> NDArray[np.float64]:
        """(n, t) float64 on the host, in each probe's own unit; graphs on the host or on the GPU."""
        values: NDArray[np.float64] = to_host(self._values(graphs))
        return values

    def candidates(
        self, graphs: MolGraphs, thresholds: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rows (k,) int64, rising, PARSED, where some probe's value is at least its threshold (t,), and their values (k, t).

        The others stay on the GPU. What may reach a threshold by the reference is asked for with ``thresholds - bounds``.
        """
        values = self._values(graphs)
        reached = (values >= to_device(thresholds)).any(axis=1) & (to_device(graphs.status) == PARSED)
        rows = reached.nonzero()[0]
        return to_host(rows).astype(np.int64), to_host(values[rows])

    def _values(self, graphs: MolGraphs) -> Any:
        arrays = (to_device(array) for array in graph_arrays(graphs))
        return engine_of(self).values(*arrays)


def gpu_fold(model: Model, rows: Sequence[int], measured: NDArray[np.float64] | None, widen: float = 1.0) -> GpuFold:
    """The engine for these probes; measured (all probes,) is the largest error of each at export, from the model file.

    Raises ModelError where the file has none, DeviceError where no GPU can be used.
    """
    if measured is None:
        raise ModelError(
            f"{model.path}: does not say how far {PRECISION} is from float64; export it again, or use precision: float32"
        )
    names, why = gpus()
    if not names:
        raise DeviceError(f"precision {PRECISION} is for a GPU, and none can be used: {why}; use precision: float32")
    chosen = np.array(rows, np.int64)
    return GpuFold(model, chosen, SAFETY * widen * measured[chosen], widen=widen)


_ENCODERS: dict[tuple[str, bytes], gine_gpu.GpuEncoder] = {}


def engine_of(fold: GpuFold) -> gine_gpu.GpuEncoder:
    """What a fold computes with: made once in a process, which has one GPU."""
    bank = fold.model.probes
    key = (fold.model.sha256, bank.weights[fold.rows].tobytes() + bank.bias[fold.rows].tobytes())
    if key not in _ENCODERS:
        _ENCODERS[key] = gine_gpu.GpuEncoder(layout_of(fold.model.encoder), probes_of(fold.model, fold.rows))
    return _ENCODERS[key]
