"""Morgan (ECFP) fingerprints of molecular graphs, bit for bit those of RDKit's MorganGenerator.

    code_0(i)   = hash(element, bonds and hydrogens, hydrogens, charge, delta mass, 1 if in a ring)
    code_r+1(i) = hash(r, code_r(i), then (bond type, code_r(j)) of all neighbours j, ascending)
    set_r+1(i)  = bonds of i, set_r(i) and set_r(j) of all neighbours j;  set_0 is empty

hash is boost's hash_combine on 32 bits, RDKit's own copy of it. All code_0 belong to the fingerprint. In every later
round atoms give (set, code, atom number) in ascending order; a set that was not there before, in any round, adds its
code, an atom that comes with a set that was there dies: it counts as code 0 from the round after next on, and its set
stays as it is (includeRedundantEnvironments=False). An atom without bonds dies in round one. A code is folded to a bit
by its remainder modulo n_bits, and a count is how many codes fold to a bit.

Bond types are RDKit's: 1, 2, 3, and 12 for aromatic. Delta mass: isotopes.py. Neighbours that are hydrogen atoms count
among the hydrogens. With chirality a double bond with stereo s has type 120 + s, and an atom with a chiral tag whose
neighbours are all at single bonds and, in any round so far, all different, hashes one more number: 3 for R, 2 for S, else 1.

Source: Rogers and Hahn 2010, doi:10.1021/ci100050t; RDKit, Code/GraphMol/Fingerprints/MorganGenerator.cpp and
FingerprintUtil.cpp, RDGeneral/hash/hash.hpp (BSD-3). Options: connectivity invariants with ring membership, useBondTypes,
everything else off; radius 0 and up; n_bits 1 and up.

Input    the flat arrays of MolGraphs. Chirality needs besides:
             chirality  MolGraphs.chirality, as RDKit leaves it after assigning stereo: no mark where there is no centre
             cip        (a,) uint8: 0 none, 1 R, 2 S (lower case r and s count as none, as in RDKit)
             stereo     (b,) uint8: 0 none, else RDKit's number of the stereo: 1 any, 2 Z, 3 E, 4 cis, 5 trans
Output   bits    (n, ceil(n_bits / 64)) uint64: bit i at word i // 64, position i % 64
         counts  ptr (n+1,) int64; bit, count (ptr[n],) uint32, bits ascending in a molecule
         declined (n,) uint8: 1 where a bond is of no known type (MolGraphs.order 0), or with more than 510 bonds; the row
                  is empty then. At radius 0 bonds do not matter.
Limits   255 atoms a molecule, as in MolGraphs, and 510 bonds.
Edges    no molecules: empty arrays. A molecule that is not PARSED, or has no atoms: empty row. A graph may have several parts.

Two paths give the codes: environments.py (small, not chiral) and environments_any.py. The CPU's loop over molecules is
here, the GPU's kernels are in morgan_gpu.py; the functions of one molecule are the same.

Versions tried: AMD EPYC (Zen 4), one of two shared cores, radius 2, 2048 bits, 20,000 molecules of MUV/DUD, ChEMBL, PubChem
and ZINC, 29.8 atoms on average; microseconds a molecule, launcher and result included unless said
    RDKit 2026.3.5 GetFingerprint of a molecule parsed already                                        35
    first prototype: neighbour lists, insertion sort, linear search of sets                            6.5
    slots and a sorting network over eight atoms, sets and degrees apart, all slots cleared            0.75 *
    the same, degree inside the set, slots masked instead of cleared                                   0.67 *
    rows padded to whole vectors (a rest of 1 to 7 atoms cost as much as all the others)               0.61 *
    this one: radius 1 0.5, radius 3 1.35, 1000 bits 0.93 (remainders), counts 1.46 (sort)             0.82
    a launcher that hands tuples of arrays to a function a molecule: 20 counts of references each      1.02
    (* kernel and folding, without the 1 % of molecules that take the other path, at 10 to 14 each)
Where the limit lies: instructions, not memory (about 0.6 kB a molecule in and out). Of 0.61: bonds into slots 0.12 and 0.05
(each bond waits for the store of the one before), codes 0.15 (vector units), lookups 0.11 (some missed branches), clearing,
growing and choosing the living 0.09, folding 0.06, invariants 0.03.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.device import on_device
from drylab.kernels.adjacency import MAX_ATOMS, MAX_BONDS
from drylab.kernels.environments import ROW, SMALL_WORK, TOO_BIG, environments_small
from drylab.kernels.environments_any import any_slots, any_work, codes_length, environments_any, is_chiral, layers
from drylab.kernels.folding import BUCKETS, fold_bits, fold_counts
from drylab.kernels.invariants import GOLDEN, MASK32, correct, invariants, is_special
from drylab.kernels.isotopes import delta_mass
from drylab.kernels.morgan_gpu import bits_on_gpu, counts_on_gpu
from drylab.kernels.twin import per_molecule

PARSED = 0  # MolGraphs.status
ATOM_FIELDS = ("element", "charge", "hydrogens", "degree", "isotope", "atom_ring", "chirality")

Marks = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Counts = tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32]]


def _scratch(radius: int) -> tuple[Any, ...]:
    """What one thread needs, whatever the molecule, in the order that ``_run`` takes it apart."""
    return (
        np.zeros(SMALL_WORK, np.int64),
        np.zeros(ROW, np.int64),
        np.zeros(ROW, np.int64),
        np.zeros(any_work(radius), np.int64),
        np.zeros(any_slots(radius), np.int32),
        (np.zeros(MAX_ATOMS + 1, np.uint16), np.zeros(2 * MAX_BONDS, np.uint8), np.zeros(2 * MAX_BONDS, np.uint16)),
        np.zeros(codes_length(radius), np.uint32),
        np.zeros(BUCKETS + 1, np.int32),
        np.zeros(codes_length(radius), np.uint32),
    )


def _prepare(graphs: Any, marks: Marks | None) -> tuple[Any, ...]:
    """The arrays in the order that ``_run`` takes them apart, with the invariants of all atoms."""
    g, nothing = graphs, np.zeros(0, np.uint8)
    assert np.diff(g.atom_ptr).max(initial=0) <= MAX_ATOMS
    invariant = np.empty(len(g.element), np.uint32)
    invariants(g.element, g.charge, g.hydrogens, g.degree, g.atom_ring, invariant)
    atoms = (g.element, g.charge, g.hydrogens, g.degree, g.isotope, g.atom_ring)
    chiral = (nothing, nothing, nothing) if marks is None else (g.chirality, *marks)
    return g.atom_ptr, g.bond_ptr, g.status, atoms, (g.begin, g.end, g.order), chiral, invariant


@per_molecule
def _correct(a0, a1, b0, b1, atoms, begin, end, large, codes):
    """``correct`` on the slices of one molecule."""
    element, charge, hydrogens, degree, isotope, ring = atoms
    own = (element[a0:a1], charge[a0:a1], hydrogens[a0:a1], degree[a0:a1], isotope[a0:a1], ring[a0:a1])
    correct(a1 - a0, b1 - b0, *own, begin[b0:b1], end[b0:b1], large, codes)


@per_molecule
def _any(a0, a1, b0, b1, bonds, chiral, marks, radius, lists, large, table, codes):
    """``environments_any`` on the slices of one molecule."""
    begin, end, order = bonds
    chirality, cip, stereo = marks
    own = (begin[b0:b1], end[b0:b1], order[b0:b1], chiral, chirality[a0:a1], cip[a0:a1], stereo[b0:b1])
    return environments_any(a1 - a0, b1 - b0, *own, radius, *lists, large, table, codes)


@per_molecule
def _run(graphs, with_chirality, radius, n_bits, scratch, rows, counts, declined):
    """Fingerprints of all molecules: as bits where there are ``rows``, else as counts."""
    # Tuples are taken apart here, and slices for rare cases made elsewhere: each would cost two counts of references
    # a molecule in this loop, 0.2 microseconds in all.
    atom_ptr, bond_ptr, status, atoms, bonds, marks, invariant = graphs
    element, isotope = atoms[0], atoms[4]
    begin, end, order = bonds
    work, here, there, large, table, lists, codes, buckets, bits = scratch
    ptr, bit, count = counts
    at = 0
    for k in range(len(status)):
        a0, a1, b0, b1 = int(atom_ptr[k]), int(atom_ptr[k + 1]), int(bond_ptr[k]), int(bond_ptr[k + 1])
        n, m = (a1 - a0, b1 - b0) if status[k] == PARSED else (0, 0)
        for i in range(n):
            codes[i] = invariant[a0 + i]
        if is_special(n, element[a0:a1], isotope[a0:a1]):
            _correct(a0, a1, b0, b1, atoms, begin, end, large, codes)
        chiral = with_chirality and is_chiral(n, m, marks[0][a0:a1], marks[2][b0:b1])
        found = TOO_BIG
        if not chiral:
            found = environments_small(
                n, m, begin[b0:b1], end[b0:b1], order[b0:b1], radius, work, here, there, table, codes
            )
        if found == TOO_BIG:
            found = _any(a0, a1, b0, b1, bonds, chiral, marks, radius, lists, large, table, codes)
        declined[k] = found < 0
        if len(rows) > 0:
            fold_bits(codes, found, n_bits, rows[k])
        else:
            at = fold_counts(codes, found, n_bits, buckets, bits, bit, count, at)
            ptr[k + 1] = at


def morgan_bits(graphs: Any, radius: int = 2, n_bits: int = 2048, marks: Marks | None = None) -> tuple[Any, Any]:
    """Fingerprints (n, ceil(n_bits / 64)) uint64 and declined (n,) uint8 of MolGraphs, on the device of the graphs.

    marks = (cip, stereo) asks for chirality (includeChirality=True).
    """
    assert radius >= 0
    assert 0 < n_bits < 2**32
    twin = bits_on_gpu if on_device(graphs.status) else bits_on_cpu
    return twin(graphs, radius, n_bits, marks)


def morgan_counts(
    graphs: Any, radius: int = 2, n_bits: int = 2048, marks: Marks | None = None
) -> tuple[tuple[Any, Any, Any], Any]:
    """Counts (ptr, bit, count) and declined (n,) uint8 of MolGraphs; arguments as for ``morgan_bits``."""
    assert radius >= 0
    assert 0 < n_bits < 2**32
    twin = counts_on_gpu if on_device(graphs.status) else counts_on_cpu
    return twin(graphs, radius, n_bits, marks)


def bits_on_cpu(
    graphs: Any, radius: int, n_bits: int, marks: Marks | None
) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """The CPU twin of ``morgan_bits``; one core."""
    n = len(graphs.status)
    bits = np.zeros((n, -(-n_bits // 64)), np.uint64)
    declined = np.zeros(n, np.uint8)
    rows, unused = bits.view(np.uint32), (np.zeros(0, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.uint32))
    _run(_prepare(graphs, marks), marks is not None, radius, n_bits, _scratch(radius), rows, unused, declined)
    return bits, declined


def counts_on_cpu(graphs: Any, radius: int, n_bits: int, marks: Marks | None) -> tuple[Counts, NDArray[np.uint8]]:
    """The CPU twin of ``morgan_counts``; one core."""
    n = len(graphs.status)
    most = len(graphs.element) * (layers(radius) + 1)
    ptr, bit, count = np.zeros(n + 1, np.int64), np.empty(most, np.uint32), np.empty(most, np.uint32)
    declined = np.zeros(n, np.uint8)
    counts, unused = (ptr, bit, count), np.zeros((0, 0), np.uint32)
    _run(_prepare(graphs, marks), marks is not None, radius, n_bits, _scratch(radius), unused, counts, declined)
    return (ptr, bit[: ptr[-1]], count[: ptr[-1]]), declined


def morgan_reference(graphs: Any, k: int, radius: int = 2, marks: Marks | None = None) -> list[int]:
    """The codes of molecule k, ascending, before folding: the definition at the top in plain Python."""

    def hashed(*values: int, seed: int = 0) -> int:
        for value in values:
            seed ^= (value + GOLDEN + (seed << 6) + (seed >> 2)) & MASK32
        return seed

    a0, a1 = graphs.atom_ptr[k : k + 2].tolist()
    b0, b1 = graphs.bond_ptr[k : k + 2].tolist()
    g = {name: getattr(graphs, name)[a0:a1].tolist() for name in ATOM_FIELDS}
    bonds = [getattr(graphs, name)[b0:b1].tolist() for name in ("begin", "end", "order")]
    cip, stereo = [column.tolist() for column in (marks[0][a0:a1], marks[1][b0:b1])] if marks else ([], [0] * (b1 - b0))
    around: list[list[tuple[int, int, int]]] = [[] for _ in range(a1 - a0)]  # bond type, neighbour, bond
    for b, (u, v, order, s) in enumerate(zip(*bonds, stereo, strict=True)):
        kind = 120 + s if order == 2 and s else (0, 1, 2, 3, 12)[order]
        around[u].append((kind, v, b))
        around[v].append((kind, u, b))
    codes = []
    for i, (z, h, mass) in enumerate(zip(g["element"], g["hydrogens"], g["isotope"], strict=True)):
        numbers = [z, h + g["degree"][i], h + sum(g["element"][j] == 1 for _, j, _ in around[i])]
        numbers += [g["charge"][i] & MASK32, (delta_mass(z, mass) if mass else 0) & MASK32]
        codes.append(hashed(*numbers, *([1] if g["atom_ring"][i] else [])))
    result = list(codes)
    sets: list[frozenset[int]] = [frozenset()] * len(codes)
    seen, alive, chiral = set[frozenset[int]](), {i for i in range(len(codes)) if around[i]}, set[int]()
    for layer in range(radius):
        grown, fresh = list(sets), [0] * len(codes)
        for i in sorted(alive):
            pairs = sorted((kind, codes[j]) for kind, j, _ in around[i])
            fresh[i] = hashed(codes[i], *(hashed(*pair) for pair in pairs), seed=layer)
            distinct = all(kind == 1 for kind, _ in pairs) and len(set(pairs)) == len(pairs)
            if marks and g["chirality"][i] and (i in chiral or distinct):
                chiral.add(i)
                fresh[i] = hashed({1: 3, 2: 2}.get(cip[i], 1), seed=fresh[i])
            grown[i] = sets[i].union({b for _, _, b in around[i]}, *(sets[j] for _, j, _ in around[i]))
        for code, i in sorted((fresh[i], i) for i in alive):
            if grown[i] in seen:
                alive.discard(i)
            else:
                seen.add(grown[i])
                result.append(code)
        codes, sets = fresh, grown
    return sorted(result)
