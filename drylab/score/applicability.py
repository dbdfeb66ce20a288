"""How far a molecule is from what a model was fitted to, and what its score is then worth, in words.

Two distances, each as a percentile: to the nearest fitted molecule by fingerprint, among fitted molecules whose own
scaffold was held out (100: farther than all of those); and of z from the encoder's training molecules (panel.py).
The tiers are those of a run: A measured, B panel, C homolog, D family or likeness, E no evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.score import panel
from drylab.score.learning import Features
from drylab.score.model import DomainWeights

Array = NDArray[np.float64]
NEAR = "ecfp6"  # the fingerprint of the nearest molecule
FAR = 95.0  # a molecule above this percentile of either distance is out of domain
MEASURED, CORRELATED = 16, 0.3  # tier A: so many molecules, and more than this rank correlation, left out one by one


@dataclass(frozen=True, slots=True)
class Nearness:
    """Of m molecules: similarity (m,) of the nearest fitted one and its row, both percentiles, in_domain (m,) bool."""

    similarity: Array
    nearest: NDArray[np.int64]
    percentile: Array
    embedding: Array
    in_domain: NDArray[np.bool_]


def held_out(similarity: Array, scaffolds: Sequence[str]) -> Array:
    """(101,) percentiles of 1 - similarity to the nearest molecule of another scaffold, from the nearest to the farthest.

    similarity (n, n) of the fitted molecules. Where all have one scaffold, to the nearest other molecule.
    """
    number = {text: place for place, text in enumerate(dict.fromkeys(scaffolds))}
    group = np.array([number[text] for text in scaffolds])
    same = group[:, None] == group[None] if len(number) > 1 else np.eye(len(group), dtype=bool)
    nearest = np.where(same, -1.0, similarity).max(axis=1)
    return np.percentile(1.0 - np.maximum(nearest, 0.0), np.linspace(0, 100, 101))


def nearness(found: Features, similarity: Array, percentiles: Array, domain: DomainWeights) -> Nearness:
    """found m molecules; similarity (m, n) with the fitted ones; percentiles from ``held_out``."""
    nearest = similarity.argmax(axis=1)
    best = similarity[np.arange(len(nearest)), nearest]
    far = np.interp(1.0 - best, percentiles, np.linspace(0, 100, len(percentiles)))
    embedding = panel.distance_percentile(found.z, domain.mean, domain.whiten, domain.percentiles)
    return Nearness(best, nearest, far, embedding, (far <= FAR) & (embedding <= FAR))


def tier(n: int, rho: float | None, likeness: bool, prior: dict[str, Any] | None) -> dict[str, Any]:
    """The tier of a fitted target: n molecules, rho left out one by one (None: too few), the tier that its prior had."""
    if likeness:
        said = f"Ranked by likeness to your {n} actives: expect analogues; how well it works is not known without measured values."
        return prior or {"tier": "D", "label": "actives only", "sentence": said}
    if n >= MEASURED and rho is not None and rho > CORRELATED:
        said = (
            f"Ranked by a model fitted to your data: {n:,} molecules, rank correlation {rho:.2f} when each is left out."
        )
        return {"tier": "A", "label": "measured", "sentence": said}
    why = (
        f"{n} measured molecules"
        if rho is None or n < MEASURED
        else f"a rank correlation of {rho:.2f} when each is left out"
    )
    if prior is not None:
        return {**prior, "sentence": f"{prior['sentence']} Your data ({why}) move it a little."}
    said = f"No evidence yet that this ranks molecules: {why}; expected {MEASURED} or more, and above {CORRELATED}."
    return {"tier": "E", "label": "too little data", "sentence": said}
