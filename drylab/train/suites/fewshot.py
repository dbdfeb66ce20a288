"""FS-Mol: how much a handful of labels is worth, on assays that no training has seen.

A support set of 16 to 128 molecules is drawn with the assay's share of actives, DRAWS times; the rest of the assay is
ranked (Stanley 2021, FS-Mol, https://openreview.net/forum?id=701FtuyLlAd). The metric is AUPRC less the prevalence.

Ours is the process of ``drylab fit`` on labels 0 and 1, with nothing but the shipped model, which has seen none of the
molecules. The paper's methods were trained on FS-Mol's training assays, which measured half of them on other targets:
what that alone is worth is a row of its own (assay_profiles), its weights chosen on 40 training assays left out in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.score import gaussian, ridge
from drylab.score.learning import KERNELS, features, matrices
from drylab.score.model import Model
from drylab.train.metrics import dauprc
from drylab.train.suites import ours
from drylab.train.suites.assay_profiles import Profiles, profiles
from drylab.train.suites.baselines import BASELINES, Problem
from drylab.train.suites.goals import reaches
from drylab.train.suites.intervals import Judged, details, pool, repeated, rows
from drylab.train.suites.molecules import look
from drylab.train.suites.nulls import drug_mean_probe, null_guesses
from drylab.train.suites.table import Budget, Figure, Row, Suite

Array = NDArray[np.float64]
Pair = tuple[NDArray[np.int64], NDArray[np.int64]]
NAME = "fewshot"
SIZES, DRAWS, LEFT = (16, 32, 64, 128), 10, 16  # LEFT: molecules to rank below which an assay is not asked
TRAINED = "drylab, knowing FS-Mol's training assays"
# Of those: scales of kernels and noise, in variances of the label, and how much of a molecule's mean activity is believed.
SCALES, NOISE, TRUST = {"sharp": 0.5, "near": 0.5, "profile": 1.0}, 0.3, 0.5
GOALS = {16: 0.18, 64: 0.26}
RANKING = ("random", "MW", "MW + logP", "1-NN", "5-NN", "RF-ECFP4")
# Means over the benchmark's 157 test assays, recomputed from its repository; other assays than these.
PAPER = {"RF-ECFP": (0.097, 0.130, 0.168, 0.215), "ProtoNet (GNN + ECFP)": (0.212, 0.249, 0.278, 0.310)}


@dataclass(frozen=True, slots=True)
class Assay:
    """Everything known of one assay's n molecules.

    label (n,) 0 or 1     kernels  name -> (n, n), of KERNELS and "profile"     z (n, d)
    mean (n,) how active in FS-Mol's training assays
    """

    label: Array
    kernels: dict[str, Array]
    z: Array
    mean: Array


def run(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> Suite:
    """The suite's table. Raises InputError where a file is not there."""
    shown, every = [], []
    for size, tasks in judged(data, model, budget, log).items():
        pooled, title = pool(tasks, budget), f"{size} labels"
        shown += rows(title, pooled, (ours.OURS,), ("RF-ECFP4",) if budget.ours else ())
        shown += [
            Row(title, f"paper, other assays: {who}", {"dAUPRC": Figure(v[SIZES.index(size)])})
            for who, v in PAPER.items()
        ]
        every += details(tasks, ours.ALL)
    notes = [
        f"FS-Mol validation assays, {DRAWS} support sets a size with the assay's share of actives (fixed seeds), the rest "
        f"ranked, at least {LEFT} molecules; n counts assays. dAUPRC is AUPRC less the prevalence: 0 is chance.",
        f"{ours.OURS!r}: the shipped model, from whose training every molecule here was kept out. {TRAINED!r}: also the labels that "
        "FS-Mol's training assays have for the same molecules, as the paper's trained methods had; this does not ship.",
    ]
    for size, goal in GOALS.items():
        notes += [
            reaches(row, "dAUPRC", goal) for row in shown if (row.task, row.method) == (f"{size} labels", ours.OURS)
        ]
    return Suite(NAME, tuple(shown), tuple(notes), "A few labels: FS-Mol", tuple(every))


def judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> dict[int, list[Judged]]:
    """Size of the support set -> every assay's figures, made once in a process."""
    found: dict[int, list[Judged]] = ours.once(NAME, data, model, budget, lambda: _judged(data, model, budget, log))
    return found


def _judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> dict[int, list[Judged]]:
    table = _read(data / "affinity/fsmol_valid.csv.gz")
    groups = list(table.groupby("assay_chembl_id", sort=True))[: budget.tasks]
    trained = profiles(_read(data / "affinity/fsmol_train.csv.gz"), table["smiles"]) if budget.ours else None
    drug_mean = drug_mean_probe(data, model) if budget.ours else None
    found: dict[int, list[Judged]] = {}
    for number, (name, group) in enumerate(groups):
        seen = look([str(text) for text in group["smiles"]])
        label = group["active"].to_numpy(np.float64)
        assay = None if trained is None else _assay(group, label, model, trained)
        for size in SIZES:
            values: list[dict[str, float]] = []
            for draw, (support, query) in enumerate(supports(label, size, budget.seed + number)):
                problem = Problem(
                    seen.take(support), label[support], seen.take(query), True, budget.seed + draw, budget.trees
                )
                guesses = {who: BASELINES[who](problem) for who in RANKING}
                if assay is not None and drug_mean is not None:
                    z, y = assay.z, label[support]
                    guesses |= null_guesses(z[support], y, z[query], drug_mean, budget.seed + draw)
                    guesses |= _ours(assay, support, query)
                values.append({who: float(dauprc(label[query], guess)) for who, guess in guesses.items()})
            if values:
                block = np.array([[[row[who] for row in values]] for who in values[0]])
                task = repeated(f"{name}, {size} labels", tuple(values[0]), ("dAUPRC",), block, budget.seed)
                found.setdefault(size, []).append(task)
        log(f"{NAME}: {name}, {len(label):,} molecules")
    return found


def supports(label: Array, size: int, seed: int) -> Iterator[Pair]:
    """DRAWS of (support, query): rows drawn with the assay's share of actives, and all others; none if too few are left."""
    if len(label) - size < LEFT:
        return
    actives, others = np.flatnonzero(label > 0.5), np.flatnonzero(label < 0.5)
    wanted = int(np.clip(round(size * len(actives) / len(label)), 1, size - 1))
    rng = np.random.default_rng([seed, size])
    for _ in range(DRAWS):
        support = np.concatenate([rng.permutation(actives)[:wanted], rng.permutation(others)[: size - wanted]])
        yield support, np.setdiff1d(np.arange(len(label)), support)


def _assay(group: pd.DataFrame, label: Array, model: Model, trained: Profiles) -> Assay:
    smiles = [str(text) for text in group["smiles"]]
    known = features(model, smiles)
    kernels = dict(zip(KERNELS, matrices(known, known, model.domain, KERNELS), strict=True))
    alike, mean = trained.of(smiles)
    return Assay(label, kernels | {"profile": alike}, known.z, mean)


def _ours(assay: Assay, support: NDArray[np.int64], query: NDArray[np.int64]) -> dict[str, Array]:
    """(m,) scores by the product's process, its branches alone, its probe, and by what the training assays know besides."""
    inside, across = np.ix_(support, support), np.ix_(query, support)
    label = assay.label[support]
    branches = {ours.OURS: KERNELS, **ours.BRANCHES}
    found = {ours.PROBE: ridge.fit(assay.z[support], label).mean(assay.z[query])}
    for branch, names in branches.items():
        fit = gaussian.fit([assay.kernels[name][inside] for name in names], label)
        found[branch] = fit.predict([assay.kernels[name][across] for name in names])[0]
    prior, theta = TRUST * assay.mean, np.log([*SCALES.values(), NOISE])
    rest = 2 * label - 1 - prior[support]
    fit = gaussian.solve([assay.kernels[name][inside] for name in SCALES], rest, np.ones(len(support)), theta)
    return found | {TRAINED: prior[query] + fit.predict([assay.kernels[name][across] for name in SCALES])[0]}


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the folder of the training data with --data")
    return pd.read_csv(path, usecols=["assay_chembl_id", "smiles", "active"])
