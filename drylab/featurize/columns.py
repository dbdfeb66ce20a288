"""A column of SMILES -> graphs, fingerprints or properties: what a notebook calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drylab.arrow import numbers
from drylab.device import array_module, to_host
from drylab.errors import InputError
from drylab.featurize import reference
from drylab.featurize.route import Routed, on_host, route
from drylab.featurize.table import describe, fill
from drylab.featurize.text import Smiles, as_bytes
from drylab.kernels.morgan import morgan_bits, morgan_counts
from drylab.kernels.stereo import EXACT, stereo_marks
from drylab.types import DECLINED, INVALID, PARSED, Bits, Counts, MolGraphs


def graphs(smiles: Smiles) -> MolGraphs:
    """Molecular graphs of n SMILES, exactly RDKit's: atoms, bonds, rings, aromaticity, stereo marks.

    smiles  a list, array or pandas Series of text, an Arrow column, or a SmilesBatch, whose arrays may be on a GPU

    Rows keep their places. status says what became of each: PARSED; DECLINED, RDKit reads it and it does not fit (more
    than 255 atoms); INVALID, it is no molecule. The kernel parses, RDKit parses what the kernel declines (see
    docs/featurize.md); the answer is the same. Raises InputError for a column that is not text.

    >>> import drylab
    >>> drylab.featurize.graphs(["CCO", "c1ccccc1"]).atom_ptr.tolist()
    [0, 3, 9]
    """
    return route(*as_bytes(smiles)).graphs


@overload
def fingerprints(
    smiles: Smiles, radius: int = ..., n_bits: int = ..., count: Literal[False] = ..., chirality: bool = ...
) -> Bits: ...
@overload
def fingerprints(smiles: Smiles, radius: int, n_bits: int, count: Literal[True], chirality: bool = ...) -> Counts: ...
@overload
def fingerprints(
    smiles: Smiles, radius: int = ..., n_bits: int = ..., *, count: Literal[True], chirality: bool = ...
) -> Counts: ...
def fingerprints(
    smiles: Smiles, radius: int = 2, n_bits: int = 2048, count: bool = False, chirality: bool = False
) -> Bits | Counts:
    """Morgan fingerprints (ECFP, https://doi.org/10.1021/ci100050t), bit for bit those of RDKit's MorganGenerator.

    radius     bonds around each atom, 2 for ECFP4       n_bits  size that environments are folded to
    count      how often each bit occurs, as Counts; else whether it does, as Bits
    chirality  tell stereoisomers apart (RDKit's includeChirality)

    A row that is no molecule has no bits and status INVALID. Raises InputError for a size that cannot be.

    >>> import drylab
    >>> drylab.featurize.fingerprints(["CCO"], radius=2, n_bits=2048).to_numpy().sum()
    np.uint64(6)
    """
    if radius < 0 or not 0 < n_bits < 2**31:
        raise InputError(f"radius {radius}, n_bits {n_bits}: expected radius >= 0 and 1 <= n_bits < 2**31")
    routed = route(*as_bytes(smiles))
    status = usable(routed)
    marks, unsure = _marks(routed.graphs) if chirality else (None, np.zeros(len(status), bool))
    if count:
        (ptr, bit, counts), declined = morgan_counts(routed.graphs, radius, n_bits, marks)
    else:
        words, declined = morgan_bits(routed.graphs, radius, n_bits, marks)
    mine = (to_host(routed.graphs.status) == PARSED) & (to_host(declined) == 0) & ~unsure
    asked = np.flatnonzero((status == PARSED) & ~mine).tolist()
    theirs = reference.fingerprints([routed.mol(row) for row in asked], radius, n_bits, chirality)
    if count:
        return _merged(Counts(ptr, bit, counts, n_bits, status), asked, theirs)
    for row, own in zip(asked, theirs, strict=True):
        words[row] = array_module(words).asarray(_packed(own, n_bits))
    return Bits(words, n_bits, status)


def _marks(graphs: MolGraphs) -> tuple[tuple[Any, Any], NDArray[np.bool_]]:
    """CIP labels and double-bond stereo, on the device of the graphs, and (n,) bool where only RDKit can tell them."""
    xp = array_module(graphs.status)
    cip, stereo, codes = stereo_marks(on_host(graphs))
    return (xp.asarray(cip), xp.asarray(stereo)), codes != EXACT


def _packed(own: Iterable[int], n_bits: int) -> NDArray[np.uint64]:
    words = np.zeros(-(-n_bits // 64), np.uint64)
    for at in own:
        words[at // 64] |= np.uint64(1) << np.uint64(at % 64)
    return words


def _merged(counts: Counts, rows: list[int], theirs: list[dict[int, int]]) -> Counts:
    """Counts with some rows replaced by RDKit's; on the host if there are any."""
    if not rows:
        return counts
    counts = replace(counts, ptr=to_host(counts.ptr), bit=to_host(counts.bit), count=to_host(counts.count))
    lengths = np.diff(counts.ptr)
    bits, values = np.split(counts.bit, counts.ptr[1:-1]), np.split(counts.count, counts.ptr[1:-1])
    for row, own in zip(rows, theirs, strict=True):
        bits[row] = np.array(sorted(own), np.uint32)
        values[row] = np.array([own[bit] for bit in sorted(own)], np.uint32)
        lengths[row] = len(own)
    ptr = np.concatenate([[0], np.cumsum(lengths)])
    return replace(counts, ptr=ptr, bit=np.concatenate(bits), count=np.concatenate(values))


def descriptors(smiles: Smiles) -> pa.Table:
    """Properties of n SMILES as an Arrow table, by RDKit's names and with RDKit's values to the last bit.

    Columns and units: drylab.kernels.descriptors.DESCRIPTORS. A row that is no molecule is null in every column.

    >>> import drylab
    >>> drylab.featurize.descriptors(["CCO"]).column("HeavyAtomCount").to_pylist()
    [3]
    """
    routed = route(*as_bytes(smiles))
    columns = describe(routed.graphs, routed.mol)
    status = usable(routed)
    for row in np.flatnonzero((status == PARSED) & (to_host(routed.graphs.status) == DECLINED)).tolist():
        fill(columns, row, routed.asked[row])
    present = status == PARSED
    return pa.table({name: numbers(column, present) for name, column in columns.items()})


def usable(routed: Routed) -> NDArray[np.uint8]:
    """(n,) uint8: PARSED where there is a molecule of any size, else INVALID."""
    status = np.where(to_host(routed.graphs.status) == PARSED, PARSED, INVALID).astype(np.uint8)
    status[list(routed.asked)] = PARSED
    return status
