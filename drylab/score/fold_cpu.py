"""The fold's engine on a CPU: the tables that kernels/network.py works with, made from a model's weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drylab.kernels import network
from drylab.kernels.dense import dense, pack, padded, padded_rows
from drylab.kernels.message import SUM_SCALE
from drylab.kernels.recall import forgotten
from drylab.kernels.surround import class_numbers
from drylab.score.features import ATOM_SIZES, BOND_CLASSES
from drylab.score.model import EncoderWeights
from drylab.types import MolGraphs

RUN_ATOMS = 8192  # worked on together: what is new in them is one product a layer
RUN_BONDS = 255 * 254 // 2  # as many as one molecule can have: clusters of boron have more than two bonds an atom
MEMORY = 128 << 20  # twice as much is worth a tenth of the time on a million mixed molecules
_SIZES = np.array(ATOM_SIZES, np.int64)
_OFFSETS = np.concatenate([[0], np.cumsum(ATOM_SIZES)[:-1]])


class CpuEncoder:
    """MolGraphs -> what ``probes`` say of them, float64 (n, t), before the logistic curve; keeps what it has computed.

    weights  the encoder (float64)     probes (t, d) and bias (t,) float64: the linear probes
    memory   bytes for states kept, shared out over the layers
    Not safe for threads: an encoder belongs to one.
    """

    def __init__(
        self, weights: EncoderWeights, probes: NDArray[np.float64], bias: NDArray[np.float64], memory: int = MEMORY
    ) -> None:
        mean, scaled = weights.r_mean @ probes.T, weights.r_sum @ probes.T / SUM_SCALE
        self._constant, self._empty = probes @ weights.c + bias, bias
        self._count = len(bias)
        layers, width, hidden = weights.w1.shape
        self._weights = _weights(weights, np.hstack([mean, scaled]))
        self._classes = _Classes(weights)
        self._readout = pack(np.vstack([_rows(mean), _rows(scaled)]))
        kept = 2 * self._count if self._weights.project else padded(width)
        widths = [padded(width)] * (layers - 1) + [kept]
        self._memory = _memory(widths, memory)
        self._room = _room(layers, padded(width), padded(hidden))
        self._sums, self._spread = np.empty((0, widths[-1])), np.empty((0, 2 * widths[-1]), np.float32)

    def __call__(self, graphs: MolGraphs) -> NDArray[np.float64]:
        numbers = np.empty(len(graphs.element), np.int32)
        class_numbers(
            graphs.element,
            graphs.charge,
            graphs.hydrogens,
            graphs.degree,
            graphs.aromatic,
            graphs.atom_ring,
            _SIZES,
            numbers,
        )
        class_rows = self._classes.rows(numbers)
        mols = network.Molecules(
            graphs.atom_ptr, graphs.bond_ptr, graphs.begin, graphs.end, graphs.order, graphs.bond_ring
        )
        if len(graphs) > len(self._sums):  # pages that are new for every batch cost more than what is done with them
            self._sums = np.empty((padded_rows(len(graphs)), self._sums.shape[1]))
            self._spread = np.zeros((len(self._sums), self._spread.shape[1]), np.float32)
        sums = self._sums[: len(graphs)]
        for first, last in _runs(graphs.atom_ptr, graphs.bond_ptr):
            self._make_room(int(graphs.atom_ptr[last] - graphs.atom_ptr[first]))
            network.encode_run(
                mols,
                numbers,
                class_rows,
                self._classes.tables,
                self._weights,
                self._memory,
                self._room,
                first,
                last,
                sums,
            )
        return self._values(sums, np.diff(graphs.atom_ptr))

    def _values(self, sums: NDArray[np.float64], atoms: NDArray[np.integer]) -> NDArray[np.float64]:
        n = np.maximum(atoms, 1)[:, None]
        if self._weights.project:
            values = sums[:, : self._count] / n + sums[:, self._count :]
        else:
            x = self._spread
            np.divide(sums, n, out=x[: len(sums), : sums.shape[1]], casting="same_kind")
            x[: len(sums), sums.shape[1] :] = sums
            out = np.empty((len(x), padded(self._count)), np.float32)
            dense(x, *self._readout, out, len(sums), False)
            values = out[: len(sums), : self._count].astype(np.float64)
        values += self._constant
        values[atoms == 0] = self._empty
        return values

    def _make_room(self, atoms: int) -> None:
        """Each table can take a new environment for each atom of a run."""
        m = self._memory
        for layer in range(1, len(m.used)):
            used, capacity = int(m.used[layer]), int(m.capacity[layer])
            if used + atoms > capacity:
                begin = int(m.first_row[layer])
                m.used[layer] = forgotten(
                    m.table,
                    m.places[begin : begin + capacity],
                    m.order[begin : begin + capacity],
                    int(m.start[layer]),
                    int(m.slots[layer]),
                    capacity // 2,
                )


class _Classes:
    """Tables of the atom classes met so far: most libraries have fewer than a hundred of 116,620."""

    def __init__(self, weights: EncoderWeights) -> None:
        self._weights = weights
        self._row = np.full(int(np.prod(_SIZES)), -1, np.int32)
        _, width, hidden = weights.w1.shape
        self.tables = network.Classes(
            np.zeros((0, padded(width)), np.float32),
            np.zeros((0, padded(hidden)), np.float32),
            np.zeros((0, BOND_CLASSES, padded(hidden)), np.float32),
        )

    def rows(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """(a,) int32 rows of the tables; what is new is added to them."""
        rows = self._row[numbers]
        if len(rows) and rows.min() < 0:
            new = np.unique(numbers[rows < 0])
            parts = [self._of(int(number)) for number in new]
            self._row[new] = np.arange(len(new)) + len(self.tables.state)
            grown = (np.stack(column) for column in zip(*parts, strict=True))
            self.tables = network.Classes(
                *(np.concatenate([old, more]) for old, more in zip(self.tables, grown, strict=True))
            )
            rows = self._row[numbers]
        return rows

    def _of(self, number: int) -> tuple[NDArray[np.float32], ...]:
        """One class at a time, so that its bits do not depend on the others."""
        w = self._weights
        digits = np.unravel_index(number, ATOM_SIZES)
        state = w.tables[np.array(digits) + _OFFSETS].sum(axis=0)
        own = (state[:, None] * w.w1[0]).sum(axis=0) + w.b1[0]
        sent = (np.maximum(state + w.edges[0], 0)[:, :, None] * w.w1[0]).sum(axis=1)
        return _columns(state), _columns(own), _columns(sent)


def _columns(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Float32 with the last axis padded by zeros."""
    out = np.zeros((*values.shape[:-1], padded(values.shape[-1])), np.float32)
    out[..., : values.shape[-1]] = values
    return out


