"""The file of a fitted target: one safetensors file, checked before use, with no code in it.

Tensors (n molecules, d the width of the model's z, k kernels):

    probe.weight (d,)  probe.bias (1,)              the linear half, for the fold          float64
    alpha, y, relative (n,)  scales (k,)            the process: duals, values, noise      float64
    numbers (3,)  constant, noise, middle           support.z (n, d)                       float64
    NAME.ptr (n+1,) int64  NAME.bit uint32  NAME.count uint16      fingerprints of the n molecules
    percentiles (101,)  applicability.held_out      prior.weight (d,)  prior.bias (2,)  bias and middle, where there is one

The header's ``drylab`` entry is JSON: schema, name, unit, kernels, ids, model (name and sha256), tier, figures, controls,
float_error, provenance. SMILES are not stored; fingerprints and ids are, so treat the file as you treat the structures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from drylab.errors import InputError, ModelError
from drylab.score import actives, gaussian, ridge
from drylab.score.actives import likeness
from drylab.score.extended import ADDED, Added, original
from drylab.score.gaussian import Posterior
from drylab.score.learning import (
    FINGERPRINTS,
    KERNELS,
    SLOPE,
    Alike,
    Features,
    Learned,
    features,
    matrices,
    predict,
    tilted,
)
from drylab.score.model import Model
from drylab.score.similarity import Sparse
from drylab.types import Probe

SCHEMA = "drylab.fitted/1"
CHUNK = 2000  # molecules at a time: their similarities with thousands of others stay below a hundred megabytes
Array = NDArray[np.float64]
_NOTHING = np.zeros(0)
_SAID = ("name", "unit", "kernels", "ids", "model", "tier", "figures", "controls", "float_error", "provenance")


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted target, checked against its model.

    learned      both halves          relative (n,)  noise of each molecule, a factor      ids (n,)  of the molecules
    percentiles  (101,)               float_error    how far float32 may be from float64 in the probe's value
    unit         "pActivity", "number", "class" or "likeness"    info  the JSON of the header         sha256, path  of the file, "" before
    """

    name: str
    unit: str
    learned: Learned | Alike
    relative: Array
    ids: tuple[str, ...]
    percentiles: Array
    float_error: float
    info: Mapping[str, Any]
    sha256: str = ""
    path: str = ""

    def __repr__(self) -> str:
        figures = ", ".join(f"{key} {value['value']:.2f}" for key, value in self.info["figures"].items())
        return f"Fitted({self.name!r}, {len(self.ids)} molecules, tier {self.info['tier']['tier']}, left out one by one: {figures})"


def save_fitted(fitted: Fitted, path: str | Path) -> None:
    """Write the file."""
    learned = fitted.learned
    tensors: dict[str, NDArray[Any]] = {
        "probe.weight": learned.probe.w,
        "probe.bias": np.array([learned.probe.b]),
        "support.z": learned.support.z,
        "percentiles": fitted.percentiles,
    }
    for name, fp in learned.support.prints.items():
        tensors |= {f"{name}.ptr": fp.ptr, f"{name}.bit": fp.bit, f"{name}.count": fp.count}
    kernels: tuple[str, ...] = ()
    if isinstance(learned, Learned):
        kernels = learned.kernels
        tensors |= _process(learned, fitted.relative)
    header = {**fitted.info, "schema": SCHEMA, "kernels": kernels, "ids": fitted.ids}
    header |= {"name": fitted.name, "unit": fitted.unit, "float_error": fitted.float_error}
    whole = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
    save_file(whole, path, metadata={"drylab": json.dumps(header, sort_keys=True)})


def _process(learned: Learned, relative: Array) -> dict[str, Array]:
    posterior = learned.posterior
    tensors = {
        "alpha": posterior.alpha,
        "y": posterior.y,
        "relative": relative,
        "scales": posterior.scales,
        "numbers": np.array([posterior.constant, posterior.noise, posterior.middle]),
    }
    if learned.prior is not None:
        tensors |= {"prior.weight": learned.prior[0], "prior.bias": np.array([learned.prior[1], learned.middle])}
    return tensors


def load_fitted(path: str | Path, model: Model) -> Fitted:
    """Read a file and check it against the model. Raises ModelError for what is damaged, foreign, or of another model."""
    header, tensors = _read(Path(path))
    said = header["model"]
    if said.get("sha256") != original(model):
        raise ModelError(
            f"{path}: was fitted with model {said.get('name')} ({str(said.get('sha256'))[:12]}), and this is {model.name} "
            f"({original(model)[:12]}); fit again, or give that model"
        )
    try:
        fitted = _assemble(header, tensors, model)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise ModelError(f"{path}: the file is not whole ({error}); fit again") from error
    return replace(fitted, path=str(path))


def added(fitted: Fitted) -> Added:
    """The probe as a row that a model is given for a screen."""
    figures = fitted.info["figures"]
    metrics = {"n_train": float(len(fitted.ids))} | {key: float(said["value"]) for key, said in figures.items()}
    probe = Probe(
        name=fitted.name,
        kind="affinity",
        unit=fitted.unit,
        higher_is_better=True,
        meaning=f"Fitted to {len(fitted.ids):,} molecules of the file {fitted.info['provenance'].get('file', '')}.",
        metrics=metrics,
    )
    source = {"file": fitted.path, "sha256": fitted.sha256, "figures": figures, "controls": fitted.info["controls"]}
    return Added(
        probe,
        fitted.learned.probe.w,
        fitted.learned.probe.b,
        fitted.info["tier"],
        {"float32": fitted.float_error},
        source,
    )


