"""SMILES as written -> parent, skeleton and fault, kept in Parquet files so that 400,000 molecules are read once.

A file of parents is named by a hash of the texts that it answers for, of the recipe and of RDKit's version: any change
of a data file makes a new one, and nothing is ever checked by date.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import pandas as pd

from drylab.featurize.curation import flat_parent, skeleton

RECIPE = "flat-parent-1"
POOL = 5_000  # strings below which a second process costs more than it saves
KEPT = 500  # texts below which reading them again is quicker than a file
COLUMNS = ("parent", "skeleton")

T = TypeVar("T")


def default_cache() -> Path:
    """Where files of parents are kept: ``drylab`` below the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "drylab"


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


def skeletons_of(parents: Iterable[str]) -> dict[str, str]:
    """Flat parent -> skeleton: what a molecule is known by, however it is drawn."""
    distinct = list(dict.fromkeys(parents))
    return dict(zip(distinct, pooled(skeleton, distinct), strict=True))


def parent_table(groups: Iterable[Sequence[str]], cache: Path | None = None) -> pd.DataFrame:
    """Columns "parent" and "skeleton" for each distinct text of all groups, which are the index; "" where RDKit refuses.

    groups  the texts of one file each: a group is one file of the cache
    """
    folder, parts = cache or default_cache(), [pd.DataFrame({name: [] for name in COLUMNS}, dtype=object)]
    for group in groups:
        texts = sorted(set(group))
        path = cache_file(folder, texts) if len(texts) > KEPT else None
        if path is not None and path.is_file():
            parts.append(pd.read_parquet(path))
            continue
        parts = [_distinct(parts)]
        parts.append(_described(texts, parts[0]))
        if path is not None:
            _keep(path, parts[1])
    return _distinct(parts)


def _distinct(parts: list[pd.DataFrame]) -> pd.DataFrame:
    found = pd.concat(parts)
    return found[~found.index.duplicated()]


def cache_file(folder: Path, texts: Sequence[str]) -> Path:
    """Where the parents of these sorted, distinct texts are kept."""
    digest = hashlib.sha256(f"{RECIPE}\n{version('rdkit')}\n".encode())
    digest.update("\n".join(texts).encode())
    return folder / f"parents-{digest.hexdigest()[:32]}.parquet"


def _keep(path: Path, rows: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")  # so that no reader sees half a file
    rows.to_parquet(part)
    part.replace(path)


def _described(texts: list[str], known: pd.DataFrame) -> pd.DataFrame:
    """Rows for these texts; what ``known`` has already is copied."""
    fresh = pd.Index(texts).difference(known.index) if len(known) else texts
    parents = parents_of(fresh)
    skeletons = skeletons_of(parent for parent in parents.values() if parent) | {"": ""}
    rows = pd.DataFrame({"parent": parents}, dtype=object)
    rows["skeleton"] = [skeletons[parent] for parent in rows["parent"]]
    return rows if len(fresh) == len(texts) else pd.concat([rows, known.loc[known.index.isin(texts)]])
