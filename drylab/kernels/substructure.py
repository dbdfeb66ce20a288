"""Which substructure queries a molecule matches: a screen of a few words, then an exact backtracking search.

A query is compiled (featurize/smarts.py, featurize/programs.py) into a program; ``Programs`` (search.py) holds many, flat.
The screen needs what every match needs: so many atoms of such a class, so many bonds between such classes. Classes and
counts are chosen from the programs at hand; counts are kept bit-sliced, 62 features a word ("at least one", "at least
two"...), so that a program is dismissed by the first word in which it needs a bit that the molecule lacks. It is sound:
distinct atoms and bonds of a query go to distinct ones of the molecule (Raymond 2002, 10.1093/comjnl/45.6.631).

    match      (n, e) uint8: NO it cannot match, YES it matches, ASK: ask RDKit
    any_match  (n,) uint8: YES if any program does (the search stops there), else ASK if any is to be asked, else NO
ASK is given for a molecule that is not PARSED, has a bond of unknown order or an aromatic bond between atoms that are
not; and where a program that the screen lets pass needs rings that are
declined, or a valence that the graph does not tell, matches but is INEXACT, or holds a recursive query that may
match as often as RDKit counts (1,000). No molecules or no programs: empty or NO.

One thread (on the GPU) or one turn of a loop (on the CPU) takes one molecule through all programs. Limits: MAX_ATOMS and
MAX_BONDS, MAX_SLOTS query atoms, MAX_FRAMES nested queries, MAX_SCREEN words; larger queries become programs without
steps, which are always asked about.

Versions tried, 765 entries of PAINS, Brenk and NIH, microseconds a molecule of ZINC and ChEMBL (30 atoms) on one busy core;
RDKit's GetMatches took 4,000 there. Small functions for each test, handed all tables: 440, nearly all of it counting
references; one function: 50. Screen of atoms and bonds by class, features wanted by most programs: 58 programs a molecule
were left to the search; features that dismiss most, with the neighbours of each atom: 28, and 28 microseconds. Of these the
screen takes 3, the search the rest, 20 ns a step (branches that cannot be foretold); 5 in all for lead-like ZINC.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS, adjacency
from drylab.kernels.cages import MAX_RING_SLOTS, MAX_RINGS
from drylab.kernels.crowding import leave_out_crowded
from drylab.kernels.query import atom_words, bond_words, far_words
from drylab.kernels.ring_facts import ring_facts, ring_lengths
from drylab.kernels.rings import RING_BYTES, RING_SHORTS, RING_WORDS, rings
from drylab.kernels.search import FAR, FRAME, MAX_FRAMES, MAX_SLOTS, STOP, Programs, search
from drylab.kernels.twin import launcher, per_molecule
from drylab.types import PARSED, MolGraphs

NO, YES, ASK = 0, 1, 2
ATOM_LEVELS, BOND_LEVELS = 8, 2  # counts the screen tells apart
MAX_SCREEN = 64  # words

# Scratch of molecule_codes, by dtype: uint8, uint16, int32, int64. Where each part begins:
_KIND = MAX_SLOTS
_NEIGHBOUR = _KIND + MAX_BONDS
_RING_ATOMS = _NEIGHBOUR + 2 * MAX_BONDS
_COUNT = _RING_ATOMS + MAX_RING_SLOTS
_LEAST = _COUNT + MAX_ATOMS
_BYTES = _LEAST + MAX_ATOMS
_VIA = MAX_ATOMS + 1
_CLS = _VIA + 2 * MAX_BONDS
_AROUND = _CLS + MAX_ATOMS
_RING_PTR = _AROUND + MAX_ATOMS
_RING_BONDS = _RING_PTR + MAX_RINGS + 1
_SHORTS = _RING_BONDS + MAX_RING_SLOTS
_HERE = MAX_ATOMS
_THERE = _HERE + MAX_ATOMS
_SIZES = _THERE + MAX_ATOMS
_HAVE = _SIZES + MAX_ATOMS
_COVER = _HAVE + MAX_SCREEN
_WORDS = _COVER + MAX_BONDS + MAX_RINGS
MATCH_BYTES, MATCH_SHORTS = _BYTES + RING_BYTES, _SHORTS + RING_SHORTS
MATCH_INTS, MATCH_WORDS = MAX_SLOTS + MAX_FRAMES * FRAME, _WORDS + RING_WORDS


@per_molecule
def screen_words(programs, cls, around, n, begin, end, kind, m, words):
    """Fill words (w,) int64 of one molecule, all but the last. Returns the place of the last."""
    left, right, left_around, right_around = programs.left, programs.right, programs.left_around, programs.right_around
    bond_bits, atom_bits, atom_around = programs.bond_bits, programs.atom_bits, programs.atom_around
    v, a = bond_bits.shape[1], atom_bits.shape[1]
    at = BOND_LEVELS * v
    for w in range(at + ATOM_LEVELS * a):
        words[w] = 0
    for b in range(m):
        i, j, o = int(begin[b]), int(end[b]), int(kind[b])
        ci, cj, ai, aj = int(cls[i]), int(cls[j]), int(around[i]), int(around[j])
        for w in range(v):
            one = left[ci, w] & left_around[ai, w] & right[cj, w] & right_around[aj, w]
            other = left[cj, w] & left_around[aj, w] & right[ci, w] & right_around[ai, w]
            seen = bond_bits[o, w] & (one | other)
            words[v + w] |= words[w] & seen
            words[w] |= seen
    for i in range(n):
        # A counter in each column: three binary digits, and one that stays once 8 is reached.
        c, r = int(cls[i]), int(around[i])
        for w in range(a):
            seen = atom_bits[c, w] & atom_around[r, w]
            first, second, third = at + w, at + a + w, at + 2 * a + w
            carry = words[first] & seen
            words[first] ^= seen
            more = words[second] & carry
            words[second] ^= carry
            words[third + a] |= words[third] & more
            words[third] ^= more
    for w in range(at, at + a):
        one, two, four, eight = int(words[w]), int(words[w + a]), int(words[w + 2 * a]), int(words[w + 3 * a])
        words[w] = one | two | four | eight
        words[w + a] = two | four | eight
        words[w + 2 * a] = (one & two) | four | eight
        words[w + 3 * a] = four | eight
        words[w + 4 * a] = (four & (one | two)) | eight
        words[w + 5 * a] = (four & two) | eight
        words[w + 6 * a] = (four & two & one) | eight
        words[w + 7 * a] = eight
    return at + ATOM_LEVELS * a


@per_molecule
def survivors(programs, words, todo):
    """Fill todo with the programs that the screen lets pass; returns how many."""
    group, group_word, group_bit = programs.group, programs.group_word, programs.group_bit
    need, need_word, need_mask = programs.need, programs.need_word, programs.need_mask
    count = 0
    for g in range(len(group_word)):
        if int(group_bit[g]) & ~int(words[int(group_word[g])]):
            continue
        for p in range(int(group[g]), int(group[g + 1])):
            missing = 0
            at, last = int(need[p]), int(need[p + 1])
            while at < last and missing == 0:
                missing = int(need_mask[at]) & ~int(words[int(need_word[at])])
                at += 1
            if missing == 0:
                todo[count] = p
                count += 1
    return count


@per_molecule
def molecule_codes(
    programs, stop, element, charge, hydrogens, aromatic, isotope, begin, end, order, bond_ring, n, m,
    bytes_, shorts, ints, words, todo, codes,
):  # fmt: skip
    """Codes (e,) of one molecule, or with ``stop`` no more than are needed for what is returned: any_match's code.

    Scratch: bytes_ (MATCH_BYTES,) uint8, shorts (MATCH_SHORTS,) uint16, ints (MATCH_INTS,) int32,
    words (MATCH_WORDS,) int64, todo (P + 1,) int32.
    """
    mapped, kind, neighbour = bytes_, bytes_[_KIND:], bytes_[_NEIGHBOUR:]
    start, via, cls, around = shorts, shorts[_VIA:], shorts[_CLS:], shorts[_AROUND:]
    near, here, there, have = words, words[_HERE:], words[_THERE:], words[_HAVE:]
    if not stop:
        for e in range(programs.entries[0]):
            codes[e] = NO
    odd = False
    for b in range(m):
        o = int(order[b])
        # A bond of no known order, or aromatic without being in an aromatic ring: neither rings nor classes are certain.
        odd = odd or o == 0 or (o == 4 and (aromatic[int(begin[b])] == 0 or aromatic[int(end[b])] == 0))
    if odd:
        if not stop:
            for e in range(programs.entries[0]):
                codes[e] = ASK
        return ASK if programs.entries[0] else NO
    adjacency(begin, end, n, m, start, neighbour, via)
    bond_words(begin, end, order, bond_ring, element, m, n, kind, near)
    atom_words(element, charge, hydrogens, aromatic, isotope, n, start, neighbour, via, kind, near, here, cls, around)
    last = screen_words(programs, cls, around, n, begin, end, kind, m, have)
    k = rings(
        begin, end, bond_ring, n, m, shorts[_RING_PTR:], bytes_[_RING_ATOMS:], shorts[_RING_BONDS:],
        bytes_[_BYTES:], shorts[_SHORTS:], words[_WORDS:],
    )  # fmt: skip
    cursor, frames, cover = ints, ints[MAX_SLOTS:], words[_COVER:]
    have[last] = (
        ring_lengths(shorts[_RING_PTR:], shorts[_RING_BONDS:], k, m, cover, cover[MAX_BONDS:]) if k >= 0 else -1
    )
    count = survivors(programs, have, todo)
    unknown, told, best, left = 0, False, NO, 0
    for job in range(count):
        p = int(todo[job])
        needs = int(programs.needs[p])
        if needs & FAR and not told:
            unknown = far_facts(
                element, charge, hydrogens, aromatic, isotope, order, n, k, start, neighbour, via, there,
                bytes_, shorts, words,
            )  # fmt: skip
            told = True
        if needs & unknown or programs.program[p] == programs.program[p + 1]:
            best = ASK
            if not stop:
                codes[int(programs.entry[p])] = ASK
        else:
            todo[left] = p
            left += 1
    count = leave_out_crowded(
        programs, todo, left, element, isotope, n, start, neighbour, via, kind, near, here, there,
        mapped, cursor, frames, codes,
    )  # fmt: skip
    for job in range(count, left):
        best = ASK
        if not stop:
            codes[int(programs.entry[int(todo[job])])] = ASK
    found = search(
        programs, todo, count, STOP if stop else 0, element, isotope, n, start, neighbour, via, kind, near, here, there,
        mapped, cursor, frames, codes,
    )  # fmt: skip
    return found if found != NO else best


@per_molecule
def far_facts(
    element, charge, hydrogens, aromatic, isotope, order, n, k, start, neighbour, via, there, bytes_, shorts, words
):
    """Fill ``there``, in molecule_codes' scratch, where the k rings are. Returns the UNKNOWN_ bits."""
    count, least, sizes = bytes_[_COUNT:], bytes_[_LEAST:], words[_SIZES:]
    ring_facts(shorts[_RING_PTR:], bytes_[_RING_ATOMS:], max(k, 0), n, count, least, sizes)
    return far_words(
        element,
        charge,
        hydrogens,
        aromatic,
        isotope,
        n,
        start,
        neighbour,
        via,
        order,
        count,
        least,
        sizes,
        k >= 0,
        there,
    )


