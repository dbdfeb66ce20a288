"""The training loop: one encoder, a linear head a task, episodes, masked losses, a moving average of the weights.

A step has a batch of labelled molecules for the heads and some episodes (episodes.py), encoded together. Hundreds of tasks have few
labels, so that a head is a row of a table and only the labelled pairs of a batch are computed.
The products run in bfloat16 where a processor has it (the master weights, z and all sums stay in float32): 1.3 times as fast.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, huber_loss
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from drylab.errors import InputError
from drylab.score.encoder import GineNetwork
from drylab.train.batches import Entries, LabelStore, Molecules
from drylab.train.episodes import Episode, Episodes, Fit, standard, tanimoto
from drylab.train.metrics import auroc, spearman
from drylab.train.pretext import importance

WEAK = 5.0  # a presumed inactive is punished only for a predicted pActivity above this


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """Everything about the training that is not data.

    presumed, pretext, fitted  weights of their losses beside the measured one
    library  unlabelled molecules an epoch     episodes  of a step, weighted by ``fitted`` together
    """

    epochs: int = 8
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-2
    dropout: float = 0.1
    average: float = 0.998
    presumed: float = 0.3
    pretext: float = 0.5
    fitted: float = 1.0
    library: int = 30_000
    episodes: int = 4
    bfloat16: bool = True
    seed: int = 1


LAST = FitRecipe(epochs=30, rate=1e-3, library=10_000, episodes=1, fitted=0.3, pretext=0.2, seed=2)  # see corpus.last


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is trained on.

    train, valid (k,) int64 labelled molecules of the fold   library (k,) int64 unlabelled molecules of the train fold
    classes (t,) bool tasks with 0/1 labels   shipped (s,) int64 affinity tasks that become probes
    judged (j,) int64 tasks that choose the epoch     presumed (n, s) bool where an affinity is presumed weak
    pretext (n, p) float16 what each molecule says of itself     episodes  of training molecules
    """

    molecules: Molecules
    labels: LabelStore
    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    library: NDArray[np.int64]
    classes: NDArray[np.bool_]
    shipped: NDArray[np.int64]
    judged: NDArray[np.int64]
    presumed: NDArray[np.bool_]
    pretext: NDArray[np.float16]
    episodes: Episodes


class Panel(nn.Module):
    """Encoder and heads: normalised values, logits where the task is a class."""

    def __init__(self, encoder: GineNetwork, tasks: int, pretext: int, dropout: float) -> None:
        super().__init__()
        d = encoder.mean.out_features
        self.encoder = encoder
        self.drop = nn.Dropout(dropout)
        self.weight = nn.Parameter(0.02 * torch.randn(tasks, d))
        self.bias = nn.Parameter(torch.zeros(tasks))
        self.itself = nn.Linear(d, pretext)
        self.fit = Fit()

    def pairs(self, z: Tensor, row: Tensor, task: Tensor) -> Tensor:
        """(m,) the value of molecule row[i] for task[i]."""
        return (z[row] * self.weight[task]).sum(dim=1) + self.bias[task]

    def columns(self, z: Tensor, tasks: Tensor) -> Tensor:
        """(n, s) the values of all molecules for some tasks."""
        return z @ self.weight[tasks].T + self.bias[tasks]


def measured_loss(predicted: Tensor, entries: Entries, classes: Tensor, molecules: int) -> Tensor:
    """Weighted losses a molecule: Huber, one-sided for bounds, cross-entropy for classes."""
    value = entries.value
    inside = torch.where(entries.relation < 0, torch.maximum(predicted, value), predicted)
    inside = torch.where(entries.relation > 0, torch.minimum(predicted, value), inside)
    distance = huber_loss(inside, value, reduction="none")
    entropy = binary_cross_entropy_with_logits(predicted, value.clamp(0, 1), reduction="none")
    loss = torch.where(classes[entries.task], entropy, distance)
    return (loss * entries.weight).sum() / max(molecules, 1)


