"""The encoder as it screens: graphs in, vectors out, from a model file, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drylab.errors import ModelError
from drylab.kernels import message
from drylab.score import panel
from drylab.score.features import TABLE_PTR, graph_arrays
from drylab.score.fold_cpu import CpuEncoder
from drylab.score.model import EncoderWeights, Model
from drylab.types import Embedding, MolGraphs


@dataclass(frozen=True, slots=True)
class GineEncoder:
    """MolGraphs -> Embedding, float64, the same bits for a molecule in any batch."""

    weights: EncoderWeights

    def __call__(self, graphs: MolGraphs) -> Embedding:
        return Embedding(message.encode(*graph_arrays(graphs), *_weight_arrays(self.weights)))

    def atom_contributions(self, graphs: MolGraphs, probe: NDArray[np.float64]) -> NDArray[np.float64]:
        """(a,) what each atom adds to z @ probe; sums to it, less the constant ``c @ probe``, exactly by linearity."""
        arguments: tuple[Any, ...] = (*graph_arrays(graphs), *_weight_arrays(self.weights), probe)
        found: NDArray[np.float64] = message.atom_contributions(*arguments)
        return found


def _weight_arrays(w: EncoderWeights) -> tuple[NDArray[np.generic], ...]:
    weights = (w.tables, TABLE_PTR, w.edges, w.w1, w.b1, w.w2, w.b2, w.r_mean, w.r_sum, w.c)
    return tuple(np.ascontiguousarray(array) for array in weights)


if TYPE_CHECKING:
    from drylab.score.engine_gpu import GpuFold

SAFETY = 16.0  # a bound is this many times the largest error measured when the model was exported


@dataclass(frozen=True, slots=True)
class Fold:
    """What a fold scores with: the values of some probes, in reduced precision, and how far from the reference they may be.

    rows (t,) int64 rows of the model's bank     bounds (t,) float64: |value - reference value| is at most this, in the probe's unit
    precision "float64" (the reference itself, bounds 0) or "float32"     device "cpu" or "cuda"
    The bounds are measured, not proven: docs/decisions/0005 says how, and what a run does about it. For one thread.
    """

    model: Model
    rows: NDArray[np.int64]
    bounds: NDArray[np.float64]
    precision: str
    device: str
    widen: float = 1.0

    def values(self, graphs: MolGraphs) -> NDArray[np.float64]:
        """(n, t) float64 of every molecule, in each probe's own unit; of one that is not PARSED, that of z = 0."""
        if self.precision == "float64":
            return panel.values(self.model.probes, GineEncoder(self.model.encoder)(graphs).z)[:, self.rows]
        return panel.curved(self.model.probes, _encoder(self.model, self.rows)(graphs), self.rows)

    def __reduce__(self) -> tuple[Any, ...]:
        # What it has learnt of a library stays where it is: a hundred megabytes that the other side makes for itself.
        return fold_engine, (self.model, self.rows.tolist(), self.precision, self.widen)


def fold_engine(model: Model, rows: Sequence[int], precision: str = "auto", widen: float = 1.0) -> Fold | GpuFold:
    """The engine for these probes of a model. "auto" is float32 if the model file says how far that is from the reference.

    "bfloat16" is on the GPU of this process. Cheap to call: what it computes with is kept in this process. ``widen``
    multiplies the bounds. Raises ModelError, and DeviceError where there is no GPU.
    """
    if precision == "bfloat16":
        from drylab.score.engine_gpu import gpu_fold  # CUDA's kernels are read by who has a GPU only

        return gpu_fold(model, rows, errors_of(model).get(precision), widen)
    measured = errors_of(model).get("float32")
    if precision == "auto":
        precision = "float64" if measured is None else "float32"
    chosen = np.array(rows, np.int64)
    if precision == "float64":
        return Fold(model, chosen, np.zeros(len(chosen)), precision, "cpu", widen)
    if precision != "float32":
        raise ModelError(f"precision {precision!r} is not known; choose auto, float64, float32 or bfloat16")
    if measured is None:
        raise ModelError(
            f"{model.path}: does not say how far float32 is from float64; export it again, or use precision: float64"
        )
    return Fold(model, chosen, SAFETY * widen * measured[chosen], precision, "cpu", widen)


def errors_of(model: Model) -> dict[str, NDArray[np.float64]]:
    """Precision -> (t,) largest error of each probe, in its unit, over the molecules it was measured on at export."""
    found = {}
    for name, said in model.info.get("engine", {}).items():
        found[name] = np.array(said["largest_error"], np.float64)
        if found[name].shape != (len(model.probes),) or not (found[name] >= 0).all():
            raise ModelError(f"{model.path}: the errors of {name} are not one a probe; export it again")
    return found


_ENCODERS: dict[tuple[str, bytes], CpuEncoder] = {}
_KEPT = 2  # of a screen with a first stage


def _encoder(model: Model, rows: NDArray[np.int64]) -> CpuEncoder:
    """The same again for the same probes, with what it has learnt of the library; the one not used for longest goes."""
    # By what the probes say, not by their rows: a model may have been given one more (extended.py).
    key = (model.sha256, model.probes.weights[rows].tobytes() + model.probes.bias[rows].tobytes())
    found = _ENCODERS.pop(key, None)
    if found is None:
        while len(_ENCODERS) >= _KEPT:
            _ENCODERS.pop(next(iter(_ENCODERS)))
        found = CpuEncoder(model.encoder, model.probes.weights[rows], model.probes.bias[rows])
    _ENCODERS[key] = found
    return found
