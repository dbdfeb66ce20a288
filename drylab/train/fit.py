"""The training loop: one encoder, one linear head a task, masked losses, a moving average of the weights."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, huber_loss
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from drylab.errors import InputError
from drylab.score.encoder import GineNetwork, GraphTensors
from drylab.train.batches import Entries, LabelStore, Molecules
from drylab.train.metrics import auroc, spearman

WEAK = 5.0  # a presumed inactive is punished only for a predicted pActivity above this


@dataclass(frozen=True, slots=True)
class FitRecipe:
    """Everything about the training that is not data."""

    epochs: int = 30
    batch: int = 256
    rate: float = 1.5e-3
    decay: float = 1e-2
    dropout: float = 0.1
    average: float = 0.998
    presumed: float = 0.3
    library: int = 8000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is trained on.

    train, valid (k,) int64 labelled molecules of the fold   library (k,) int64 unlabelled molecules of the train fold
    classes (t,) bool tasks with 0/1 labels   shipped (s,) int64 affinity tasks that become probes
    presumed (n, s) bool where an affinity is presumed weak
    """

    molecules: Molecules
    labels: LabelStore
    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    library: NDArray[np.int64]
    classes: NDArray[np.bool_]
    shipped: NDArray[np.int64]
    presumed: NDArray[np.bool_]


class Panel(nn.Module):
    """Encoder and heads; returns (n, t) normalised values, logits where the task is a class."""

    def __init__(self, encoder: GineNetwork, tasks: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.drop = nn.Dropout(dropout)
        self.heads = nn.Linear(encoder.mean.out_features, tasks)

    def forward(self, batch: GraphTensors) -> Tensor:
        out: Tensor = self.heads(self.drop(self.encoder(batch)))
        return out


def measured_loss(out: Tensor, entries: Entries, classes: Tensor) -> Tensor:
    """Weighted mean over the labels of a batch: Huber, one-sided for bounds, cross-entropy for classes."""
    predicted = out[entries.row, entries.task]
    predicted = torch.where(entries.bound, torch.maximum(predicted, entries.value), predicted)
    distance = huber_loss(predicted, entries.value, reduction="none")
    entropy = binary_cross_entropy_with_logits(predicted, entries.value.clamp(0, 1), reduction="none")
    loss = torch.where(classes[entries.task], entropy, distance)
    return (loss * entries.weight).sum() / entries.weight.sum().clamp(min=1e-6)


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
    """Holds the network, its moving average and the optimiser; ``run`` trains and returns the best average."""

    def __init__(self, corpus: Corpus, recipe: FitRecipe) -> None:
        torch.manual_seed(recipe.seed)
        self.corpus, self.recipe = corpus, recipe
        self.panel = Panel(GineNetwork(), len(corpus.classes), recipe.dropout)
        self.average = AveragedModel(self.panel, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)
        self.optimiser = torch.optim.AdamW(self.panel.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
        self.epoch, self.best = 0, -np.inf
        self.best_state: dict[str, Tensor] = {}
        self.classes = torch.from_numpy(corpus.classes)
        self.columns = torch.from_numpy(corpus.shipped)
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
            total += self._step(order[first : first + self.recipe.batch])
        return total / len(starts)

    def _step(self, index: NDArray[np.int64]) -> float:
        entries = self.corpus.labels.batch(index)
        mask = torch.from_numpy(self.corpus.presumed[index])
        out = self.panel(self.corpus.molecules.batch(index))
        loss = measured_loss(out, entries, self.classes)
        loss = loss + self.recipe.presumed * presumed_loss(out[:, self.columns], mask, self.ceiling)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.panel.parameters(), 1.0)
        self.optimiser.step()
        self.average.update_parameters(self.panel)
        return float(loss.detach())

    def _judge(self) -> tuple[float, str]:
        """Mean validation rank correlation of the shipped affinities and mean AUROC of the classes, averaged."""
        index = self.corpus.valid
        out = predict(self.average.module, self.corpus.molecules, index)
        entries = self.corpus.labels.batch(index)
        row, task, value = entries.row.numpy(), entries.task.numpy(), entries.value.numpy().astype(np.float64)
        groups = {"affinity": self.corpus.shipped, "tox": np.flatnonzero(self.corpus.classes)}
        means = {}
        for name, tasks in groups.items():
            metric = auroc if name == "tox" else spearman
            found = [metric(value[task == t], out[row[task == t], t]) for t in tasks if (task == t).sum() >= 5]
            usable = [x for x in found if np.isfinite(x)]
            means[name] = float(np.mean(usable)) if usable else 0.0
        line = f"valid spearman {means['affinity']:.3f} auroc {means['tox']:.3f}"
        return (means["affinity"] + means["tox"]) / 2, line

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
        for array in (corpus.labels.value, corpus.labels.task, corpus.molecules.x, corpus.train, corpus.valid):
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


def predict(panel: nn.Module, molecules: Molecules, index: NDArray[np.int64], batch: int = 512) -> NDArray[np.float64]:
    """What ``panel`` (or an encoder) says of these molecules, in evaluation mode: (k, columns) float64."""
    panel.eval()
    with torch.no_grad():
        parts = [panel(molecules.batch(index[i : i + batch])).numpy() for i in range(0, len(index), batch)]
    return np.concatenate(parts).astype(np.float64)
