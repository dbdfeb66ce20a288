"""The toxicity panel on test scaffolds: how well it ranks, whether its probabilities and sets hold, and its baselines.

Scaffolds are split over the union of all toxicity files, so that no test molecule has a relative in any file's training
part. Baselines are trained on the same TRAIN molecules. The two branches alone are the ablation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.score import conformal
from drylab.score.endpoint_table import ENDPOINTS
from drylab.score.endpoints import COUNTS_ALONE, NEAR_ALONE, WHOLE, Z_ALONE, Endpoints, Predicted, load_endpoints, said
from drylab.score.endpoints import judged as predicted
from drylab.score.model import Model
from drylab.score.similarity import Sparse, named
from drylab.train import metrics
from drylab.train.heads import Task
from drylab.train.keepout import BENCHMARKS, DEMO, demo_skeletons, origins
from drylab.train.panel import TOX21
from drylab.train.split import TEST, TRAIN
from drylab.train.suites.intervals import Judged, judge, pool, rows
from drylab.train.suites.table import Budget, Figure, Row, Suite
from drylab.train.suites.toxicity_baselines import SIMPLE, simple
from drylab.train.suites.toxicity_goals import goals
from drylab.train.toxicity import Prepared, prepare
from drylab.train.toxicity_labels import BESIDE, read_tox_labels

NAME = "toxicity"
Array = NDArray[np.float64]
OURS = "drylab"
BRANCHES = {OURS: WHOLE, "z alone": Z_ALONE, "counts alone": COUNTS_ALONE, "neighbours alone": NEAR_ALONE}
FOREST = "RF-ECFP4"
OUTSIDE = {"herg": "hERG block, TDC's file", "dili_gold": "liver injury, DILIst"}


@dataclass(frozen=True, slots=True)
class Ground:
    """What all endpoints share: molecules, fingerprints, budget.

    predicted  branch -> predictions of the test molecules     row (n,) which of them a molecule is, -1 for the others
    """

    prepared: Prepared
    prints: Sparse
    endpoints: Endpoints | None
    predicted: Mapping[str, Predicted]
    row: NDArray[np.int64]
    budget: Budget


def run(data: Path, model: Model, budget: Budget, log: Callable[[str], Any] = print) -> Suite:
    """Every endpoint on its test scaffolds. Raises InputError for a missing file, ModelError without a panel."""
    ground = _ground(data, model, budget)
    tasks = ground.prepared.labels.tasks
    names = list(tasks) if budget.tasks is None else list(tasks)[:: max(1, len(tasks) // budget.tasks)]
    judged: dict[str, Judged] = {}
    shown: list[Row] = []
    for name in names:
        judged[name] = _judged(ground, name, tasks[name], name)
        found = rows(name, pool([judged[name]], budget), [OURS], [FOREST])
        shown += _with_sets(found, ground, name, tasks[name])
        log(f"{name}: {judged[name].n} test molecules")
    for file, name in BESIDE.items() if budget.tasks is None else ():
        outside = ground.prepared.labels.beside[file]
        judged[file] = _judged(ground, name, outside, OUTSIDE[file])
        shown += rows(OUTSIDE[file], pool([judged[file]], budget), [OURS], [FOREST])
    assays = [judged[name] for name in names if name in TOX21]
    mean = rows("Tox21, mean", pool(assays, budget), [OURS], [FOREST]) if assays else []
    notes = (_protocol(ground), *goals([*mean, *shown], OURS, FOREST)) if budget.ours else (_protocol(ground),)
    return Suite(NAME, (*mean, *shown), notes, title="Toxicity and ADME on held-out scaffolds")


def _ground(data: Path, model: Model, budget: Budget) -> Ground:
    demo = Path(str(resources.files("drylab"))) / "library" / "data" / "drugs.csv"
    kept_for = {DEMO: demo_skeletons(demo)} | origins(data, BENCHMARKS, budget.cache)
    prepared = prepare(model, read_tox_labels(data, kept_for, budget.cache))
    prints = named(prepared.labels.parents, ("ecfp4",))["ecfp4"]
    test = np.flatnonzero((prepared.labels.fold == TEST) & prepared.ok)
    row = np.full(len(prepared.ok), -1)
    row[test] = np.arange(len(test))
    if not budget.ours:
        return Ground(prepared, prints, None, {}, row, budget)
    endpoints, described = load_endpoints(model), prepared.described.take(test)
    branches = said(endpoints.tensors, prepared.z[test], described)
    found = {name: predicted(endpoints, branches, described.ok, branch) for name, branch in BRANCHES.items()}
    return Ground(prepared, prints, endpoints, found, row, budget)


def _folds(ground: Ground, name: str, judging: Task) -> tuple[Task, Task]:
    """What trains the baselines, and what judges all: measured values alone."""
    labels, ok = ground.prepared.labels, ground.prepared.ok
    return labels.of(labels.tasks[name], TRAIN, ok).measured(), labels.of(judging, TEST, ok).measured()


def _judged(ground: Ground, name: str, judging: Task, title: str) -> Judged:
    fitting, test = _folds(ground, name, judging)
    classes = ENDPOINTS[name].kind == "class"
    values: dict[str, Array] = {}
    if ground.endpoints is not None:
        column = ground.endpoints.names().index(name)
        there = column in ground.endpoints.tensors["near.endpoint"]
        for method, one in ground.predicted.items():
            if there or BRANCHES[method] != NEAR_ALONE:
                values[method] = one.value[ground.row[test.mol], column]
    for method in SIMPLE:
        values[method] = simple(
            method, ground.prepared.described.descriptors, ground.prints, fitting, test, ground.budget
        )
    return judge(title, test.value, values, CLASS_METRICS if classes else VALUE_METRICS, ground.budget.seed)


def _brier(truth: Array, probability: Array) -> Any:
    return metrics.mse(truth, probability)


def _ece(truth: Array, probability: Array) -> Any:
    if truth.ndim == 1:
        return metrics.ece(truth, np.clip(probability, 0.0, 1.0))
    pairs = zip(truth, np.clip(probability, 0.0, 1.0), strict=True)
    return np.array([metrics.ece(one, other) for one, other in pairs])


def _ece_by_chance(probability: Array, seed: int, draws: int = 200) -> Figure:
    """ECE of labels drawn by these very probabilities: what the best of calibrations has on so few molecules."""
    truth = (np.random.default_rng(seed).random((draws, len(probability))) < probability).astype(np.float64)
    found = _ece(truth, np.broadcast_to(probability, truth.shape))
    low, high = np.percentile(found, [2.5, 97.5])
    return Figure(float(np.mean(found)), float(low), float(high), len(probability))


CLASS_METRICS = {"AUROC": metrics.auroc, "AUPRC": metrics.auprc, "ECE": _ece, "Brier": _brier}
VALUE_METRICS = {"MAE": metrics.mae, "RMSE": metrics.rmse, "Spearman": metrics.spearman}


def _with_sets(found: list[Row], ground: Ground, name: str, judging: Task) -> list[Row]:
    """Our row with the sets' coverage, how often they say one thing, and the prevalence."""
    if ground.endpoints is None:
        return found
    _, test = _folds(ground, name, judging)
    column, one, rows_of = ground.endpoints.names().index(name), ground.predicted[OURS], ground.row[test.mol]
    scaffold = ground.prepared.labels.scaffold[test.mol]
    if ENDPOINTS[name].kind == "class":
        code, yes = one.code[rows_of, column], test.value > 0.5
        holds = np.where(yes, code & conformal.YES, code & conformal.NO) > 0
        cells = {
            "covered yes": _share(holds[yes], ground.budget, scaffold[yes]),
            "covered no": _share(holds[~yes], ground.budget, scaffold[~yes]),
            "ECE by chance": _ece_by_chance(one.value[rows_of, column], ground.budget.seed),
            "one class": _share((code == conformal.YES) | (code == conformal.NO), ground.budget),
            "prevalence": _share(yes, ground.budget),
        }
    else:
        holds = (one.low[rows_of, column] <= test.value) & (test.value <= one.high[rows_of, column])
        width = (one.high - one.low)[rows_of, column]
        cells = {"covered": _share(holds, ground.budget, scaffold), "interval": _share(width, ground.budget)}
    return [replace(row, metrics={**row.metrics, **cells}) if row.ours else row for row in found]


