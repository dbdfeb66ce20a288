"""The frozen containers that pass between rooms.

Letters in shapes: ``n`` molecules, ``a`` atoms, ``b`` bonds, ``d`` embedding width, ``t`` probes, ``k`` kept.
Ragged data is flat values plus offsets of length n + 1. Arrays are NumPy (or CuPy, same names) unless said.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drylab.arrow import numbers
from drylab.device import to_host

if TYPE_CHECKING:
    import pandas as pd

# What became of a molecule in a featurizer.
PARSED, DECLINED, INVALID = 0, 1, 2


@dataclass(frozen=True, slots=True)
class SmilesBatch:
    """A run of library rows, as bytes.

    keys     (n, 2) uint64: 128-bit hash of the canonical SMILES, high word first
    ids      (n,) Arrow string: the vendor's ids
    data     (bytes,) uint8: the SMILES, one after the other, ASCII
    offsets  (n+1,) int32: row i is data[offsets[i]:offsets[i+1]]
    """

    keys: NDArray[np.uint64]
    ids: pa.StringArray
    data: NDArray[np.uint8]
    offsets: NDArray[np.int32]

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.keys.shape != (n, 2) or self.offsets.shape != (n + 1,):
            raise ValueError(
                f"SmilesBatch: {n} ids, keys {self.keys.shape}, offsets {self.offsets.shape}; expected ({n}, 2) and ({n + 1},)"
            )

    def __len__(self) -> int:
        return len(self.ids)

    def strings(self) -> list[str]:
        """The SMILES as Python strings, for the edges only."""
        text = self.data.tobytes()
        return [text[i:j].decode() for i, j in zip(self.offsets[:-1], self.offsets[1:], strict=True)]

    def texts(self, rows: NDArray[np.int64]) -> tuple[list[str], list[str]]:
        """Ids and SMILES of some rows, as Python strings."""
        starts, stops = self.offsets[rows].tolist(), self.offsets[rows + 1].tolist()
        smiles = [self.data[i:j].tobytes().decode() for i, j in zip(starts, stops, strict=True)]
        return self.ids.take(numbers(rows)).to_pylist(), smiles

    def take(self, rows: NDArray[np.int64]) -> SmilesBatch:
        """Some of the rows, in that order."""
        counts = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        source = np.repeat(self.offsets[rows] - offsets[:-1], counts) + np.arange(offsets[-1])
        return SmilesBatch(self.keys[rows], self.ids.take(numbers(rows)), self.data[source], offsets)

    def slice(self, start: int, stop: int) -> SmilesBatch:
        """Rows start:stop, sharing keys and ids with this batch."""
        first, last = self.offsets[start], self.offsets[stop]
        return SmilesBatch(
            self.keys[start:stop],
            self.ids[start:stop],
            self.data[first:last],
            self.offsets[start : stop + 1] - first,
        )


@dataclass(frozen=True, slots=True)
class MolGraphs:
    """Molecular graphs of n molecules, flat. Atoms and bonds stand in RDKit's order for the same SMILES.

    atom_ptr, bond_ptr  (n+1,) int32
    status     (n,) uint8: PARSED, DECLINED or INVALID; a molecule that is not PARSED has no atoms and no bonds
    element    (a,) uint8: atomic number
    charge     (a,) int8: formal charge
    hydrogens  (a,) uint8: all hydrogens on the atom, implicit and explicit
    degree     (a,) uint8: heavy neighbours (bonds in the graph)
    aromatic   (a,) uint8: 0 or 1
    atom_ring  (a,) uint8: 1 if the atom is in a ring
    chirality  (a,) uint8: 0 none, 1 '@' (counter-clockwise), 2 '@@', with respect to the order of its bonds
    isotope    (a,) uint16: mass number, 0 if not given
    begin, end (b,) uint8: atoms within the molecule, so at most 255 atoms a molecule
    order      (b,) uint8: 1 single, 2 double, 3 triple, 4 aromatic, 0 any other
    bond_ring  (b,) uint8: 1 if the bond is in a ring
    direction  (b,) uint8: 0 none, 1 '/', 2 '\\\\' as drawn from begin to end
    """

    atom_ptr: NDArray[np.int32]
    bond_ptr: NDArray[np.int32]
    status: NDArray[np.uint8]
    element: NDArray[np.uint8]
    charge: NDArray[np.int8]
    hydrogens: NDArray[np.uint8]
    degree: NDArray[np.uint8]
    aromatic: NDArray[np.uint8]
    atom_ring: NDArray[np.uint8]
    chirality: NDArray[np.uint8]
    isotope: NDArray[np.uint16]
    begin: NDArray[np.uint8]
    end: NDArray[np.uint8]
    order: NDArray[np.uint8]
    bond_ring: NDArray[np.uint8]
    direction: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.status)


@dataclass(frozen=True, slots=True)
class Bits:
    """Fingerprints of n molecules as bits.

    words   (n, w) uint64, w = ceil(n_bits / 64): bit i is (words[:, i // 64] >> (i % 64)) & 1
    n_bits  the size of a fingerprint
    status  (n,) uint8: PARSED, or INVALID: no molecule, and no bit is set
    """

    words: NDArray[np.uint64]
    n_bits: int
    status: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.words)

    def to_numpy(self) -> NDArray[np.uint8]:
        """(n, n_bits) uint8 of 0 and 1, on the host."""
        bytes_ = np.ascontiguousarray(to_host(self.words)).view(np.uint8)
        return np.unpackbits(bytes_, axis=1, bitorder="little")[:, : self.n_bits]


@dataclass(frozen=True, slots=True)
class Counts:
    """Fingerprints of n molecules as counts, only those above zero.

    ptr     (n+1,) int64: molecule i has bit[ptr[i]:ptr[i+1]], rising
    bit     (c,) uint32: positions below n_bits     count   (c,) uint32: how many environments fell there
    n_bits  the size of a fingerprint               status  (n,) uint8, as in Bits
    """

    ptr: NDArray[np.int64]
    bit: NDArray[np.uint32]
    count: NDArray[np.uint32]
    n_bits: int
    status: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.status)

    def to_numpy(self) -> NDArray[np.uint32]:
        """(n, n_bits) uint32, on the host."""
        ptr, bit, count = to_host(self.ptr), to_host(self.bit), to_host(self.count)
        dense = np.zeros((len(self), self.n_bits), np.uint32)
        dense[np.repeat(np.arange(len(self)), np.diff(ptr)), bit] = count
        return dense


@dataclass(frozen=True, slots=True)
class Embedding:
    """z (n, d) float64: one vector a molecule; zeros where the molecule was not parsed."""

    z: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.z)


ProbeKind = Literal["affinity", "toxicity"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing predicted: a row of the probe matrix, with what it means.

    name      short unique name, e.g. "EGFR", "ames", "nr_ahr"
    kind      "affinity" or "toxicity"
    unit      "pActivity" (-log10 mol/l), "pIC50" or "probability"
    higher_is_better  the direction a chemist wants
    meaning   one sentence for people
    aliases   other names it is found by: ChEMBL id, UniProt accession, protein name
    sequence_sha256   of the target's sequence in upper case, "" where there is none
    metrics   held-out figures, e.g. {"n_train": 900, "n_test": 100, "spearman": 0.61, "rmse": 0.9}
    """

    name: str
    kind: ProbeKind
    unit: str
    higher_is_better: bool
    meaning: str
    aliases: tuple[str, ...] = ()
    sequence_sha256: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProbeBank:
    """All the probes of a model: value = z @ weights.T + bias, then a logistic curve where the unit is a probability.

    probes   (t,) what each row means
    weights  (t, d) float64
    bias     (t,) float64
    """

    probes: tuple[Probe, ...]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.probes)

    def names(self) -> list[str]:
        """Probe names in row order."""
        return [probe.name for probe in self.probes]


@dataclass(frozen=True, slots=True)
class Shard:
    """Row groups of one Parquet file, one after the other: what travels to a worker.

    path   the file, a path or address that the worker can open
    group  the first row group, within the file
    rows   how many rows it has
    first  its first row's number within the library, 0-based, 64 bits
    sha256 of the file, on the first shard of each file: who reads that one checks the file; "" on the others
    groups how many row groups
    """

    path: str
    group: int
    rows: int
    first: int
    sha256: str = ""
    groups: int = 1


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be used.

    source  file the row came from, or "library"
    row     line or row number in the file, 1-based; row of the library, 0-based
    id      the vendor's id                 text   the text that failed, cut to 200 characters
    stage   "read", "standardise" or "parse"    reason one short phrase, the same for the same cause
    """

    source: str
    row: int
    id: str
    text: str
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of Hits, for people: ``hit["score"]``, or ``dict(hit.columns)``."""

    columns: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]

    def __repr__(self) -> str:
        shown = {name: self.columns.get(name) for name in ("rank", "id", "score", "smiles")}
        return f"Hit({', '.join(f'{k}={v!r}' for k, v in shown.items())})"

    def _repr_html_(self) -> str:
        return self.columns.get("picture", "") or f"<code>{escape(repr(self))}</code>"


