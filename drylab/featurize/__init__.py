"""SMILES -> graphs, fingerprints and properties; batches -> graphs of the rows that go on, and an account of the others.

Kernels do the work; RDKit answers for the rows that a kernel declines (route.py), with the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.featurize.columns import descriptors, fingerprints, graphs
from drylab.featurize.route import route, take
from drylab.featurize.rules import EXCLUDED, Rules
from drylab.types import PARSED, MolGraphs, SmilesBatch

__all__ = [
    "EXCLUDED",
    "Featurized",
    "Rules",
    "Sorted",
    "descriptors",
    "featurize",
    "fingerprints",
    "graphs",
    "sort_out",
]


@dataclass(frozen=True, slots=True)
class Featurized:
    """Rows of a batch that go on, and why the others do not.

    rows      (m,) int64 positions in the batch
    graphs    of those rows, all PARSED
    rejected  (position, reason) of each row that could not be used
    filtered  rule -> rows it took out
    declined  reason -> rows that the kernel left to RDKit, whatever became of them
    """

    rows: NDArray[np.int64]
    graphs: MolGraphs
    rejected: tuple[tuple[int, str], ...]
    filtered: Mapping[str, int]
    declined: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Rows of a batch by several sets of rules.

    rows      (m,) int64 positions in the batch of those that pass at least one set
    graphs    of those rows, all PARSED       passes    (m, r) bool: which sets each of them passes
    rejected  (position, reason) of each row that could not be used
    filtered  (r,) of rule -> rows it took out
    declined  reason -> rows that the kernel left to RDKit, whatever became of them
    """

    rows: NDArray[np.int64]
    graphs: MolGraphs
    passes: NDArray[np.bool_]
    rejected: tuple[tuple[int, str], ...]
    filtered: tuple[Mapping[str, int], ...]
    declined: Mapping[str, int]


def featurize(batch: SmilesBatch, rules: Rules) -> Featurized:
    """Parse, filter, and take graphs of what is left. len(batch) = len(rows) + len(rejected) + sum(filtered)."""
    done = sort_out(batch, [rules])
    return Featurized(done.rows, done.graphs, done.rejected, done.filtered[0], done.declined)


def sort_out(batch: SmilesBatch, sets: Sequence[Rules]) -> Sorted:
    """Parse once, filter by each of r sets of rules, and take graphs of what is left of any."""
    routed = route(batch.data, batch.offsets)
    parsed = routed.graphs.status == PARSED
    # A row that cannot be parsed is rejected whatever else is true of it: one row, one account.
    rejected = tuple((int(i), f"parse: {routed.trouble(int(i))}") for i in np.flatnonzero(~parsed))
    rows = np.flatnonzero(parsed)
    graphs = routed.graphs if len(rows) == len(batch) else take(routed.graphs, rows)
    passes = np.ones((len(rows), len(sets)), bool)
    filtered: list[Mapping[str, int]] = []
    for column, rules in enumerate(sets):
        verdicts = rules.verdicts(graphs, lambda position: routed.mol(int(rows[position])), batch.keys[rows])
        filtered.append(Counter(filter(None, verdicts)))
        if filtered[-1]:
            passes[:, column] = [not verdict for verdict in verdicts]
    left = np.flatnonzero(passes.any(axis=1))
    if len(left) < len(rows):
        graphs, rows, passes = take(graphs, left), rows[left], passes[left]
    return Sorted(rows, graphs, passes, rejected, tuple(map(dict, filtered)), routed.declined())
