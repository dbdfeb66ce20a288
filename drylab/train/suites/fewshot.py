"""FS-Mol: how much a handful of labels is worth, on assays that no training has seen.

A support set of 16 to 128 molecules is drawn with the assay's share of actives, DRAWS times; the rest of the assay is
ranked (Stanley 2021, FS-Mol, https://openreview.net/forum?id=701FtuyLlAd). The metric is AUPRC less the prevalence.

Ours is a Gaussian process on labels of -1 and 1. A few labels cannot choose its parameters, so that all assays share them:
NEAR, NOISE, REACH and TRUST did best on 60 assays of fsmol_train, and the prior probe is a ridge on 300 others of them.
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
from drylab.score.embedding import embed
from drylab.score.learning import FINGERPRINTS, features, matrices, whitened
from drylab.score.model import DomainWeights, Model
from drylab.train.metrics import dauprc
from drylab.train.suites import ours
from drylab.train.suites.baselines import BASELINES, Problem
from drylab.train.suites.intervals import Judged, details, pool, repeated, rows
from drylab.train.suites.molecules import flat, look
from drylab.train.suites.nulls import Probe, drug_mean_probe, null_guesses
from drylab.train.suites.table import Budget, Figure, Row, Suite

Array = NDArray[np.float64]
Pair = tuple[NDArray[np.int64], NDArray[np.int64]]
NAME = "fewshot"
SIZES, DRAWS, LEFT = (16, 32, 64, 128), 10, 16  # LEFT: molecules to rank below which an assay is not asked
NEAR, NOISE = 0.5, 0.3  # share of the kernel on z; noise in variances of the label
REACH = 0.5  # of the kernel on z, in distances of two training molecules
TRUST = 0.5  # how much of what the prior probe says is believed: assays differ from one another
ASSAYS, MOLECULES = 300, 48  # of fsmol_train, for the prior probe
GOALS = {16: 0.18, 64: 0.26}
RANKING = ("random", "MW", "MW + logP", "1-NN", "5-NN", "RF-ECFP4")
# Means over the benchmark's 157 test assays, recomputed from its repository; other assays than these.
PAPER = {"RF-ECFP": (0.097, 0.130, 0.168, 0.215), "ProtoNet (GNN + ECFP)": (0.212, 0.249, 0.278, 0.310)}


@dataclass(frozen=True, slots=True)
class Assay:
    """Everything known of one assay's n molecules.

    label (n,) 0 or 1     prints, near  (n, n) kernels     z (n, d)     prior (n,) what is expected before any label
    """

    label: Array
    prints: Array
    near: Array
    z: Array
    prior: Array


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
        f"Goals: {' and '.join(f'{goal} at {size}' for size, goal in GOALS.items())} labels.",
    ]
    return Suite(NAME, tuple(shown), tuple(notes), "A few labels: FS-Mol", tuple(every))


def judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> dict[int, list[Judged]]:
    """Size of the support set -> every assay's figures, made once in a process."""
    found: dict[int, list[Judged]] = ours.once(NAME, data, model, budget, lambda: _judged(data, model, budget, log))
    return found


def _judged(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> dict[int, list[Judged]]:
    table = _read(data / "affinity/fsmol_valid.csv.gz")
    groups = list(table.groupby("assay_chembl_id", sort=True))[: budget.tasks]
    prior = prior_probe(data, model) if budget.ours else None
    drug_mean = drug_mean_probe(data, model) if budget.ours else None
    found: dict[int, list[Judged]] = {}
    for number, (name, group) in enumerate(groups):
        seen = look([str(text) for text in group["smiles"]])
        label = group["active"].to_numpy(np.float64)
        assay = None if prior is None else _assay(group, label, model, prior)
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


def _assay(group: pd.DataFrame, label: Array, model: Model, prior: Probe) -> Assay:
    known = features(model, [str(text) for text in group["smiles"]])
    prints = np.mean(matrices(known, known, model.domain, FINGERPRINTS), axis=0)
    return Assay(label, prints, _near(known.z, model.domain), known.z, prior(known.z))


def _near(z: Array, domain: DomainWeights) -> Array:
    """(n, n) exp(-distance / REACH): in units of the distance of two training molecules, which is sqrt(2 d) in whitened z."""
    white = whitened(z, domain)
    squares = (white**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2.0 * white @ white.T, 0.0)
    found: Array = np.exp(-np.sqrt(apart / (2 * white.shape[1])) / REACH)
    np.fill_diagonal(found, 1.0)
    return found


def _ours(assay: Assay, support: NDArray[np.int64], query: NDArray[np.int64]) -> dict[str, Array]:
    """(m,) scores by both branches, each alone, and the ridge on z that a fold would use."""
    inside, across = np.ix_(support, support), np.ix_(query, support)
    label = 2 * assay.label[support] - 1
    # The prior is a probe on z: fingerprints alone go without it.
    branches = {ours.OURS: (1 - NEAR, NEAR, TRUST), ours.PRINTS: (1.0, 0.0, 0.0), ours.GNN: (0.0, 1.0, TRUST)}
    found = {}
    for name, (prints, near, trust) in branches.items():
        # Hyperparameters are shared by all assays; what is fitted to the support set is the rest.
        kept = [(k, share) for k, share in ((assay.prints, prints), (assay.near, near)) if share]
        theta, prior = np.log([*(share for _, share in kept), NOISE]), trust * assay.prior
        fit = gaussian.solve([k[inside] for k, _ in kept], label - prior[support], np.ones(len(support)), theta)
        found[name] = prior[query] + fit.predict([k[across] for k, _ in kept])[0]
    prior = TRUST * assay.prior
    probe = ridge.fit(assay.z[support], label - prior[support])
    return found | {ours.PROBE: prior[query] + probe.mean(assay.z[query])}


def prior_probe(data: Path, model: Model) -> Probe:
    """Ridge on z to labels of -1 and 1, less each assay's mean, of assays of fsmol_train: what activity is like anywhere."""
    table = _read(data / "affinity/fsmol_train.csv.gz")
    sizes = table.groupby("assay_chembl_id")["active"].agg(["size", "mean"])
    fit = sizes.index[(sizes["size"] >= MOLECULES) & sizes["mean"].between(0.3, 0.7)]
    chosen = fit[:: max(1, len(fit) // ASSAYS)][:ASSAYS] if len(fit) else sizes.index[:ASSAYS]
    table = table[table["assay_chembl_id"].isin(chosen)].groupby("assay_chembl_id").head(MOLECULES)
    embedded = embed(model, flat([str(text) for text in table["smiles"]]))
    assay = pd.factorize(table["assay_chembl_id"])[0]
    label = 2 * table["active"].to_numpy(np.float64) - 1
    z, y = (_centred(values, assay)[embedded.ok] for values in (embedded.z, label[:, None]))
    found = ridge.fit(z, y[:, 0])
    # Of a single molecule nothing is centred: an offset changes no ranking, and the process has a constant of its own.
    return Probe(found.w, float(-embedded.z[embedded.ok].mean(axis=0) @ found.w))


def _centred(values: Array, group: NDArray[np.int64]) -> Array:
    counts = np.bincount(group)[:, None]
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, group, values)
    found: Array = values - (sums / counts)[group]
    return found


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the folder of the training data with --data")
    return pd.read_csv(path, usecols=["assay_chembl_id", "smiles", "active"])
