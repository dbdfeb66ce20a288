"""The encoder as the fold runs it: float32, each atom environment computed once. message.py has the formula and the reference.

What an atom is after l layers depends on its environment of radius l alone (surround.py), and environments repeat: of the
atoms of 21,000 molecules from three libraries 0.8, 7, 19 and 30 % have a new one at radius 1 to 4, of 500,000 decoys 0.1, 1.5, 6 and
15 %. So for a run of molecules

1. every atom's environments get names; each atom is looked up at the last layer (recall.py);
2. what is missing needs its own state and its neighbours' one layer below: looked up there, and so on down;
3. upwards, layer by layer, the missing states are computed, all of a layer's in one product (dense.py), and put in;
4. a molecule's sum is that of its atoms' last states, which are kept as what each adds to the probes asked for.

Folded away at export or here: batch norm into W and b; the first layer's first product into tables, since both of its terms
are known for each atom class and each (class, bond class): m_i W1 + b1 = U[class_i] + sum_j P[class_j, bond_ij].

A state's bits depend on the environment and the weights alone: neighbours are added in the order of their names, products are
dense.py's. So a molecule has the same bits in any batch, at any place, with any memory of what came before; another writing of its SMILES
adds the same numbers in another order, in float64.

Where the limit lies: see bench/bench_engine.py; on a cold table half of the time are products at the processor's peak.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from drylab.kernels.dense import dense
from drylab.kernels.recall import fetch, found_or_added, home
from drylab.kernels.surround import name_environments
from drylab.kernels.twin import inlined, launcher

AHEAD = 16  # atoms between asking for what a table holds and needing it
BLOCK = 192  # rows worked on together: their states stay in the cache of a core


class Molecules(NamedTuple):
    """The columns of MolGraphs that the encoder walks along."""

    atom_ptr: Any
    bond_ptr: Any
    begin: Any
    end: Any
    order: Any
    bond_ring: Any


class Classes(NamedTuple):
    """Of each atom class (c,): state (c, h) its state before all layers, own (c, u) and sent (c, bond classes, u), the two
    terms of the first layer's first product. float32, widths padded as in dense.py."""

    state: Any
    own: Any
    sent: Any


class Weights(NamedTuple):
    """edges (l, bond classes, h); w1, w2 (l, panels, k, PANEL) and b1, b2 (l, n), as packed by dense.py; probe (panels, h, PANEL)
    and no_bias, used where ``project``: last states are kept as what they add to each probe."""

    edges: Any
    w1: Any
    b1: Any
    w2: Any
    b2: Any
    probe: Any
    no_bias: Any
    project: bool


class Memory(NamedTuple):
    """The tables of recall.py, one a layer (index 0 is not used).

    table (all slots, 2) uint64, a layer's from ``start``, ``slots`` of them     states (all,) float32, a layer's from ``first_state``,
    rows of ``width``     places (all rows,) uint64 and order (all rows,) int32 (those in use first), a layer's from ``first_row``
    used, capacity (l + 1,) int64 rows
    """

    table: Any
    start: Any
    slots: Any
    states: Any
    first_state: Any
    width: Any
    places: Any
    order: Any
    first_row: Any
    used: Any
    capacity: Any


class Room(NamedTuple):
    """Scratch of a run: names (l + 1, atoms, 2) uint64; rows and missing (l + 1, atoms) int32; owner (atoms,) int32; neighbours of
    the missing: near (l + 1, two a bond) int32, kinds likewise uint8, near_ptr (l + 1, atoms + 1) int32; order_of (256,) uint64;
    m and u (BLOCK, width) float32."""

    names: Any
    rows: Any
    missing: Any
    owner: Any
    near: Any
    kinds: Any
    near_ptr: Any
    order_of: Any
    m: Any
    u: Any


@inlined
def _row(memory, layer, atom, names, rows, missing, missed):
    """The row of an atom's environment at ``layer``, which is put among the missing if it is new."""
    row = np.int64(rows[layer, atom])
    if row < 0:
        low, high = names[layer, atom, 0], names[layer, atom, 1]
        used = memory.used[layer]
        following = np.int64(memory.order[memory.first_row[layer] + used])
        row = found_or_added(memory.table, memory.start[layer], memory.slots[layer], low, high, following)
        if row < 0:
            row = following
            memory.places[memory.first_row[layer] + row] = low
            memory.used[layer] = used + 1
            missing[layer, missed[layer]] = atom
            missed[layer] += 1
        rows[layer, atom] = row
    return row


@inlined
def _expect(memory, layer, atom, names):
    """Ask for the slot of an environment that will be looked up soon."""
    fetch(memory.table, home(memory.start[layer], memory.slots[layer], names[layer, atom, 0]))


@inlined
def _neighbours(layer, at, atom, base, mols, names, room):
    """Puts the neighbours of an atom, in the order of their names, at ``at`` of the layer's lists; returns where they end."""
    near, kinds, order_of = room.near[layer], room.kinds[layer], room.order_of
    molecule = room.owner[atom]
    a0 = np.int64(mols.atom_ptr[molecule]) - base
    own = atom - a0
    first = at
    for b in range(mols.bond_ptr[molecule], mols.bond_ptr[molecule + 1]):
        u, v = np.int64(mols.begin[b]), np.int64(mols.end[b])
        if u != own and v != own:
            continue
        other = a0 + (v if u == own else u)
        kind = np.int64(mols.order[b]) * 2 + np.int64(mols.bond_ring[b])
        name = names[layer - 1, other, 0] + np.uint64(kind)
        place = at
        while place > first and order_of[place - first - 1] > name:
            order_of[place - first] = order_of[place - first - 1]
            near[place], kinds[place] = near[place - 1], kinds[place - 1]
            place -= 1
        order_of[place - first], near[place], kinds[place] = name, other, kind
        at += 1
    return at


