"""Molecules that no training may see, by skeleton and by what each is kept for.

A benchmark is worth something only for a model that was never shown its test molecules, in any file, with any label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from drylab.errors import InputError
from drylab.train.dropped import Counts, drop
from drylab.train.parents import parent_table, parents_of, skeletons_of
from drylab.train.sources import CLIFF_SETS, read, table

DEMO = "demo drugs"


def _later_years(folder: Path) -> list[pd.Series]:
    rows = read(folder, "chembl22")
    return [rows.loc[rows["part"] == "sparse_valid", "smiles"]]


def _cliffs_test(folder: Path) -> list[pd.Series]:
    return _cliffs(folder, "test")


def _cliffs_train(folder: Path) -> list[pd.Series]:
    """Fitting data that the encoder has seen would make it look better beside them than it is beside new molecules."""
    return _cliffs(folder, "train")


def _cliffs(folder: Path, part: str) -> list[pd.Series]:
    sets = [read(folder, f"moleculeace_{name}") for name in CLIFF_SETS]
    return [rows.loc[rows["part"] == part, "smiles"] for rows in sets]


def _fewshot(folder: Path) -> list[pd.Series]:
    return [read(folder, "fsmol_valid")["smiles"]]


def _screening(folder: Path) -> list[pd.Series]:
    rows = read(folder, "muv_dud")
    return [rows.loc[rows["value"] == 1, "smiles"]]


def _proteins(folder: Path) -> list[pd.Series]:
    """A cold target is cold only for an encoder that was not trained on its measurements under another name."""
    return [read(folder, name)["smiles"] for name in ("davis", "kiba")]


# origin -> the texts of each of its files; the first that claims a molecule is named in the report
ORIGINS: Mapping[str, Callable[[Path], list[pd.Series]]] = {
    "MoleculeACE test": _cliffs_test,
    "MoleculeACE train": _cliffs_train,
    "FS-Mol valid": _fewshot,
    "MUV and DUD actives": _screening,
    "DAVIS and KIBA": _proteins,
    "ChEMBL 22 later years": _later_years,
}

# A fit's training molecules may be known to the encoder, so that it knows their targets; a purist adds the others.
BENCHMARKS = tuple(origin for origin in ORIGINS if origin != "MoleculeACE train")


def origins(folder: Path, which: Sequence[str] = BENCHMARKS, cache: Path | None = None) -> dict[str, frozenset[str]]:
    """Origin -> skeletons of the benchmark molecules under ``folder``."""
    texts = {origin: [_texts(series) for series in ORIGINS[origin](folder)] for origin in which}
    known = parent_table((group for groups in texts.values() for group in groups), cache)["skeleton"]
    return {
        origin: frozenset(known.loc[[text for group in groups for text in group]]) - {""}
        for origin, groups in texts.items()
    }


def banned(folder: Path, which: Sequence[str] = BENCHMARKS, cache: Path | None = None) -> frozenset[str]:
    """Skeletons of all benchmark molecules under ``folder``; the demo drugs are :func:`demo_skeletons`."""
    return frozenset().union(*origins(folder, which, cache).values())


def demo_skeletons(path: Path) -> frozenset[str]:
    """Skeletons of the molecules (column ``smiles``) that no model may be trained on, so that a demo is fair."""
    frame = table(path, ["smiles"])
    parents = parents_of(frame["smiles"].astype(str))
    bad = [text for text, parent in parents.items() if not parent]
    if bad:
        raise InputError(f"{path}: expected SMILES that RDKit reads, got {bad[0]!r} and {len(bad) - 1} more; mend them")
    return frozenset(skeletons_of(parents.values()).values())


def keep_out(rows: pd.DataFrame, kept_for: Mapping[str, frozenset[str]], counts: Counts) -> pd.DataFrame:
    """The rows (column "skeleton") that train, the others counted as "kept out: ORIGIN", the first that claims them."""
    for origin, skeletons in kept_for.items():
        rows = drop(rows, rows["skeleton"].isin(skeletons), f"kept out: {origin}", counts)
    return rows


def _texts(series: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(series))
