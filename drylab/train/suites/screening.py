"""MUV and DUD: from five known actives, find the others among decoys.

Riniker and Landrum's platform (2013, https://doi.org/10.1186/1758-2946-5-26): 50 published lists of 5 query actives a
target; what is not in the list is ranked. Theirs leaves a fifth of the decoys out of every test for trained models to
train on; here all are ranked, in all methods alike.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.score.learning import Features, whitened
from drylab.score.model import DomainWeights, Model
from drylab.train.metrics import ALPHA, auroc, bedroc, ef1
from drylab.train.suites import ours
from drylab.train.suites.actives import Branch, Known, known, nearest_bits, ours_of
from drylab.train.suites.goals import beats, reaches, row_of
from drylab.train.suites.intervals import Judged, details, pool, repeated, rows
from drylab.train.suites.molecules import Molecules
from drylab.train.suites.nulls import NULLS, Probe, drug_mean_probe
from drylab.train.suites.table import Budget, Figure, Row, Suite

Array = NDArray[np.float64]
NAME = "screening"
METRICS = {"BEDROC20": bedroc, "EF1 %": ef1, "AUROC": auroc}
GOALS = ("BEDROC20", "EF1 %")
QUERIES, LISTS = "5", 50
STRANGERS = 25  # molecules of any kind that a target's null lists are drawn from
SIMILARITY = "ECFP4 max similarity"
SETS = ("MUV", "DUD")
PUBLISHED = {"MUV": (0.174, 10.7), "DUD": (0.721, 42.7)}  # BEDROC20 and EF1 % of ECFP4, from the platform's own results


@dataclass(frozen=True, slots=True)
class Target:
    """One target: which rows of the file are its molecules, whether each is active, and the query lists.

    rows (n,) int64    label (n,) 0 or 1    lists  numbers of actives, in the order of the file
    """

    name: str
    rows: NDArray[np.int64]
    label: Array
    lists: tuple[tuple[int, ...], ...]


def run(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> Suite:
    """The suite's table. Raises InputError where a file is not there."""
    shown, every, said = [], [], []
    for source, tasks in judged(data, model, budget, log).items():
        pooled = pool(tasks, budget)
        title = f"{source}, mean of {len(tasks)} targets"
        shown += rows(title, pooled, (ours.OURS,), (SIMILARITY,) if budget.ours else ())
        bed, ef = PUBLISHED[source]
        if budget.ours:
            said += _goals(shown, title, source)
        shown.append(Row(title, "published: ECFP4 max similarity", {"BEDROC20": Figure(bed), "EF1 %": Figure(ef)}))
        every += details(tasks, ours.ALL)
    notes = [
        f"{LISTS} published lists of {QUERIES} query actives a target, all other actives and all decoys ranked; means over "
        "lists, then over targets; the bootstrap redraws targets and lists. MW, MW + logP: distance to the queries' mean.",
        "DUD's decoys were drawn to be unlike its actives: what is near to the queries wins there whatever it knows. Our ranking "
        "(drylab.score.actives) was chosen on every second target with a part of the decoys.",
        *said,
    ]
    return Suite(NAME, tuple(shown), tuple(notes), "Screening from five actives: MUV and DUD", tuple(every))


def _goals(shown: Sequence[Row], title: str, source: str) -> list[str]:
    """At least what similarity alone reaches, and on MUV a tenth more."""
    own, other = (row_of(shown, title, method) for method in (ours.OURS, SIMILARITY))
    said = [beats(own, metric, SIMILARITY, beyond=False) for metric in GOALS]
    if source == "MUV":
        said += [reaches(own, metric, round(1.1 * other.metrics[metric].value, 3)) for metric in GOALS]
    return said


def judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> dict[str, list[Judged]]:
    """Source -> every target's figures, made once in a process."""
    found: dict[str, list[Judged]] = ours.once(NAME, data, model, budget, lambda: _judged(data, model, budget, log))
    return found


def _judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> dict[str, list[Judged]]:
    drug_mean = drug_mean_probe(data, model) if budget.ours else None
    found: dict[str, list[Judged]] = {}
    for source in SETS:
        smiles, targets = read(data, source, budget)
        seen = known(model, smiles)
        log(f"{NAME}: {source}, {len(targets)} targets, {len(smiles):,} molecules")
        found[source] = [_target(target, seen, model, drug_mean, budget) for target in targets]
    return found


