"""Which protein an FS-Mol assay is about, as far as the data themselves prove it.

FS-Mol gives no target. Assays of one ChEMBL target id are taken together; where their values equal those that ChEMBL 22
has for the same molecules on one target, to its two decimals, that is the target. The list of inferred targets that
comes with the data goes by shared molecules alone, so it cannot tell two members of a family apart; it is not used.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from drylab.train.panel import UNKNOWN
from drylab.train.sources import table

SAME = 0.011  # log units: ChEMBL 22's values have two decimals
LEAST = 8  # equal values that prove a target
SHARE = 0.5  # of the shared molecules, at least, have equal values

# FS-Mol's protein class -> the family of drylab.train.panel
_CLASSES = {
    "kinase": r"kinase",
    "aminergic": r"monoamine",
    "deacetylase": r"hdac",
    "phosphodiesterase": r"phosphodiesterase",
    "aspartic": r"protease +aspartic|presenilin",
    "metalloprotease": r"protease +metallo +mam",
    "coagulation": r"protease +serine +pas",
    "peptidase": r"protease +serine +sc",
    "cysteine": r"protease +cysteine",
    "cytochrome": r"cytochrome",
    "phosphatase": r"phosphatase",
    "steroid": r"nuclear hormone receptor subfamily 3",
}


def assay_targets(folder: Path, assays: pd.DataFrame, known: pd.DataFrame) -> dict[str, str]:
    """Assay -> ChEMBL target, for those whose target is proven.

    assays, known  rows of FS-Mol and of ChEMBL 22: columns skeleton, task (assay or target), value, relation
    """
    frame = _info(folder)
    ids = dict(zip(frame["assay_chembl_id"], frame["chembl_tid"], strict=True))
    mine = assays.loc[assays["relation"] == 0, ["skeleton", "task", "value"]].assign(tid=assays["task"].map(ids))
    pairs = mine.merge(known[["skeleton", "task", "value"]], on="skeleton", suffixes=("", "_known"))
    pairs = pairs.assign(same=(pairs["value"] - pairs["value_known"]).abs() <= SAME)
    found = pairs.groupby(["tid", "task_known"])["same"].agg(["sum", "size"]).reset_index()
    found = found[(found["sum"] >= LEAST) & (found["sum"] >= SHARE * found["size"])]
    best = found.sort_values(["tid", "sum", "task_known"], ascending=[True, False, True]).drop_duplicates("tid")
    target = dict(zip(best["tid"], best["task_known"], strict=True))
    return {str(assay): str(target[tid]) for assay, tid in ids.items() if tid in target}


def assay_families(folder: Path) -> dict[str, str]:
    """Assay -> family by its protein class, UNKNOWN where that does not say."""
    frame = _info(folder)
    classes = frame["protein_class"].fillna("").str.lower()
    return {str(a): _family(text) for a, text in zip(frame["assay_chembl_id"], classes, strict=True)}


def _family(text: str) -> str:
    return next((name for name, rule in _CLASSES.items() if re.search(rule, text)), UNKNOWN)


def _info(folder: Path) -> pd.DataFrame:
    frame = table(folder / "affinity/fsmol_assay_targets.csv.gz", ["assay_chembl_id", "chembl_tid", "protein_class"])
    return frame[np.isfinite(frame["chembl_tid"])]