@launcher
def encode_run(mols, numbers, class_rows, classes, weights, memory, room, first, last, sums):
    """sums (n, width of the last states) float64: of molecules first:last, the sum over atoms of their last states.

    numbers (a,) int32: each atom's class; class_rows (a,) int32: its row in ``classes``. Each table must have room for all atoms of the run.
    """
    names, rows, missing, near, near_ptr = room.names, room.rows, room.missing, room.near, room.near_ptr
    layers = len(names) - 1
    base = np.int64(mols.atom_ptr[first])
    atoms = np.int64(mols.atom_ptr[last]) - base
    name_environments(
        numbers, mols.begin, mols.end, mols.order, mols.bond_ring, mols.atom_ptr, mols.bond_ptr, first, last, names
    )
    missed = np.zeros(layers + 1, np.int64)
    rows[1 : layers + 1, :atoms] = -1
    for molecule in range(first, last):
        for atom in range(mols.atom_ptr[molecule] - base, mols.atom_ptr[molecule + 1] - base):
            room.owner[atom] = molecule
    for atom in range(atoms):
        _expect(memory, layers, min(atom + AHEAD, atoms - 1), names)
        _row(memory, layers, atom, names, rows, missing, missed)
    for layer in range(layers, 0, -1):
        end = 0
        for i in range(missed[layer]):
            atom = missing[layer, i]
            near_ptr[layer, i] = end
            end = _neighbours(layer, end, atom, base, mols, names, room)
            if layer > 1:
                _expect(memory, layer - 1, atom, names)
                for j in range(near_ptr[layer, i], end):
                    _expect(memory, layer - 1, near[layer, j], names)
        near_ptr[layer, missed[layer]] = end
        if layer > 1:
            for i in range(missed[layer]):
                _row(memory, layer - 1, missing[layer, i], names, rows, missing, missed)
            for j in range(end):
                _row(memory, layer - 1, near[layer, j], names, rows, missing, missed)
    for layer in range(1, layers + 1):
        _compute(layer, missed[layer], base, class_rows, classes, weights, memory, room)
    for molecule in range(first, last):
        total = sums[molecule]
        total[:] = 0.0
        for atom in range(mols.atom_ptr[molecule] - base, mols.atom_ptr[molecule + 1] - base):
            fetch(memory.states, _at(memory, layers, rows[layers, min(atom + AHEAD, atoms - 1)]))
            at = _at(memory, layers, rows[layers, atom])
            _add(total, memory.states[at : at + len(total)])


@launcher
def _compute(layer, count, base, class_rows, classes, weights, memory, room):
    """The states of the ``count`` missing environments of a layer."""
    rows, missing, near, kinds, near_ptr = room.rows, room.missing, room.near, room.kinds, room.near_ptr
    m, u = room.m, room.u
    layers, width, states = len(rows) - 1, m.shape[1], memory.states
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        for i in range(size):
            atom = missing[layer, start + i]
            around = range(near_ptr[layer, start + i], near_ptr[layer, start + i + 1])
            if layer == 1:
                _copy(u[i], classes.own[class_rows[base + atom]])
                for j in around:
                    _add(u[i], classes.sent[class_rows[base + near[layer, j]], kinds[layer, j]])
                _cut(u[i])
            else:
                at = _at(memory, layer - 1, rows[layer - 1, atom])
                _copy(m[i], states[at : at + width])
                for j in around:
                    at = _at(memory, layer - 1, rows[layer - 1, near[layer, j]])
                    _add_message(m[i], states[at : at + width], weights.edges[layer - 1, kinds[layer, j]])
        if layer > 1:
            dense(m, weights.w1[layer - 1], weights.b1[layer - 1], u, size, True)
        dense(u, weights.w2[layer - 1], weights.b2[layer - 1], m, size, True)
        for i in range(size):
            atom = missing[layer, start + i]
            if layer == 1:
                _add(m[i], classes.state[class_rows[base + atom]])
            else:
                at = _at(memory, layer - 1, rows[layer - 1, atom])
                _add(m[i], states[at : at + width])
        last = layer == layers and weights.project
        if last:
            dense(m, weights.probe, weights.no_bias, u, size, False)
        source = u if last else m
        for i in range(size):
            at = _at(memory, layer, rows[layer, missing[layer, start + i]])
            _copy(states[at : at + memory.width[layer]], source[i])


@inlined
def _at(memory, layer, row):
    """Where a state begins."""
    return memory.first_state[layer] + np.int64(row) * memory.width[layer]


# Each takes whole rows and counts from 0: an index that might be negative would keep numba from using vectors.


@inlined
def _copy(target, source):
    for c in range(len(target)):
        target[c] = source[c]


@inlined
def _add(target, source):
    for c in range(len(target)):
        target[c] += source[c]


@inlined
def _cut(target):
    for c in range(len(target)):
        target[c] = max(target[c], np.float32(0.0))


@inlined
def _add_message(target, sent, edge):
    for c in range(len(target)):
        target[c] += max(sent[c] + edge[c], np.float32(0.0))
