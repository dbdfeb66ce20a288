"""What the files beside a model say of molecules, its support and its toxicity panel: one road for predictions and for hits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.featurize.curation import flat_parent
from drylab.score import conformal, endpoints, support
from drylab.score.endpoints import Endpoints, Predicted
from drylab.score.learning import Features, features
from drylab.score.model import Model
from drylab.score.support import Looked, Process, Refined

Array = NDArray[np.float64]
Columns = dict[str, Array | list[str]]
CHUNK = 2000  # molecules at a time: their similarities with thousands of others stay below a hundred megabytes


def looked(found: Features, smiles: Sequence[str]) -> Looked:
    """What a support compares, of n SMILES whose features are known."""
    return support.look(found.z, [flat_parent(text) for text in smiles])


def refined(process: Process, model: Model, smiles: Sequence[str]) -> Refined:
    """n standardised SMILES by the process of a target, ``CHUNK`` at a time; NaN where the encoder reads no molecule."""
    none = np.zeros(0)
    parts = [Refined(none, none, none)]
    for start in range(0, len(smiles), CHUNK):
        some = smiles[start : start + CHUNK]
        found = features(model, some, ())
        said = support.ask(process, looked(found, some))
        parts.append(
            Refined(*(np.where(found.ok, values, np.nan) for values in (said.mean, said.variance, said.similarity)))
        )
    names = [part.name for part in fields(Refined)]
    return Refined(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def toxicity(found: Predicted) -> Columns:
    """The panel's predictions by name: ``NAME_prob`` and ``_set`` of a class, ``_mean``, ``_low`` and ``_high`` of a value."""
    columns: Columns = {}
    for at, endpoint in enumerate(found.endpoints):
        if endpoint.kind == "class":
            columns[f"{endpoint.name}_prob"] = found.value[:, at]
            columns[f"{endpoint.name}_set"] = conformal.braces(found.code[:, at], endpoint.yes, endpoint.no)
        else:
            columns[f"{endpoint.name}_mean"] = found.value[:, at]
            columns[f"{endpoint.name}_low"] = found.low[:, at]
            columns[f"{endpoint.name}_high"] = found.high[:, at]
    return columns


def assessed(panel: Endpoints, model: Model, smiles: Sequence[str]) -> Columns:
    """``toxicity`` of n standardised SMILES, ``CHUNK`` at a time."""
    whole: dict[str, list[Any]] = {}
    for start in range(0, max(len(smiles), 1), CHUNK):
        for name, values in toxicity(endpoints.assess(model, smiles[start : start + CHUNK], panel)).items():
            whole.setdefault(name, []).append(values)
    return {name: _joined(parts) for name, parts in whole.items()}


def _joined(parts: list[Any]) -> Array | list[str]:
    if isinstance(parts[0], list):
        return [text for part in parts for text in part]
    return np.concatenate(parts)
