"""Learning to be fitted: z is trained for what a chemist will do with it, a closed-form fit on a few measurements.

An episode is a small project: molecules of one assay or target, some with their values, the rest to be predicted by a Gaussian process
on z (a ridge, for its linear kernel) whose solution is differentiated. A head a task can hide in its weights what z does not say; here
z alone has to order the members of a series that it never saw. The kernel over fingerprints is in some of the fits, so that z learns
what fingerprints do not say. Bertinetto 2019 (https://arxiv.org/abs/1805.08136), Chen 2023 (https://arxiv.org/abs/2205.02708).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, huber_loss

from drylab.train.batches import Molecules
from drylab.train.data import Labels

FEWEST = 32  # measurements of a task that makes episodes
SPREAD = 0.2  # log units: a task whose values differ less has no order to learn
SUPPORT = (16, 24, 32, 64)
LARGEST = 96  # molecules of an episode
LEFT = 12  # that are left to predict, at least
CLASSES = 0.5  # share of episodes that ask for the better half, not for values
VALUES = 0.7  # weight of an episode of values, so that both kinds count alike
CONSTANT = 0.3  # of the kernel: how far the mean of the few may be off
# Which kernels fit an episode, and how often: linear, radial, fingerprints.
FITS = {(1, 0, 0): 0.4, (0, 1, 0): 0.1, (1, 1, 0): 0.2, (1, 1, 1): 0.3}


@dataclass(frozen=True, slots=True)
class Episode:
    """Molecules (m,) int64 and values (m,) float32 of one task; the first ``given`` have been measured."""

    mol: NDArray[np.int64]
    value: NDArray[np.float32]
    given: int


@dataclass(frozen=True, slots=True)
class Episodes:
    """Tasks that make episodes: ptr (t+1,) int64 into mol (m,) int64 and value (m,) float32."""

    ptr: NDArray[np.int64]
    mol: NDArray[np.int64]
    value: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def draw(self, rng: np.random.Generator) -> Episode:
        """Any task, any of its molecules, some of them given."""
        task = rng.integers(len(self))
        at = rng.permutation(np.arange(self.ptr[task], self.ptr[task + 1]))[:LARGEST]
        return Episode(self.mol[at], self.value[at], min(int(rng.choice(SUPPORT)), len(at) - LEFT))


def episodes_of(labels: Labels, train: NDArray[np.bool_]) -> Episodes:
    """The assays and targets with enough training molecules. A bound counts as the value that it bounds: its order is right."""
    potency = np.array([task.kind in ("affinity", "assay") for task in labels.tasks])
    used = np.flatnonzero(potency[labels.task] & train[labels.mol])
    used = used[np.argsort(labels.task[used], kind="stable")]
    starts = np.searchsorted(labels.task[used], np.arange(len(labels.tasks) + 1))
    parts = [used[a:b] for a, b in pairwise(starts)]
    parts = [part for part in parts if len(part) >= FEWEST and labels.value[part].std() > SPREAD]
    chosen = np.concatenate([*parts, np.zeros(0, np.int64)])
    ptr = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return Episodes(ptr, labels.mol[chosen].astype(np.int64), labels.value[chosen])


class Fit(nn.Module):
    """The Gaussian process of an episode; its few numbers are learned with z and start what is fitted later."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))  # log of linear, radial, fingerprints
        self.noise = nn.Parameter(torch.tensor(-1.5))  # log
        self.width = nn.Parameter(torch.tensor(0.0))  # log of 1 / length scale squared
        self.sharpness = nn.Parameter(torch.tensor(0.5))  # log of what makes a value a logit

    def kernel(self, z: Tensor, alike: Tensor, parts: tuple[int, int, int]) -> Tensor:
        """(m, m) covariance of standardised z (m, d) and Tanimoto similarities (m, m)."""
        inner = z @ z.T / z.shape[1]
        square = inner.diagonal()
        far = (square[:, None] + square[None] - 2 * inner).clamp(min=0)
        all_parts = (inner, torch.exp(-0.5 * far * self.width.exp()), alike)
        weights = self.weight.exp()
        return torch.stack([weights[i] * part for i, part in enumerate(all_parts) if parts[i]]).sum(dim=0) + CONSTANT

    def forward(self, kernel: Tensor, given: Tensor) -> Tensor:
        """Predictions for the molecules after the given ones."""
        n = len(given)
        mean = given.mean()
        factor = torch.linalg.cholesky(kernel[:n, :n] + self.noise.exp() * torch.eye(n))
        dual = torch.cholesky_solve((given - mean)[:, None], factor)
        return mean + (kernel[n:, :n] @ dual)[:, 0]

    def loss(self, episode: Episode, z: Tensor, alike: Tensor, rng: np.random.Generator) -> Tensor:
        """How wrong one fit is about the molecules that were left."""
        kinds = list(FITS)
        kernel = self.kernel(z, alike, kinds[rng.choice(len(kinds), p=list(FITS.values()))])
        value, n = torch.from_numpy(episode.value), episode.given
        if rng.random() < CLASSES:
            better = torch.where(value > value.median(), 1.0, -1.0)
            said = self(kernel, better[:n]) * self.sharpness.exp()
            return binary_cross_entropy_with_logits(said, (better[n:] > 0).float())
        value = (value - value[:n].mean()) / value[:n].std().clamp(min=0.3)
        return VALUES * huber_loss(self(kernel, value[:n]), value[n:])


def standard(z: Tensor) -> Tensor:
    """z of a batch around its mean, in units of its mean deviation; both are taken as given."""
    fixed = z.detach()
    return (z - fixed.mean(dim=0)) / fixed.std(dim=0).mean().clamp(min=1e-3)


def tanimoto(molecules: Molecules, index: NDArray[np.int64]) -> Tensor:
    """(m, m) Tanimoto similarity of ECFP4."""
    bits = torch.from_numpy(np.unpackbits(molecules.ecfp4[index], axis=1).astype(np.float32))
    both, each = bits @ bits.T, bits.sum(dim=1)
    return both / (each[:, None] + each[None] - both).clamp(min=1)
