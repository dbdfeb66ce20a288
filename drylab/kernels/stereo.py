"""Stereo marks as they were written, cleaned to what RDKit's MolFromSmiles ends with (legacy perception, its default).

Input, one molecule of n atoms and m bonds: everything but the marks is final, as MolFromSmiles ends with (element, isotope,
charge, hydrogens; begin, end, order, bond_ring; start, neighbour, via of adjacency.py), and the marks are as parsed:
    chirality  (n,) uint8  0, 1 or 2, with respect to the atom's bonds by number
    direction  (m,) uint8  0, 1 or 2, from begin to end; also on aromatic bonds if written there
Output: both in place as `Atom.GetChiralTag` and `Bond.GetBondDir` give them, and a code: EXACT, or why it was declined
(the marks are then in between, and the molecule goes to RDKit):
    DECLINED_CENTRE     a tag on an atom of which centres.py is not sure: a radical, an odd valence, a bridgehead
                        nitrogen of three or more rings
    DECLINED_HYDROGENS  a tag goes whose atom RDKit would then give other hydrogens, perhaps
    DECLINED_BOND       a bond order that types.py does not list, or a direction on an aromatic bond that may be double
                        in RDKit's Kekule form, where it is lost
    DECLINED_RANKS      cip.py cannot hold the ranks: more than four bonds an atom, rare isotopes
An atom map number would enter RDKit's ranks: molecules that have one must not come here.

How. 1: centres.py drops what can never count. 2: hashes of growing neighbourhoods tell substituents apart, from what RDKit
ranks by and nothing else; ranks that RDKit finds equal never get different hashes, so once all substituents differ, all
marks stay, and no rank is needed. That settles 93 to 100 molecules in 100 (chembl22, zinc, natural products). 3: the
others, mostly rings with a mirror plane, get RDKit's own ranks and labels, pass by pass (cip.py, labels.py).

`stereo_labels` always goes on to 3, and gives the CIP labels: 1 R, 2 S, as RDKit's `_CIPCode` after MolFromSmiles.

Tried against MolFromSmiles: 383,000 texts of shared/data as they stand, canonical, in random order and mutated: no
difference in tags, directions or labels; declined 13 of the 270,000 that were not mutated. One core, per molecule with
marks, with 0.15 us for cutting slices: 0.40 us (zinc, 11 atoms), 0.58 (natural products, 30), 0.70 (zinc, 38), 0.93
(chembl22, 35). A round of step 2 costs about 2 ns an atom, and one or two do; step 3 costs 5 us. Step 3 for every
molecule read 1.6 to 5.4 us. Half of what is left is handing over array arguments: hence the few, inlined functions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS, adjacency
from drylab.kernels.centres import LEGAL, UNSURE, centre, keeps_hydrogens, lone_hydrogen
from drylab.kernels.cip import MAX_ISOTOPE, TWICE, repeats
from drylab.kernels.drawn import clean_directions, drawn_single, find_drawn
from drylab.kernels.labels import RING, E, Z, perceive
from drylab.kernels.twin import inlined, launcher, per_molecule
from drylab.types import PARSED, MolGraphs

EXACT, DECLINED_CENTRE, DECLINED_HYDROGENS, DECLINED_BOND, DECLINED_RANKS = 0, 1, 2, 3, 4
REASONS = {
    DECLINED_CENTRE: "unusual stereocentre",
    DECLINED_HYDROGENS: "hydrogens of a lost stereocentre",
    DECLINED_BOND: "direction on an unusual bond",
    DECLINED_RANKS: "ranks of substituents",
}

WORDS = 3 * (MAX_ATOMS + 1)  # int64 scratch: hashes, their successors, double bonds still to be told apart
_ROUNDS = 4  # of hashing: later ones hardly settle anything
_MASK = 0xFFFFFFFF

# Odd numbers under 2**31, so that a product with 32 bits fits int64: high halves of random words.
_FROM_ELEMENT, _FROM_ISOTOPE, _FROM_SELF = 0x3C6EF373, 0x5BD1E995, 0x2545F491
_FROM_HYDROGENS, _MIX = 0x1B873593, 0x2C1B3C6D


@per_molecule
def stereo(
    n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality,
    direction, words, rank, perm, mark, drawn
):  # fmt: skip
    """Final chirality and direction of one molecule, in place. Returns EXACT or why it was declined.

    Scratch: words (WORDS,) int64, rank, perm, mark (MAX_ATOMS,) uint8, drawn (MAX_BONDS,) uint8.
    """
    found = legal_marks(
        n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality,
        direction, perm, rank, mark
    )  # fmt: skip
    if found <= 0:
        return -found
    centres, directed, double_bonds = found >> 1, found & 1, 0
    if directed != 0:
        double_bonds = find_drawn(
            n, m, begin, end, order, bond_ring, start, neighbour, via, direction, drawn, rank, mark, words
        )
    apart = 0
    if double_bonds >= 0:
        apart = tell_apart(
            n, m, element, isotope, hydrogens, begin, end, order, start, neighbour, centres, double_bonds, words, perm
        )
    if apart == 0:
        code = settle(
            n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality,
            direction, directed, words, rank, perm, mark, drawn
        )  # fmt: skip
        if code != EXACT:
            return code
    if directed != 0:
        clean_directions(m, begin, end, order, start, via, direction, drawn)
    return EXACT


@per_molecule
def stereo_labels(
    n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality,
    direction, words, rank, perm, mark, drawn
):  # fmt: skip
    """As `stereo`, and mark[:n] are the CIP labels: 0 none, 1 R, 2 S. Marks that were cleaned before do no harm."""
    found = legal_marks(
        n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality,
        direction, perm, rank, mark
    )  # fmt: skip
    if found <= 0:
        for i in range(n):
            mark[i] = 0
        return -found
    directed = found & 1
    if directed != 0:
        find_drawn(n, m, begin, end, order, bond_ring, start, neighbour, via, direction, drawn, rank, mark, words)
    code = settle(
        n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality,
        direction, directed, words, rank, perm, mark, drawn
    )  # fmt: skip
    if code == EXACT and directed != 0:
        clean_directions(m, begin, end, order, start, via, direction, drawn)
    return code


@inlined
def legal_marks(
    n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality,
    direction, perm, seen, queue
):  # fmt: skip
    """Drops tags that can never count and lists the other tagged atoms in perm.

    Returns twice their number, plus 1 if there are directions; or minus a reason."""
    centres, directed = 0, 0
    for i in range(n):
        if int(chirality[i]) == 0:
            continue
        kind = LEGAL
        if int(element[i]) != 6 or int(hydrogens[i]) != 1 or int(start[i + 1]) - int(start[i]) != 3:
            kind = centre(
                i, n, element, isotope, charge, hydrogens, order, bond_ring, start, neighbour, via, seen, queue
            )
        elif lone_hydrogen(i, element, isotope, start, neighbour) != 0:
            kind = UNSURE
        if kind == UNSURE:
            return -DECLINED_CENTRE
        if kind == LEGAL:
            perm[centres] = i
            centres += 1
        elif keeps_hydrogens(i, element, charge, hydrogens, order, start, via) == 0:
            return -DECLINED_HYDROGENS
        else:
            chirality[i] = 0
    for b in range(m):
        o = int(order[b])
        if o == 0:
            return -DECLINED_BOND
        if int(direction[b]) != 0:
            directed = 1
            if o != 1 and drawn_single(b, element, charge, hydrogens, begin, end, order, start, via) == 0:
                return -DECLINED_BOND
    return 2 * centres + directed


@per_molecule
def settle(
    n, m, element, isotope, charge, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality,
    direction, directed, words, rank, perm, mark, drawn
):  # fmt: skip
    """Labels by RDKit's ranks; tags go where there is neither a label nor ring stereo. EXACT or a reason."""
    held = perceive(
        n, m, element, isotope, hydrogens, bond_ring, begin, end, order, start, neighbour, via, chirality, direction,
        directed, words, rank, perm, mark, drawn,
    )  # fmt: skip
    if held == 0:
        return DECLINED_RANKS
    for i in range(n):
        if int(mark[i]) == RING:
            mark[i] = 0
        elif int(chirality[i]) != 0 and int(mark[i]) == 0:
            if keeps_hydrogens(i, element, charge, hydrogens, order, start, via) == 0:
                return DECLINED_HYDROGENS
            chirality[i] = 0
    return EXACT