def _rows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """With the first axis padded by zeros."""
    return np.concatenate([values, np.zeros((padded(len(values)) - len(values), values.shape[1]))])


def _weights(w: EncoderWeights, probes: NDArray[np.float64]) -> network.Weights:
    """probes (h, 2 t): what a last state adds to each probe, by the mean and by the sum."""
    first = [pack(_rows(w1), b1) for w1, b1 in zip(w.w1, w.b1, strict=True)]
    second = [pack(_rows(w2), b2) for w2, b2 in zip(w.w2, w.b2, strict=True)]
    panels, none = pack(_rows(probes))
    return network.Weights(
        edges=_columns(w.edges),
        w1=np.stack([panels for panels, _ in first]),
        b1=np.stack([bias for _, bias in first]),
        w2=np.stack([panels for panels, _ in second]),
        b2=np.stack([bias for _, bias in second]),
        probe=panels,
        no_bias=none,
        # Short rows are worth a product for each new environment: more fit, and less is read for each atom.
        project=2 * len(none) <= min(padded(w.w1.shape[1]), padded(w.w1.shape[2])),
    )


def _memory(widths: list[int], size: int) -> network.Memory:
    """Tables within ``size`` bytes: small ones near the atoms, where few environments exist, the largest for the layers past them."""
    # Measured on mixed molecules. Last states that are whole (many probes) are worth more room than short ones, which fit anyway.
    first, second, middle, last = (1.0, 4.0, 7.0, 10.0) if widths[-1] >= widths[0] else (1.0, 6.0, 9.0, 6.0)
    shares = np.array([first, second, *[middle] * (len(widths) - 3), last])[-len(widths) :]
    budgets = size * shares / shares.sum()
    least = 2 * (RUN_ATOMS + 256)
    capacity = np.array([0] + [max(least, int(b / (4 * w + 8 + 48))) for b, w in zip(budgets, widths, strict=True)])
    slots = np.array([0] + [1 << int(np.ceil(np.log2(1.5 * c))) for c in capacity[1:]])
    width = np.array([0, *widths])
    return network.Memory(
        table=np.zeros((slots.sum(), 2), np.uint64),
        start=np.cumsum(slots) - slots,
        slots=slots,
        states=np.zeros(int((capacity * width).sum()), np.float32),
        first_state=np.cumsum(capacity * width) - capacity * width,
        width=width,
        places=np.zeros(capacity.sum(), np.uint64),
        order=np.concatenate([np.arange(rows, dtype=np.int32) for rows in capacity]),
        first_row=np.cumsum(capacity) - capacity,
        used=np.zeros(len(width), np.int64),
        capacity=capacity,
    )


def _room(layers: int, width: int, hidden: int) -> network.Room:
    atoms = RUN_ATOMS + 256
    return network.Room(
        names=np.zeros((layers + 1, atoms, 2), np.uint64),
        rows=np.zeros((layers + 1, atoms), np.int32),
        missing=np.zeros((layers + 1, atoms), np.int32),
        owner=np.zeros(atoms, np.int32),
        near=np.zeros((layers + 1, 2 * RUN_BONDS), np.int32),
        kinds=np.zeros((layers + 1, 2 * RUN_BONDS), np.uint8),
        near_ptr=np.zeros((layers + 1, atoms + 1), np.int32),
        order_of=np.zeros(256, np.uint64),
        m=np.zeros((network.BLOCK, width), np.float32),
        u=np.zeros((network.BLOCK, hidden), np.float32),
    )


def _runs(atom_ptr: NDArray[np.int32], bond_ptr: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """First and last + 1 molecule of runs of at most RUN_ATOMS atoms and RUN_BONDS bonds, or of one molecule."""
    first, n = 0, len(atom_ptr) - 1
    while first < n:
        by_atoms = int(np.searchsorted(atom_ptr, atom_ptr[first] + RUN_ATOMS, side="right")) - 1
        by_bonds = int(np.searchsorted(bond_ptr, bond_ptr[first] + RUN_BONDS, side="right")) - 1
        last = max(first + 1, min(by_atoms, by_bonds, n))
        yield first, last
        first = last
