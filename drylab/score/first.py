"""The first stage of a cascade: a small encoder with its teacher's embedding space, so the teacher's probes work on it.

MODEL-first.safetensors lies beside MODEL.safetensors: the encoder's tensors, named and shaped as in a model file, and a
JSON header (``drylab``) with schema, name, recipe, teacher (its name and the SHA-256 of its encoder), engine (as in a
model file), training and fidelity. It is tied to the teacher's encoder alone: probes may be added or fitted anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from drylab.errors import ModelError
from drylab.score.model import (
    ENCODER_AXES,
    FIRST,
    EncoderWeights,
    Model,
    check_tensors,
    encoder_from,
    encoder_tensors,
    read_file,
    write_file,
)

SCHEMA = "drylab.first/1"


def encoder_sha256(encoder: EncoderWeights) -> str:
    """SHA-256 of an encoder's tensors as stored, in the order of their names: what a first stage is the student of."""
    found = hashlib.sha256()
    for name, values in sorted(encoder_tensors(encoder).items()):
        found.update(f"{name}{values.shape}".encode())
        found.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return found.hexdigest()


def first_path(model: Model) -> Path:
    """Where a model's first stage lies."""
    path = Path(model.path)
    return path.with_name(f"{path.stem}{FIRST}{path.suffix}")


def load_first(model: Model, path: Path | None = None) -> Model:
    """A model's first stage: its small encoder with the model's own probes and domain.

    Raises ModelError where there is none, it is damaged, or it is the student of another encoder.
    """
    path = path or first_path(model)
    if not path.is_file():
        raise ModelError(
            f"model {model.name} has no first stage ({path} does not exist), which mode: cascade needs; use mode: exact, "
            "or make one with python -m drylab.train.student"
        )
    header, tensors = read_file(path, SCHEMA)
    missing = [name for name in ENCODER_AXES if name not in tensors]
    if missing:
        raise ModelError(f"{path}: tensors missing: {', '.join(missing)}; make the first stage again")
    check_tensors(path, tensors, ENCODER_AXES, {"d": model.probes.weights.shape[1]})
    said, own = header.get("teacher"), encoder_sha256(model.encoder)
    teacher = said.get("encoder_sha256") if isinstance(said, dict) else None
    if teacher != own:
        raise ModelError(
            f"{path}: is the student of an encoder with SHA-256 {str(teacher)[:12]}, and that of {model.name} has "
            f"{own[:12]}; make the first stage again with python -m drylab.train.student"
        )
    if not isinstance(header.get("name"), str):
        raise ModelError(f"{path}: the header gives no name; make the first stage again")
    return replace(
        model,
        name=header["name"],
        path=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        encoder=encoder_from(tensors),
        info=header,
    )


def save_first(path: Path, info: Mapping[str, Any], encoder: EncoderWeights, teacher: Model) -> None:
    """Write a first stage; ``info`` needs "name"."""
    said = {"name": teacher.name, "sha256": teacher.sha256, "encoder_sha256": encoder_sha256(teacher.encoder)}
    write_file(path, {**info, "schema": SCHEMA, "teacher": said}, encoder_tensors(encoder))
