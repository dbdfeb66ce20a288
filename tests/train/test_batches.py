"""Flat storage of molecules and labels: taking a batch changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from drylab.featurize import reference  # noqa: E402
from drylab.score.encoder import graph_tensors  # noqa: E402
from drylab.train.batches import label_store, molecules_of, presumed_inactive, ranges  # noqa: E402
from drylab.train.data import Labels  # noqa: E402
from drylab.train.panel import Task  # noqa: E402

SMILES = ["CCO", "c1ccncc1", "C", "CC(=O)Nc1ccccc1", "C#N", "OC1CCCCC1"]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_ranges_join_the_segments(sizes: list[int], data: st.DataObject) -> None:
    ptr = np.concatenate([[0], np.cumsum(sizes)])
    index = np.array(data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=8)), dtype=np.int64)
    at, offsets = ranges(ptr, index)
    expected = [position for i in index for position in range(ptr[i], ptr[i + 1])]
    assert at.tolist() == expected
    assert np.diff(offsets).tolist() == [sizes[i] for i in index]


def test_a_batch_is_what_the_molecules_alone_would_be() -> None:
    molecules = molecules_of(SMILES)
    index = np.array([3, 0, 3, 2])
    got = molecules.batch(index)
    expected = graph_tensors(reference.graphs(reference.parse([SMILES[i] for i in index])))
    for name in ("rows", "edges", "classes", "molecule", "sizes"):
        assert torch.equal(getattr(got, name), getattr(expected, name)), name


def labels() -> Labels:
    tasks = (
        Task("EGFR", "affinity", "kinase"),
        Task("KDR", "affinity", "kinase"),
        Task("F2", "affinity", "coagulation"),
        Task("ames", "class"),
    )
    mol, task = np.array([0, 1, 2, 3, 4]), np.array([0, 0, 2, 3, 0])
    value = np.array([6.0, 8.0, 7.0, 1.0, 99.0], np.float32)
    library = np.array([False] * 5 + [True])
    return Labels(SMILES, tasks, mol.astype(np.int32), task.astype(np.int16), value, np.zeros(5, bool), library, {})


def test_presumed_inactive_spares_the_family() -> None:
    mask = presumed_inactive(labels(), np.array([0, 1, 2]))
    assert mask[0].tolist() == [False, False, True]  # measured on EGFR: may hit KDR, presumed weak on thrombin
    assert mask[2].tolist() == [True, True, False]
    assert mask[3].tolist() == [True, True, True]
    assert mask[5].tolist() == [True, True, True]


def test_normalisation_looks_at_training_molecules_only() -> None:
    store = label_store(labels(), np.array([True, True, True, True, False, True]))
    assert store.centre[0] == 7.0
    assert store.scale[0] == 1.0
    assert (store.centre[3], store.scale[3]) == (0.0, 1.0)  # a class is left as it is
    entries = store.batch(np.array([1, 5, 3]))
    assert entries.row.tolist() == [0, 2]
    assert entries.task.tolist() == [0, 3]
    assert entries.value.tolist() == [1.0, 1.0]
