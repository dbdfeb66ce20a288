"""DAVIS and KIBA: affinities of kinases, for known pairs of known molecules and targets, and for targets never measured.

    warm           DeepDTA's fold ``test`` (Öztürk 2018, 10.1093/bioinformatics/bty593): both sides are known
    cold target    five folds of targets; two targets of one sequence are in one fold
    cold family    five folds of clusters by alignment (average linkage, 0.3)

Ours is a pairwise kernel ridge (drylab.train.recipes), its recipe chosen inside each fold's training part. It takes no model:
molecules are known by fingerprints. MSE and CI are over all held-out pairs of all folds together, as the literature has
them (CI: mean over folds, since folds have their own level); per-target and per-drug figures are means over targets and
drugs. Intervals: targets of the test part drawn with replacement (warm: pairs); of the CI, 1.96 standard deviations of
a few such draws, since each costs a sorting of all pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.score.align import clean, similarities
from drylab.score.model import Model
from drylab.score.pocket import domain, likenesses, site
from drylab.score.similarity import named, similarity
from drylab.train.pairs import Pairs, Term, solve
from drylab.train.recipes import KEPT, TRIES, Holdout, Recipe, Sides, choose, fit, semidefinite
from drylab.train.sources import table
from drylab.train.split import FAMILY, by_groups, linked
from drylab.train.suites.dta_figures import Guess, figures
from drylab.train.suites.table import Budget, Figure, Row, Suite

NAME = "dta"
Array = NDArray[np.float64]
SETS = ("davis", "kiba")
FOLDS = 5
SAME = 0.9999  # alignment of two copies of one sequence
NEIGHBOURS = 5
OURS = "pairwise kernels (alignment + ATP site)"
# Where the search for a recipe begins; for warm pairs a target's own part matters, and like molecules have to be closer.
START = {"cold": Recipe(), "warm": Recipe(molecule_power=3.0, exact=0.3, noise=0.15)}
PUBLISHED = {
    ("DAVIS warm", "GraphDTA (published)"): (0.229, 0.893),
    ("DAVIS warm", "MGraphDTA (published)"): (0.207, 0.900),
    ("KIBA warm", "GraphDTA (published)"): (0.139, 0.891),
    ("KIBA warm", "MGraphDTA (published)"): (0.128, 0.902),
    ("KIBA cold target", "GraphDTA (published, other folds)"): (0.469, 0.610),
    ("KIBA cold target", "DMFF-DTA (published, other folds)"): (0.410, 0.748),
}
GOALS = {
    "DAVIS warm": {"MSE": 0.240, "CI": 0.893},
    "KIBA warm": {"MSE": 0.165, "CI": 0.865},
    "KIBA cold target": {"MSE": 0.290, "CI": 0.785},
    "KIBA cold family": {"CI per drug": 0.60},
}


@dataclass(frozen=True, slots=True)
class Set:
    """A set of pairs: what is known of its sides, the pairs, DeepDTA's fold of each, the names of its targets."""

    name: str
    sides: Sides
    pairs: Pairs
    fold: NDArray[np.str_]
    targets: tuple[str, ...]


def run(data: Path, model: Model, budget: Budget, log: Callable[[str], Any] = print) -> Suite:
    """The table. ``model`` is not used: nothing here is learnt from other data, and so no test pair can be known."""
    rows: list[Row] = []
    notes: list[str] = []
    for name in SETS:
        known = read_set(data, name)
        for task, splits, held in _tasks(known):
            guesses = [_guess(known, train, test, held, budget) for train, test in splits]
            judged = _rows(task, guesses, budget)
            rows += judged
            notes += _goals(task, judged)
            log(f"{task}: {sum(len(guess.held) for guess in guesses):,} held-out pairs")
        notes.append(_copies(known))
    notes.append(
        "The drug's mean over training targets orders molecules for a new target (CI per target) but says nothing of which "
        "targets a molecule prefers (CI per drug is 0.5 by construction): only there can a target's sequence show itself."
    )
    return Suite(NAME, tuple(rows), tuple(notes), "Targets from sequence: DAVIS and KIBA")


def read_set(data: Path, name: str) -> Set:
    """DAVIS (pKd) or KIBA (score) with similarities of both sides. Raises InputError for a missing file or column."""
    column = {"davis": "p_value", "kiba": "kiba_score"}[name]
    frame = table(data / f"affinity/{name}.csv.gz", ["drug_id", "smiles", "target", column, "fold"])
    known = table(data / f"affinity/{name}_sequences.csv.gz", ["target", "sequence"])
    drugs = frame.drop_duplicates("drug_id")
    prints = named(drugs["smiles"].tolist(), ["ecfp4"])["ecfp4"]
    texts = [clean(text, f"{name} {target}") for target, text in zip(known["target"], known["sequence"], strict=True)]
    sites = [site(text) for text in texts]
    pairs = Pairs(
        pd.Index(drugs["drug_id"]).get_indexer(frame["drug_id"]),
        pd.Index(known["target"]).get_indexer(frame["target"]),
        frame[column].to_numpy(np.float64),
        (len(drugs), len(known)),
    )
    domains = [domain(text) for text in texts]
    sides = Sides(similarity(prints, prints), _aligned(texts), _aligned(domains), likenesses(sites, sites))
    return Set(name.upper(), sides, pairs, frame["fold"].to_numpy(np.str_), tuple(known["target"]))


def _aligned(texts: Sequence[str]) -> Array:
    """(t, t) similarities, those of a sequence that is there more than once computed once."""
    distinct = sorted(set(texts))
    row = np.array([distinct.index(text) for text in texts])
    return similarities(distinct)[np.ix_(row, row)]


