"""What takes a molecule out before it is scored: by kernels for a batch, by RDKit for one molecule, with the same answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from drylab.featurize import reference
from drylab.featurize.alerts import compiled, patterns
from drylab.featurize.reference import RDKIT_NAMES
from drylab.featurize.route import take
from drylab.featurize.table import describe
from drylab.kernels.substructure import ASK, YES
from drylab.types import MolGraphs

MolOf = Callable[[int], reference.Mol]
EXCLUDED = "excluded by the target file"
NOT_IN_PART = "not in this random part of the library"


def place_of(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """(n,) float64 in [0, 1): where each molecule stands by its key (n, 2), a hash: a coin of its own, the same in any run.

    Of the low word, since the high one decides ties of scores; without its last bits, which choose what is audited.
    """
    return (keys[:, 1] >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a target; the first one that takes a molecule out is the one counted, in this order.

    ranges         (property, low, high), both ends allowed; first, so that a library's row groups that a range takes
                   out as a whole are counted without being read (drylab.library.pruning)
    excluded       (m, 2) uint64 keys
    must_not_have  SMARTS: none may match
    must_have_any  SMARTS: at least one has to match, if there are any
    alerts         RDKit catalogues of which no entry may match
    part           (low, high): only molecules whose place (``place_of``) is in [low, high), after the ranges; None: all
    """

    ranges: tuple[tuple[str, float, float], ...] = ()
    must_have_any: tuple[str, ...] = ()
    must_not_have: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    excluded: NDArray[np.uint64] | None = None
    part: tuple[float, float] | None = None

    def verdict(self, mol: reference.Mol, excluded: bool = False) -> str:
        """The name of the first rule that takes the molecule out, or "": RDKit's answer, which ``verdicts`` must give.

        excluded  whether it is one of the excluded ones, as ``is_excluded`` says
        """
        for name, low, high in self.ranges:
            if not low <= reference.PROPERTIES[name](mol) <= high:
                return range_name(name, low, high)
        if excluded:
            return EXCLUDED
        for smarts in self.must_not_have:
            if mol.HasSubstructMatch(reference.pattern(smarts)):
                return f"contains {smarts}"
        if self.must_have_any and not any(mol.HasSubstructMatch(reference.pattern(s)) for s in self.must_have_any):
            return self._has_none()
        if self.alerts and reference.alert_catalog(self.alerts).HasMatch(mol):
            return self._alert()
        return ""

    def verdicts(self, graphs: MolGraphs, mol_of: MolOf, keys: NDArray[np.uint64] | None = None) -> list[str]:
        """``verdict`` of n parsed molecules by kernels; mol_of(row) gives RDKit's molecule where a kernel declines.

        keys  (n, 2) uint64, None where no molecule can be an excluded one
        """
        verdicts = np.full(len(graphs), "", dtype=object)
        left = self._in_ranges(graphs, mol_of, verdicts)
        if self.part is not None and keys is not None:
            outside = ~self.in_part(keys[left])
            verdicts[left[outside]] = NOT_IN_PART
            left = left[~outside]
        if keys is not None:
            excluded = self.is_excluded(keys[left])
            verdicts[left[excluded]] = EXCLUDED
            left = left[~excluded]
        if len(left) and (self.must_not_have or self.must_have_any):
            left = self._in_structure(graphs, left, mol_of, verdicts)
        if len(left) and self.alerts:
            catalog = reference.alert_catalog(self.alerts)
            codes = compiled(self.alerts).any_match(take(graphs, left))
            found = _asked(codes, left, lambda row: catalog.HasMatch(mol_of(row)))
            verdicts[left[found]] = self._alert()
        return list(verdicts)

    def _in_ranges(self, graphs: MolGraphs, mol_of: MolOf, verdicts: NDArray[np.object_]) -> NDArray[np.int64]:
        left = np.arange(len(graphs))
        if self.ranges and len(left):
            columns = describe(graphs, mol_of, tuple({RDKIT_NAMES[name] for name, _, _ in self.ranges}))
            for name, low, high in self.ranges:
                values = columns[RDKIT_NAMES[name]][left]
                inside = (low <= values) & (values <= high)
                verdicts[left[~inside]] = range_name(name, low, high)
                left = left[inside]
        return left

    def in_part(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """(n,) bool: which molecules, by their keys (n, 2), are in the part asked for."""
        place = place_of(keys)
        return np.ones(len(keys), bool) if self.part is None else (self.part[0] <= place) & (place < self.part[1])

    def is_excluded(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """(n,) bool: which of (n, 2) uint64 keys are among the excluded ones."""
        if self.excluded is None or not len(self.excluded):
            return np.zeros(len(keys), bool)
        near = np.isin(keys[:, 0], self.excluded[:, 0])
        near[near] = (keys[near][:, None, :] == self.excluded[None, :, :]).all(axis=2).any(axis=1)
        return near

    def _in_structure(
        self, graphs: MolGraphs, left: NDArray[np.int64], mol_of: MolOf, verdicts: NDArray[np.object_]
    ) -> NDArray[np.int64]:
        smarts = (*self.must_not_have, *self.must_have_any)
        codes = patterns(smarts).match(take(graphs, left))
        found = np.empty(codes.shape, bool)
        for column, text in enumerate(smarts):
            found[:, column] = _asked(codes[:, column], left, partial(_contains, mol_of, reference.pattern(text)))
        gone = np.zeros(len(left), bool)
        for column, text in enumerate(self.must_not_have):
            verdicts[left[found[:, column] & ~gone]] = f"contains {text}"
            gone |= found[:, column]
        if self.must_have_any:
            without = ~found[:, len(self.must_not_have) :].any(axis=1)
            verdicts[left[without & ~gone]] = self._has_none()
            gone |= without
        return left[~gone]

    def _has_none(self) -> str:
        return f"has none of {', '.join(self.must_have_any)}"

    def _alert(self) -> str:
        return f"structural alert ({', '.join(self.alerts)})"


def _contains(mol_of: MolOf, query: reference.Mol, row: int) -> bool:
    return bool(mol_of(row).HasSubstructMatch(query))


def range_name(name: str, low: float, high: float) -> str:
    """What rows are counted under that a range takes out."""
    return f"{name} outside [{low:g}, {high:g}]"


def _asked(codes: NDArray[np.uint8], rows: NDArray[np.int64], ask: Callable[[int], bool]) -> NDArray[np.bool_]:
    """Which rows match: the kernel's answers, and RDKit's where it gave none."""
    found = codes == YES
    for at in np.flatnonzero(codes == ASK):
        found[at] = ask(int(rows[at]))
    return found
