"""Molecules and labels as flat arrays, and the batches a training loop takes from them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drylab.featurize import curation, reference
from drylab.score.encoder import GraphTensors, pack
from drylab.score.features import atom_classes, bond_classes
from drylab.train.data import POOL, Labels
from drylab.train.panel import Task

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Molecules:
    """n molecules: class indices x (a, 6), ends (2, b), classes (b,), offsets (n+1,) int64, scaffolds and ECFP4."""

    x: NDArray[np.uint8]
    ends: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    atom_ptr: NDArray[np.int64]
    bond_ptr: NDArray[np.int64]
    scaffolds: list[str]
    ecfp4: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.atom_ptr) - 1

    def batch(self, index: NDArray[np.integer]) -> GraphTensors:
        """The molecules of these numbers, in this order."""
        atoms, atom_ptr = ranges(self.atom_ptr, index)
        bonds, bond_ptr = ranges(self.bond_ptr, index)
        return pack(self.x[atoms], self.ends[:, bonds], self.classes[bonds], atom_ptr, bond_ptr)


def ranges(ptr: NDArray[np.integer], index: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the segments ptr[i]:ptr[i+1] for i in index, one after the other, and their new offsets."""
    sizes = (ptr[index + 1] - ptr[index]).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return np.arange(offsets[-1]) + np.repeat(ptr[index] - offsets[:-1], sizes), offsets


def molecules_of(parents: Sequence[str], workers: int = 2) -> Molecules:
    """Graphs, scaffolds and fingerprints of SMILES that RDKit reads."""
    chunks = [parents[i : i + CHUNK] for i in range(0, len(parents), CHUNK)]
    if len(parents) < POOL or workers < 2:
        parts = [_chunk(chunk) for chunk in chunks]
    else:
        with ProcessPoolExecutor(workers) as pool:
            parts = list(pool.map(_chunk, chunks))
    return joined(parts)


def joined(parts: Sequence[Molecules]) -> Molecules:
    """All molecules of the parts, in their order."""
    return Molecules(
        x=np.concatenate([part.x for part in parts]),
        ends=np.concatenate([part.ends for part in parts], axis=1),
        classes=np.concatenate([part.classes for part in parts]),
        atom_ptr=_offsets([part.atom_ptr for part in parts]),
        bond_ptr=_offsets([part.bond_ptr for part in parts]),
        scaffolds=[text for part in parts for text in part.scaffolds],
        ecfp4=np.concatenate([part.ecfp4 for part in parts]),
    )


def _chunk(parents: Sequence[str]) -> Molecules:
    mols = [mol for mol in reference.parse(parents) if mol is not None]
    graphs = reference.graphs(mols)
    assert len(mols) == len(parents), "curation leaves only SMILES that RDKit reads"
    return Molecules(
        x=atom_classes(graphs),
        ends=np.stack([graphs.begin, graphs.end]),
        classes=bond_classes(graphs),
        atom_ptr=graphs.atom_ptr.astype(np.int64),
        bond_ptr=graphs.bond_ptr.astype(np.int64),
        scaffolds=[curation.scaffold(mol) for mol in mols],
        ecfp4=curation.ecfp4(mols),
    )


def _offsets(pointers: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(ptr) for ptr in pointers]))]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Entries:
    """The labels of a batch: row in the batch, task, normalised value, bound, weight; all (m,)."""

    row: Tensor
    task: Tensor
    value: Tensor
    bound: Tensor
    weight: Tensor


@dataclass(frozen=True, slots=True)
class LabelStore:
    """Labels by molecule, normalised: ptr (n+1,), then (m,) columns; centre and scale (t,) undo the normalisation."""

    ptr: NDArray[np.int64]
    task: NDArray[np.int64]
    value: NDArray[np.float32]
    bound: NDArray[np.bool_]
    weight: NDArray[np.float32]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def batch(self, index: NDArray[np.integer]) -> Entries:
        """The labels of these molecules."""
        at, offsets = ranges(self.ptr, index)
        row = np.repeat(np.arange(len(index)), np.diff(offsets))
        columns = (row, self.task[at], self.value[at], self.bound[at], self.weight[at])
        return Entries(*(torch.from_numpy(column) for column in columns))


def importance(task: Task) -> float:
    """How much a task counts: auxiliary targets are many and shape the rest, the three safety endpoints are few."""
    if not task.shipped:
        return 0.3
    return 2.0 if task.name in ("ames", "herg", "herg_block") else 1.0


def label_store(labels: Labels, train: NDArray[np.bool_]) -> LabelStore:
    """Labels with centre, scale and weight (importance / sqrt(n)) of each task, all counted on the training molecules.

    The weights have mean 1 over the training labels.
    """
    t = len(labels.tasks)
    centre, scale, weight = np.zeros(t), np.ones(t), np.zeros(t)
    for number, task in enumerate(labels.tasks):
        values = labels.value[(labels.task == number) & train[labels.mol]].astype(np.float64)
        weight[number] = importance(task) / np.sqrt(max(len(values), 25))
        if task.kind != "class" and len(values) > 1:
            centre[number], scale[number] = values.mean(), max(values.std(), 0.3)
    weight /= weight[labels.task[train[labels.mol]]].mean()
    counts = np.bincount(labels.mol, minlength=len(labels.parents))
    return LabelStore(
        ptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        task=labels.task.astype(np.int64),
        value=((labels.value - centre[labels.task]) / scale[labels.task]).astype(np.float32),
        bound=labels.bound,
        weight=weight[labels.task].astype(np.float32),
        centre=centre,
        scale=scale,
    )


def presumed_inactive(labels: Labels, shipped: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(n, len(shipped)) where an affinity may be presumed weak: not measured on the target, nor on its family."""
    families = [task.family or task.name for task in labels.tasks]
    number = {name: i for i, name in enumerate(dict.fromkeys(families))}
    of_task = np.array([number[name] for name in families])
    touched = np.zeros((len(labels.parents), len(number)), bool)
    touched[labels.mol, of_task[labels.task]] = True
    return ~touched[:, of_task[shipped]]
