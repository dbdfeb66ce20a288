"""SMILES bytes -> atoms, chain bonds and ring closures, in one pass: the first half of ``smiles``.

``scan`` reads data[start:stop] and writes atoms 0, 1, ... and chain bonds 0, 1, ... Bond i of a molecule joins atom i + 1
to the atom it was written after, so begin[i] is also the parent of atom i + 1 in the tree that the text draws. Ring closures are kept aside, one row each in ``closure``:
number, opening atom, closing atom, bond code at the opening, at the closing, and the two places in the order of digits.

Scratch (int16 but ``stack``): stack (256,) uint8 atoms of open branches; opened (100, 4) int16 atom (-1: none), bond code,
place, position; closure (MAX_CLOSURES, 7) int16; bonded (MAX_ATOMS + 1,) uint16: 256 * bonds + 16 * aromatic bonds + sum of
the other orders; doubles (MAX_ATOMS,) uint8: the double bonds of the chain; state (5,) int64 atoms, closures, position of the
trouble, marks, doubles.
``opened[:, 0]`` must be -1 on entry and is so again on return.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.adjacency import MAX_ATOMS
from drylab.kernels.alphabet import (
    AROMATIC,
    BEYOND,
    BOND,
    BOND_CODE,
    BRACKET,
    CLOSE,
    DIGIT,
    DOUBLE,
    ELEMENT,
    KIND,
    OPEN,
    PERCENT,
    SQUARE,
    UP,
)
from drylab.kernels.twin import inlined, per_molecule

MAX_CLOSURES = 128
RING_NUMBERS = 100
BRACKET_MARK = 128  # set in the hydrogens of a bracket atom; those of the others are known once their bonds are

# Why a row is not parsed. Below FIRST_INVALID it is declined: RDKit decides. From there on no reader accepts it.
OK, EMPTY, OUTSIDE, MANY_ATOMS, MANY_BONDS, ORDER, BRACKETED = range(7)
VALENCES, HYDROGEN, METAL, CLOSURE, AROMATICS, RINGS, STEREO = range(7, 14)
FIRST_INVALID = 14
BYTE, RING_OPEN, BRANCH_OPEN, BRANCH_SHUT, BRACKET_OPEN, BOND_OPEN = range(14, 20)
REASONS = (
    "",
    "no atoms",
    "disconnected, wildcard, dative, quadruple or query bond, or white space",
    "more than 255 atoms",
    "more bonds or ring closures than the parser holds",
    "symbols in an unusual order",
    "unusual bracket",
    "unusual valence or charge",
    "explicit hydrogen",
    "bonded metal",
    "unusual ring closure",
    "aromaticity that only RDKit can decide",
    "rings that only RDKit can tell apart",
    "stereo marks that only RDKit can decide",
    "a byte that is no SMILES",
    "a ring that is not closed",
    "a branch that is not closed",
    "a branch closed before it was opened",
    "a bracket that is not closed",
    "a bond that leads nowhere",
)
CHIRAL_MARK, DIRECTION_MARK, BRACKET_SEEN = 1, 2, 4

_START, _ATOM, _BRANCH, _END, _BOND_ATOM, _BOND_BRANCH = range(6)
_H, _AT, _PLUS, _MINUS, _SHUT = 72, 64, 43, 45, 93


@per_molecule
def bracket(data, p, stop):
    """The bracket atom whose '[' stands at p, packed: length, isotope, chirality, charge + 8, hydrogens, aromatic, element
    (from the high end: 10, 2, 4, 4, 1 and 8 bits); or minus a reason."""
    q = p + 1
    isotope = 0
    while q < stop and 48 <= np.int64(data[q]) <= 57:
        digit = np.int64(data[q]) - 48
        isotope = isotope * 10 + digit
        if isotope == 0 or isotope > 999:
            return -BRACKETED
        q += 1
    if q + 1 >= stop:
        return -BRACKET_OPEN
    c, after = np.int64(data[q]), np.int64(data[q + 1])
    aromatic = 1 if 97 <= c <= 122 else 0
    first = c - (96 if aromatic else 64)
    element = 0
    if 1 <= first <= 26:
        if 97 <= after <= 122:
            element = np.int64(BRACKET[first * 26 + after - 96])
            q += 2
        else:
            element = np.int64(BRACKET[first])
            q += 1
    if element == 0:
        return -BRACKETED
    if aromatic and not (
        element == 6 or element == 7 or element == 8 or element == 16 or element == 34 or element == 52
        or element == 5 or element == 15
    ):  # fmt: skip
        return -BRACKETED
    chirality = 0
    if q < stop and np.int64(data[q]) == _AT:
        chirality = 1
        q += 1
        if q < stop and np.int64(data[q]) == _AT:
            chirality = 2
            q += 1
    hydrogens = 0
    if q < stop and np.int64(data[q]) == _H:
        hydrogens = 1
        q += 1
        if q < stop and 48 <= np.int64(data[q]) <= 57:
            hydrogens = np.int64(data[q]) - 48
            q += 1
    charge = 0
    if q < stop and (np.int64(data[q]) == _PLUS or np.int64(data[q]) == _MINUS):
        sign = np.int64(data[q])
        charge = 1
        q += 1
        if q < stop and 48 <= np.int64(data[q]) <= 57:
            charge = np.int64(data[q]) - 48
            q += 1
        else:
            while q < stop and np.int64(data[q]) == sign and charge < 7:
                charge += 1
                q += 1
        if charge > 7:
            return -BRACKETED
        if sign == _MINUS:
            charge = -charge
    if q >= stop:
        return -BRACKET_OPEN
    if np.int64(data[q]) != _SHUT:
        return -BRACKETED
    length = q + 1 - p
    packed = (length << 10) | isotope
    packed = (packed << 2) | chirality
    packed = (packed << 4) | (charge + 8)
    packed = (packed << 4) | hydrogens
    packed = (packed << 1) | aromatic
    return (packed << 8) | element


@inlined
def scan(
    data, start, stop, element, charge, hydrogens, aromatic, chirality, isotope, begin, end, order, direction,
    stack, opened, closure, bonded, doubles, state,
):  # fmt: skip
    """Atoms, chain bonds and closures of data[start:stop], by the contract at the top of this file: a reason code."""
    n, closures, place, rings = 0, 0, 0, 0
    previous, depth, bond, marks, n_doubles = -1, 0, 0, 0, 0
    last = _START
    reason = OK
    p = start
    while p < stop:
        c = np.int64(data[p])
        kind = np.int64(KIND[c])
        if kind <= SQUARE:
            if n == MAX_ATOMS:
                reason = MANY_ATOMS
                break
            a = n & 255
            p += 1
            if kind < SQUARE:
                z, low = np.int64(ELEMENT[c]), c >> 5 & 1
                if kind != 0 and p < stop:  # C or B: Cl or Br?
                    after = np.int64(data[p])
                    if c == 67 and after == 108:
                        z = 17
                        p += 1
                    elif c == 66 and after == 114:
                        z = 35
                        p += 1
            else:
                packed = bracket(data, p - 1, stop)
                if packed < 0:
                    p -= 1
                    reason = -packed
                    break
                z, low = packed & 255, packed >> 8 & 1
                hydrogens[a] = BRACKET_MARK | packed >> 9 & 15
                charge[a] = (packed >> 13 & 15) - 8
                chirality[a] = packed >> 17 & 3
                isotope[a] = packed >> 19 & 1023
                p += (packed >> 29) - 1
                marks |= BRACKET_SEEN | (CHIRAL_MARK if packed >> 17 & 3 else 0)
            element[a] = z
            aromatic[a] = low
            if n == 0:
                bonded[0] = 0
            else:
                b = (n - 1) & 255
                begin[b] = previous
                end[b] = n
                both = low & np.int64(aromatic[previous & 255])
                drawn = AROMATIC if both else 1
                if bond:
                    if bond < UP:
                        if bond == AROMATIC and not both:
                            reason = AROMATICS
                            break
                        drawn = bond
                        if bond == DOUBLE:
                            doubles[n_doubles] = b
                            n_doubles += 1
                    else:
                        direction[b] = bond - AROMATIC
                        marks |= DIRECTION_MARK
                    bond = 0
                order[b] = drawn
                more = 256 + (16 if drawn == AROMATIC else drawn)
                bonded[n & 255] = more
                bonded[previous & 255] += more
            previous = n
            n += 1
            last = _ATOM
        elif kind == DIGIT or kind == PERCENT:
            if last != _ATOM and last != _BOND_ATOM:
                reason = ORDER
                break
            number = c - 48
            if kind == PERCENT:
                if (
                    p + 2 >= stop
                    or np.int64(KIND[np.int64(data[p + 1])]) != DIGIT
                    or np.int64(KIND[np.int64(data[p + 2])]) != DIGIT
                ):
                    reason = ORDER
                    break
                number = (np.int64(data[p + 1]) - 48) * 10 + np.int64(data[p + 2]) - 48
                p += 2
            if np.int64(opened[number, 0]) < 0:
                opened[number, 0] = previous
                opened[number, 1] = bond
                opened[number, 2] = place
                opened[number, 3] = min(p - start, 32767)
                rings += 1
            else:
                if closures == MAX_CLOSURES:
                    reason = MANY_BONDS
                    break
                closure[closures, 0] = number
                closure[closures, 1] = opened[number, 0]
                closure[closures, 2] = previous
                closure[closures, 3] = opened[number, 1]
                closure[closures, 4] = bond
                closure[closures, 5] = opened[number, 2]
                closure[closures, 6] = place
                opened[number, 0] = -1
                closures += 1
                rings -= 1
            if bond >= UP:
                marks |= DIRECTION_MARK
            place += 1
            bond = 0
            last = _ATOM
            p += 1
        elif kind == OPEN:
            if last != _ATOM and last != _END:
                reason = ORDER
                break
            # A branch holds an atom at least, so at most 255 stand open.
            if depth == MAX_ATOMS:
                reason = MANY_ATOMS
                break
            stack[depth] = previous
            depth += 1
            last = _BRANCH
            p += 1
        elif kind == CLOSE:
            if depth == 0:
                reason = BRANCH_SHUT
                break
            if last != _ATOM and last != _END:
                reason = ORDER
                break
            depth -= 1
            previous = np.int64(stack[depth])
            last = _END
            p += 1
        elif kind == BOND:
            if last == _ATOM:
                last = _BOND_ATOM
            elif last == _BRANCH or last == _END:
                last = _BOND_BRANCH
            else:
                reason = ORDER
                break
            bond = np.int64(BOND_CODE[c])
            p += 1
        else:
            reason = OUTSIDE if kind == BEYOND else BYTE
            break
    if reason == OK:
        if n == 0:
            reason = EMPTY
        elif last == _BOND_ATOM or last == _BOND_BRANCH:
            reason = BOND_OPEN
        elif depth:
            reason = BRANCH_OPEN
        elif rings:
            reason = RING_OPEN
    state[0] = n
    state[1] = closures
    state[2] = p - start
    state[3] = marks
    state[4] = n_doubles
    if rings:
        for number in range(RING_NUMBERS):
            if np.int64(opened[number, 0]) >= 0:
                if reason == RING_OPEN:
                    state[2] = min(np.int64(state[2]), np.int64(opened[number, 3]))
                opened[number, 0] = -1
    return reason