def presumed_loss(out: Tensor, mask: Tensor, ceiling: Tensor) -> Tensor:
    """Mean over presumed inactives of the squared excess over the ceiling (s,); zero for predictions below it.

    Squared, so that the rare odd molecule with an absurd prediction is felt among the many that are fine.
    """
    return (torch.relu(out - ceiling) ** 2 * mask).sum() / mask.sum().clamp(min=1)


def scheduled(rate: float, epochs: int, done: float) -> float:
    """The learning rate when ``done`` (0 to 1) of a training is done: warm over the first epoch, then a cosine to 1 %."""
    warm = min(1.0, done * epochs + 0.02)
    return float(rate * warm * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * done))))


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group of parameters this learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


class Trainer:
    """Holds the network, its moving average and the optimiser; ``run`` trains and returns the best average.

    start  a panel to go on from, instead of a random one
    """

    def __init__(self, corpus: Corpus, recipe: FitRecipe, start: Panel | None = None) -> None:
        torch.manual_seed(recipe.seed)
        self.corpus, self.recipe = corpus, recipe
        columns = corpus.pretext.shape[1]
        self.panel = Panel(GineNetwork(), len(corpus.classes), columns, recipe.dropout)
        if start is not None:
            self.panel.load_state_dict(start.state_dict())
        self.average = AveragedModel(self.panel, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)
        self.optimiser = torch.optim.AdamW(self.panel.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
        self.epoch, self.best = 0, -np.inf
        self.best_state: dict[str, Tensor] = {}
        self.classes = torch.from_numpy(corpus.classes)
        self.columns = torch.from_numpy(corpus.shipped)
        self.itself = torch.from_numpy(importance(columns))
        self.ceiling = torch.from_numpy(
            ((WEAK - corpus.labels.centre) / corpus.labels.scale)[corpus.shipped].astype(np.float32)
        )

    def run(self, log: Callable[[str], None] = print, checkpoint: Path | None = None) -> Panel:
        """Train to the last epoch, one line each; go on from ``checkpoint`` if it is there, and write it each epoch."""
        if checkpoint is not None and checkpoint.is_file():
            self._load(checkpoint)
        while self.epoch < self.recipe.epochs:
            start = time.perf_counter()
            loss = self._train_epoch()
            self.epoch += 1
            score, line = self._judge()
            if score > self.best:
                self.best = score
                self.best_state = {k: v.clone() for k, v in self.average.module.state_dict().items()}
            log(f"epoch {self.epoch}/{self.recipe.epochs} loss {loss:.4f} {line} {time.perf_counter() - start:.0f} s")
            if checkpoint is not None:
                self._save(checkpoint)
        self.panel.load_state_dict(self.best_state)
        return self.panel.eval()

    def _train_epoch(self) -> float:
        # The order depends on the seed and the epoch alone, so a resumed run sees what the whole run would have seen.
        rng = np.random.default_rng([self.recipe.seed, self.epoch])
        torch.manual_seed(self.recipe.seed * 1000 + self.epoch)
        extra = min(self.recipe.library, len(self.corpus.library))
        order = np.concatenate([self.corpus.train, rng.choice(self.corpus.library, extra, replace=False)])
        rng.shuffle(order)
        starts = range(0, max(len(order) - self.recipe.batch // 2, 1), self.recipe.batch)
        self.panel.train()
        total = 0.0
        for step, first in enumerate(starts):
            done = (self.epoch + step / len(starts)) / self.recipe.epochs
            set_rate(self.optimiser, scheduled(self.recipe.rate, self.recipe.epochs, done))
            total += self._step(order[first : first + self.recipe.batch], rng)
        return total / len(starts)

    def _step(self, index: NDArray[np.int64], rng: np.random.Generator) -> float:
        loss = self._loss(index, [self.corpus.episodes.draw(rng) for _ in range(self.recipe.episodes)], rng)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.panel.parameters(), 1.0)
        self.optimiser.step()
        self.average.update_parameters(self.panel)
        return float(loss.detach())

    def _loss(self, index: NDArray[np.int64], episodes: list[Episode], rng: np.random.Generator) -> Tensor:
        everything = np.concatenate([index, *(episode.mol for episode in episodes)])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.recipe.bfloat16):
            z = self.panel.encoder(self.corpus.molecules.batch(everything))
        z = z.float()
        loss = self._of_heads(self.panel.drop(z[: len(index)]), index)
        return loss + self.recipe.fitted * self._of_fits(standard(z), len(index), episodes, rng)

    def _of_heads(self, z: Tensor, index: NDArray[np.int64]) -> Tensor:
        corpus, panel = self.corpus, self.panel
        entries = corpus.labels.batch(index)
        labelled = int((np.diff(corpus.labels.ptr)[index] > 0).sum())
        loss = measured_loss(panel.pairs(z, entries.row, entries.task), entries, self.classes, labelled)
        mask = torch.from_numpy(corpus.presumed[index])
        loss = loss + self.recipe.presumed * presumed_loss(panel.columns(z, self.columns), mask, self.ceiling)
        wanted = torch.from_numpy(corpus.pretext[index].astype(np.float32))
        itself = huber_loss(panel.itself(z), wanted, reduction="none") * self.itself
        return loss + self.recipe.pretext * itself.mean()

    def _of_fits(self, z: Tensor, start: int, episodes: list[Episode], rng: np.random.Generator) -> Tensor:
        total = z.new_zeros(())
        for episode in episodes:
            stop = start + len(episode.mol)
            alike = tanimoto(self.corpus.molecules, episode.mol)
            total = total + self.panel.fit.loss(episode, z[start:stop], alike, rng) / len(episodes)
            start = stop
        return total

    def _judge(self) -> tuple[float, str]:
        """Mean validation rank correlation of the judged values and mean AUROC of the judged classes, averaged."""
        corpus, index = self.corpus, self.corpus.valid
        average = cast(Panel, self.average.module)
        z = torch.from_numpy(predict(average.encoder, corpus.molecules, index).astype(np.float32))
        entries = corpus.labels.batch(index)
        with torch.no_grad():
            said = average.pairs(z, entries.row, entries.task).numpy().astype(np.float64)
        task, value = entries.task.numpy(), entries.value.numpy().astype(np.float64)
        exact = entries.relation.numpy() == 0
        found: dict[bool, list[float]] = {False: [], True: []}
        for t in corpus.judged:
            mine = (task == t) & exact
            kind = bool(corpus.classes[t])
            if mine.sum() >= 5:
                found[kind].append((auroc if kind else spearman)(value[mine], said[mine]))
        means = {
            kind: float(np.nanmean(values)) if np.isfinite(values).any() else 0.0 for kind, values in found.items()
        }
        return (means[False] + means[True]) / 2, f"valid spearman {means[False]:.3f} auroc {means[True]:.3f}"

    def _save(self, path: Path) -> None:
        state = {
            "recipe": asdict(self.recipe),
            "data": self._data(),
            "panel": self.panel.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "epoch": self.epoch,
            "best": float(self.best),
            "best_state": self.best_state,
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def _data(self) -> str:
        """SHA-256 of the labels, the graphs and the split."""
        corpus, found = self.corpus, hashlib.sha256()
        parts = (
            corpus.labels.value,
            corpus.labels.task,
            corpus.molecules.x,
            corpus.train,
            corpus.valid,
            corpus.pretext,
        )
        for array in parts:
            found.update(array.tobytes())
        return found.hexdigest()

    def _load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        for name, mine in (("recipe", asdict(self.recipe)), ("data", self._data())):
            if state[name] != mine:
                raise InputError(
                    f"{path}: is of another {name} ({state[name]}); delete it, or give what it was begun with"
                )
        self.panel.load_state_dict(state["panel"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.epoch, self.best, self.best_state = state["epoch"], state["best"], state["best_state"]


def predict(
    encoder: nn.Module, molecules: Molecules, index: NDArray[np.int64], batch: int = 512
) -> NDArray[np.float64]:
    """What an encoder makes of these molecules, in evaluation mode: (k, d) float64."""
    encoder.eval()
    with torch.no_grad():
        parts = [encoder(molecules.batch(index[i : i + batch])).numpy() for i in range(0, len(index), batch)]
    return np.concatenate(parts).astype(np.float64)
