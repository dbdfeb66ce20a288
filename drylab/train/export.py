"""A trained panel -> the model file that screens: rare rows settled, domain measured, written in one move."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drylab.score.encoder import TABLE_START, GineNetwork, fold
from drylab.score.endpoint_table import ENDPOINTS, Endpoint
from drylab.score.features import ATOM_SIZES, BOND_CLASSES
from drylab.score.model import DomainWeights, EncoderWeights, save_model
from drylab.train.batches import Molecules, ranges
from drylab.train.data import target_names
from drylab.train.panel import HERG, meaning, targets, tox_tasks
from drylab.train.probes import Heads
from drylab.types import Probe, ProbeBank

Array = NDArray[np.float64]
Weights = TypeVar("Weights", EncoderWeights, Heads)
RARE = 10  # training molecules' atoms or bonds below which a learned row is noise
RIDGE = 0.01  # of the mean variance, added to every direction before whitening


def settle_rare_rows(network: GineNetwork, molecules: Molecules, index: NDArray[np.int64]) -> int:
    """Give every table row seen fewer than RARE times in ``index`` the mean of the rows seen; returns how many."""
    atoms, _ = ranges(molecules.atom_ptr, index)
    bonds, _ = ranges(molecules.bond_ptr, index)
    settled = 0
    with torch.no_grad():
        for feature, (start, size) in enumerate(zip(TABLE_START, ATOM_SIZES, strict=True)):
            counts = np.bincount(molecules.x[atoms, feature], minlength=size)
            settled += _settle(network.atoms.weight[int(start) : int(start) + size], counts)
        counts = np.bincount(molecules.classes[bonds], minlength=BOND_CLASSES)
        for table in network.bonds:
            settled += _settle(cast(torch.Tensor, table.weight), counts)
    return settled


def _settle(rows: torch.Tensor, counts: NDArray[np.integer]) -> int:
    seen = torch.from_numpy(counts >= RARE)
    if seen.any():
        rows[~seen] = rows[seen].mean(dim=0)
    return int((~seen).sum())


def as_stored(weights: Weights) -> Weights:
    """The weights of an encoder or of heads as a reader of the file gets them: rounded to float32."""
    rounded = {f.name: getattr(weights, f.name).astype(np.float32).astype(np.float64) for f in fields(weights)}
    return replace(weights, **rounded)


def encoder_of(network: GineNetwork) -> EncoderWeights:
    """The folded weights as stored."""
    return as_stored(fold(network))


def domain(train: Array, held_out: Array) -> DomainWeights:
    """Mean and whitening of training z (n, d), so that distance = |(z - mean) @ whiten|, and its held-out percentiles."""
    mean = train.mean(axis=0)
    covariance = np.cov(train, rowvar=False)
    values, vectors = np.linalg.eigh(covariance + RIDGE * np.trace(covariance) / len(mean) * np.eye(len(mean)))
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    distance = np.linalg.norm((held_out - mean) @ whiten, axis=1)
    return DomainWeights(mean, whiten, np.percentile(distance, np.arange(101)))


def probes(folder: Path, figures: Mapping[str, Mapping[str, float]]) -> tuple[Probe, ...]:
    """What each shipped probe means, with its held-out figures by name."""
    names = target_names(folder)
    frame = pd.read_csv(folder / "affinity/sequences.csv.gz", keep_default_na=False)
    sequence = dict(zip(frame["uniprot"], frame["sequence"], strict=True))
    affinity = [
        Probe(
            name=target.gene,
            kind="affinity",
            unit="pActivity",
            higher_is_better=True,
            meaning=meaning(target.gene, names.get(target.chembl, target.gene)),
            aliases=tuple(dict.fromkeys([target.chembl, target.uniprot, names.get(target.chembl, target.gene)])),
            sequence_sha256=_sha256(sequence.get(target.uniprot, "")),
            metrics=dict(figures.get(target.gene, {})),
        )
        for target in targets()
    ]
    toxicity = [_endpoint(ENDPOINTS[task.name], figures.get(task.name, {})) for task in tox_tasks()]
    return (*affinity, *toxicity)


def _endpoint(endpoint: Endpoint, figures: Mapping[str, float]) -> Probe:
    return Probe(
        name=endpoint.name,
        kind="toxicity",
        unit=endpoint.unit,
        higher_is_better=endpoint.bad == "low",
        meaning=endpoint.meaning,
        aliases=HERG if endpoint.name == "herg" else (),
        metrics=dict(figures),
    )


def _sha256(sequence: str) -> str:
    return hashlib.sha256(sequence.upper().encode()).hexdigest() if sequence else ""


def write(path: Path, info: Mapping[str, Any], encoder: EncoderWeights, bank: ProbeBank, where: DomainWeights) -> None:
    """save_model by way of a second name, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    save_model(part, info, encoder, bank, where)
    part.chmod(0o644)  # safetensors writes for the owner alone, and whoever installs drylab is to read it
    os.replace(part, path)
