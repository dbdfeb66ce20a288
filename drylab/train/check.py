"""The screening check: drugs that the model never saw, among library molecules that it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.featurize import reference
from drylab.score.engine import GineEncoder
from drylab.score.model import Model
from drylab.train.data import parents_of

TOP = 0.01


@dataclass(frozen=True, slots=True)
class Screened:
    """A probe's values: drugs name -> share of the library at or above, and the best library SMILES with values."""

    drugs: dict[str, float]
    library: int
    best: list[tuple[str, float]]


def values(model: Model, smiles: list[str], probe: str) -> NDArray[np.float64]:
    """The probe's linear value for each SMILES, by the engine that screens; NaN where RDKit refuses."""
    row = model.probes.names().index(probe)
    graphs = reference.graphs(reference.parse(smiles))
    out = GineEncoder(model.encoder)(graphs).z @ model.probes.weights[row] + model.probes.bias[row]
    return np.where(graphs.status == 0, out, np.nan)


def library_sample(folder: Path, seen: frozenset[str], each: int) -> list[str]:
    """``each`` parents a file from a fragment-like and a drug-like library, none of them in ``seen``."""
    chosen: list[str] = []
    for file, separator in (("zinc_a.smi.gz", " "), ("pubchem_100k.csv.gz", "\t")):
        frame = pd.read_csv(folder / "libraries" / file, sep=separator, header=None, names=["smiles", "id"])
        sample = frame["smiles"].dropna().sample(min(2 * each, len(frame)), random_state=2)
        parents = dict.fromkeys(parents_of(sample).values())
        chosen += [parent for parent in parents if parent and parent not in seen][:each]
    return chosen


def screen_drugs(model: Model, drugs: pd.DataFrame, library: list[str], gene: str) -> Screened:
    """How the drugs for ``gene`` (columns name, smiles, targets) rank in the library by its probe."""
    mine = drugs[drugs["targets"].fillna("").str.split(";").map(lambda names: gene in names)]
    parents = parents_of(mine["smiles"])
    background = values(model, library, gene)
    order = np.argsort(-np.nan_to_num(background, nan=-np.inf), kind="stable")[:10]
    scores = values(model, [parents[text] for text in mine["smiles"]], gene)
    share = {
        str(name): float(np.sum(background >= score) / max(len(background), 1))
        for name, score in zip(mine["name"], scores, strict=True)
    }
    return Screened(share, len(library), [(library[i], float(background[i])) for i in order])
