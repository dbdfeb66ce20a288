"""The model file: one safetensors file with the encoder, the probes, the domain, and what they mean as JSON.

Tensors (float32 on disk, float64 in memory; width h, hidden u, layers l, embedding d, probes t):

    atom.tables   (sum of ATOM_SIZES, h)   one row an atom class, features one after the other
    bond.tables   (l, BOND_CLASSES, h)     w1 (l, h, u)   b1 (l, u)   w2 (l, u, h)   b2 (l, h)
    readout.mean  (h, d)                   readout.sum (h, d)         readout.bias (d,)
    probe.weight  (t, d)                   probe.bias (t,)
    domain.mean   (d,)   domain.whiten (d, d)   domain.percentiles (101,)   distances of held-out molecules

The header's ``drylab`` entry is JSON: schema, name, recipe, probes (a list of Probe fields), training (data, licences,
split, command), excluded (how many demo molecules were kept out). The file's SHA-256 names the model in every run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from drylab.errors import ModelError
from drylab.score.features import ATOM_SIZES, BOND_CLASSES, RECIPE
from drylab.types import Probe, ProbeBank

SCHEMA = "drylab.model/1"
DEFAULT = "panel-2"
FIRST = "-first"  # MODEL-first.safetensors is the first stage of a cascade (first.py)
TOXICITY = "-tox"  # MODEL-tox.safetensors is its toxicity panel (endpoints.py)
SUPPORT = "-support"  # MODEL-support.safetensors is what was measured on its targets (support.py)
PERCENTILES = 101


@dataclass(frozen=True, slots=True)
class EncoderWeights:
    """Folded GINE weights, float64; shapes as in the file, kernels/message.py says how they are used."""

    tables: NDArray[np.float64]
    edges: NDArray[np.float64]
    w1: NDArray[np.float64]
    b1: NDArray[np.float64]
    w2: NDArray[np.float64]
    b2: NDArray[np.float64]
    r_mean: NDArray[np.float64]
    r_sum: NDArray[np.float64]
    c: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DomainWeights:
    """Where the training molecules lie: mean (d,), whiten (d, d), percentiles (101,) of held-out distances."""

    mean: NDArray[np.float64]
    whiten: NDArray[np.float64]
    percentiles: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """A checked model file in memory. ``sha256`` names the exact weights; ``info`` is the JSON of its header."""

    name: str
    path: str
    sha256: str
    encoder: EncoderWeights
    probes: ProbeBank
    domain: DomainWeights
    info: Mapping[str, Any]


_TENSORS = {
    "tables": "atom.tables",
    "edges": "bond.tables",
    "w1": "w1",
    "b1": "b1",
    "w2": "w2",
    "b2": "b2",
    "r_mean": "readout.mean",
    "r_sum": "readout.sum",
    "c": "readout.bias",
}
# One letter an axis: A atom classes, B bond classes, l layers, h width, u hidden, d embedding, t probes, p percentiles.
AXES = {
    **{"w1": "lhu", "b1": "lu", "w2": "luh", "b2": "lh", "atom.tables": "Ah", "bond.tables": "lBh"},
    **{"readout.mean": "hd", "readout.sum": "hd", "readout.bias": "d", "probe.weight": "td", "probe.bias": "t"},
    **{"domain.mean": "d", "domain.whiten": "dd", "domain.percentiles": "p"},
}
ENCODER_AXES = {name: AXES[name] for name in _TENSORS.values()}
_DOMAIN = {"mean": "domain.mean", "whiten": "domain.whiten", "percentiles": "domain.percentiles"}


def load_model(name_or_path: str | Path = "default") -> Model:
    """A shipped model by name ("default" is the newest), or any model file by path.

    Raises ModelError if there is no such model, or the file is damaged or of another schema or recipe.
    """
    path = _locate(str(name_or_path))
    header, tensors = read_file(path, SCHEMA)
    missing = [key for key in AXES if key not in tensors]
    if missing:
        raise ModelError(f"{path}: tensors missing: {', '.join(missing)}; export the model again")
    return _assemble(path, header, tensors)


def read_file(path: Path, schema: str) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Header and tensors (float64) of a file of ``schema`` and of this drylab's features. Raises ModelError."""
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("drylab", "{}"))
            _check_header(path, header, schema)
            tensors = {key: file.get_tensor(key).astype(np.float64) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise ModelError(
            f"{path}: not a readable drylab model ({error}); expected a .safetensors file of schema {schema}"
        ) from error
    return header, tensors


def _assemble(path: Path, header: dict[str, Any], tensors: dict[str, NDArray[np.float64]]) -> Model:
    try:
        name = str(header["name"])
        probes = tuple(
            Probe(**{**fields, "aliases": tuple(fields["aliases"]), "metrics": dict(fields["metrics"])})
            for fields in header["probes"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: the header is not whole ({error!r}); export the model again") from error
    check_tensors(path, tensors, AXES, {"t": len(probes)})
    return Model(
        name=name,
        path=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        encoder=encoder_from(tensors),
        probes=ProbeBank(probes, tensors["probe.weight"], tensors["probe.bias"]),
        domain=DomainWeights(**{field: tensors[key] for field, key in _DOMAIN.items()}),
        info=header,
    )


def save_model(
    path: Path, info: Mapping[str, Any], encoder: EncoderWeights, probes: ProbeBank, domain: DomainWeights
) -> None:
    """Write a model file; ``info`` needs "name" and may hold anything JSON about training."""
    tensors = encoder_tensors(encoder) | {key: getattr(domain, field) for field, key in _DOMAIN.items()}
    tensors |= {"probe.weight": probes.weights, "probe.bias": probes.bias}
    write_file(path, {**info, "schema": SCHEMA, "probes": [asdict(probe) for probe in probes.probes]}, tensors)


def write_file(path: Path, header: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float64]]) -> None:
    """Tensors, as float32, and a header that says of which features."""
    arrays = {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in tensors.items()}
    save_file(arrays, path, metadata={"drylab": json.dumps({**header, "recipe": RECIPE}, sort_keys=True)})


def encoder_tensors(encoder: EncoderWeights) -> dict[str, NDArray[np.float64]]:
    """An encoder as the tensors of a file."""
    return {key: getattr(encoder, field) for field, key in _TENSORS.items()}


def encoder_from(tensors: Mapping[str, NDArray[np.float64]]) -> EncoderWeights:
    """The encoder of a file's tensors."""
    return EncoderWeights(**{field: tensors[key] for field, key in _TENSORS.items()})


def shipped() -> dict[str, Path]:
    """Models inside the package: name -> file. A first stage or a toxicity panel is part of a model, not one."""
    folder = Path(str(resources.files("drylab"))) / "models"
    parts = (FIRST, TOXICITY, SUPPORT)
    return {path.stem: path for path in sorted(folder.glob("*.safetensors")) if not path.stem.endswith(parts)}


def beside(model: Model, part: str) -> Path:
    """Where a part of a model lies, whether it is there or not; ``part`` is TOXICITY, SUPPORT or FIRST."""
    path = Path(model.path)
    return path.with_name(f"{path.stem}{part}{path.suffix}")


def _locate(name: str) -> Path:
    known = shipped()
    wanted = DEFAULT if name == "default" else name
    path = known.get(wanted, Path(wanted))
    if not os.path.isfile(path):
        raise ModelError(
            f"model {name!r}: no such file, and the shipped models are {', '.join(known) or 'none'}; give one of these or a path"
        )
    return path


def _check_header(path: Path, header: dict[str, Any], schema: str) -> None:
    said = header.get("schema") if isinstance(header, dict) else None
    if said != schema:
        raise ModelError(f"{path}: model schema is {said!r}, expected {schema!r}; export the model again")
    if header.get("recipe") != RECIPE:
        raise ModelError(
            f"{path}: trained on features {header.get('recipe')}, this drylab computes {RECIPE}; use the drylab that wrote it"
        )


def check_tensors(
    path: Path, tensors: Mapping[str, NDArray[np.float64]], axes_of: Mapping[str, str], known: Mapping[str, int]
) -> None:
    """Every shape, so that no kernel reads past an end, and every value, since a comparison with NaN hides it.

    axes_of  tensor -> the letters of its axes      known  letter -> its size, where that does not follow from a tensor
    """
    sizes = {"A": sum(ATOM_SIZES), "B": BOND_CLASSES, "p": PERCENTILES, **known}
    for name, axes in axes_of.items():
        shape = tensors[name].shape
        if len(shape) == len(axes):
            sizes |= {axis: size for axis, size in zip(axes, shape, strict=True) if axis not in sizes}
        want = tuple(sizes.get(axis, -1) for axis in axes)
        if shape != want:
            raise ModelError(f"{path}: tensor {name} has shape {shape}, expected {want}; export the model again")
        if not np.isfinite(tensors[name]).all():
            raise ModelError(f"{path}: tensor {name} holds values that are not finite; the weights are damaged")
