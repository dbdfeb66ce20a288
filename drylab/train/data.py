"""Files of measurements -> one table of parents and labels, with every row that was left out counted.

A molecule is its flat parent: largest fragment, neutral, no stereo, no isotopes. The model does not see stereo, so
labels of stereoisomers are replicates of one another.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.featurize.curation import flat_parent, skeleton
from drylab.train.panel import TOX21, Task, family, targets, tox_tasks

LOW, HIGH = 3.0, 11.0  # pActivity outside is clipped: it is an assay's limit or an error of units
RANGE = 1.0  # replicates further apart than this, in log units, contradict one another
CENSORED = 5.0  # hERG values of exactly 5.00 mean "at most 5"
LEAST = 50  # measurements that a target needs to serve as an auxiliary task
# Molecules of each library file that are presumed inactive. PubChem has the odd ones: cages, metals, long chains.
LIBRARY_SAMPLE = {"zinc_a.smi.gz": 10_000, "zinc_b.smi.gz": 10_000, "pubchem_100k.csv.gz": 40_000}
FILES = (
    *(
        "affinity/chembl22.csv.gz",
        "affinity/egfr_chembl27.csv.gz",
        "affinity/targets.csv.gz",
        "affinity/sequences.csv.gz",
    ),
    *("tox/tox21.csv.gz", "tox/ames.csv.gz", "tox/herg_ctoxpred.csv.gz"),
    *(f"libraries/{name}" for name in LIBRARY_SAMPLE),
)  # all that is read below the data folder
POOL = 5_000  # strings below which a second process costs more than it saves

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of n distinct parents for t tasks, m entries.

    parents  (n,) flat parent SMILES      tasks  (t,) what each column means
    mol (m,) int32   task (m,) int16   value (m,) float32: pActivity, pIC50, or 0/1
    bound    (m,) bool: the true value is at most ``value``
    library  (n,) bool: comes from a screening library and has no label
    counts   file -> {what happened: how many rows}
    """

    parents: list[str]
    tasks: tuple[Task, ...]
    mol: NDArray[np.int32]
    task: NDArray[np.int16]
    value: NDArray[np.float32]
    bound: NDArray[np.bool_]
    library: NDArray[np.bool_]
    counts: dict[str, dict[str, int]]


def pooled(function: Callable[[str], T], texts: Sequence[str], workers: int = 2) -> list[T]:
    """``[function(text) for text in texts]``, by processes where there are many."""
    if len(texts) < POOL or workers < 2:
        return [function(text) for text in texts]
    # spawn: a fork would copy the locks of Arrow's and torch's threads
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(function, texts, chunksize=1000))


def parents_of(texts: Iterable[str]) -> dict[str, str]:
    """SMILES as written -> flat parent, each distinct text once; "" where RDKit refuses it."""
    distinct = list(dict.fromkeys(texts))
    return dict(zip(distinct, pooled(flat_parent, distinct), strict=True))


def demo_skeletons(path: Path) -> frozenset[str]:
    """Skeletons of the molecules (column ``smiles``) that no model may be trained on, so that a demo is fair."""
    frame = _read(path, ["smiles"])
    parents = parents_of(frame["smiles"].astype(str))
    bad = [text for text, parent in parents.items() if not parent]
    if bad:
        raise InputError(f"{path}: expected SMILES that RDKit reads, got {bad[0]!r} and {len(bad) - 1} more; mend them")
    return frozenset(skeletons_of(parents.values()).values())


def skeletons_of(parents: Iterable[str]) -> dict[str, str]:
    """Flat parent -> skeleton: what a molecule is kept out by, however it is drawn."""
    distinct = list(dict.fromkeys(parents))
    return dict(zip(distinct, pooled(skeleton, distinct), strict=True))


def read_labels(folder: Path, banned: frozenset[str]) -> Labels:
    """All measurements and library molecules under ``folder``, without those of a banned skeleton.

    Raises InputError where a file or column is missing.
    """
    aux = _auxiliary(folder)
    tasks = (*(Task(t.gene, "affinity", _protein_family(folder, t.chembl)) for t in targets()), *aux, *tox_tasks())
    column = {task.name: number for number, task in enumerate(tasks)}
    raw = pd.concat([_affinity(folder, aux), _tox21(folder), _ames(folder), _herg(folder), _libraries(folder)])
    parents = parents_of(raw["smiles"])
    raw["parent"] = raw["smiles"].map(parents)
    counts = {str(name): {"rows": len(rows)} for name, rows in raw.groupby("file", sort=True)}
    raw = _drop(raw, raw["parent"] == "", "not_readable", counts)
    skeletons = skeletons_of(raw["parent"])
    raw = _drop(raw, raw["parent"].map(skeletons).isin(banned), "excluded_demo_drugs", counts)
    return _assemble(_merge(raw, counts), tasks, column, counts)


def _assemble(
    rows: pd.DataFrame, tasks: tuple[Task, ...], column: dict[str, int], counts: dict[str, dict[str, int]]
) -> Labels:
    labelled = rows[rows["task"] != ""]
    known = sorted(set(labelled["parent"]))
    unlabelled = sorted(set(rows["parent"]) - set(known))
    number = {parent: i for i, parent in enumerate(known + unlabelled)}
    labelled = labelled.assign(mol=labelled["parent"].map(number), column=labelled["task"].map(column))
    labelled = labelled.sort_values(["mol", "column"])
    return Labels(
        parents=known + unlabelled,
        tasks=tasks,
        mol=labelled["mol"].to_numpy(np.int32),
        task=labelled["column"].to_numpy(np.int16),
        value=labelled["value"].to_numpy(np.float32),
        bound=labelled["bound"].to_numpy(bool),
        library=np.arange(len(number)) >= len(known),
        counts=counts,
    )


