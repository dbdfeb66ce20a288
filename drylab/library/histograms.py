"""Histograms of the property columns: fixed bins, so that those of parts and of versions add up.

Bin i counts edges[i] <= value < edges[i + 1]; the first also counts what is less and the last what is more, so that counts
add up to the rows. Units of the edges: those of layout.PROPERTIES.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drylab.library import layout

Counts = dict[str, list[int]]

# The bins cover drug-like molecules and their surroundings. fsp3: edges are the doubles next to 0.05 i.
HISTOGRAMS: Mapping[str, list[float] | list[int]] = {
    "mw": [25.0 * i for i in range(41)],
    "clogp": [0.5 * i - 6.0 for i in range(37)],
    "tpsa": [10.0 * i for i in range(31)],
    "fsp3": [i / 20 for i in range(21)],
    "hbd": list(range(17)),
    "hba": list(range(31)),
    "rotatable": list(range(41)),
    "rings": list(range(16)),
    "aromatic_rings": list(range(13)),
    "heavy_atoms": list(range(101)),
    "charge": list(range(-6, 8)),
}


def empty() -> Counts:
    """Histograms of no rows."""
    return {name: [0] * (len(HISTOGRAMS[name]) - 1) for name in layout.PROPERTIES}


def count(table: pa.Table) -> Counts:
    """Histograms of a table that has the property columns."""
    return {name: _bins(name, table.column(name).to_numpy()).tolist() for name in layout.PROPERTIES}


def _bins(name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    edges = np.asarray(HISTOGRAMS[name])
    last = len(edges) - 2
    if values.dtype.kind == "i":  # whole numbers, bins of one
        at = np.clip(values.astype(np.int64) - edges[0], 0, last)
    else:
        at = np.clip(np.searchsorted(edges, values, "right") - 1, 0, last)
    return np.bincount(at, minlength=last + 1)


def add(several: Iterable[Mapping[str, list[int]]]) -> Counts:
    """The sum of histograms."""
    total = empty()
    for one in several:
        for name, counts in one.items():
            total[name] = [a + b for a, b in zip(total[name], counts, strict=True)]
    return total


def to_json(counts: Mapping[str, list[int]]) -> dict[str, dict[str, list[Any]]]:
    """What the manifest says of histograms: {property: {"edges": m + 1 numbers, "counts": m whole numbers}}."""
    return {name: {"edges": list(HISTOGRAMS[name]), "counts": counts[name]} for name in counts}
