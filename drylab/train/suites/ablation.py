"""Does the GNN help? Every suite's tasks by both branches, by fingerprints alone and by the GNN alone, and the differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from drylab.score.model import Model
from drylab.train.suites import activity_cliffs, affinity, fewshot, ours, screening
from drylab.train.suites.intervals import Judged, Pooled, pool
from drylab.train.suites.table import DIFFERENCE, LOWER, Budget, Row, Suite

NAME = "ablation"
BRANCHES = (ours.OURS, ours.PRINTS, ours.GNN)
SHORT = {ours.PRINTS: "fingerprints alone", ours.GNN: "GNN alone"}


def run(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> Suite:
    """The suite's table; what other suites have judged in this process is not judged again."""
    shown: list[Row] = []
    notes = []
    for title, tasks in _groups(data, model, budget, log):
        pooled = pool(tasks, budget)
        shown += [_row(title, pooled, method) for method in BRANCHES]
        notes.append(f"{title}: {verdict(pooled)}")
    notes.append("Differences are paired. Fingerprints alone: the same process or ranking without z.")
    return Suite(NAME, tuple(shown), tuple(notes), "Ablation: fingerprints, GNN, and both")


def _groups(data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> Iterator[tuple[str, list[Judged]]]:
    yield "affinity, later years", affinity.judged(data, model, budget, log)
    yield "MoleculeACE", activity_cliffs.judged(data, model, budget, log)
    for size, tasks in fewshot.judged(data, model, budget, log).items():
        yield f"FS-Mol, {size} labels", tasks
    for source, tasks in screening.judged(data, model, budget, log).items():
        yield f"{source}, 5 actives", tasks


def _row(title: str, pooled: Pooled, method: str) -> Row:
    cells = {metric: pooled.figure(method, metric) for metric in pooled.metrics}
    if method == ours.OURS:
        for other, short in SHORT.items():
            metric = pooled.metrics[0]
            cells[f"first metric{DIFFERENCE}{short}"] = pooled.difference(method, other, metric)
    return Row(title, method, cells, True)


def verdict(pooled: Pooled) -> str:
    """In words: whether both branches together are better than fingerprints alone, in the suite's first metric."""
    metric = pooled.metrics[0]
    found = pooled.difference(ours.OURS, ours.PRINTS, metric)
    sign = -1.0 if metric in LOWER else 1.0
    low, high = sorted((sign * found.low, sign * found.high))
    if low > 0:
        return f"the GNN helps ({metric})."
    return f"the GNN hurts ({metric})." if high < 0 else f"the GNN makes no difference that can be told ({metric})."
