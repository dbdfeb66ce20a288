"""The bonds of a molecule, atom by atom: what ring, stereo and fingerprint kernels walk along.

``adjacency`` fills, for a molecule of n atoms and m bonds (begin, end uint8 within the molecule),
    start      (n+1,) uint16: the neighbours of atom i stand at start[i]:start[i+1]
    neighbour  (2m,)  uint8:  the atom at the other end, in the order of the bonds
    via        (2m,)  uint16: the bond, within the molecule
in caller's scratch of MAX_ATOMS + 1, 2 * MAX_BONDS and 2 * MAX_BONDS. Counting sort, two passes over the bonds.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.twin import per_molecule

MAX_ATOMS = 255  # atom numbers within a molecule are one byte
MAX_BONDS = 510  # four bonds an atom: a molecule with more is declined by the parser


@per_molecule
def adjacency(begin, end, n, m, start, neighbour, via):
    """Neighbour lists of one molecule, as the top of this file says."""
    for i in range(n + 1):
        start[i] = 0
    for b in range(m):
        start[np.int64(begin[b]) + 1] += 1
        start[np.int64(end[b]) + 1] += 1
    for i in range(n):
        start[i + 1] += start[i]
    # start[i] is used as the write cursor of atom i and moved back afterwards.
    for b in range(m):
        u, v = np.int64(begin[b]), np.int64(end[b])
        at = np.int64(start[u])
        neighbour[at] = v
        via[at] = b
        start[u] = at + 1
        at = np.int64(start[v])
        neighbour[at] = u
        via[at] = b
        start[v] = at + 1
    for i in range(n, 0, -1):
        start[i] = start[i - 1]
    start[0] = 0
