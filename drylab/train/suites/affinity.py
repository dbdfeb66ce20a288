"""Affinity a few years on: each target fitted to what was measured first, judged on what came later.

chembl22: train on the subsets 5thresh_train and 5thresh_valid, test on sparse_valid (later years, no compound in common);
targets with LEAST_TRAIN measured molecules before and LEAST_TEST after. Replicates are their median.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.score.learning import features
from drylab.score.model import Model
from drylab.score.support import Looked, Support, load_support
from drylab.score.support import look as support_look
from drylab.train.metrics import rmse, spearman
from drylab.train.suites import ours
from drylab.train.suites.baselines import BASELINES, Problem
from drylab.train.suites.goals import beats, row_of
from drylab.train.suites.intervals import Judged, details, judge, pool, rows
from drylab.train.suites.molecules import Molecules, flat, look
from drylab.train.suites.nulls import drug_mean_probe, null_guesses
from drylab.train.suites.table import Budget, Suite
from drylab.train.support import Share, fit, guess

Array = NDArray[np.float64]
NAME = "affinity"
METRICS = {"Spearman": spearman, "RMSE": rmse}
LEAST_TRAIN, LEAST_TEST = 16, 20
AGAINST = ("RF-ECFP4", "5-NN")
SUPPORT = "drylab: as predict asks a panel target"
WITHOUT = ("SVM-ECFP4",)  # minutes for two hundred targets, and no goal is set against it


@dataclass(frozen=True, slots=True)
class Target:
    """Rows of one target: numbers of molecules and their values, before and after."""

    name: str
    train: NDArray[np.int64]
    y: Array
    test: NDArray[np.int64]
    truth: Array


def run(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> Suite:
    """The suite's table. Raises InputError where the file is not there."""
    tasks = judged(data, model, budget, log)
    pooled = pool(tasks, budget)
    title = f"mean of {len(tasks)} targets"
    notes = [
        "chembl22, trained on earlier years (5thresh_*), tested on later ones (sparse_valid): "
        f"{len(tasks)} targets with at least {LEAST_TRAIN} molecules before and {LEAST_TEST} after, "
        f"{sum(task.n for task in tasks):,} test values, all metrics per target and then averaged. "
        "Spearman of a constant is not defined and left out. Targets are the panel's that have support.",
        f"{SUPPORT!r}: the process of a target's support, with the share of z that the shipped support has (chosen on scaffolds of earlier "
        "years that the encoder did not see). What ships is fitted to later years too, so that it cannot be judged by them. "
        "All methods are fitted to the early years of the table. The encoder has seen most of the early years' values, so that the fit "
        f"of a chemist's own data, {ours.OURS!r}, takes z for better than it is on later ones.",
    ]
    against = AGAINST if budget.ours else ()
    shown = rows(title, pooled, (ours.OURS, SUPPORT), against)
    if budget.ours and SUPPORT in pooled.methods:
        best = row_of(shown, title, SUPPORT)
        notes += [beats(best, metric, other) for other in AGAINST for metric in METRICS]
    return Suite(NAME, tuple(shown), tuple(notes), "Affinity, later years", tuple(details(tasks, ours.ALL)))


def judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> list[Judged]:
    """Every target's figures, made once in a process."""
    found: list[Judged] = ours.once(NAME, data, model, budget, lambda: _judged(data, model, budget, log))
    return found


def _judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> list[Judged]:
    smiles, targets = read(data, budget)
    support = load_support(model)
    targets = [target for target in targets if target.name in _supported(model, support)] or targets
    log(f"{NAME}: {len(targets)} targets, {len(smiles):,} molecules")
    seen, known, drug_mean = look(smiles), features(model, smiles), drug_mean_probe(data, model)
    looked = support_look(known.z, flat(smiles))
    found = []
    for number, target in enumerate(targets):
        guesses = _baselines(target, seen, budget)
        train, test = known.take(target.train), known.take(target.test)
        if budget.ours:
            guesses |= null_guesses(train.z, target.y, test.z, drug_mean, budget.seed)
            guesses |= ours.guesses(train, target.y, test, model.domain)
        if budget.ours and support is not None:
            guesses[SUPPORT] = _by_support(looked.take(target.train), target.y, looked.take(target.test), support)
        found.append(judge(target.name, target.truth, guesses, METRICS, budget.seed + number))
        if number % 50 == 49:
            log(f"{NAME}: {number + 1} targets done")
    return found


def _supported(model: Model, support: Support | None) -> frozenset[str]:
    """The ChEMBL targets that have support: the panel's well-measured ones."""
    names = () if support is None else support.names
    return frozenset(alias for probe in model.probes.probes if probe.name in names for alias in probe.aliases)


def _by_support(own: Looked, y: Array, test: Looked, support: Support) -> Array:
    """What the target's process would say had its support been fitted to these molecules."""
    share = Share(support.mix, support.looser)
    return guess(fit(own, (y, np.zeros(len(y), np.int8)), share), own, test, share)


def _baselines(target: Target, seen: Molecules, budget: Budget) -> dict[str, Array]:
    problem = Problem(seen.take(target.train), target.y, seen.take(target.test), seed=budget.seed, trees=budget.trees)
    return {name: baseline(problem) for name, baseline in BASELINES.items() if name not in WITHOUT}


def read(data: Path, budget: Budget) -> tuple[list[str], list[Target]]:
    """Distinct SMILES, and the targets that have enough values, by number of the molecule."""
    path = data / "affinity/chembl22.csv.gz"
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the folder of the training data with --data")
    table = pd.read_csv(path)
    table["late"] = table["subset"] == "sparse_valid"
    table = table.groupby(["target_chembl_id", "late", "smiles"])["pactivity"].median().reset_index()
    counts = table.groupby(["target_chembl_id", "late"]).size().unstack(fill_value=0)
    chosen = counts.index[(counts[True] >= LEAST_TEST) & (counts[False] >= LEAST_TRAIN)]
    chosen = chosen[:: max(1, len(chosen) // budget.tasks)][: budget.tasks] if budget.tasks else chosen
    if not len(chosen):
        raise InputError(
            f"{path}: no target has {LEAST_TRAIN} values before and {LEAST_TEST} after; give the whole file"
        )
    table = table[table["target_chembl_id"].isin(chosen)]
    smiles = sorted(set(table["smiles"]))
    table["row"] = table["smiles"].map({text: number for number, text in enumerate(smiles)})
    return smiles, [_target(str(name), group) for name, group in table.groupby("target_chembl_id", sort=True)]


def _target(name: str, group: pd.DataFrame) -> Target:
    early, late = group[~group["late"]], group[group["late"]]
    numbers = [part["row"].to_numpy(np.int64) for part in (early, late)]
    values = [part["pactivity"].to_numpy(np.float64) for part in (early, late)]
    return Target(name, numbers[0], values[0], numbers[1], values[1])
