"""Morgan environments of any molecule, with or without chirality: the path without the limits of environments.py.

Sets of bonds take as many words of 62 bits as the molecule needs, neighbours stand in the lists of ``adjacency``, each
atom's neighbours are sorted by insertion. About ten times slower an atom than the fast path; same codes.

Scratch: work (any_work(radius),) int64, table (any_slots(radius),) int32, and the three arrays of ``adjacency``.
"""

from __future__ import annotations

from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS, adjacency
from drylab.kernels.environments import DECLINED, LANES, table_slots
from drylab.kernels.invariants import GOLDEN, MASK32, combine
from drylab.kernels.twin import per_molecule

WORD_BITS = 62
MAX_WORDS = -(-MAX_BONDS // WORD_BITS)
# Rows of ``work``; behind them stand the owners of the sets, then sets of now, sets to be, and sets seen.
# LINK holds what ``adjacency`` gives, each neighbour as bond type << 32 | bond << 8 | atom.
ROW = MAX_ATOMS + 1
CODE, NEXT, ALIVE, CHIRAL, PAIR, START, LINK = 0, ROW, 2 * ROW, 3 * ROW, 4 * ROW, 5 * ROW, 6 * ROW
OWNER = LINK + 2 * MAX_BONDS

DOUBLE, AROMATIC = 2, 4  # in MolGraphs.order
RDKIT_SINGLE, RDKIT_AROMATIC = 1, 12  # RDKit's numbers of bond types
STEREO_BASE = 120  # RDKit's bond invariant of a double bond with stereo: 100 + 10 * 2 + the number of the stereo


def any_work(radius: int) -> int:
    """Length of ``work`` for molecules of up to MAX_ATOMS atoms and MAX_BONDS bonds."""
    sets = MAX_ATOMS * layers(radius)
    return OWNER + sets + MAX_WORDS * (2 * MAX_ATOMS + sets)


def any_slots(radius: int) -> int:
    """Length of ``table``; enough for environments_small too."""
    return int(table_slots(MAX_ATOMS, 2 * layers(radius)))


def layers(radius: int) -> int:
    """Layers that can add anything: a living atom's set grows with every layer, and so within MAX_ATOMS it stops."""
    return min(radius, MAX_ATOMS)


def codes_length(radius: int) -> int:
    """Length of ``codes`` for a molecule of up to MAX_ATOMS atoms, on either path."""
    return MAX_ATOMS * (layers(radius) + 1) + LANES


@per_molecule
def is_chiral(n, m, chirality, stereo):
    """Whether a molecule has any mark that includeChirality can see."""
    marks = 0
    for i in range(n):
        marks |= int(chirality[i])
    for b in range(m):
        marks |= int(stereo[b])
    return marks != 0


@per_molecule
def _kind(order, stereo):
    """RDKit's bond invariant; 0 for a bond of no known type."""
    if order == DOUBLE and stereo != 0:
        return STEREO_BASE + stereo
    return RDKIT_AROMATIC if order == AROMATIC else order


@per_molecule
def _link(n, order, chiral, stereo, start, neighbour, via, work):
    """Put the neighbour lists and the bond types into ``work``: one array is quicker to hand on than five."""
    for i in range(n + 1):
        work[START + i] = int(start[i])
    for at in range(int(start[n])):
        b = int(via[at]) + 0
        kind = _kind(int(order[b]) + 0, int(stereo[b]) + 0 if chiral else 0)
        work[LINK + at] = kind << 32 | b << 8 | int(neighbour[at])


@per_molecule
def _sorted_pairs(i, work):
    """Write (bond type << 32 | code) of the neighbours of atom i, ascending, into the row PAIR. Returns how many."""
    count = 0
    for at in range(work[START + i], work[START + i + 1]):
        link = work[LINK + at]
        pair = (link >> 32) << 32 | work[CODE + (link & 255)]
        k = count
        while k > 0 and work[PAIR + k - 1] > pair:
            work[PAIR + k] = work[PAIR + k - 1]
            k -= 1
        work[PAIR + k] = pair
        count += 1
    return count


@per_molecule
def _looks_chiral(count, work):
    """RDKit's rule on the sorted pairs: only single bonds, and no two neighbours with the same code."""
    for k in range(count):
        if work[PAIR + k] >> 32 != RDKIT_SINGLE or (k > 0 and work[PAIR + k] == work[PAIR + k - 1]):
            return False
    return True


@per_molecule
def _code(i, layer, count, tag, label, work):
    """The next code of atom i from its sorted pairs; tag is 0 if its chirality does not count, label its CIP label."""
    code = combine(layer, work[CODE + i])
    for k in range(count):
        pair = work[PAIR + k]
        code = combine(code, combine((pair >> 32) + GOLDEN, pair & MASK32))
    if tag != 0 and (work[CHIRAL + i] != 0 or _looks_chiral(count, work)):
        work[CHIRAL + i] = 1  # once it has looked chiral it is never asked again
        code = combine(code, 3 if label == 1 else 2 if label == 2 else 1)
    return code


@per_molecule
def _grow_set(i, words, now, later, work):
    """The set of atom i at ``later``: its set and those of its neighbours at ``now``, and its own bonds."""
    own = later + i * words
    for w in range(words):
        work[own + w] = work[now + i * words + w]
    for at in range(work[START + i], work[START + i + 1]):
        link = work[LINK + at]
        b, theirs = (link >> 8) & 0xFFFF, now + (link & 255) * words
        work[own + b // WORD_BITS] |= 1 << (b % WORD_BITS)
        for w in range(words):
            work[own + w] |= work[theirs + w]


@per_molecule
def _find(own, words, seen_at, slots, work, table):
    """The slot of the table that holds the set at work[own], or the empty slot where it belongs."""
    mix = 0
    for w in range(words):
        bonds = work[own + w]
        mix = (((bonds ^ (bonds >> 31)) & 0x7FFFFFFF) ^ (mix >> 32)) * GOLDEN
    slot = (mix >> 32) & (slots - 1)
    while table[slot] != 0:
        entry = seen_at + (int(table[slot]) - 1) * words
        w = 0
        while w < words and work[entry + w] == work[own + w]:
            w += 1
        if w == words:
            break
        slot = (slot + 1) & (slots - 1)
    return slot


@per_molecule
def _judge(i, code, slot, before, seen, n, own, words, seen_at, work, table, codes):
    """Keep the set of atom i, or let an atom die, by the rule in morgan.py. Returns the number of sets seen."""
    entry = int(table[slot]) + 0
    if entry == 0:
        for w in range(words):
            work[seen_at + seen * words + w] = work[own + w]
        work[OWNER + seen] = i
        codes[n + seen] = code
        table[slot] = seen + 1
        return seen + 1
    if entry > before and code < int(codes[n + entry - 1]):
        work[ALIVE + work[OWNER + entry - 1]] = 0
        work[OWNER + entry - 1] = i
        codes[n + entry - 1] = code
    else:
        work[ALIVE + i] = 0
    return seen


@per_molecule
def environments_any(
    n, m, begin, end, order, chiral, chirality, cip, stereo, radius, start, neighbour, via, work, table, codes
):
    """Environment codes of one molecule up to ``radius``. ``codes`` and the result are those of environments_small.

    chiral tells whether ``chirality`` (MolGraphs), ``cip`` and ``stereo`` (morgan.py) are used; they may be of length
    0 if not. DECLINED also where there are too many atoms or bonds, or too little scratch.
    """
    if radius == 0:
        return n
    layer_count = min(radius, n)
    words = m // WORD_BITS + 1
    slots = table_slots(n, 2 * layer_count)
    now = OWNER + n * layer_count
    later = now + n * words
    seen_at = later + n * words
    end_of_work = seen_at + n * layer_count * words
    if (
        n > MAX_ATOMS
        or m > MAX_BONDS
        or slots > len(table)
        or end_of_work > len(work)
        or n + n * layer_count > len(codes)
    ):
        return DECLINED
    for b in range(m):
        if int(order[b]) == 0:
            return DECLINED
    adjacency(begin, end, n, m, start, neighbour, via)
    _link(n, order, chiral, stereo, start, neighbour, via, work)
    for i in range(n):
        work[CODE + i] = int(codes[i])
        work[ALIVE + i] = int(start[i + 1]) > int(start[i])
        work[CHIRAL + i] = 0
    for k in range(n * words):
        work[now + k] = 0
    for slot in range(slots):
        table[slot] = 0
    seen = 0
    for layer in range(layer_count):
        before = seen
        for i in range(n):
            if work[ALIVE + i] == 0:
                work[NEXT + i] = 0
                for w in range(words):
                    work[later + i * words + w] = work[now + i * words + w]
                continue
            tag, label = (int(chirality[i]) + 0, int(cip[i]) + 0) if chiral else (0, 0)
            code = _code(i, layer, _sorted_pairs(i, work), tag, label, work)
            work[NEXT + i] = code
            own = later + i * words
            _grow_set(i, words, now, later, work)
            slot = _find(own, words, seen_at, slots, work, table)
            seen = _judge(i, code, slot, before, seen, n, own, words, seen_at, work, table, codes)
        for i in range(n):
            work[CODE + i] = work[NEXT + i]
        now, later = later, now
    return n + seen
