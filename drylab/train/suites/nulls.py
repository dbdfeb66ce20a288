"""Null controls: probes on z that know nothing of the target. What they score is what the embedding alone is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.score import ridge
from drylab.score.embedding import embed
from drylab.score.model import Model
from drylab.train.suites.molecules import flat

Array = NDArray[np.float64]
RANDOM, SHUFFLED, DRUG_MEAN = "null: random probe", "null: shuffled labels", "null: drug mean"
NULLS = (RANDOM, SHUFFLED, DRUG_MEAN)
MOST = 5_000  # molecules that the drug-mean probe is fitted to
FEWEST = 2  # targets that a molecule's mean is over


@dataclass(frozen=True, slots=True)
class Probe:
    """Says z @ w + b: w (d,), b."""

    w: Array
    b: float

    def __call__(self, z: Array) -> Array:
        found: Array = z @ self.w + self.b
        return found


def random_probe(train: Array, y: Array, seed: int) -> Probe:
    """A direction at random in the whitened training z (n, d), scaled to the mean and spread of y (n,)."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=train.shape[1]) / np.maximum(train.std(axis=0), 1e-9)
    said = train @ w
    w = w * (y.std() / max(float(said.std()), 1e-9))
    return Probe(w, float(y.mean() - (train @ w).mean()))


def shuffled_probe(train: Array, y: Array, seed: int) -> Probe:
    """Our ridge on z, fitted to the labels of other molecules."""
    found = ridge.fit(train, np.random.default_rng(seed).permutation(y), strengths=(1.0,))
    return Probe(found.w, found.b)


def drug_mean_probe(data: Path, model: Model) -> Probe:
    """Ridge on z to how active a molecule is on average, over targets of chembl22's earlier years, less each target's mean.

    Its answer for a molecule is a deviation, in log units: a target's own mean is to be added.
    """
    path = data / "affinity/chembl22.csv.gz"
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the folder of the training data with --data")
    rows = pd.read_csv(path)
    rows = rows[rows["subset"] != "sparse_valid"]
    rows["off"] = rows["pactivity"] - rows.groupby("target_chembl_id")["pactivity"].transform("mean")
    means = rows.groupby("smiles")["off"].agg(["mean", "size"])
    means = means[means["size"] >= FEWEST]
    means = means.sample(min(MOST, len(means)), random_state=1).sort_index()
    embedded = embed(model, flat([str(text) for text in means.index]))
    y = means["mean"].to_numpy(np.float64)[embedded.ok]
    found = ridge.fit(embedded.z[embedded.ok], y)
    return Probe(found.w, found.b)


def null_guesses(z: Array, y: Array, test: Array, drug_mean: Callable[[Array], Array], seed: int) -> dict[str, Array]:
    """The three nulls' (m,) values for test z (m, d), of a task trained on z (n, d) and y (n,)."""
    return {
        RANDOM: random_probe(z, y, seed)(test),
        SHUFFLED: shuffled_probe(z, y, seed)(test),
        DRUG_MEAN: y.mean() + drug_mean(test),
    }