def _target(target: Target, seen: Known, model: Model, drug_mean: Probe | None, budget: Budget) -> Judged:
    """Every list's figures, redrawn by list."""
    mine = seen.take(target.rows)
    actives = np.flatnonzero(target.label > 0.5)
    bits = nearest_bits(mine.seen, actives)
    rng = np.random.default_rng(budget.seed)
    branches: dict[str, Branch] = {}
    nulls = _nothing
    if drug_mean is not None:
        branches = ours_of(mine.features, actives, model.domain)
        nulls = _nulls(mine.features, model.domain, drug_mean, rng)
    values = []
    for queries in target.lists:
        picked = np.array(queries)
        scores = _baselines(mine.seen, actives[picked], rng) | {SIMILARITY: bits[picked].max(axis=0)}
        scores |= {name: branch(picked) for name, branch in branches.items()}
        scores |= nulls()
        left = np.ones(len(target.label), bool)
        left[actives[picked]] = False
        values.append({name: figures(target.label[left], score[left]) for name, score in scores.items()})
    methods = tuple(values[0])
    block = np.array([[row[name] for row in values] for name in methods]).transpose(0, 2, 1)
    return repeated(target.name, methods, tuple(METRICS), block, budget.seed)


def figures(truth: Array, score: Array) -> list[float]:
    """METRICS of one ranking, ties as there, from the places of its hits: one sort where those take four."""
    n, rising, hits = len(score), np.sort(score), score[truth > 0.5]
    first, last = n - np.searchsorted(rising, hits, "right"), n - 1 - np.searchsorted(rising, hits, "left")
    k = len(hits)
    return [
        _bedroc(first, last, n),
        _enrichment(first, last, n),
        float(1 - ((first + last) / 2 - (k - 1) / 2).mean() / (n - k)),
    ]


def _bedroc(first: NDArray[np.int64], last: NDArray[np.int64], n: int) -> float:
    places = np.concatenate([[0.0], np.exp(-ALPHA * np.arange(1, n + 1) / n).cumsum()])
    weight, share = (places[last + 1] - places[first]) / (last + 1 - first), len(first) / n
    rie = weight.mean() * n * np.expm1(ALPHA / n) / -np.expm1(-ALPHA)
    low, high = np.expm1(ALPHA * share) / np.expm1(ALPHA), np.expm1(-ALPHA * share) / np.expm1(-ALPHA)
    return float((rie - low / share) / (high / share - low / share))


def _enrichment(first: NDArray[np.int64], last: NDArray[np.int64], n: int) -> float:
    k = int(np.ceil(0.01 * n))
    return float(np.clip((k - first) / (last + 1 - first), 0.0, 1.0).mean() * n / k)


def _baselines(mine: Molecules, queries: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Array]:
    """Nothing at all, and how far in weight, and in weight and logP, from the queries' mean."""
    far = (mine.props - mine.props[queries].mean(axis=0)) / np.maximum(mine.props.std(axis=0), 1e-9)
    return {"random": rng.random(len(mine)), "MW": -np.abs(far[:, 0]), "MW + logP": -np.sqrt((far**2).sum(axis=1))}


def _nothing() -> dict[str, Array]:
    return {}


def _nulls(
    mine: Features, domain: DomainWeights, drug_mean: Probe, rng: np.random.Generator
) -> Callable[[], dict[str, Array]]:
    """A random probe; our ranking from five molecules of any kind; what is active anywhere."""
    white, active = whitened(mine.z, domain), drug_mean(mine.z)
    some = rng.choice(len(mine), min(STRANGERS, len(mine)), replace=False)
    ranking = ours_of(mine, some, domain)[ours.OURS]

    def scores() -> dict[str, Array]:
        picked = rng.choice(len(some), int(QUERIES), replace=False)
        likeness = ranking(picked)
        likeness[some[picked]] = likeness.min()  # a query is not ranked
        return dict(zip(NULLS, (white @ rng.normal(size=white.shape[1]), likeness, active), strict=True))

    return scores


def read(data: Path, source: str, budget: Budget) -> tuple[list[str], list[Target]]:
    """SMILES as written, and the targets of "MUV" or "DUD"."""
    path, lists = data / "benchmarks/muv_dud.csv.gz", data / "benchmarks/query_active_indices_sets_I.json.gz"
    for file in (path, lists):
        if not file.is_file():
            raise InputError(f"{file}: no such file; give the folder of the training data with --data")
    table = pd.read_csv(path, dtype={"target": str}, usecols=["source", "target", "label", "smiles"])
    table = table[table["source"] == source]
    chosen = sorted(set(table["target"]))[: budget.tasks]
    table = table[table["target"].isin(chosen)].reset_index(drop=True)
    with gzip.open(lists, "rt") as stream:
        queries: Mapping[str, Mapping[str, Sequence[Sequence[int]]]] = json.load(stream)[source]
    return [str(text) for text in table["smiles"]], [
        Target(
            f"{source} {name}",
            group.index.to_numpy(np.int64),
            group["label"].to_numpy(np.float64),
            tuple(tuple(numbers) for numbers in queries[str(name)][QUERIES][:LISTS]),
        )
        for name, group in table.groupby("target", sort=True)
    ]