@dataclass(frozen=True, slots=True)
class Hits:
    """The ranked answer of a screen: columns inside, rows outside, and the record of how it came about.

    table     (k,) Arrow table in rank order; docs/hits.md lists its columns
    run       what was run, JSON-ready: target, model, library, tally, histogram, known actives, versions, times
    pictures  SVG of the first rows, at most ``report_n``; rows past them have none
    rejected  rows of the library, and of files built into one for this call, that could not be used, the first
              100,000 of them; run["tally"] and run["library"]["build"] count all
    """

    table: pa.Table
    run: Mapping[str, Any]
    pictures: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, row: SupportsIndex) -> Hit: ...
    @overload
    def __getitem__(self, row: slice) -> Hits: ...
    def __getitem__(self, row: SupportsIndex | slice) -> Hit | Hits:
        if isinstance(row, slice):
            return self._rows(range(len(self))[row])
        if not hasattr(row, "__index__"):
            raise TypeError(f"hits[{row!r}]: expected a row number or a slice; for columns use hits.to_pandas()")
        row = row.__index__()
        if not -len(self) <= row < len(self):
            raise IndexError(f"hit {row} of {len(self)}; rows are 0 to {len(self) - 1}")
        index = row % len(self)
        columns = {name: self.table.column(name)[index].as_py() for name in self.table.column_names}
        if index < len(self.pictures):
            columns["picture"] = self.pictures[index]
        return Hit(columns)

    def _rows(self, rows: range) -> Hits:
        pictures = tuple(self.pictures[row] for row in itertools.takewhile(lambda row: row < len(self.pictures), rows))
        return replace(self, table=self.table.take(numbers(np.asarray(rows, np.int64))), pictures=pictures)

    def __iter__(self) -> Iterator[Hit]:
        return (self[row] for row in range(len(self)))

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas DataFrame, one row a hit."""
        return self.table.to_pandas()

    def __repr__(self) -> str:
        rejected = f", {len(self.rejected):,} rejected" if self.rejected else ""
        return f"Hits({len(self)} of {self.run.get('tally', {}).get('scored', '?')} scored{rejected}, {self.run.get('name', '')})"

    def _repr_html_(self) -> str:
        cells = "".join(_card(self[row]) for row in range(min(len(self.pictures), 24)))
        style = "display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:8px"
        return f"<p>{escape(repr(self))}</p><div style='{style}'>{cells}</div>"


def _card(hit: Hit) -> str:
    return (
        f"<figure style='margin:0'>{hit['picture']}<figcaption>{hit['rank']}. {escape(str(hit['id']))} "
        f"<b>{hit['score']:.2f}</b></figcaption></figure>"
    )
