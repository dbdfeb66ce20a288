"""A model with one probe more: a target that was fitted, or foretold from a sequence, screens as those of the panel do.

Only in memory. The new probe is the last row of the bank; its tier and what it came from stand in the model's ``info``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.errors import ModelError
from drylab.score import panel
from drylab.score.engine import errors_of
from drylab.score.model import Model
from drylab.types import Probe, ProbeBank

Array = NDArray[np.float64]
ADDED = "added"  # the key of info


@dataclass(frozen=True, slots=True)
class Added:
    """One probe more: value = z @ w + b.

    w (d,)   b    tier  how far it can be trusted: tier, label, sentence    errors  precision -> how far from the reference
    a value may be, where that was measured; elsewhere the model's own probes say it    source  where it came from
    """

    probe: Probe
    w: Array
    b: float
    tier: Mapping[str, Any]
    errors: Mapping[str, float]
    source: Mapping[str, Any]


def extended(model: Model, added: Added) -> Model:
    """The model with the probe as its last row. Its SHA-256 is made of both, so that nothing kept for one serves the other."""
    if ADDED in model.info:
        raise ModelError(
            f"model {model.name} has a probe added already, {model.info[ADDED]['name']}; add to the model itself"
        )
    if added.w.shape != model.probes.weights.shape[1:] or not (np.isfinite(added.w).all() and np.isfinite(added.b)):
        raise ModelError(f"probe {added.probe.name}: has shape {added.w.shape}, or is not finite; fit again")
    engine = {name: dict(said) for name, said in model.info.get("engine", {}).items()}
    for name, measured in errors_of(model).items():
        most = max(added.errors.get(name, 0.0), foreseen(model, measured, added.w))
        engine[name]["largest_error"] = [*measured.tolist(), most]
    row = len(model.probes)
    said = {"name": added.probe.name, "row": row, "tier": dict(added.tier), "to": model.sha256, **added.source}
    return replace(
        model,
        sha256=hashlib.sha256(
            b"".join(
                [model.sha256.encode(), added.probe.name.encode(), added.w.tobytes(), np.float64(added.b).tobytes()]
            )
        ).hexdigest(),
        probes=ProbeBank(
            (*model.probes.probes, added.probe),
            np.concatenate([model.probes.weights, added.w[None]]),
            np.append(model.probes.bias, added.b),
        ),
        info={**model.info, "engine": engine, ADDED: said},
    )


def foreseen(model: Model, measured: Array, w: Array) -> float:
    """How far a value of probe w may be from the reference, from how far those of the panel's linear probes (t,) were.

    An error of z reaches a value by |w| at most, and in about the same share for all probes: the largest share is taken.
    """
    norms = np.linalg.norm(model.probes.weights[: len(measured)], axis=1)
    linear = np.array([probe.unit != "probability" for probe in model.probes.probes[: len(measured)]])
    shares = (measured / np.maximum(norms, 1e-12))[linear]
    return float(shares.max(initial=0.0) * np.linalg.norm(w))


def original(model: Model) -> str:
    """The SHA-256 of the model file itself."""
    return str(model.info[ADDED]["to"]) if ADDED in model.info else model.sha256


def tier(model: Model, row: int) -> dict[str, Any]:
    """The tier of a row: of the added probe its own, of the others the panel's."""
    said = model.info.get(ADDED)
    if said is not None and said["row"] == row:
        return dict(said["tier"])
    return panel.tier(model.probes.probes[row])
