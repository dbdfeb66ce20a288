"""The product's ranking by likeness to a few actives, for many query lists of one target at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.score.actives import FINGERPRINTS, SHARE, directions, summed
from drylab.score.embedding import embed
from drylab.score.learning import Features
from drylab.score.model import DomainWeights, Model
from drylab.score.similarity import named, similarity
from drylab.train.suites import ours
from drylab.train.suites.molecules import Molecules, flat, look

Array = NDArray[np.float64]
Branch = Callable[[NDArray[np.integer]], Array]  # numbers of the query actives -> (n,) scores


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of n molecules: what baselines see, and what the product sees."""

    seen: Molecules
    features: Features

    def __len__(self) -> int:
        return len(self.seen)

    def take(self, rows: NDArray[np.integer]) -> Known:
        """Some of the molecules, in that order."""
        return Known(self.seen.take(rows), self.features.take(rows))


def known(model: Model, smiles: Sequence[str]) -> Known:
    """Of n SMILES: fingerprints as written, z of the flat parent, or of what is as good."""
    embedded = embed(model, flat(smiles))
    return Known(look(smiles), Features(embedded.z, embedded.ok, named(smiles, FINGERPRINTS)))


def nearest_bits(mine: Molecules, actives: NDArray[np.integer]) -> Array:
    """(q, n) Tanimoto of ECFP4 bits of each active with every molecule; packed, a row at a time."""
    sizes = np.bitwise_count(mine.words).sum(axis=1).astype(np.float64)
    found = np.empty((len(actives), len(mine)))
    for row, active in zip(found, actives, strict=True):
        common = np.bitwise_count(mine.words & mine.words[active]).sum(axis=1)
        row[:] = common / np.maximum(sizes + sizes[active] - common, 1.0)
    return found


def ours_of(mine: Features, actives: NDArray[np.integer], domain: DomainWeights) -> dict[str, Branch]:
    """Both branches (drylab.score.actives.likeness, to rounding), and each alone.

    One table a branch serves every list of queries: ``likeness`` itself would compare the same pairs fifty times.
    """
    white = directions(mine, domain)
    prints = [similarity(mine.prints[name].take(actives), mine.prints[name]) for name in FINGERPRINTS]
    mean, cosine = np.mean(prints, axis=0), np.maximum(white[actives] @ white.T, 0.0)
    return {
        ours.OURS: _ranking(mean + SHARE * cosine),
        ours.PRINTS: _ranking(mean),
        ours.GNN: _ranking(cosine),
    }


def _ranking(pairs: Array) -> Branch:
    return lambda picked: summed(pairs[picked].T)