@launcher
def _match(
    programs, stop, atom_ptr, bond_ptr, status, element, charge, hydrogens, aromatic, isotope,
    begin, end, order, bond_ring, codes, best,
):  # fmt: skip
    bytes_, shorts = np.empty(MATCH_BYTES, np.uint8), np.empty(MATCH_SHORTS, np.uint16)
    ints, words = np.empty(MATCH_INTS, np.int32), np.empty(MATCH_WORDS, np.int64)
    todo = np.empty(len(programs.needs) + 1, np.int32)
    for i in range(len(status)):
        row = codes[0] if stop else codes[i]
        a0, a1, b0, b1 = atom_ptr[i], atom_ptr[i + 1], bond_ptr[i], bond_ptr[i + 1]
        if status[i] != PARSED or a1 - a0 > MAX_ATOMS or b1 - b0 > MAX_BONDS:
            best[i] = ASK
            row[:] = ASK
            continue
        best[i] = molecule_codes(
            programs, stop, element[a0:a1], charge[a0:a1], hydrogens[a0:a1], aromatic[a0:a1], isotope[a0:a1],
            begin[b0:b1], end[b0:b1], order[b0:b1], bond_ring[b0:b1], a1 - a0, b1 - b0, bytes_, shorts, ints, words, todo, row,
        )  # fmt: skip


def _run(graphs: MolGraphs, programs: Programs, stop: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    n, e = len(graphs), int(programs.entries[0])
    codes, best = np.zeros((1 if stop else n, e), np.uint8), np.zeros(n, np.uint8)
    _match(
        programs, stop, graphs.atom_ptr, graphs.bond_ptr, graphs.status, graphs.element, graphs.charge,
        graphs.hydrogens, graphs.aromatic, graphs.isotope, graphs.begin, graphs.end, graphs.order, graphs.bond_ring,
        codes, best,
    )  # fmt: skip
    return codes, best


def match(graphs: MolGraphs, programs: Programs) -> NDArray[np.uint8]:
    """(n, e) uint8 codes, as the top of this file says."""
    return _run(graphs, programs, False)[0]


def any_match(graphs: MolGraphs, programs: Programs) -> NDArray[np.uint8]:
    """(n,) uint8 codes, as the top of this file says."""
    return _run(graphs, programs, True)[1]
