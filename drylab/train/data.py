"""Files of measurements -> one table of parents and labels, with every row that was left out counted.

A molecule is its flat parent: largest fragment, neutral, no stereo, no isotopes. The model does not see stereo, so
labels of stereoisomers are replicates of one another; so are those of tautomers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.train.assays import assay_families, assay_targets
from drylab.train.curate import clean, merge
from drylab.train.dropped import Counts, drop, finish, started
from drylab.train.keepout import BENCHMARKS, DEMO, demo_skeletons, keep_out, origins
from drylab.train.panel import CYPS, UNKNOWN, Task, family, targets, tox_tasks
from drylab.train.parents import POOL, parent_table, parents_of, pooled, skeletons_of
from drylab.train.sources import BLOCK, LIBRARY_SAMPLE, SOURCES, library, read, table

# Of these some live in other files; what trains asks here for all.
__all__ = ["FILES", "POOL", "TRAINING", "Labels", "demo_skeletons", "parents_of", "pooled", "raw_rows", "read_labels"]
__all__ += ["skeletons_of", "target_names"]

CENSORED = 5.0  # hERG: a class of its own, blockers below 10 uM
# Molecules left that a task needs: auxiliary targets and endpoints, FS-Mol assays; and positives of a ToxCast assay.
LEAST, LEAST_ASSAY, LEAST_POSITIVE = 25, 16, 200
TRAINING = (
    *("chembl22", "egfr_chembl27", "fsmol_train", "metz"),
    *("tox21", "ames", "herg_ctoxpred", *(f"{name}_veith" for name in CYPS), "bbb_martins", "dili_gold", "dili"),
    *("ld50_zhu", "nav_ctoxpred", "cav_ctoxpred", "adme_biogen", "toxcast"),
)  # where two files have the same label, the first keeps it
FILES = (
    *(SOURCES[name].file for name in TRAINING),
    *("affinity/targets.csv.gz", "affinity/sequences.csv.gz", "affinity/fsmol_assay_targets.csv.gz"),
    *(f"libraries/{name}" for name in LIBRARY_SAMPLE),
)  # all that a training reads below the data folder, beside the benchmarks whose molecules are kept out


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of n distinct parents for t tasks, m entries.

    parents   (n,) flat parent SMILES      tasks  (t,) what each column means
    mol (m,) int32   task (m,) int16   value (m,) float32: -log10 of mol/l, 0/1, or the task's own unit
    relation  (m,) int8: 0 measured; -1 the true value is at most ``value``; +1 it is at least ``value``
    library   (n,) bool: comes from a screening library and has no label
    counts    file -> {what happened: how many rows}
    """

    parents: list[str]
    tasks: tuple[Task, ...]
    mol: NDArray[np.int32]
    task: NDArray[np.int16]
    value: NDArray[np.float32]
    relation: NDArray[np.int8]
    library: NDArray[np.bool_]
    counts: Counts

    @property
    def bound(self) -> NDArray[np.bool_]:
        """(m,) whether the true value is at most ``value``."""
        return np.asarray(self.relation == -1)

    @property
    def lower(self) -> NDArray[np.bool_]:
        """(m,) whether the true value is at least ``value``."""
        return np.asarray(self.relation == 1)


def read_labels(
    folder: Path, banned: frozenset[str], benchmarks: Sequence[str] = BENCHMARKS, cache: Path | None = None
) -> Labels:
    """All measurements and library molecules under ``folder``, without those of a banned skeleton.

    benchmarks  whose molecules are left out, too: names of :data:`drylab.train.keepout.ORIGINS`
    cache       folder of parents that were read before; the user's cache folder if None
    Raises InputError where a file or column is missing.
    """
    raw = raw_rows(folder)
    kept_for = {DEMO: banned} | origins(folder, benchmarks, cache)
    counts = started(raw)
    texts = [list(group.unique()) for _, group in raw.groupby("file", sort=False)["smiles"]]
    rows = clean(raw, parent_table(texts, cache), counts)
    proven = assay_targets(folder, rows[rows["file"] == "fsmol_train"], rows[rows["file"] == "chembl22"])
    rows = _by_target(rows, proven, counts)
    rows = keep_out(rows, kept_for, counts)
    rows = merge(rows, counts)
    tasks = _tasks(folder, rows, proven)
    rows = drop(rows, ~rows["task"].isin(["", *(task.name for task in tasks)]), "too_few", counts)
    known = frozenset(rows.loc[rows["task"] != "", "skeleton"])
    rows = drop(rows, (rows["task"] == "") & rows["skeleton"].isin(known), "measured", counts)
    finish(rows, counts)
    return _assemble(rows, tasks, counts)


