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
from drylab.score.support import load_support, refine
from drylab.score.support import look as support_look
from drylab.train.metrics import rmse, spearman
from drylab.train.suites import ours
from drylab.train.suites.baselines import BASELINES, Problem
from drylab.train.suites.intervals import Judged, details, judge, pool, rows
from drylab.train.suites.molecules import Molecules, flat, look
from drylab.train.suites.nulls import drug_mean_probe, null_guesses
from drylab.train.suites.table import Budget, Suite

Array = NDArray[np.float64]
NAME = "affinity"
METRICS = {"Spearman": spearman, "RMSE": rmse}
LEAST_TRAIN, LEAST_TEST = 16, 20
AGAINST = ("RF-ECFP4", "5-NN")
SHIPPED, SHIPPED_PROBE = "drylab predict, as shipped", "probe of the fold, as shipped"
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
        f"{SHIPPED!r} and {SHIPPED_PROBE!r} are the weights that ship, nothing fitted here: their training has the same early years less "
        "the scaffolds that are held out, and FS-Mol's assays of the same targets, always without the molecules tested. "
        "All others are fitted to the early years of the table. "
        "The encoder has seen the early years' values, so that a fit to them here takes z for better than it is on later ones.",
        "Goal: better than RF-ECFP4 fitted per target and than 5-NN, the interval of each paired difference beyond 0.",
    ]
    against = AGAINST if budget.ours else ()
    shown = rows(title, pooled, (ours.OURS, SHIPPED), against)
    return Suite(NAME, tuple(shown), tuple(notes), "Affinity, later years", tuple(details(tasks, ours.ALL)))


def judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> list[Judged]:
    """Every target's figures, made once in a process."""
    found: list[Judged] = ours.once(NAME, data, model, budget, lambda: _judged(data, model, budget, log))
    return found


def _judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> list[Judged]:
    smiles, targets = read(data, budget)
    shipped = _shipped(model)
    targets = [target for target in targets if target.name in shipped] or targets
    log(f"{NAME}: {len(targets)} targets, {len(smiles):,} molecules")
    seen, known, drug_mean = look(smiles), features(model, smiles), drug_mean_probe(data, model)
    support = load_support(model)
    looked = support_look(known.z, flat(smiles))
    found = []
    for number, target in enumerate(targets):
        guesses = _baselines(target, seen, budget)
        train, test = known.take(target.train), known.take(target.test)
        if budget.ours:
            guesses |= null_guesses(train.z, target.y, test.z, drug_mean, budget.seed)
            guesses |= ours.guesses(train, target.y, test, model.domain)
            row = shipped.get(target.name)
            if row is not None and support is not None:
                name = model.probes.probes[row].name
                guesses[SHIPPED] = refine(support, name, looked.take(target.test)).mean
                guesses[SHIPPED_PROBE] = test.z @ model.probes.weights[row] + model.probes.bias[row]
        found.append(judge(target.name, target.truth, guesses, METRICS, budget.seed + number))
        if number % 50 == 49:
            log(f"{NAME}: {number + 1} targets done")
    return found


def _shipped(model: Model) -> dict[str, int]:
    """ChEMBL target -> row of the model's bank, of the targets that have support: the panel's well-measured ones."""
    support = load_support(model)
    names = () if support is None else support.names
    return {
        alias: row
        for row, probe in enumerate(model.probes.probes)
        if probe.kind == "affinity" and probe.name in names
        for alias in probe.aliases
    }


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