def foretold(fitted: Fitted, found: Features, model: Model) -> tuple[Array, Array]:
    """(m,) mean and standard deviation of m molecules; of actives alone the likeness to them, which has no deviation (NaN)."""
    if isinstance(fitted.learned, Alike):
        return likeness(found, fitted.learned.support, model.domain), np.full(len(found), np.nan)
    mean, variance = predict(fitted.learned, found, model.domain)
    return (np.clip(mean, 0.0, 1.0) if fitted.unit == "class" else mean), np.sqrt(variance)


def refine(model: Model, smiles: Sequence[str]) -> tuple[Array, Array]:
    """(n,) mean and standard deviation of n SMILES by the whole of the fitted target that was added to the model."""
    fitted = load_fitted(model.info[ADDED]["file"], model)
    if fitted.sha256 != model.info[ADDED]["sha256"]:
        raise ModelError(f"{fitted.path}: has changed since the screen began; screen again")
    parts = [(_NOTHING, _NOTHING)]
    for start in range(0, len(smiles), CHUNK):
        parts.append(foretold(fitted, features(model, smiles[start : start + CHUNK]), model))
    mean, sd = (np.concatenate(column) for column in zip(*parts, strict=True))
    return mean, sd


def read_header(path: str | Path) -> dict[str, Any]:
    """What a file says of itself, without its model. Raises ModelError."""
    return _read(Path(path))[0]


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("drylab", "{}"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise ModelError(f"{path}: not a readable fitted target ({error}); `drylab fit` writes one") from error
    said = header.get("schema") if isinstance(header, dict) else None
    if said != SCHEMA:
        raise ModelError(f"{path}: schema is {said!r}, expected {SCHEMA!r}; `drylab fit` writes such a file")
    missing = [key for key in _SAID if key not in header]
    if missing:
        raise ModelError(f"{path}: the header lacks {', '.join(missing)}; fit again")
    return header | {"sha256": digest}, tensors


Take = Callable[[str, tuple[int, ...]], Array]


def _assemble(header: dict[str, Any], tensors: dict[str, NDArray[Any]], model: Model) -> Fitted:
    d, n = len(model.encoder.c), len(header["ids"])

    def take(name: str, shape: tuple[int, ...]) -> Array:
        found = np.asarray(tensors[name], np.float64)
        if found.shape != shape or not np.isfinite(found).all():
            raise ValueError(f"tensor {name} has shape {found.shape}, expected {shape}, or is not finite")
        return found

    unit, error = str(header["unit"]), float(header["float_error"])
    if not (np.isfinite(error) and error >= 0):
        raise ValueError(f"float_error is {error}")
    names = FINGERPRINTS if unit != "likeness" else actives.FINGERPRINTS
    support = Features(take("support.z", (n, d)), np.ones(n, bool), {name: _prints(tensors, name, n) for name in names})
    probe = ridge.probe_of(take("probe.weight", (d,)), float(take("probe.bias", (1,))[0]))
    relative, learned = np.ones(n), Alike(probe, support)
    return Fitted(
        name=str(header["name"]),
        unit=unit,
        learned=learned if unit == "likeness" else _learned(header, take, probe, support, model),
        relative=relative if unit == "likeness" else take("relative", (n,)),
        ids=tuple(map(str, header["ids"])),
        percentiles=take("percentiles", (101,)),
        float_error=error,
        info=header,
        sha256=header["sha256"],
    )


def _learned(header: dict[str, Any], take: Take, probe: ridge.Ridge, support: Features, model: Model) -> Learned:
    """The process, its factor made again."""
    n, d = support.z.shape
    kernels = tuple(header["kernels"])
    tilt = SLOPE in kernels
    wanted = (*KERNELS, SLOPE) if tilt else KERNELS
    if kernels != wanted:
        raise ValueError(f"kernels are {', '.join(map(str, kernels))}, this drylab has {', '.join(wanted)}")
    prior, middle = None, 0.0
    if tilt:
        bias = take("prior.bias", (2,))
        prior, middle = (take("prior.weight", (d,)), float(bias[0])), float(bias[1])
    constant, noise, own = take("numbers", (3,)).tolist()
    relative, scales = take("relative", (n,)), take("scales", (len(kernels),))
    if not (min(constant, noise) > 0 and (relative > 0).all() and (scales > 0).all()):
        raise ValueError("a variance is not above zero")
    stored = Posterior(take("alpha", (n,)), scales, constant, noise, own, _NOTHING, _NOTHING, _NOTHING, take("y", (n,)))
    plain = matrices(support, support, model.domain, KERNELS)
    posterior = gaussian.restored(tilted(plain, prior, middle, support.z, support.z), stored, relative)
    return Learned(posterior, probe, support, kernels, prior, middle)


def _prints(tensors: Mapping[str, NDArray[Any]], name: str, n: int) -> Sparse:
    """Fingerprints whose offsets and order are right, since a kernel trusts them."""
    ptr, bit, count = (tensors[f"{name}.{part}"] for part in ("ptr", "bit", "count"))
    if (ptr.dtype, bit.dtype, count.dtype) != (np.dtype(np.int64), np.dtype(np.uint32), np.dtype(np.uint16)):
        raise ValueError(f"fingerprints {name} are of types {ptr.dtype}, {bit.dtype}, {count.dtype}")
    starts = np.zeros(len(bit) + 1, bool)
    if (
        ptr.shape != (n + 1,)
        or ptr[0] != 0
        or (np.diff(ptr) < 0).any()
        or ptr[-1] != len(bit)
        or len(bit) != len(count)
    ):
        raise ValueError(f"fingerprints {name} have offsets that do not fit")
    starts[ptr] = True
    if not (starts[1:-1] | (np.diff(bit.astype(np.int64)) > 0)).all():
        raise ValueError(f"fingerprints {name} are not in order")
    return Sparse(ptr, bit, count)