def _drop(rows: pd.DataFrame, which: Any, reason: str, counts: dict[str, dict[str, int]]) -> pd.DataFrame:
    for name, number in rows[which].groupby("file").size().items():
        counts[str(name)][reason] = int(number)
    return rows[~which]


def _merge(rows: pd.DataFrame, counts: dict[str, dict[str, int]]) -> pd.DataFrame:
    """One row a parent and task: the median; contradictions (range > 1 log, or 0 and 1) go."""
    groups = rows.groupby(["parent", "task"], sort=True)
    spread = groups["value"].transform("max") - groups["value"].transform("min")
    binary = rows["task"].isin([*TOX21, "ames", "herg_block"])
    rows = _drop(rows, (rows["task"] != "") & (spread > np.where(binary, 0.5, RANGE)), "contradicting", counts)
    merged = rows.groupby(["parent", "task"], as_index=False, sort=True).agg(
        value=("value", "median"), bound=("bound", "min"), file=("file", "first")
    )
    for name in counts:
        before, after = int((rows["file"] == name).sum()), int((merged["file"] == name).sum())
        counts[name] |= {"replicates_merged": before - after, "kept": after}
    return merged


def _read(path: Path, columns: Sequence[str], **options: Any) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the folder of the training data with --data")
    frame = pd.read_csv(path, **options)
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"{path}:1: columns missing: {', '.join(missing)}; got {', '.join(map(str, frame.columns))}")
    return frame


def _rows(file: str, smiles: Any, task: Any, value: Any, bound: Any = False) -> pd.DataFrame:
    frame = pd.DataFrame({"smiles": np.asarray(smiles, dtype=object), "value": np.asarray(value, dtype=np.float64)})
    frame["task"], frame["bound"], frame["file"] = task, bound, file
    return frame[frame["value"].notna()]


def target_names(folder: Path) -> dict[str, str]:
    """ChEMBL target -> protein name."""
    frame = _read(folder / "affinity/targets.csv.gz", ["target_chembl_id", "name"]).dropna(subset=["name"])
    return dict(zip(frame["target_chembl_id"], frame["name"], strict=True))


def _protein_family(folder: Path, chembl: str) -> str:
    return family(target_names(folder).get(chembl, ""))


def _auxiliary(folder: Path) -> tuple[Task, ...]:
    """Every other well-measured target: it shapes the embedding and is not shipped."""
    seen = _read(folder / "affinity/chembl22.csv.gz", ["target_chembl_id"])["target_chembl_id"].value_counts()
    names, own = target_names(folder), {target.chembl for target in targets()}
    chosen = sorted(str(name) for name, n in seen.items() if n >= LEAST and name not in own)
    return tuple(Task(name, "affinity", family(names.get(name, "")), shipped=False) for name in chosen)


def _affinity(folder: Path, aux: tuple[Task, ...]) -> pd.DataFrame:
    frame = _read(folder / "affinity/chembl22.csv.gz", ["smiles", "target_chembl_id", "pactivity"])
    name = {target.chembl: target.gene for target in targets()} | {task.name: task.name for task in aux}
    frame = frame[frame["target_chembl_id"].isin(list(name))]
    task = frame["target_chembl_id"].map(name).to_numpy()
    egfr = _read(folder / "affinity/egfr_chembl27.csv.gz", ["smiles", "pic50"])
    return pd.concat(
        [
            _rows("chembl22", frame["smiles"], task, frame["pactivity"].clip(LOW, HIGH)),
            _rows("egfr_chembl27", egfr["smiles"], "EGFR", egfr["pic50"].clip(LOW, HIGH)),
        ]
    )


def _tox21(folder: Path) -> pd.DataFrame:
    frame = _read(folder / "tox/tox21.csv.gz", ["smiles"])
    frame = frame.rename(columns=lambda text: text.lower().replace("-", "_"))
    return pd.concat([_rows("tox21", frame["smiles"], name, frame[name]) for name in TOX21])


def _ames(folder: Path) -> pd.DataFrame:
    frame = _read(folder / "tox/ames.csv.gz", ["Drug", "Y"])
    return _rows("ames", frame["Drug"], "ames", frame["Y"])


def _herg(folder: Path) -> pd.DataFrame:
    frame = _read(folder / "tox/herg_ctoxpred.csv.gz", ["SMILES", "pIC50"])
    value = frame["pIC50"].clip(LOW, HIGH)
    bound = (value == CENSORED).to_numpy()
    # Exactly 5.00 is "weaker than the highest concentration tested" far more often than a measured 10.0 uM.
    return pd.concat(
        [
            _rows("herg_ctoxpred", frame["SMILES"], "herg", value, bound),
            _rows("herg_ctoxpred", frame["SMILES"], "herg_block", (value > CENSORED).astype(float)),
        ]
    )


def _libraries(folder: Path) -> pd.DataFrame:
    """An even sample of each library file, without labels: presumed inactive at every target."""
    parts = []
    for file, number in LIBRARY_SAMPLE.items():
        path = folder / "libraries" / file
        smiles = _read(path, [], sep="\t" if ".csv" in file else " ", header=None, names=["smiles", "id"])[
            "smiles"
        ].dropna()
        sample = smiles.sample(min(number, len(smiles)), random_state=1)
        parts.append(_rows(file.split(".")[0], sample, "", 0.0))
    return pd.concat(parts)
