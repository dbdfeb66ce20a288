"""RDKit's own ring search, step for step, for the ring systems whose smallest set of smallest rings is not the only one.

Which rings RDKit's RingInfo holds then depends on how it looks for them (Code/GraphMol/FindRings.cpp, after Figueras,
J. Chem. Inf. Comput. Sci. 1996, 36, 986): from atoms of degree two, later three, by breadth-first search in the order of atoms and
bonds. rings_kept.py does what follows: RDKit drops rings that only repeat bonds, and takes back some. Slow beside rings.py, and
run on one molecule in a hundred.

Rings met are numbered in the order RDKit meets them: found_ptr (MAX_FOUND + 1,) uint16 and found_atoms (MAX_SLOTS,) uint8 hold
their atoms in the order of the walk, found_set (WORDS * MAX_FOUND,) int64 the same as sets of atoms, BITS to a word. Declined:
molecules in parts, more than MAX_FOUND rings or MAX_SLOTS atoms of rings met.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.adjacency import MAX_ATOMS
from drylab.kernels.twin import per_molecule

MAX_FOUND = 62  # a set of rings is one word
MAX_SLOTS = 1024  # atoms of all rings met
BITS, WORDS = 51, 5  # of a set of atoms
TOO_MANY = -1

SEARCH_BYTES = 8 * MAX_ATOMS

WHITE, GRAY, BLACK = 0, 1, 2
NOWHERE = 255
NONE = -1


@per_molecule
def meet_rings(
    n, m, start, neighbour, via, degree, active, trial, bytes_, near_rings, found_ptr, found_atoms, found_set
):
    """All rings RDKit meets in a connected molecule, before it drops any; their number, or TOO_MANY.

    start, neighbour, via: of adjacency. Scratch: degree (MAX_ATOMS,), active, trial (MAX_BONDS,), bytes_ (SEARCH_BYTES,) uint8,
    near_rings (MAX_ATOMS,) int64.
    """
    for i in range(n):
        degree[i] = start[i + 1] - start[i]
    for b in range(m):
        active[b] = 1
    found_ptr[0] = 0
    found = 0
    queue, picked, seen = bytes_, bytes_[MAX_ATOMS:], bytes_[2 * MAX_ATOMS :]
    search = bytes_[3 * MAX_ATOMS :]
    while True:
        peel(n, start, neighbour, via, degree, active)
        n_picked = pick_twos(n, start, neighbour, via, degree, active, picked, seen, queue)
        if n_picked > 0:
            found = from_twos(
                n, m, n_picked, picked, start, neighbour, via, degree, active, trial, queue, search, near_rings,
                found, found_ptr, found_atoms, found_set,
            )  # fmt: skip
            if found < 0:
                return TOO_MANY
            for j in range(n_picked):
                cut(np.int64(picked[j]), start, neighbour, via, degree, active)
            continue
        root = NONE
        for i in range(n):
            if degree[i] == 3:
                root = i
                break
        if root == NONE:
            return found
        found = from_three(n, root, start, neighbour, via, active, search, found, found_ptr, found_atoms, found_set)
        if found < 0:
            return TOO_MANY
        cut(root, start, neighbour, via, degree, active)


@per_molecule
def cut(u, start, neighbour, via, degree, active):
    """Take away the bonds of atom u."""
    for s in range(start[u], start[u + 1]):
        if active[via[s]] != 0:
            active[via[s]] = 0
            degree[neighbour[s]] -= 1
    degree[u] = 0


@per_molecule
def peel(n, start, neighbour, via, degree, active):
    """Take away atoms of degree one until none is left."""
    for i in range(n):
        u = i
        while u != NONE and degree[u] == 1:
            following = NONE
            for s in range(start[u], start[u + 1]):
                if active[via[s]] != 0:
                    following = np.int64(neighbour[s])
            cut(u, start, neighbour, via, degree, active)
            u = following


@per_molecule
def pick_twos(n, start, neighbour, via, degree, active, picked, seen, queue):
    """One atom, the first, of each chain of atoms of degree two; how many."""
    for i in range(n):
        seen[i] = 0
    count = 0
    for i in range(n):
        if degree[i] != 2 or seen[i] == 1:
            continue
        picked[count] = i
        count += 1
        seen[i] = 1
        queue[0] = i
        top = 1
        while top > 0:
            top -= 1
            u = np.int64(queue[top])
            for s in range(start[u], start[u + 1]):
                v = np.int64(neighbour[s])
                if active[via[s]] != 0 and degree[v] == 2 and seen[v] == 0:
                    seen[v] = 1
                    queue[top] = v
                    top += 1
    return count


@per_molecule
def from_twos(
    n, m, n_picked, picked, start, neighbour, via, degree, active, trial, queue, search, near_rings,
    found, found_ptr, found_atoms, found_set,
):  # fmt: skip
    """The smallest rings through each picked atom; for a ring met from several, those without the others as well."""
    for j in range(n_picked):
        near_rings[j] = 0
        u = np.int64(picked[j])
        last = smallest(n, u, NONE, start, neighbour, via, active, search, found, found_ptr, found_atoms)
        if last < 0:
            return TOO_MANY
        if last == found:
            cut_chain(u, start, neighbour, via, degree, active)
        found, near_rings[j] = keep_new(found, last, 0, found_ptr, found_atoms, found_set)
    many = np.int64(0)
    once = np.int64(0)
    for j in range(n_picked):
        many |= once & np.int64(near_rings[j])
        once |= np.int64(near_rings[j])
    while many != 0:
        ring = lowest_ring(many, found_set)
        many &= ~(1 << ring)
        last = found
        for j in range(n_picked):
            mine = np.int64(near_rings[j])
            if mine >> ring & 1 == 0:
                continue
            for b in range(m):
                trial[b] = active[b]
            for k in range(n_picked):
                if k != j and np.int64(near_rings[k]) & mine != 0:
                    u = np.int64(picked[k])
                    for s in range(start[u], start[u + 1]):
                        trial[via[s]] = 0
            last = smallest(
                n, np.int64(picked[j]), NONE, start, neighbour, via, trial, search, last, found_ptr, found_atoms
            )
            if last < 0:
                return TOO_MANY
        shortest = MAX_ATOMS
        for r in range(found, last):
            shortest = min(shortest, np.int64(found_ptr[r + 1]) - np.int64(found_ptr[r]))
        found, _ = keep_new(found, last, shortest, found_ptr, found_atoms, found_set)
    return found


@per_molecule
def cut_chain(u, start, neighbour, via, degree, active):
    """Take away atom u, in no ring, and what hangs on by one bond then."""
    for s in range(start[u], start[u + 1]):
        if active[via[s]] == 0:
            continue
        active[via[s]] = 0
        v = np.int64(neighbour[s])
        degree[v] -= 1
        while v != NONE and degree[v] == 1:
            following = NONE
            for t in range(start[v], start[v + 1]):
                if active[via[t]] != 0:
                    following = np.int64(neighbour[t])
            cut(v, start, neighbour, via, degree, active)
            v = following
    degree[u] = 0


@per_molecule
def from_three(n, root, start, neighbour, via, active, search, found, found_ptr, found_atoms, found_set):
    """The smallest rings through an atom of degree three; if they are one or two, those that avoid a neighbour as well."""
    first = found
    last = smallest(n, root, NONE, start, neighbour, via, active, search, found, found_ptr, found_atoms)
    if last < 0:
        return TOO_MANY
    small = last - first
    avoid, also = NONE, NONE
    if small in (1, 2):
        for s in range(start[root], start[root + 1]):
            if active[via[s]] == 0:
                continue
            v = np.int64(neighbour[s])
            inside = 0
            for r in range(first, last):
                for t in range(found_ptr[r], found_ptr[r + 1]):
                    if found_atoms[t] == v:
                        inside += 1
            if inside == small:
                if avoid == NONE:
                    avoid = v
                else:
                    also = v
        if avoid == NONE or (small == 1 and also == NONE):
            return TOO_MANY
    found, _ = keep_new(found, last, 0, found_ptr, found_atoms, found_set)
    if small == 1:  # RDKit takes the second neighbour away first
        last = smallest(n, root, also, start, neighbour, via, active, search, found, found_ptr, found_atoms)
        if last < 0:
            return TOO_MANY
        found, _ = keep_new(found, last, 0, found_ptr, found_atoms, found_set)
    if avoid != NONE:
        last = smallest(n, root, avoid, start, neighbour, via, active, search, found, found_ptr, found_atoms)
        if last < 0:
            return TOO_MANY
        found, _ = keep_new(found, last, 0, found_ptr, found_atoms, found_set)
    return found


@per_molecule
def smallest(n, root, avoid, start, neighbour, via, active, search, found, found_ptr, found_atoms):
    """Append the smallest rings through `root`, as RDKit's search meets them, to the found ones; the new number or TOO_MANY."""
    colour, parent, depth = search, search[MAX_ATOMS:], search[2 * MAX_ATOMS :]
    branch, queue = search[3 * MAX_ATOMS :], search[4 * MAX_ATOMS :]
    for i in range(n):
        colour[i] = WHITE
        parent[i] = NOWHERE
    if avoid != NONE:
        colour[avoid] = BLACK
    depth[root] = 0
    branch[root] = NOWHERE
    queue[0] = root
    head, tail = 0, 1
    least = 2 * MAX_ATOMS
    while head < tail:
        u = np.int64(queue[head])
        head += 1
        colour[u] = BLACK
        level = np.int64(depth[u]) + 1
        if level > least:
            break
        for s in range(start[u], start[u + 1]):
            v = np.int64(neighbour[s])
            if active[via[s]] == 0 or colour[v] == BLACK or parent[u] == v:
                continue
            if colour[v] == WHITE:
                colour[v] = GRAY
                parent[v] = u
                depth[v] = level
                branch[v] = v if u == root else branch[u]
                queue[tail] = v
                tail += 1
            elif branch[v] != branch[u]:
                size = np.int64(depth[v]) + level
                if size > least:
                    return found
                least = size
                found = walk_back(root, u, v, level - 1, size, parent, found, found_ptr, found_atoms)
                if found < 0:
                    return TOO_MANY
    return found


