"""Every affinity probe judged on test scaffolds, beside its baselines, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.train.baselines import forest, neighbours
from drylab.train.corpus import Prepared
from drylab.train.metrics import CLASSES, REGRESSION, bootstrap, ece, interval, mean_interval
from drylab.train.probes import Heads, TaskRows, rows_of, sigmoid
from drylab.train.split import TEST, TRAIN

Array = NDArray[np.float64]
FEWEST = 20  # test molecules below which a figure says nothing and none is given


@dataclass(frozen=True, slots=True)
class Judged:
    """Figures of one task, and the bootstrap draws of its headline metric for the model and the forest."""

    figures: dict[str, float]
    draws: Array
    forest_draws: Array


def judge(prepared: Prepared, z: Array, heads: Heads, task: int) -> Judged:
    """Held-out figures of one task: n, metrics, the same for 1-NN, 5-NN and a random forest, and an interval."""
    classes = prepared.labels.tasks[task].kind == "class"
    train, test = rows_of(prepared, task, TRAIN), rows_of(prepared, task, TEST).exact()
    figures = {"n_train": float(len(train.mol)), "n_test": float(len(test.mol))}
    if len(test.mol) < FEWEST or (classes and len(set(test.value)) < 2):
        return Judged(figures, np.empty(0), np.empty(0))
    value = heads.value(z[test.mol], task)
    mine = sigmoid(value) if classes else value
    others = baselines(prepared, train, test, classes)
    metrics = CLASSES if classes else REGRESSION
    for name, metric in metrics.items():
        figures[name] = metric(test.value, mine)
        figures |= {f"{name}_{who}": metric(test.value, guess) for who, guess in others.items()}
    if classes:
        figures |= {"prevalence": float(test.value.mean()), "ece": ece(test.value, mine)}
    headline, metric = next(iter(metrics.items()))
    draws = bootstrap(metric, test.value, mine)
    figures[f"{headline}_low"], figures[f"{headline}_high"] = interval(draws)
    kept = {name: number for name, number in figures.items() if np.isfinite(number)}
    return Judged(kept, draws, bootstrap(metric, test.value, others["rf"]))


def baselines(prepared: Prepared, train: TaskRows, test: TaskRows, classes: bool) -> dict[str, Array]:
    """Predictions for the test molecules: "1nn", "5nn" and "rf"."""
    bits = prepared.corpus.molecules.ecfp4
    a, b = bits[train.mol], bits[test.mol]
    return {
        "1nn": neighbours(a, train.value, b, 1),
        "5nn": neighbours(a, train.value, b, 5),
        "rf": forest(a, train.value, b, classes),
    }


def summary(judged: Mapping[int, Judged], metric: str = "spearman") -> dict[str, float]:
    """Means over the targets, of model and baselines, with intervals over tasks."""
    found = [one for one in judged.values() if metric in one.figures]
    if not found:
        return {}
    row = {"tasks": float(len(found)), "model": float(np.mean([one.figures[metric] for one in found]))}
    row["low"], row["high"] = mean_interval([one.draws for one in found])
    for who in ("1nn", "5nn", "rf"):
        guesses = [one.figures[f"{metric}_{who}"] for one in found if f"{metric}_{who}" in one.figures]
        row[who] = float(np.mean(guesses)) if guesses else 0.0
    row["rf_low"], row["rf_high"] = mean_interval([one.forest_draws for one in found])
    row["model_beats_rf"] = float(sum(one.figures[metric] > one.figures.get(f"{metric}_rf", 0.0) for one in found))
    return row
