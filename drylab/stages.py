"""Two models as one engine: a first stage scores every molecule, the full model those that the first stage lets through.

Columns are rows of the full model's probe bank, and past its t probes those of the first stage: t + p is what the first
stage says of probe p. A fold needs to know nothing else of a cascade: the threshold is a limit on such a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from drylab.errors import ModelError
from drylab.featurize.route import take
from drylab.score import panel
from drylab.score.engine import Fold, GineEncoder, fold_engine
from drylab.score.model import Model
from drylab.types import MolGraphs

if TYPE_CHECKING:
    from drylab.score.engine_gpu import GpuFold

    Scorer: TypeAlias = "Fold | GpuFold | StagedFold"


@dataclass(frozen=True, slots=True)
class StagedFold:
    """What a cascade scores with; as ``Fold``, for columns of both stages.

    values are NaN in the columns of the full model for a molecule that does not pass: whose value in no column of the
    first stage is, within its bound, as high as its threshold (f,). Its reference value then is below all of them.
    """

    full: Fold | GpuFold
    first: Fold | GpuFold
    thresholds: NDArray[np.float64]

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(t + f,) of both."""
        return np.concatenate([self.full.bounds, self.first.bounds])

    @property
    def precision(self) -> str:
        """Of both."""
        return self.full.precision

    @property
    def device(self) -> str:
        """Of both."""
        return self.full.device

    def values(self, graphs: MolGraphs) -> NDArray[np.float64]:
        """(n, t + f) float64. Raises ModelError for a value that is not finite, where one has to be."""
        first = self.first.values(graphs)
        passing = np.flatnonzero(~(first + self.first.bounds < self.thresholds).all(axis=1))
        full = np.full((len(first), len(self.full.rows)), np.nan)
        full[passing] = self.full.values(graphs if len(passing) == len(first) else take(graphs, passing))
        if not np.isfinite(first).all() or not np.isfinite(full[passing]).all():
            damaged = self.full.model.path if np.isfinite(first).all() else self.first.model.path
            raise ModelError(f"{damaged}: a prediction is not finite; the weights are damaged")
        return np.concatenate([full, first], axis=1)


@dataclass(frozen=True, slots=True)
class Stages:
    """The full model, and the first stage in front of it, None for none."""

    full: Model
    first: Model | None = None

    def split(self, rows: Sequence[int]) -> tuple[list[int], list[int]]:
        """Rows of the full model's bank, and of the first stage's; those of the full model come first in ``rows``."""
        t = len(self.full.probes)
        full = [row for row in rows if row < t]
        assert list(rows[: len(full)]) == full, "columns of the full model come first"
        return full, [row - t for row in rows[len(full) :]]

    def engine(self, rows: Sequence[int], thresholds: Sequence[float], precision: str, widen: float) -> Scorer:
        """What scores these rows; thresholds are those of the first stage's rows."""
        full, first = self.split(rows)
        engine = fold_engine(self.full, full, precision, widen)
        if self.first is None:
            return engine
        return StagedFold(engine, fold_engine(self.first, first, precision, widen), np.array(thresholds, np.float64))

    def reference(self, rows: Sequence[int], graphs: MolGraphs) -> NDArray[np.float64]:
        """(n, t + f) float64 reference values. Raises ModelError for one that is not finite."""
        full, first = self.split(rows)
        parts = [
            _reference(model, part, graphs)
            for model, part in ((self.full, full), (self.first, first))
            if model and part
        ]
        return np.concatenate(parts, axis=1)

    def scores(self, rows: Sequence[int], graphs: MolGraphs) -> NDArray[np.float64]:
        """(n, t + f) float64 as ``reference``, NaN in the columns of the first stage: what hits need, at half the cost."""
        full, first = self.split(rows)
        return np.concatenate([_reference(self.full, full, graphs), np.full((len(graphs), len(first)), np.nan)], axis=1)

    def name(self, row: int) -> str:
        """What a row is called."""
        names, t = self.full.probes.names(), len(self.full.probes)
        return names[row] if row < t else f"{names[row - t]}, first stage"


def _reference(model: Model, rows: Sequence[int], graphs: MolGraphs) -> NDArray[np.float64]:
    values = panel.values(model.probes, GineEncoder(model.encoder)(graphs).z)[:, list(rows)]
    if not np.isfinite(values).all():
        raise ModelError(f"{model.path}: a reference prediction is not finite; the weights are damaged")
    return values