@per_molecule
def walk_back(root, u, v, to_u, size, parent, found, found_ptr, found_atoms):
    """Append the ring root ... u, v ... back to root; u is to_u bonds from root."""
    at = np.int64(found_ptr[found])
    if found == MAX_FOUND or at + size > MAX_SLOTS:
        return TOO_MANY
    found_ptr[found + 1] = at + size
    found_atoms[at] = root
    up = at + to_u
    while u != root:
        found_atoms[up] = u
        up -= 1
        u = np.int64(parent[u])
    down = at + to_u + 1
    while v != root:
        found_atoms[down] = v
        down += 1
        v = np.int64(parent[v])
    return found + 1


@per_molecule
def keep_new(found, last, only, found_ptr, found_atoms, found_set):
    """Of the rings met, number `found` to `last`, drop those known, and with `only` > 0 those of another size.

    Returns the number of rings left and, as a set, the numbers of all rings that came by.
    """
    first, came = found, np.int64(0)
    for r in range(first, last):
        begin, end = np.int64(found_ptr[r]), np.int64(found_ptr[r + 1])
        if only > 0 and end - begin != only:
            continue
        for w in range(WORDS * found, WORDS * (found + 1)):
            found_set[w] = 0
        for s in range(begin, end):
            a = np.int64(found_atoms[s])
            found_set[WORDS * found + a // BITS] |= 1 << a % BITS
        known = 0
        while compare(known, found, found_set) != 0:
            known += 1
        came |= 1 << known
        if known == found:
            at = np.int64(found_ptr[found])
            for s in range(begin, end):
                found_atoms[at] = found_atoms[s]
                at += 1
            found += 1
            found_ptr[found] = at
    return found, came


@per_molecule
def compare(r, q, found_set):
    """-1, 0 or 1 as the set of ring r, read as a number, is below, at or above that of ring q."""
    for w in range(WORDS - 1, -1, -1):
        x, y = np.int64(found_set[WORDS * r + w]), np.int64(found_set[WORDS * q + w])
        if x != y:
            return -1 if x < y else 1
    return 0


@per_molecule
def lowest_ring(rings, found_set):
    """The ring of a set of rings that stands first in RDKit's map of sets of atoms."""
    best = NONE
    for r in range(MAX_FOUND):
        if rings >> r & 1 and (best == NONE or compare(r, best, found_set) < 0):
            best = r
    return best
