"""Where RDKit may count recursive matches to its limit and overlook the rest: there RDKit has to be asked.

HasSubstructMatch looks for all matches of a recursive query in the molecule and keeps their first atoms, but stops after
MOST_MATCHES matches (SubstructMatchParameters.maxRecursiveMatches): an atom that matches later counts as one that does
not. A bound settles nearly all: the atoms for the first step, times the choices that later steps leave. Else we count.
"""

from __future__ import annotations

from drylab.kernels.search import COUNT, MOST_MATCHES, search
from drylab.kernels.twin import per_molecule

UNASKED, SAFE, CROWDED = 9, 0, 1


@per_molecule
def may_be(programs, s, i, element, near, here):
    """Whether atom i can stand for the query atom of step s, as far as cheap tests tell."""
    if int(programs.near[s]) & ~int(near[i]):
        return False
    for t in range(int(programs.term[s]), int(programs.term[s + 1])):
        if int(here[i]) & int(programs.not_here[t]) == 0:
            row, z = int(programs.elements[t]), int(element[i])
            if row < 0 or (int(programs.sets[row, z // 62]) >> (z % 62)) & 1:
                return True
    return False


@per_molecule
def most_matches(programs, p, total, element, n, start, neighbour, via, kind, near, here):
    """A bound for the matches of program p that begin at ``total`` atoms, at most MOST_MATCHES.

    Each step after the first multiplies it by the most choices that any atom which may stand for its parent leaves.
    """
    first, last = int(programs.program[p]), int(programs.program[p + 1])
    for s in range(first + 1, last):
        parent, bond, most = int(programs.parent[s]), int(programs.bond[s]), 0
        for i in range(n):
            if parent < 0:
                most += may_be(programs, s, i, element, near, here)
            elif may_be(programs, first + parent, i, element, near, here):
                choices = 0
                for at in range(int(start[i]), int(start[i + 1])):
                    fits = (bond >> int(kind[int(via[at])])) & 1 != 0
                    if fits and may_be(programs, s, int(neighbour[at]), element, near, here):
                        choices += 1
                left = int(start[i + 1]) - int(start[i]) - int(programs.prior[s])
                choices = left if left < choices else choices
                most = choices if choices > most else most
        total = total * most if total * most < MOST_MATCHES else MOST_MATCHES
    return total


@per_molecule
def leave_out_crowded(
    programs, todo, count, element, isotope, n, start, neighbour, via, kind, near, here, there,
    mapped, cursor, frames, codes,
):  # fmt: skip
    """Take the programs out of todo[:count] that hold a crowded recursive query. Returns how many are left.

    They are put behind the others. todo (P + 1,) int32 is scratch behind the programs asked for; the rest as in ``search``.
    """
    inside, inner, spread, program = programs.inside, programs.inner, programs.spread, programs.program
    term, step_near, not_here = programs.term, programs.near, programs.not_here
    asked, left, last = False, 0, len(spread)
    for job in range(count):
        p = int(todo[job])
        crowded = False
        for k in range(int(inside[p]), int(inside[p + 1])):
            if not asked:
                for q in range(len(programs.entry), last):
                    todo[q] = UNASKED
                asked = True
            q = int(inner[k])
            if todo[q] == UNASKED:
                # How many atoms may be the first: as in may_be, elements aside, without handing over all tables.
                total, s = 0, int(program[q])
                wanted, t0, t1 = int(step_near[s]), int(term[s]), int(term[s + 1])
                for i in range(n):
                    if wanted & ~int(near[i]) == 0:
                        for t in range(t0, t1):
                            if int(here[i]) & int(not_here[t]) == 0:
                                total += 1
                                break
                todo[q] = SAFE
                if total * int(spread[q]) >= MOST_MATCHES:
                    total = most_matches(programs, q, total, element, n, start, neighbour, via, kind, near, here)
                    if total >= MOST_MATCHES:
                        todo[last] = q
                        total = search(
                            programs, todo[last:], 1, COUNT, element, isotope, n, start, neighbour, via, kind,
                            near, here, there, mapped, cursor, frames, codes,
                        )  # fmt: skip
                        todo[q] = CROWDED if total >= MOST_MATCHES else SAFE
            crowded = crowded or todo[q] == CROWDED
        if not crowded:
            todo[job], todo[left] = todo[left], p
            left += 1
    return left
