"""The measurements behind the toxicity panel: curated, one value a molecule and endpoint, split by scaffold over all files.

A class of hERG block is made of the potencies: an IC50 below 10 uM. Values of exactly 5.00 mean "10 uM or weaker".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.score.endpoint_table import ENDPOINTS
from drylab.train.batches import scaffolds_of
from drylab.train.curate import clean, merge
from drylab.train.dropped import Counts, finish, started
from drylab.train.heads import Task, groups_of
from drylab.train.keepout import keep_out
from drylab.train.parents import parent_table
from drylab.train.sources import BLOCK, read
from drylab.train.split import folds

CENSORED = 5.0
# Files of the endpoints, and files of the same endpoints by other hands, which judge only.
FILES = (
    *(
        "tox21",
        "ames",
        "herg_ctoxpred",
        "cyp1a2_veith",
        "cyp2c9_veith",
        "cyp2c19_veith",
        "cyp2d6_veith",
        "cyp3a4_veith",
    ),
    *("bbb_martins", "dili", "ld50_zhu", "nav_ctoxpred", "cav_ctoxpred"),
)
BESIDE = {"herg": "herg_block", "dili_gold": "dili"}  # file -> the endpoint it judges as well


@dataclass(frozen=True, slots=True)
class ToxLabels:
    """n molecules and what was measured of them.

    parents (n,) flat parent SMILES     fold (n,) uint8 of split.py     group (n,) int64 of heads.groups_of
    scaffold (n,) int64 number of the scaffold; an acyclic molecule is its own
    tasks   endpoint -> its labels, in the order of the panel           beside  file -> labels that judge only
    counts  file -> {what happened: how many rows}
    """

    parents: list[str]
    fold: NDArray[np.uint8]
    group: NDArray[np.int64]
    scaffold: NDArray[np.int64]
    tasks: dict[str, Task]
    beside: dict[str, Task]
    counts: Counts

    def of(self, task: Task, fold: int, ok: NDArray[np.bool_] | None = None) -> Task:
        """The labels of one fold, of molecules that are ``ok`` (n,)."""
        wanted = self.fold[task.mol] == fold
        return task.take(wanted if ok is None else wanted & ok[task.mol])


def read_tox_labels(
    folder: Path, kept_for: dict[str, frozenset[str]] | None = None, cache: Path | None = None
) -> ToxLabels:
    """All labels of the panel under ``folder``.

    kept_for  origin -> skeletons that no model may be trained on (keepout.py)     cache  of parents, as in parents.py
    Raises InputError where a file or column is missing.
    """
    rows, counts = _curated([_prepared(folder, name) for name in FILES], kept_for or {}, cache)
    others, _ = _curated([read(folder, name).assign(task=name) for name in BESIDE], kept_for or {}, cache)
    parents = sorted(set(rows["parent"]) | set(others["parent"]))
    number = {parent: i for i, parent in enumerate(parents)}
    scaffolds = scaffolds_of(parents)
    group = groups_of(scaffolds, parents)
    by_name = {str(name): _task(some, number, group) for name, some in rows.groupby("task")}
    return ToxLabels(
        parents,
        folds(scaffolds, parents),
        group,
        numbered(scaffolds, parents),
        {name: by_name[name] for name in ENDPOINTS if name in by_name},
        {str(name): _task(some, number, group) for name, some in others.groupby("task")},
        counts,
    )


def numbered(scaffolds: Sequence[str], parents: Sequence[str]) -> NDArray[np.int64]:
    """(n,) one number a scaffold; an acyclic molecule has one of its own."""
    texts = np.array([scaffold or parent for scaffold, parent in zip(scaffolds, parents, strict=True)], dtype=object)
    return np.unique(texts, return_inverse=True)[1].astype(np.int64)


def _prepared(folder: Path, name: str) -> pd.DataFrame:
    rows = read(folder, name)
    if name != "herg_ctoxpred":
        return rows
    block = rows.assign(task="herg_block", kind="class", relation=np.int8(0), file=BLOCK)
    return pd.concat([rows, block.assign(value=(rows["value"] > CENSORED).astype(float))], ignore_index=True)


def _curated(
    parts: Sequence[pd.DataFrame], kept_for: dict[str, frozenset[str]], cache: Path | None
) -> tuple[pd.DataFrame, Counts]:
    raw = pd.concat(parts, ignore_index=True)
    raw["task"] = raw["task"].replace({"nav": "nav15", "cav": "cav12"})
    counts = started(raw)
    table = parent_table([list(part["smiles"].unique()) for part in parts], cache)
    rows = merge(keep_out(clean(raw, table, counts), kept_for, counts), counts)
    finish(rows, counts)
    return rows, counts


def _task(rows: pd.DataFrame, number: dict[str, int], group: NDArray[np.int64]) -> Task:
    mol = np.asarray(rows["parent"].map(number), np.int64)
    order = np.argsort(mol, kind="stable")
    value, relation = np.asarray(rows["value"], np.float64), np.asarray(rows["relation"], np.int8)
    return Task(mol[order], value[order], relation[order], group[mol[order]])