@inlined
def tell_apart(
    n, m, element, isotope, hydrogens, begin, end, order, start, neighbour, centres, double_bonds, words, perm
):  # fmt: skip
    """1 if all listed centres and double bonds have substituents that RDKit surely ranks differently.

    In a round each atom's hash takes in its neighbours' as often as RDKit writes them, and its hydrogens: what a round of
    RDKit's ranking sees, so there may not be more rounds than RDKit has."""
    phosphorus, heaviest = 0, 0
    for i in range(n):
        z, mass = int(element[i]), int(isotope[i])
        phosphorus |= 1 if z == 15 else 0
        heaviest = max(heaviest, mass)
        words[i] = (z * _FROM_ELEMENT + mass * _FROM_ISOTOPE) & _MASK
    if heaviest > MAX_ISOTOPE:
        return 0
    rounds = min(n // 2 + 1, _ROUNDS)
    while rounds > 0 and centres + double_bonds > 0:
        rounds -= 1
        for i in range(n):
            words[n + i] = int(words[i]) * _FROM_SELF + int(hydrogens[i]) * _FROM_HYDROGENS
        for b in range(m):
            u, v, o = int(begin[b]), int(end[b]), int(order[b])
            to_u = (TWICE >> (4 * o)) & 15
            to_v = to_u
            if phosphorus != 0 and o == 2:
                to_u = repeats(2, int(element[v]), int(start[v + 1]) - int(start[v]))
                to_v = repeats(2, int(element[u]), int(start[u + 1]) - int(start[u]))
            words[n + u] += to_u * int(words[v])
            words[n + v] += to_v * int(words[u])
        for i in range(n):
            x = int(words[n + i]) & _MASK
            x = ((x ^ (x >> 15)) * _MIX) & _MASK
            words[i] = x ^ (x >> 13)
        left = 0
        for c in range(centres):
            i = int(perm[c])
            if differ(i, -1, start, neighbour, words) == 0:
                perm[left] = i
                left += 1
        centres, left = left, 0
        for c in range(double_bonds):
            b = int(words[2 * n + c])
            u, v = int(begin[b]), int(end[b])
            if differ(u, v, start, neighbour, words) == 0 or differ(v, u, start, neighbour, words) == 0:
                words[2 * n + left] = b
                left += 1
        double_bonds = left
    return 1 if centres + double_bonds == 0 else 0


@inlined
def differ(i, besides, start, neighbour, words):
    """1 if the neighbours of atom i, without the atom `besides`, are all different."""
    first = int(start[i])
    for p in range(first, int(start[i + 1])):
        a = int(neighbour[p])
        if a == besides:
            continue
        for q in range(first, p):
            c = int(neighbour[q])
            if c != besides and int(words[a]) == int(words[c]):
                return 0
    return 1


@launcher
def _stereo_flat(
    atom_ptr, bond_ptr, status, element, isotope, charge, hydrogens, bond_ring, begin, end, order, chirality,
    direction, labels, ends, codes
):  # fmt: skip
    start, via = np.empty(MAX_ATOMS + 1, np.uint16), np.empty(2 * MAX_BONDS, np.uint16)
    neighbour, words = np.empty(2 * MAX_BONDS, np.uint8), np.empty(WORDS, np.int64)
    rank, perm = np.empty(MAX_ATOMS, np.uint8), np.empty(MAX_ATOMS, np.uint8)
    mark, drawn = np.empty(MAX_ATOMS, np.uint8), np.empty(MAX_BONDS, np.uint8)
    for i in range(len(status)):
        codes[i] = EXACT
        if status[i] != PARSED:
            continue
        a, z, p, q = atom_ptr[i], atom_ptr[i + 1], bond_ptr[i], bond_ptr[i + 1]
        adjacency(begin[p:q], end[p:q], z - a, q - p, start, neighbour, via)
        if len(labels) == 0:
            codes[i] = stereo(
                z - a, q - p, element[a:z], isotope[a:z], charge[a:z], hydrogens[a:z], bond_ring[p:q], begin[p:q], end[p:q],
                order[p:q], start, neighbour, via, chirality[a:z], direction[p:q], words, rank, perm, mark, drawn,
            )  # fmt: skip
        else:
            codes[i] = stereo_labels(
                z - a, q - p, element[a:z], isotope[a:z], charge[a:z], hydrogens[a:z], bond_ring[p:q], begin[p:q], end[p:q],
                order[p:q], start, neighbour, via, chirality[a:z], direction[p:q], words, rank, perm, labels[a:z], drawn,
            )  # fmt: skip
            for b in range(q - p):
                if direction[p + b]:
                    for at in range(q - p):
                        ends[p + at] = 3 if drawn[at] == E else 2 if drawn[at] == Z else 0
                    break


def stereo_flat(
    graphs: MolGraphs, with_labels: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Clean marks of n molecules on the CPU: their graphs, with chirality and direction as written.

    Returns chirality (a,), direction (b,), labels (a,) or (0,) and codes (n,), all uint8, as the top of this file says.
    """
    chirality, direction, labels, _, codes = _flat(graphs, with_labels)
    return chirality, direction, labels, codes


def stereo_marks(graphs: MolGraphs) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """What a fingerprint with chirality asks for, on the CPU: cip (a,), 1 for R and 2 for S; stereo (b,), 2 for Z and 3 for E,
    RDKit's numbers; codes (n,): where one is not EXACT, RDKit has to be asked. All uint8; marks of the graphs are clean."""
    _, _, cip, ends, codes = _flat(graphs, True)
    return cip, ends, codes


def _flat(graphs: MolGraphs, with_labels: bool) -> tuple[NDArray[np.uint8], ...]:
    chirality, direction = graphs.chirality.copy(), graphs.direction.copy()
    labels = np.zeros(len(chirality) if with_labels else 0, np.uint8)
    ends = np.zeros(len(direction) if with_labels else 0, np.uint8)
    codes = np.empty(len(graphs), np.uint8)
    _stereo_flat(
        graphs.atom_ptr, graphs.bond_ptr, graphs.status, graphs.element, graphs.isotope, graphs.charge, graphs.hydrogens,
        graphs.bond_ring, graphs.begin, graphs.end, graphs.order, chirality, direction, labels, ends, codes,
    )  # fmt: skip
    return chirality, direction, labels, ends, codes
