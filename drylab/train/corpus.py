"""From a folder of data to what a training needs: curated labels, graphs, the split, what was kept out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drylab.train.batches import LAST_GROUPS, label_store, molecules_of, presumed_inactive
from drylab.train.data import Labels, demo_skeletons, read_labels
from drylab.train.episodes import episodes_of
from drylab.train.fit import Corpus
from drylab.train.keepout import BENCHMARKS
from drylab.train.panel import Task
from drylab.train.pretext import pretext
from drylab.train.split import SKIPPED, TRAIN, VALID, folds, split_hash

MOST_ATOMS = 100  # heavy atoms with a label; library molecules may be larger, to learn that size is not activity


@dataclass(frozen=True, slots=True)
class Prepared:
    """Labels, the fold (n,) of each molecule, the skeletons kept out, and the corpus of the training loop."""

    labels: Labels
    fold: NDArray[np.uint8]
    split_hash: str
    banned: frozenset[str]
    corpus: Corpus


def prepare(folder: Path, demo: Path, cache: Path | None = None, benchmarks: Sequence[str] = BENCHMARKS) -> Prepared:
    """Read, curate, split and featurize everything under ``folder``, without the molecules of ``demo`` and of ``benchmarks``.

    cache  folder of parents that were read before; the user's cache folder if None
    """
    banned = demo_skeletons(demo)
    return assemble(read_labels(folder, banned, benchmarks, cache), banned)


def assemble(labels: Labels, banned: frozenset[str]) -> Prepared:
    """Graphs and split of curated labels."""
    molecules = molecules_of(labels.parents)
    fold = folds(molecules.scaffolds, labels.parents)
    atoms = np.diff(molecules.atom_ptr)
    fold[(atoms == 0) | ((atoms > MOST_ATOMS) & ~labels.library)] = SKIPPED
    shipped = _numbers(labels, lambda task: task.shipped and task.kind == "affinity")
    corpus = Corpus(
        molecules=molecules,
        labels=label_store(labels, fold == TRAIN),
        train=np.flatnonzero((fold == TRAIN) & ~labels.library),
        valid=np.flatnonzero((fold == VALID) & ~labels.library),
        library=np.flatnonzero((fold == TRAIN) & labels.library),
        classes=np.array([task.kind == "class" for task in labels.tasks]),
        shipped=shipped,
        judged=_numbers(labels, lambda task: task.shipped),
        presumed=presumed_inactive(labels, shipped),
        pretext=pretext(labels.parents),
        episodes=episodes_of(labels, fold == TRAIN),
    )
    return Prepared(labels, fold, split_hash(labels.parents, fold), banned, corpus)


def last(prepared: Prepared) -> Corpus:
    """What the end of a training learns from: the training molecules with a label of something that ships, weighted anew."""
    labels, corpus = prepared.labels, prepared.corpus
    shipped = np.array([task.shipped for task in labels.tasks])
    labelled = np.zeros(len(labels.parents), bool)
    labelled[labels.mol[shipped[labels.task]]] = True
    used = labelled & (prepared.fold == TRAIN)
    store = replace(label_store(labels, used, LAST_GROUPS), centre=corpus.labels.centre, scale=corpus.labels.scale)
    value = (labels.value - store.centre[labels.task]) / store.scale[labels.task]  # heads go on in the units they know
    return replace(corpus, labels=replace(store, value=value.astype(np.float32)), train=np.flatnonzero(used))


def _numbers(labels: Labels, wanted: Callable[[Task], bool]) -> NDArray[np.int64]:
    return np.array([i for i, task in enumerate(labels.tasks) if wanted(task)], np.int64)