def _share(values: NDArray[Any], budget: Budget, scaffold: NDArray[np.int64] | None = None) -> Figure:
    """A mean with its bootstrap interval over molecules, or over whole scaffolds (n,) where they are given."""
    n = len(values)
    if n == 0:
        return Figure(float("nan"), n=0)
    _, group = np.unique(np.arange(n) if scaffold is None else scaffold, return_inverse=True)
    total, size = np.bincount(group, np.asarray(values, np.float64)), np.bincount(group)
    drawn = np.random.default_rng(budget.seed).integers(0, len(size), (budget.draws, len(size)))
    low, high = np.percentile(total[drawn].sum(axis=1) / size[drawn].sum(axis=1), [2.5, 97.5])
    return Figure(float(np.mean(values)), float(low), float(high), n)


def _protocol(ground: Ground) -> str:
    labels = ground.prepared.labels
    tested = int(((labels.fold == TEST) & ground.prepared.ok).sum())
    return (
        f"{len(labels.parents):,} molecules of all toxicity files, split by scaffold over the union (80/10/10); "
        f"{tested:,} test molecules, each with the endpoints that were measured of it. Forests: {ground.budget.trees} "
        "trees, square root of columns, ECFP4 of 2048 bits and ten descriptors. Figures in brackets are 95 % intervals "
        "over molecules (over assays and molecules for the mean; over whole scaffolds for what is covered). \u201cOne class\u201d is how often a 90 % set rules "
        "something out; covered yes/no is how often it holds the true class of those molecules; ECE by chance is that of "
        "labels drawn by the very probabilities, since an ECE of few molecules is never nought. The encoder was trained on "
        "other scaffolds, too: by the same hash, those of the training part of all files, DILIst and DILIrank among them; "
        "fewer than one test molecule in a hundred was there as another tautomer. \u201cNeighbours\u201d are those measured "
        "at hERG, which those endpoints alone have."
    )