Split = tuple[Pairs, Pairs]


def _tasks(known: Set) -> list[tuple[str, list[Split], Holdout]]:
    """(task, its training and test parts, how the training part is split again to choose a recipe)."""
    test = known.fold == "test"
    found: list[tuple[str, list[Split], Holdout]] = [
        (f"{known.name} warm", [(known.pairs.take(~test), known.pairs.take(test))], _some_pairs)
    ]
    for label, similar in (("cold target", SAME), ("cold family", FAMILY)):
        fold = by_groups(known.targets, linked(known.sides.alignment, similar), FOLDS).fold[known.pairs.target]
        splits = [(known.pairs.take(fold != k), known.pairs.take(fold == k)) for k in range(FOLDS)]
        found.append((f"{known.name} {label}", splits, _some_targets(linked(known.sides.alignment, similar))))
    return found


def _some_pairs(pairs: Pairs, seed: int) -> NDArray[np.bool_]:
    """A fifth of the pairs."""
    return np.random.default_rng(seed).random(len(pairs)) < 0.2


def _some_targets(group: NDArray[np.int64]) -> Holdout:
    """A quarter of the groups of targets that are in a training part, as the test is a fifth of all."""

    def held(pairs: Pairs, seed: int) -> NDArray[np.bool_]:
        there = np.unique(group[pairs.target])
        out = np.random.default_rng(seed).permutation(there)[: max(1, len(there) // 4)]
        return np.isin(group[pairs.target], out)

    return held


def _guess(known: Set, train: Pairs, test: Pairs, held: Holdout, budget: Budget) -> Guess:
    """What every method says of the test pairs."""
    said = baselines(known.sides, train)
    if budget.ours:
        start = START["warm" if held is _some_pairs else "cold"]
        said[OURS] = fit(known.sides, train, choose(known.sides, train, held, budget.seed, start, TRIES)[:KEPT])
    return Guess(test, {method: table_[test.mol, test.target] for method, table_ in said.items()})


def baselines(sides: Sides, train: Pairs) -> dict[str, Array]:
    """Method -> (n, t) predictions of all cells."""
    mean = float(train.value.mean())
    drug, target = _means(train.mol, train, 0, mean), _means(train.target, train, 1, mean)
    kron = Term(np.ascontiguousarray(sides.tanimoto, np.float32), semidefinite(sides.alignment).astype(np.float32))
    unit = float(train.value.std())
    scaled = replace(train, value=train.value / unit)
    return {
        "drug mean": np.repeat(drug[:, None], train.shape[1], axis=1),
        "additive (drug + target)": drug[:, None] + target[None, :] - mean,
        "5-NN target copy": _copied(sides, train, drug),
        "KronRR (ECFP4 x SW)": solve([kron], scaled, 1.0).values * unit,
    }


def _means(which: NDArray[np.int64], train: Pairs, axis: int, mean: float) -> Array:
    """(n,) or (t,) mean of each row's training values; of one without any, the mean of all."""
    count = np.bincount(which, minlength=train.shape[axis])
    total = np.bincount(which, train.value, minlength=train.shape[axis])
    found: Array = np.where(count > 0, total / np.maximum(count, 1), mean)
    return found


def _copied(sides: Sides, train: Pairs, drug: Array) -> Array:
    """A drug's values at the five most similar targets that it was measured at, weighted by similarity."""
    value, there = np.zeros(train.shape), np.zeros(train.shape, bool)
    value[train.mol, train.target], there[train.mol, train.target] = train.value, True
    found = np.repeat(drug[:, None], train.shape[1], axis=1)
    for target in range(train.shape[1]):
        order = np.argsort(-sides.alignment[target], kind="stable")
        order = order[order != target]
        known = there[:, order]
        weight = sides.alignment[target, order] * (known & (known.cumsum(axis=1) <= NEIGHBOURS))
        total = weight.sum(axis=1)
        guess = (weight * value[:, order]).sum(axis=1)
        found[:, target] = np.where(total > 0, guess / np.maximum(total, 1e-12), drug)
    return found


def _rows(task: str, guesses: Sequence[Guess], budget: Budget) -> list[Row]:
    """A row a method, and those that were published."""
    methods = list(guesses[0].said)
    found = [Row(task, method, figures(guesses, method, budget), method == OURS) for method in methods]
    for (where, method), (mse, ci) in PUBLISHED.items():
        if where == task:
            found.append(Row(task, method, {"MSE": Figure(mse), "CI": Figure(ci)}))
    return found


def _goals(task: str, rows: Sequence[Row]) -> list[str]:
    ours = next((row for row in rows if row.ours), None)
    if ours is None or task not in GOALS:
        return []
    said = []
    for metric, goal in GOALS[task].items():
        value = ours.metrics[metric].value
        met = value <= goal if metric == "MSE" else value >= goal
        said.append(
            f"{metric} {'at most' if metric == 'MSE' else 'at least'} {goal:g} {'met' if met else 'missed'} ({value:.4f})"
        )
    return [f"Goals, {task}: {'; '.join(said)}."]


def _copies(known: Set) -> str:
    group = linked(known.sides.alignment, SAME)
    return (
        f"{known.name}: {len(known.targets)} targets, {len(np.unique(group))} distinct sequences"
        + (" (mutants and phospho-forms are written with one sequence)" if known.name == "DAVIS" else "")
        + f"; {FOLDS} folds of {len(np.unique(linked(known.sides.alignment, FAMILY)))} families."
    )
