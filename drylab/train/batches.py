"""Molecules and labels as flat arrays, and the batches a training loop takes from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drylab.featurize import curation, fingerprints, graphs, reference
from drylab.score.encoder import GraphTensors, pack
from drylab.score.features import atom_classes, bond_classes
from drylab.train.data import Labels, pooled
from drylab.train.panel import UNKNOWN, Task

CHUNK = 20_000
# How much the labels of a group count together, beside 1 for affinities. Assays of one paper are many and small: they make
# episodes, and their own heads count little.
GROUPS = {"affinity": 1.0, "assay": 0.3, "class": 0.7, "value": 0.3, "other class": 0.2}
# At the end, on the molecules of what ships alone: its probes are what a screen ranks by.
LAST_GROUPS = {"affinity": 3.0, "assay": 0.1, "class": 1.0, "value": 0.3, "other class": 0.1}
FEWEST = 25  # measurements below which a task counts no less for being small


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
    """Graphs, scaffolds and fingerprints of SMILES that RDKit reads; a molecule that has no graph has no atoms."""
    parts = [_chunk(parents[i : i + CHUNK]) for i in range(0, max(len(parents), 1), CHUNK)]
    return replace(joined(parts), scaffolds=scaffolds_of(parents, workers))


def scaffolds_of(parents: Sequence[str], workers: int = 2) -> list[str]:
    """Bemis-Murcko scaffold of each parent."""
    return pooled(_scaffold, parents, workers)


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
    found = graphs(parents)
    return Molecules(
        x=atom_classes(found),
        ends=np.stack([found.begin, found.end]),
        classes=bond_classes(found),
        atom_ptr=found.atom_ptr.astype(np.int64),
        bond_ptr=found.bond_ptr.astype(np.int64),
        scaffolds=[],
        ecfp4=np.packbits(fingerprints(parents, 2, curation.FINGERPRINT_BITS).to_numpy(), axis=1),
    )


def _scaffold(parent: str) -> str:
    (mol,) = reference.parse([parent])
    return "" if mol is None else curation.scaffold(mol)


def _offsets(pointers: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(ptr) for ptr in pointers]))]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Entries:
    """The labels of a batch: row in the batch, task, normalised value, relation (-1, 0, +1), weight; all (m,)."""

    row: Tensor
    task: Tensor
    value: Tensor
    relation: Tensor
    weight: Tensor


@dataclass(frozen=True, slots=True)
class LabelStore:
    """Labels by molecule, normalised: ptr (n+1,), then (m,) columns; centre and scale (t,) undo the normalisation."""

    ptr: NDArray[np.int64]
    task: NDArray[np.int64]
    value: NDArray[np.float32]
    relation: NDArray[np.int8]
    weight: NDArray[np.float32]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def batch(self, index: NDArray[np.integer]) -> Entries:
        """The labels of these molecules."""
        at, offsets = ranges(self.ptr, index)
        row = np.repeat(np.arange(len(index)), np.diff(offsets))
        columns = (row, self.task[at], self.value[at], self.relation[at], self.weight[at])
        return Entries(*(torch.from_numpy(column) for column in columns))


def group(task: Task) -> str:
    """Which of GROUPS a task is in."""
    if task.kind == "class":
        return "class" if task.shipped else "other class"
    return task.kind if task.kind in ("affinity", "assay") else "value"


def label_store(
    labels: Labels, train: NDArray[np.bool_], groups: Mapping[str, float] = MappingProxyType(GROUPS)
) -> LabelStore:
    """Labels with centre and scale of each task and a weight each, all counted on the training molecules.

    A task counts as the square root of its measurements. A sum of weighted losses over a batch, divided by its molecules, is in
    expectation the sum over the groups of their mean losses times ``groups``.
    """
    t = len(labels.tasks)
    used = train[labels.mol]
    task, value = labels.task[used], labels.value[used].astype(np.float64)
    number = np.bincount(task, minlength=t)
    mean = np.bincount(task, value, minlength=t) / np.maximum(number, 1)
    deviation = np.sqrt(np.maximum(np.bincount(task, value**2, minlength=t) / np.maximum(number, 1) - mean**2, 0.0))
    classes = np.array([one.kind == "class" for one in labels.tasks])
    # Log units are the same for every protein; other numbers need a scale of their own.
    own = np.array([group(one) == "value" for one in labels.tasks])
    centre, scale = np.where(classes, 0.0, mean), np.where(own, np.maximum(deviation, 0.3), 1.0)
    counts = np.bincount(labels.mol, minlength=len(labels.parents))
    return LabelStore(
        ptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        task=labels.task.astype(np.int64),
        value=((labels.value - centre[labels.task]) / scale[labels.task]).astype(np.float32),
        relation=labels.relation,
        weight=_weights(labels.tasks, number, len(np.unique(labels.mol[used])), groups)[labels.task].astype(np.float32),
        centre=centre,
        scale=scale,
    )


def _weights(
    tasks: Sequence[Task], number: NDArray[np.integer], molecules: int, shares: Mapping[str, float]
) -> NDArray[np.float64]:
    """(t,) weight of one label of each task."""
    each = 1.0 / np.sqrt(np.maximum(number, FEWEST))
    groups = np.array([group(task) for task in tasks])
    for name, share in shares.items():
        mine = groups == name
        each[mine] *= share * molecules / max(float((each * number)[mine].sum()), 1e-9)
    return each


def presumed_inactive(labels: Labels, shipped: NDArray[np.integer]) -> NDArray[np.bool_]:
    """(n, len(shipped)) where an affinity may be presumed weak: not measured on the target, nor on its family, nor on a
    protein of which nothing is known."""
    families = [task.family or task.name for task in labels.tasks]
    number = {name: i for i, name in enumerate(dict.fromkeys([*families, UNKNOWN]))}
    of_task = np.array([number[name] for name in families])
    touched = np.zeros((len(labels.parents), len(number)), bool)
    touched[labels.mol, of_task[labels.task]] = True
    unknown = touched[:, number[UNKNOWN]]
    return np.asarray(~touched[:, of_task[shipped]] & ~unknown[:, None])