def raw_rows(folder: Path) -> pd.DataFrame:
    """The rows of all files that train, panel targets by their names, and the library samples."""
    parts = [read(folder, name) for name in TRAINING]
    parts[TRAINING.index("toxcast")] = _well_filled(parts[TRAINING.index("toxcast")])
    herg = parts[TRAINING.index("herg_ctoxpred")]
    cut = (herg["value"] > CENSORED).astype(float)
    block = herg.assign(task="herg_block", value=cut, relation=np.int8(0), kind="class", file=BLOCK)
    rows = pd.concat([*parts, block, *(library(folder, file) for file in LIBRARY_SAMPLE)], ignore_index=True)
    return rows.assign(task=_panel_names(rows["task"]))


def target_names(folder: Path) -> dict[str, str]:
    """ChEMBL target -> protein name."""
    frame = table(folder / "affinity/targets.csv.gz", ["target_chembl_id", "name"]).dropna(subset=["name"])
    return dict(zip(frame["target_chembl_id"], frame["name"], strict=True))


def _panel_names(task: pd.Series) -> pd.Series:
    """ChEMBL targets of the panel by the name of their probe, everything else as it is."""
    name = {target.chembl: target.gene for target in targets()}
    return task.map(name).fillna(task)


def _well_filled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of tasks with enough positives; the rest were never labels that anyone meant to learn."""
    positives = rows.groupby("task")["value"].sum()
    return rows[rows["task"].map(positives) >= LEAST_POSITIVE]


def _by_target(rows: pd.DataFrame, proven: dict[str, str], counts: Counts) -> pd.DataFrame:
    """The rows, and those of FS-Mol's assays whose target is proven a second time, as measurements on the target."""
    again = rows[(rows["file"] == "fsmol_train") & rows["task"].isin(list(proven))]
    again = again.assign(task=again["task"].map(proven), file="fsmol_by_target")
    counts |= started(again)
    return pd.concat([rows, again], ignore_index=True)


def _tasks(folder: Path, rows: pd.DataFrame, proven: dict[str, str]) -> tuple[Task, ...]:
    """Shipped targets, auxiliary targets, assays, shipped endpoints, auxiliary endpoints: the last by what there is of them."""
    names, number = target_names(folder), rows["task"].value_counts()
    shipped = [Task(t.gene, "affinity", family(names.get(t.chembl, ""))) for t in targets()]
    own = {task.name: task.family or task.name for task in shipped}
    potency = number[number.index.str.startswith("CHEMBL") & (number >= LEAST)].index.difference([*own, *assays(rows)])
    others = [Task(name, "affinity", family(names.get(name, "")), shipped=False) for name in potency]
    others += [Task(name, "affinity", "kinase", shipped=False) for name in _of(number, "metz_", LEAST)]
    own |= {task.name: task.family or task.name for task in others}
    return (*shipped, *others, *_assay_tasks(folder, rows, proven, own), *tox_tasks(), *_auxiliary(rows))


def _assay_tasks(folder: Path, rows: pd.DataFrame, proven: dict[str, str], own: dict[str, str]) -> list[Task]:
    by_class, number = assay_families(folder), rows["task"].value_counts()
    found = []
    for assay in assays(rows):
        known = own.get(proven.get(assay, ""), "") or by_class.get(assay, UNKNOWN)
        if number[assay] >= LEAST_ASSAY:
            found.append(Task(assay, "assay", known, shipped=False))
    return found


def assays(rows: pd.DataFrame) -> list[str]:
    """The names of the FS-Mol assays among the tasks, sorted."""
    return sorted(rows.loc[rows["file"] == "fsmol_train", "task"].unique())


def _auxiliary(rows: pd.DataFrame) -> list[Task]:
    """Endpoints that shape the embedding and are not shipped: ADME of Biogen, ToxCast."""
    positives = rows[rows["value"] > 0]["task"].value_counts()
    numbers = _of(rows["task"].value_counts(), "adme_", LEAST)
    classes = _of(positives, "toxcast_", LEAST_POSITIVE)
    return [
        *(Task(name, "regression", shipped=False) for name in numbers),
        *(Task(name, "class", shipped=False) for name in classes),
    ]


def _of(number: pd.Series, prefix: str, least: int) -> list[str]:
    return sorted(str(name) for name, n in number.items() if str(name).startswith(prefix) and n >= least)


def _assemble(rows: pd.DataFrame, tasks: tuple[Task, ...], counts: Counts) -> Labels:
    column = {task.name: number for number, task in enumerate(tasks)}
    labelled = rows[rows["task"] != ""]
    known = sorted(set(labelled["parent"]))
    unlabelled = sorted(set(rows.loc[rows["task"] == "", "parent"]))
    number = {parent: i for i, parent in enumerate(known + unlabelled)}
    labelled = labelled.assign(mol=labelled["parent"].map(number), column=labelled["task"].map(column))
    labelled = labelled.sort_values(["mol", "column"])
    return Labels(
        parents=known + unlabelled,
        tasks=tasks,
        mol=labelled["mol"].to_numpy(np.int32),
        task=labelled["column"].to_numpy(np.int16),
        value=labelled["value"].to_numpy(np.float32),
        relation=labelled["relation"].to_numpy(np.int8),
        library=np.arange(len(number)) >= len(known),
        counts=counts,
    )
