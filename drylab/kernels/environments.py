"""Morgan environments of one small molecule: a code for the neighbourhood of each atom at each radius.

The definition stands at the top of morgan.py. Here is the fast path: at most SMALL_ATOMS atoms, SMALL_BONDS bonds and
four bonds an atom, every atom bonded, no two atoms alone together, no chirality; 97 to 99 % of drug-like molecules.
Everything else gets TOO_BIG and goes to ``environments_any``, which has no such limits.

Why it is fast:
    the neighbours of atom i stand in up to four slots, slot k of all atoms side by side, so sorting (a network of five
    exchanges) and hashing run over eight atoms in one vector instruction; bonds scatter into the slots;
    a set of bonds is one word, bond b at bit b + 3, and below it the number of bonds of the atom, so that one load
    and one store of a bond keep both;
    the sets of radius 1 need no table. The bonds of two atoms are the same set only if the two are alone together.
    And the radius 2 set of atom i, all bonds of its neighbours, is the star of another atom only if i has one bond,
    and is its own star only if nothing grew. From radius 3 on a living atom's set is no star. So only sets of
    radius >= 2 of atoms with two bonds or more are looked up, about 20 in a drug-like molecule.

Scratch, shared by all molecules of a thread, never needs clearing by the caller:
    work (SMALL_WORK,) int64   here, there (ROW,) int64   table (table_slots(ROW, SMALL_LAYERS),) int32
"""

from __future__ import annotations

from drylab.kernels.invariants import GOLDEN, MASK32, combine
from drylab.kernels.twin import per_molecule

# What a function returns instead of a number of codes.
DECLINED, TOO_BIG = -1, -2

ROW = 64  # a power of two: atoms, and bonds, of the fast path
DEGREE_BITS = 3
SMALL_ATOMS, SMALL_BONDS, SMALL_DEGREE = ROW, 62 - DEGREE_BITS, 4
SMALL_LAYERS = 6  # of distinct sets that fit the rows SEEN and OWNER
LANES = 8  # rows are worked on in whole vectors of 64-bit words

# Rows of the scratch ``work``.
KEY = 0  # 4 rows: (bond type << 32 | code) of neighbour k of atom i at k * ROW + i
NEAR = KEY + SMALL_DEGREE * ROW  # 4 rows: its set of bonds
STAR = NEAR + SMALL_DEGREE * ROW  # the bonds of atom i, and how many
SET = STAR + ROW  # the environment of atom i
ALIVE = SET + ROW  # all ones, or 0 for an atom that gives no more environments
LIVE = ALIVE + ROW  # the numbers of the living atoms
BOND = LIVE + ROW  # bond type << 32 | slot of its begin << 8 | slot of its end
SEEN = BOND + ROW  # 6 rows: the distinct sets
OWNER = SEEN + SMALL_LAYERS * ROW  # 6 rows: the atom each belongs to
SMALL_WORK = OWNER + SMALL_LAYERS * ROW

DEGREE = (1 << DEGREE_BITS) - 1
ONES = (1 << 62) - 1
BONDS = ONES - DEGREE
NOTHING = 1 << 62  # sorts behind every neighbour


@per_molecule
def _link(m, begin, end, order, codes, work):
    """Stars and neighbour slots from the bonds, with the codes of radius 0. STAR must be zero."""
    unknown = 0
    for b in range(m):
        # The masks change nothing in a sound graph, and show the compiler that no index is negative.
        u, v = int(begin[b]) & (ROW - 1), int(end[b]) & (ROW - 1)
        kind = int(order[b]) + 0
        unknown |= kind == 0
        kind = (kind + 8 * (kind == 4)) << 32  # RDKit's number of the aromatic bond type is 12
        at_u, at_v = work[STAR + u], work[STAR + v]
        if (at_u | at_v) & SMALL_DEGREE:
            return TOO_BIG
        bit = (1 << (b + DEGREE_BITS)) + 1
        work[STAR + u] = at_u + bit
        work[STAR + v] = at_v + bit
        slot_u, slot_v = (at_u & DEGREE) * ROW + u, (at_v & DEGREE) * ROW + v
        work[KEY + slot_u] = kind | int(codes[v])
        work[KEY + slot_v] = kind | int(codes[u])
        work[BOND + b] = kind | slot_u << 8 | slot_v
    return DECLINED if unknown else 0


