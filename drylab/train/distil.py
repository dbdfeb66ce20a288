"""Distillation: a small GINE learns its teacher's embedding, so that every probe of the teacher fits it.

It starts from the teacher cut down (pruned.py), without batch norm, which the teacher's weights have in them. The loss is over what a probe sees: the teacher's probe values (before the logistic) and, with less weight, every
number of z, all in standard deviations. Errors count for more where the teacher's value is high, since a cascade only
asks who is among the best. Hinton 2015 (distillation, https://arxiv.org/abs/1503.02531).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from drylab.errors import InputError
from drylab.score.encoder import GineNetwork, fold, unfold
from drylab.score.model import EncoderWeights
from drylab.train.batches import Molecules
from drylab.train.export import as_stored
from drylab.train.fit import scheduled, set_rate

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StudentRecipe:
    """Everything about a distillation that is not data.

    width, layers  of the network     whole  weight of z beside the probes     tail  extra weight a standard deviation
    above the first     rest as in FitRecipe
    """

    width: int = 128
    layers: int = 3
    epochs: int = 3
    batch: int = 512
    rate: float = 1e-3
    decay: float = 1e-4
    average: float = 0.998
    whole: float = 0.2
    tail: float = 1.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a student learns from: n molecules, the teacher's z (n, d) float32, and the weights (t, d) of its probes."""

    molecules: Molecules
    z: NDArray[np.float32]
    weight: Array


class Scales:
    """Centre and spread of a lesson: z (d,) and probe values (t,), float32 tensors."""

    def __init__(self, lesson: Lesson) -> None:
        z = lesson.z.astype(np.float64)
        values = z @ lesson.weight.T
        self.z_mean, self.z_spread = z.mean(axis=0), z.std(axis=0) + 1e-6
        self.centre, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
        # From an error of z in its own spread to errors of the probes in theirs, and to where the teacher stands.
        self.to_probes = _tensor((lesson.weight * self.z_spread / spread[:, None]).T)
        self.offset = _tensor((self.z_mean @ lesson.weight.T - self.centre) / spread)

    def standard(self, z: NDArray[np.float32]) -> Tensor:
        """z in standard deviations."""
        return _tensor((z - self.z_mean) / self.z_spread)

    def rescaled(self, weights: EncoderWeights) -> EncoderWeights:
        """Weights of a network that gives z -> of one that gives z in standard deviations."""
        return replace(
            weights,
            r_mean=weights.r_mean / self.z_spread,
            r_sum=weights.r_sum / self.z_spread,
            c=(weights.c - self.z_mean) / self.z_spread,
        )

    def unscaled(self, weights: EncoderWeights) -> EncoderWeights:
        """The way back."""
        return replace(
            weights,
            r_mean=weights.r_mean * self.z_spread,
            r_sum=weights.r_sum * self.z_spread,
            c=weights.c * self.z_spread + self.z_mean,
        )


def _tensor(values: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def lesson_loss(out: Tensor, truth: Tensor, scales: Scales, recipe: StudentRecipe) -> Tensor:
    """Mean squared error of the probes, more for high values of the teacher, and of z; (n, d) in standard deviations."""
    error = out - truth
    seen = error @ scales.to_probes
    value = truth @ scales.to_probes + scales.offset
    weight = 1.0 + recipe.tail * torch.relu(value - 1.0).clamp(max=4.0)
    return (weight * seen**2).mean() + recipe.whole * (error**2).mean()


class StudentTrainer:
    """The network, its moving average and the optimiser; ``run`` trains to the last epoch and returns the average.

    start  the weights to begin with
    """

    def __init__(self, lesson: Lesson, start: EncoderWeights, recipe: StudentRecipe) -> None:
        torch.manual_seed(recipe.seed)
        self.lesson, self.recipe, self.scales = lesson, recipe, Scales(lesson)
        # In evaluation mode throughout: a batch norm that does nothing is to go on doing nothing.
        self.network = unfold(self.scales.rescaled(start)).float().eval()
        for norm in (part for part in self.network.modules() if isinstance(part, nn.BatchNorm1d)):
            norm.requires_grad_(False)
        average = get_ema_multi_avg_fn(recipe.average)
        self.average = AveragedModel(self.network, multi_avg_fn=average)
        learned = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(learned, lr=recipe.rate, weight_decay=recipe.decay)
        self.epoch = 0

    def run(self, log: Callable[[str], None] = print, checkpoint: Path | None = None) -> EncoderWeights:
        """Train, one line an epoch; go on from ``checkpoint`` if it is there, and write it each epoch."""
        if checkpoint is not None and checkpoint.is_file():
            self._load(checkpoint)
        while self.epoch < self.recipe.epochs:
            start = time.perf_counter()
            loss = self._train_epoch()
            self.epoch += 1
            log(f"epoch {self.epoch}/{self.recipe.epochs} loss {loss:.4f} {time.perf_counter() - start:.0f} s")
            if checkpoint is not None:
                self._save(checkpoint)
        return as_stored(self.scales.unscaled(fold(cast(GineNetwork, self.average.module))))

    def _train_epoch(self) -> float:
        # The order depends on the seed and the epoch alone, so a resumed run sees what the whole run would have seen.
        order = np.random.default_rng([self.recipe.seed, self.epoch]).permutation(len(self.lesson.molecules))
        starts = range(0, max(len(order) - self.recipe.batch // 2, 1), self.recipe.batch)
        total = 0.0
        for step, first in enumerate(starts):
            done = (self.epoch + step / len(starts)) / self.recipe.epochs
            set_rate(self.optimiser, scheduled(self.recipe.rate, self.recipe.epochs, done))
            total += self._step(order[first : first + self.recipe.batch])
        return total / len(starts)

    def _step(self, index: NDArray[np.int64]) -> float:
        truth = self.scales.standard(self.lesson.z[index])
        loss = lesson_loss(self.network(self.lesson.molecules.batch(index)), truth, self.scales, self.recipe)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        return float(loss.detach())

    def _save(self, path: Path) -> None:
        state = {
            "recipe": asdict(self.recipe),
            "data": self._data(),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "epoch": self.epoch,
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def _data(self) -> str:
        """SHA-256 of the molecules and of what the teacher says of them."""
        found = hashlib.sha256()
        for array in (self.lesson.molecules.x, self.lesson.z, self.lesson.weight):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()

    def _load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        for name, mine in (("recipe", asdict(self.recipe)), ("data", self._data())):
            if state[name] != mine:
                raise InputError(
                    f"{path}: is of another {name} ({state[name]}); delete it, or give what it was begun with"
                )
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.epoch = state["epoch"]
