"""Substructure programs, and the search that runs one over one molecule. The contract is at the top of substructure.py.

A program is a run of steps. A step binds one query atom: it goes from an atom bound before (its parent) over a bond of
the right kind, or over all atoms where it has no parent; then checks that the atom is not taken, the neighbours there
have to be, its terms (any one of them must hold: two ANDs, see query.py, and in some of them recursive programs
anchored at this atom), and closures (bonds to other atoms bound before). A recursive program is a frame on a stack of
our own, so nothing calls itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drylab.kernels.twin import per_molecule

INEXACT, FAR = 4, 8  # beside UNKNOWN_RINGS and UNKNOWN_VALENCE in Programs.needs
MAX_SLOTS = 160  # query atoms bound at one time, those of recursive programs included
MAX_FRAMES = 12  # how deep recursive queries may be nested
STOP, COUNT = 1, 2  # what else search can do than fill codes
MOST_MATCHES = 1000  # RDKit's SubstructMatchParameters.maxRecursiveMatches
FRAME = 7  # int32 values kept of a frame


class Programs(NamedTuple):
    """P programs: first those of the entries asked for, one or several (alternatives) an entry. S steps, T terms.

    program    (P + 1,) int32: steps of program p are program[p]:program[p + 1]
    needs      (P,) uint8: UNKNOWN_RINGS, UNKNOWN_VALENCE: facts it asks for; INEXACT: a match has to be confirmed
    parent     (S,) int32: an earlier step of the program; -1 for none; -2 - k for none, and an atom of higher number than
               that of step k, which is the same step of an equal part of the query
    bond       (S,) int32: mask of the kinds of bond that lead from the parent
    near       (S,) int64: bits of `near` the atom must have
    term       (S + 1,) int32: terms of step s are term[s]:term[s + 1]
    closure    (S + 1,) int32: closures of step s; closure_step (C,), closure_bond (C,) int32: step and mask of each
    not_here, not_there  (T,) int64: bits that an atom may not have
    elements   (T,) int32: row of sets for elements without a bit of their own, -1 if all or none of them will do
    isotope    (T,) int32: mass number, -1 if it does not matter
    recursive  (T + 1,) int32: of term t; condition (R,) int32: 2 * program + (1 if it must not match)
    prior      (S,) int32: how many earlier steps are bonded to the parent of step s
    spread     (P,) int32: how many matches of a recursive program can begin at one atom, as far as that can be told
    inside     (a + 1,) int32: recursive programs that program p can come to are inner[inside[p]:inside[p + 1]] (int32)
    sets       (., 3) int64: atomic numbers, 62 a word
    entry      (a,) int32: the entry that each of the first a programs belongs to; entries (1,) int32: how many
    group      (g + 1,) int32: programs group[k]:group[k + 1] all need bit group_bit[k] (int64) of the molecule's screen word
               group_word[k] (int32)
    need       (a + 1,) int32: of need_word (int32) and need_mask (int64), what a program needs, word by word
    atom_bits  (CLASSES, u), atom_around (AROUNDS, u) int64: an atom has the features that are in both
    left, right  (CLASSES, v), left_around, right_around (AROUNDS, v), bond_bits (KINDS, v) int64: a bond has the features of
               its kind that are in both lefts of one end and both rights of the other
    Screen words: v for bonds that occur at least once, v for twice; u for atoms at least once, and so on to ATOM_LEVELS;
    one with the lengths of rings.
    """

    program: NDArray[np.int32]
    needs: NDArray[np.uint8]
    parent: NDArray[np.int32]
    bond: NDArray[np.int32]
    near: NDArray[np.int64]
    term: NDArray[np.int32]
    closure: NDArray[np.int32]
    closure_step: NDArray[np.int32]
    closure_bond: NDArray[np.int32]
    not_here: NDArray[np.int64]
    not_there: NDArray[np.int64]
    elements: NDArray[np.int32]
    isotope: NDArray[np.int32]
    recursive: NDArray[np.int32]
    condition: NDArray[np.int32]
    prior: NDArray[np.int32]
    spread: NDArray[np.int32]
    inside: NDArray[np.int32]
    inner: NDArray[np.int32]
    sets: NDArray[np.int64]
    entry: NDArray[np.int32]
    entries: NDArray[np.int32]
    group: NDArray[np.int32]
    group_word: NDArray[np.int32]
    group_bit: NDArray[np.int64]
    need: NDArray[np.int32]
    need_word: NDArray[np.int32]
    need_mask: NDArray[np.int64]
    atom_bits: NDArray[np.int64]
    atom_around: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    left_around: NDArray[np.int64]
    right_around: NDArray[np.int64]
    bond_bits: NDArray[np.int64]


@per_molecule
def search(
    programs, todo, count, stop, element, isotope, n, start, neighbour, via, kind, near, here, there,
    mapped, cursor, frames, codes,
):  # fmt: skip
    """Run programs todo[:count] over a molecule: codes[entry] = 1, or 2 where inexact, if one of the entry's matches.

    With ``stop`` STOP codes is not touched, and the first exact match ends it. Returns 1 if there was an exact match, else
    2 if an inexact one, else 0. With ``stop`` COUNT it returns the number of matches of program todo[0], any order of atoms
    counted, at most MOST_MATCHES. Scratch: mapped (MAX_SLOTS,) uint8, cursor (MAX_SLOTS,) and frames (MAX_FRAMES * FRAME,) int32.

    One long function, and its tables are named once: on the CPU a call that hands over arrays counts references to each,
    which took longer than the search (7 microseconds a program against 0.2).
    """
    program, needs, entry = programs.program, programs.needs, programs.entry
    step_parent, step_bond, step_near = programs.parent, programs.bond, programs.near
    term, closure, closure_step, closure_bond = (
        programs.term, programs.closure, programs.closure_step, programs.closure_bond,
    )  # fmt: skip
    not_here, not_there, elements, mass = programs.not_here, programs.not_there, programs.elements, programs.isotope
    recursive, condition, sets = programs.recursive, programs.condition, programs.sets
    best = 0
    for job in range(count):
        asked = int(todo[job])
        e = 0 if stop else int(entry[asked])
        if not stop and codes[e] == 1:
            continue
        first, last = int(program[asked]), int(program[asked + 1]) - 1
        base, top, anchor, s = 0, 0, -1, first
        cursor[0] = 0
        t, r, i = 0, 0, 0
        resumed = False  # whether term t of step s is under way for atom i, from condition r on
        answer = -1  # of a program that has just ended, -1 for none
        while True:
            if answer >= 0:
                if top == 0:
                    break
                top -= 1
                f = top * FRAME
                first, last, base, anchor = int(frames[f]), int(frames[f + 1]), int(frames[f + 2]), int(frames[f + 3])
                s, t, r = int(frames[f + 4]), int(frames[f + 5]), int(frames[f + 6])
                i = int(mapped[base + s - first])
                resumed = True
                if answer == int(condition[r]) & 1:
                    t += 1
                    r = -1
                else:
                    r += 1
                answer = -1
            slot = base + s - first
            if not resumed:
                # The next atom for this step, or back to the step before.
                parent, wanted = int(step_parent[s]), int(step_near[s])
                at = int(cursor[slot])
                found = False
                if parent < 0:
                    if parent < -1:
                        after = int(mapped[base - 2 - parent]) + 1
                        at = max(at, after)
                    end = n if anchor < 0 or s != first else anchor + 1
                    # Most steps without a parent have one term, and most atoms fail it.
                    t = int(term[s])
                    refused = int(not_here[t]) if int(term[s + 1]) == t + 1 else 0
                    while at < end and not found:
                        i = at
                        found = wanted & ~int(near[i]) == 0 and refused & int(here[i]) == 0
                        at += 1
                else:
                    p = int(mapped[base + parent])
                    end = int(start[p + 1])
                    bond = int(step_bond[s])
                    while at < end and not found:
                        i = int(neighbour[at])
                        found = (bond >> int(kind[int(via[at])])) & 1 != 0 and wanted & ~int(near[i]) == 0
                        at += 1
                cursor[slot] = at
                if not found:
                    if s == first:
                        answer = 0
                    else:
                        s -= 1
                    continue
                for k in range(base, slot):
                    if int(mapped[k]) == i:
                        found = False
                for c in range(int(closure[s]), int(closure[s + 1])):
                    other = int(mapped[base + int(closure_step[c])])
                    closed = False
                    for at in range(int(start[i]), int(start[i + 1])):
                        if int(neighbour[at]) == other:
                            closed = (int(closure_bond[c]) >> int(kind[int(via[at])])) & 1 != 0
                    found = found and closed
                if not found:
                    continue
                mapped[slot] = i
                t, r = int(term[s]), -1
            resumed = False
            # The terms of this step, from t on; r is -1 before the first condition of a term.
            accepted, nested = False, False
            t_end = int(term[s + 1])
            while t < t_end and not accepted and not nested:
                if r < 0:
                    plain = (int(here[i]) & int(not_here[t])) | (int(there[i]) & int(not_there[t])) == 0
                    row = int(elements[t])
                    if plain and row >= 0:
                        z = int(element[i])
                        plain = (int(sets[row, z // 62]) >> (z % 62)) & 1 != 0
                    if plain and int(mass[t]) >= 0:
                        plain = int(isotope[i]) == int(mass[t])
                    if not plain:
                        t += 1
                        continue
                    r = int(recursive[t])
                if r < int(recursive[t + 1]):
                    nested = True
                else:
                    accepted = True
            if nested:
                f = top * FRAME
                frames[f], frames[f + 1], frames[f + 2], frames[f + 3] = first, last, base, anchor
                frames[f + 4], frames[f + 5], frames[f + 6] = s, t, r
                top += 1
                inner = int(condition[r]) >> 1
                first, last = int(program[inner]), int(program[inner + 1]) - 1
                base, anchor, s = slot + 1, i, first
                cursor[base] = i
                continue
            if not accepted:
                continue
            if s == last:
                if stop == COUNT and top == 0:
                    best += 1
                    if best == MOST_MATCHES:
                        return best
                else:
                    answer = 1
                continue
            s += 1
            parent = int(step_parent[s])
            cursor[base + s - first] = 0 if parent < 0 else int(start[int(mapped[base + parent])])
        if answer == 1:
            code = 2 if int(needs[asked]) & INEXACT else 1
            if stop == STOP and code == 1:
                return 1
            if not stop:
                codes[e] = code
            best = code if best != 1 else 1
    return best