@per_molecule
def _spread(m, codes, sets, work):
    """Fill the slots with the neighbours' codes and sets. True if two atoms at a bond have the same set."""
    same = 0
    for b in range(m):
        bond = work[BOND + b]
        slot_u, slot_v = (bond >> 8) & 255, bond & 255
        u, v = slot_u & (ROW - 1), slot_v & (ROW - 1)
        kind = (bond >> 32) << 32
        work[KEY + slot_u] = kind | codes[v]
        work[KEY + slot_v] = kind | codes[u]
        set_u, set_v = work[sets + u] & BONDS, work[sets + v] & BONDS
        work[NEAR + slot_u] = set_v
        work[NEAR + slot_v] = set_u
        same |= set_u == set_v
    return same


@per_molecule
def _add(seed, key):
    """Hash one neighbour, as a pair of bond type and code, into the code of an atom."""
    pair = combine((key >> 32) + GOLDEN, key & MASK32)
    added = combine(seed, pair)
    return added if key < NOTHING else seed


@per_molecule
def _codes(n, layer, codes, out, work):
    """The next codes of n atoms (a multiple of LANES) from those of now: own code, then neighbours in ascending order.

    codes and out must be different arrays: the loop is a vector loop only if the compiler can see that.
    """
    for i in range(n):
        degree = work[STAR + i] & DEGREE
        a, b, c, d = work[KEY + i], work[KEY + ROW + i], work[KEY + 2 * ROW + i], work[KEY + 3 * ROW + i]
        a = a if degree > 0 else NOTHING
        b = b if degree > 1 else NOTHING
        c = c if degree > 2 else NOTHING
        d = d if degree > 3 else NOTHING
        a, b = min(a, b), max(a, b)
        c, d = min(c, d), max(c, d)
        a, c = min(a, c), max(a, c)
        b, d = min(b, d), max(b, d)
        b, c = min(b, c), max(b, c)
        out[i] = _add(_add(_add(_add(combine(layer, int(codes[i])), a), b), c), d)


@per_molecule
def _grow(n, work):
    """Add the neighbours' sets, from the slots, to the sets of the living."""
    for i in range(n):
        degree = work[STAR + i] & DEGREE
        a, b, c, d = work[NEAR + i], work[NEAR + ROW + i], work[NEAR + 2 * ROW + i], work[NEAR + 3 * ROW + i]
        a = a if degree > 0 else 0
        b = b if degree > 1 else 0
        c = c if degree > 2 else 0
        d = d if degree > 3 else 0
        work[SET + i] |= (a | b | c | d) & work[ALIVE + i]


@per_molecule
def _first_living(n, work):
    """After layer 1: who has more than one bond, and a set that is not just its star. Returns how many."""
    count = 0
    for i in range(n):
        star = work[STAR + i]
        lives = ((star & DEGREE) > 1) & (work[SET + i] != (star & BONDS))
        work[ALIVE + i] = ONES if lives else 0
        work[LIVE + count] = i
        count += lives
    return count


@per_molecule
def _still_living(count, work):
    """Drop the dead from the row LIVE. Returns how many are left."""
    left = 0
    for k in range(count):
        i = work[LIVE + k] & (ROW - 1)
        work[LIVE + left] = i
        left += work[ALIVE + i] != 0
    return left


