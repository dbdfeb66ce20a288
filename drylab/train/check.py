"""The screening check: drugs that the model never saw, among library molecules that it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.featurize import reference
from drylab.score import panel
from drylab.score.engine import GineEncoder
from drylab.score.model import Model
from drylab.train.data import parents_of, skeletons_of
from drylab.types import PARSED

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Screened:
    """What a probe made of a library.

    drugs    name -> share of the library that scores at least as high
    library  how many molecules it has
    best     SMILES, value and domain percentile of the ten it likes best
    """

    drugs: dict[str, float]
    library: int
    best: list[tuple[str, float, float]]


def values(model: Model, smiles: list[str], probe: str) -> tuple[Array, Array]:
    """The probe's linear value and the domain percentile of each SMILES, by the engine that screens.

    A SMILES that is not parsed gets -inf and 100, so that it ranks last.
    """
    row, domain = model.probes.names().index(probe), model.domain
    graphs = reference.graphs(reference.parse(smiles))
    z = GineEncoder(model.encoder)(graphs).z
    percentile = panel.distance_percentile(z, domain.mean, domain.whiten, domain.percentiles)
    parsed = graphs.status == PARSED
    value = panel.values(model.probes, z)[:, row]
    return np.where(parsed, value, -np.inf), np.where(parsed, percentile, 100)


def library_sample(folder: Path, seen: frozenset[str], banned: frozenset[str], each: int) -> list[str]:
    """``each`` parents a file of two libraries, none of them in ``seen`` nor of a banned skeleton."""
    chosen: list[str] = []
    for file, separator in (("zinc_a.smi.gz", " "), ("pubchem_100k.csv.gz", "\t")):
        frame = pd.read_csv(folder / "libraries" / file, sep=separator, header=None, names=["smiles", "id"])
        sample = frame["smiles"].dropna().sample(min(2 * each, len(frame)), random_state=2)
        parents = skeletons_of(parent for parent in parents_of(sample).values() if parent and parent not in seen)
        chosen += [parent for parent, skeleton in parents.items() if skeleton not in banned][:each]
    return chosen


def screen_drugs(model: Model, drugs: pd.DataFrame, library: list[str], gene: str) -> Screened:
    """How the drugs for ``gene`` (columns name, smiles, targets) rank in the library by its probe."""
    mine = drugs[drugs["targets"].fillna("").str.split(";").map(lambda names: gene in names)]
    parents = parents_of(mine["smiles"])
    background, percentile = values(model, library, gene)
    scores, _ = values(model, [parents[text] for text in mine["smiles"]], gene)
    share = {
        str(name): float(np.sum(background >= score) / max(len(background), 1))
        for name, score in zip(mine["name"], scores, strict=True)
    }
    order = np.argsort(-background, kind="stable")[:10]
    best = [(library[i], float(background[i]), float(percentile[i])) for i in order]
    return Screened(share, len(library), best)
