"""Every file of measurements that is read, and how: one literal table, one reader.

Raw rows are a DataFrame with the columns
    smiles    str, as written in the file
    task      str, what was measured: a ChEMBL target, an assay, an endpoint; "" for a molecule without a label
    value     float64: -log10 of mol/l ("p"), 0 or 1 ("class"), or the file's own number ("value"); NaN: not given
    relation  int8: 0 measured; -1 the truth is at most ``value``; +1 it is at least ``value``
    part      str: the fold or subset that the file itself puts the row in, "" where it has none
    kind      str: the kind of the value, "p", "class" or "value"
    file      str: the name of the source
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from drylab.errors import InputError
from drylab.train.panel import CYPS


@dataclass(frozen=True, slots=True)
class Source:
    """One file: where it lies below the data folder, and what its columns are.

    kind      "p": -log10 of mol/l; "class": 0 or 1; "value": a number in the file's own unit
    value     column of the values; "" where every column but those of ``smiles`` and ``beside`` is a task of its own
    task      the task of all rows; before the names of ``by`` or of the columns where there are many
    by        column that names the task of a row
    part      column of the file's own fold or subset
    relation  column of the sign before a concentration ("<", "=", ">")
    at_most   a value that is written for "this or weaker"
    """

    name: str
    file: str
    kind: str
    smiles: str = "smiles"
    value: str = ""
    task: str = ""
    by: str = ""
    part: str = ""
    relation: str = ""
    at_most: float | None = None
    beside: tuple[str, ...] = ()


def _tdc(name: str, task: str) -> Source:
    """A file of Therapeutics Data Commons (https://tdcommons.ai)."""
    return Source(name, f"tox/{name}.csv.gz", "class", smiles="Drug", value="Y", task=task)


def _ctoxpred(name: str, task: str) -> Source:
    """A file of CToxPred (Arab 2023, 10.1021/acs.jcim.3c01301). Exactly 5.00 is "weaker than the highest concentration
    tested" far more often than a measured 10.0 uM."""
    file = f"tox/{name}_ctoxpred.csv.gz"
    return Source(f"{name}_ctoxpred", file, "p", smiles="SMILES", value="pIC50", task=task, part="USED_AS", at_most=5.0)


def _fsmol(part: str) -> Source:
    """FS-Mol (Stanley 2021): each assay is a task of its own, so that its offset is its own."""
    file = f"affinity/fsmol_{part}.csv.gz"
    return Source(f"fsmol_{part}", file, "p", value="log_value", by="assay_chembl_id", relation="relation")


def _cliffs(name: str) -> Source:
    """A set of MoleculeACE (van Tilborg 2022, 10.1021/acs.jcim.2c01073): Ki or EC50 on one target."""
    file = f"affinity/moleculeace/{name}.csv.gz"
    return Source(f"moleculeace_{name}", file, "p", value="pactivity", task=name.partition("_")[0], part="split")


CLIFF_SETS = (
    *("CHEMBL1862_Ki", "CHEMBL2034_Ki", "CHEMBL204_Ki", "CHEMBL214_Ki", "CHEMBL219_Ki", "CHEMBL231_Ki"),
    *("CHEMBL234_Ki", "CHEMBL236_Ki", "CHEMBL237_Ki", "CHEMBL239_EC50", "CHEMBL262_Ki", "CHEMBL2835_Ki"),
    *("CHEMBL2971_Ki", "CHEMBL4005_Ki", "CHEMBL4616_EC50"),
)
_SOURCES = (
    Source("chembl22", "affinity/chembl22.csv.gz", "p", value="pactivity", by="target_chembl_id", part="subset"),
    Source("egfr_chembl27", "affinity/egfr_chembl27.csv.gz", "p", value="pic50", task="CHEMBL203"),
    _fsmol("train"),
    _fsmol("valid"),
    Source("metz", "affinity/metz.csv.gz", "p", value="metz", task="metz_", by="proteinName"),
    *(_cliffs(name) for name in CLIFF_SETS),
    Source("davis", "affinity/davis.csv.gz", "p", value="p_value", by="target", part="fold", at_most=5.0),
    Source("kiba", "affinity/kiba.csv.gz", "value", value="kiba_score", by="target", part="fold"),
    Source(
        "adme_biogen",
        "affinity/adme_biogen.csv.gz",
        "value",
        smiles="SMILES",
        task="adme_",
        beside=("Internal ID", "Vendor ID", "CollectionName"),
    ),
    Source("tox21", "tox/tox21.csv.gz", "class"),
    Source("toxcast", "tox/toxcast.csv.gz", "class", task="toxcast_"),
    _tdc("ames", "ames"),
    _tdc("herg", "herg_drugs"),
    _tdc("dili", "dili"),
    Source("dili_gold", "tox/dili_gold.csv.gz", "class", smiles="smiles_r", value="TOXICITY", task="dili"),
    _tdc("skin_reaction", "skin_reaction"),
    _tdc("carcinogens_lagunin", "carcinogen"),
    _tdc("hia_hou", "hia"),
    _tdc("pgp_broccatelli", "pgp"),
    _tdc("bbb_martins", "bbb"),
    _tdc("bioavailability_ma", "bioavailability"),
    *(_tdc(f"{name}_veith", name) for name in CYPS),
    *(_tdc(f"cyp{name}_substrate_carbonmangels", f"cyp{name}_substrate") for name in ("2c9", "2d6", "3a4")),
    _ctoxpred("herg", "herg"),
    _ctoxpred("nav", "nav15"),
    _ctoxpred("cav", "cav12"),
    Source("ld50_zhu", "tox/ld50_zhu.csv.gz", "value", value="active", task="ld50"),
    Source("muv_dud", "benchmarks/muv_dud.csv.gz", "class", value="label", by="target", part="source"),
)
SOURCES = {source.name: source for source in _SOURCES}
TOXICITY = tuple(source.name for source in _SOURCES if source.file.startswith("tox/"))

BLOCK = (
    "herg_ctoxpred_block"  # a file in the report of what was dropped: each row of herg_ctoxpred makes one of these, too
)

# Molecules of each library file that are presumed inactive. PubChem has the odd ones: cages, metals, long chains.
LIBRARY_SAMPLE = {"zinc_a.smi.gz": 10_000, "zinc_b.smi.gz": 10_000, "pubchem_100k.csv.gz": 40_000}


def read(folder: Path, name: str) -> pd.DataFrame:
    """The raw rows of one source of the table, in the order of the file; InputError where file or column is missing."""
    source = SOURCES[name]
    named = (source.value, source.by, source.part, source.relation)
    frame = table(folder / source.file, [source.smiles, *(column for column in named if column)])
    frame = frame[frame[source.smiles].notna()]
    if source.value:
        task = source.task + frame[source.by].astype(str) if source.by else source.task
        return _rows(source, frame, task, frame[source.value])
    columns = [column for column in frame.columns if column not in (source.smiles, *source.beside)]
    parts = [_rows(source, frame, source.task + slug(column), frame[column]) for column in columns]
    rows = pd.concat(parts, ignore_index=True)
    return rows[rows["value"].notna()].reset_index(drop=True)  # an empty cell was never a row


def library(folder: Path, file: str) -> pd.DataFrame:
    """An even sample of a library file as rows without a task."""
    frame = table(
        folder / "libraries" / file, [], sep="\t" if ".csv" in file else " ", header=None, names=["smiles", "id"]
    )
    texts = frame["smiles"].dropna()
    chosen = texts.sample(min(LIBRARY_SAMPLE[file], len(texts)), random_state=1)
    rows = pd.DataFrame({"smiles": chosen.astype(str).to_numpy(object), "task": "", "value": 0.0})
    return rows.assign(relation=np.int8(0), part="", kind="", file=file.partition(".")[0])


def table(path: Path, columns: Sequence[str], **options: Any) -> pd.DataFrame:
    """A CSV file as a DataFrame; InputError where it is absent or a column is missing."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the folder of the training data with --data")
    frame = pd.read_csv(path, low_memory=False, **options)
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"{path}:1: columns missing: {', '.join(missing)}; got {', '.join(map(str, frame.columns))}")
    return frame


def slug(text: str) -> str:
    """A column's name in lower case, with one underscore for whatever is neither letter nor digit."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _rows(source: Source, frame: pd.DataFrame, task: Any, value: Any) -> pd.DataFrame:
    rows = pd.DataFrame(
        {"smiles": frame[source.smiles].astype(str).to_numpy(object), "value": np.asarray(value, np.float64)}
    )
    rows["task"] = np.asarray(task, object) if not isinstance(task, str) else task
    rows["relation"] = _relation(source, frame, rows["value"].to_numpy())
    rows["part"] = frame[source.part].astype(str).to_numpy(object) if source.part else ""
    return rows.assign(kind=source.kind, file=source.name)


def _relation(source: Source, frame: pd.DataFrame, value: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    """The sign of a concentration turned round: IC50 > 20 uM is a pIC50 of at most 4.7."""
    if source.relation:
        sign = frame[source.relation].fillna("=").astype(str).str[0]
        return np.select([sign == ">", sign == "<"], [-1, 1], 0).astype(np.int8)
    return np.where(value == source.at_most, -1, 0).astype(np.int8)