@per_molecule
def _keep_new(living, seen, fresh, base, slots, work, table, codes):
    """Look the sets of the living up among the ``seen``. A new set gives its code, at codes[base + number of the set].

    Of atoms with the same new set the one with the smallest code gives it, of equal codes the first atom; everyone
    else dies, as does an atom with a set of an earlier layer. fresh holds the codes of this layer. Returns the number
    of sets seen now.
    """
    before = seen
    for k in range(living):
        i = work[LIVE + k] & (ROW - 1)
        bonds, code = work[SET + i], fresh[i]
        slot = ((((bonds ^ (bonds >> 31)) & 0x7FFFFFFF) * GOLDEN) >> 32) & (slots - 1)
        entry = int(table[slot]) + 0
        while entry != 0 and work[SEEN + entry - 1] != bonds:
            slot = (slot + 1) & (slots - 1)
            entry = int(table[slot]) + 0
        if entry == 0:
            work[SEEN + seen] = bonds
            work[OWNER + seen] = i
            codes[base + seen] = code
            seen += 1
            table[slot] = seen
        elif entry > before and code < int(codes[base + entry - 1]):
            work[ALIVE + (work[OWNER + entry - 1] & (ROW - 1))] = 0
            work[OWNER + entry - 1] = i
            codes[base + entry - 1] = code
        else:
            work[ALIVE + i] = 0
    return seen


@per_molecule
def _deeper(n, m, radius, living, seen, slots, here, there, work, table, codes):
    """Layers 2 and up, codes of layer 1 in ``here``. Returns the number of sets seen."""
    padded = (n + LANES - 1) & ~(LANES - 1)
    for layer in range(2, radius):
        living = _still_living(living, work)
        if living == 0:
            break
        _spread(m, here, SET, work)
        _codes(padded, layer, here, there, work)
        for i in range(n):
            there[i] &= work[ALIVE + i]  # an atom that died in an earlier layer counts as 0 from this one on
        _grow(padded, work)
        seen = _keep_new(living, seen, there, 2 * n, slots, work, table, codes)
        here, there = there, here
    return seen


@per_molecule
def table_slots(n, radius):
    """Length of the hash table for n atoms, a power of two: at most half of it fills at radius 2."""
    slots = 128
    while slots < n * radius:
        slots *= 2
    return slots


@per_molecule
def environments_small(n, m, begin, end, order, radius, work, here, there, table, codes):
    """Environment codes of one molecule up to ``radius``, on the fast path.

    codes  (at least n * (radius + 1) + LANES,) uint32: codes[:n] holds the invariants on entry, all codes on return,
           in no particular order
    Returns the number of codes, TOO_BIG (see the top) or DECLINED (a bond of no known type); codes[:n] is intact then.
    """
    if radius == 0 or m == 0:
        return n
    if n > SMALL_ATOMS or m > SMALL_BONDS or n * radius > SMALL_LAYERS * ROW:
        return TOO_BIG
    for i in range(ROW):
        work[STAR + i] = 0
    state = _link(m, begin, end, order, codes, work)
    if state < 0:
        return state
    padded = (n + LANES - 1) & ~(LANES - 1)
    _codes(padded, 0, codes, here, work)
    lonely = 0
    for i in range(n):
        codes[n + i] = here[i]
        lonely |= work[STAR + i] == 0
    if _spread(m, here, STAR, work) or lonely:
        return TOO_BIG
    if radius == 1:
        return 2 * n
    for i in range(padded):
        work[ALIVE + i] = ONES
        work[SET + i] = work[STAR + i] & BONDS
    _codes(padded, 1, here, there, work)
    _grow(padded, work)
    slots = table_slots(n, radius)
    for i in range(slots):
        table[i] = 0
    living = _first_living(n, work)
    seen = _keep_new(living, 0, there, 2 * n, slots, work, table, codes)
    if radius > 2:
        seen = _deeper(n, m, radius, living, seen, slots, there, here, work, table, codes)
    return 2 * n + seen
