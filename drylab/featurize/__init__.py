"""SMILES batches -> graphs of the rows that go on, and an account of those that do not.

RDKit's reference path is the only one for now; kernels take over where they promise the same codes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.featurize import reference
from drylab.types import DECLINED, INVALID, MolGraphs, SmilesBatch

EXCLUDED = "excluded by the target file"
REASONS = {INVALID: "parse: RDKit cannot parse it", DECLINED: f"parse: more than {reference.MAX_ATOMS} atoms"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What takes a molecule out before it is scored; the first rule that does is the one counted.

    ranges         (property, low, high), both ends allowed
    must_have_any  SMARTS: at least one has to match, if there are any
    must_not_have  SMARTS: none may match
    alerts         RDKit catalogues of which no entry may match
    excluded       (m, 2) uint64 keys
    """

    ranges: tuple[tuple[str, float, float], ...] = ()
    must_have_any: tuple[str, ...] = ()
    must_not_have: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    excluded: NDArray[np.uint64] | None = None

    def verdict(self, mol: reference.Mol) -> str:
        """The name of the first rule that takes the molecule out, or ""."""
        for name, low, high in self.ranges:
            if not low <= reference.PROPERTIES[name](mol) <= high:
                return f"{name} outside [{low:g}, {high:g}]"
        for smarts in self.must_not_have:
            if mol.HasSubstructMatch(reference.pattern(smarts)):
                return f"contains {smarts}"
        if self.must_have_any and not any(mol.HasSubstructMatch(reference.pattern(s)) for s in self.must_have_any):
            return f"has none of {', '.join(self.must_have_any)}"
        if self.alerts and reference.alert_catalog(self.alerts).HasMatch(mol):
            return f"structural alert ({', '.join(self.alerts)})"
        return ""


@dataclass(frozen=True, slots=True)
class Featurized:
    """Rows of a batch that go on, and why the others do not.

    rows      (m,) int64 positions in the batch
    graphs    of those rows, all PARSED
    rejected  (position, reason) of each row that could not be used
    filtered  rule -> rows it took out
    """

    rows: NDArray[np.int64]
    graphs: MolGraphs
    rejected: tuple[tuple[int, str], ...]
    filtered: Mapping[str, int]


def featurize(batch: SmilesBatch, rules: Rules) -> Featurized:
    """Parse, filter, and take graphs of what is left. len(batch) = len(rows) + len(rejected) + sum(filtered)."""
    verdicts = [""] * len(batch)
    if rules.excluded is not None and len(rules.excluded):
        for position in np.flatnonzero(_isin(batch.keys, rules.excluded)).tolist():
            verdicts[position] = EXCLUDED
    mols = reference.parse(batch.strings())
    status = reference.status(mols)
    rejected = tuple((int(i), REASONS[int(status[i])]) for i in np.flatnonzero(status))
    for position, mol in enumerate(mols):
        if mol is not None and not verdicts[position] and status[position] == 0:
            verdicts[position] = rules.verdict(mol)
    # A row that cannot be parsed is rejected even if it was excluded: one row, one account.
    filtered = Counter(verdict for verdict, state in zip(verdicts, status, strict=True) if verdict and state == 0)
    rows = np.array([i for i, verdict in enumerate(verdicts) if not verdict and status[i] == 0], dtype=np.int64)
    return Featurized(rows, reference.graphs([mols[i] for i in rows]), rejected, dict(filtered))


def _isin(keys: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    near = np.isin(keys[:, 0], wanted[:, 0])
    near[near] = (keys[near][:, None, :] == wanted[None, :, :]).all(axis=2).any(axis=1)
    return near
