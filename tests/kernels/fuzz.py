"""Throws bytes at the kernels and holds them to their arrays: python -m tests.kernels.fuzz ROUNDS [all]

Run with NUMBA_BOUNDSCHECK=1 and a NUMBA_CACHE_DIR of its own, every index is checked. Each round is a batch of random bytes, of
random SMILES symbols, and of molecules with a few bytes changed. With "all", what was parsed goes through rings, fingerprints,
descriptors and alerts too.
"""

from __future__ import annotations

import os
import random
import sys

import numpy as np

from drylab.featurize.alerts import compiled
from drylab.featurize.route import ATOM_FIELDS, BOND_FIELDS
from drylab.kernels import smiles
from drylab.kernels.descriptors import descriptors
from drylab.kernels.morgan import morgan_bits, morgan_counts
from drylab.types import MolGraphs
from tests.molecules import AWKWARD, DRUGS

SYMBOLS = b"CNOFSPIBrlcnosp[]()=#-+:/\\@H%0123456789.*$~ "
SEEDS = [text.encode() for text in (*DRUGS, *AWKWARD)]
ROWS = 400


def batch(chance: random.Random) -> list[bytes]:
    """Rows of one round."""
    rows = [chance.randbytes(chance.randrange(80)) for _ in range(ROWS // 4)]
    rows += [bytes(chance.choices(SYMBOLS, k=chance.randrange(400))) for _ in range(ROWS // 4)]
    for _ in range(ROWS // 2):
        text = bytearray(chance.choice(SEEDS) * chance.choice((1, 1, 1, 2, 9)))
        for _ in range(chance.randrange(3)):
            if text:
                at = chance.randrange(len(text))
                text[at : at + chance.randrange(3)] = bytes(chance.choices(SYMBOLS, k=chance.randrange(3)))
        rows.append(bytes(text))
    return rows


def main(rounds: int, everything: bool) -> None:
    chance, parsed = random.Random(20261121), 0
    for _ in range(rounds):
        rows = batch(chance)
        offsets = np.cumsum([0, *map(len, rows)]).astype(np.int32)
        done = smiles.parse(np.frombuffer(b"".join(rows), np.uint8), offsets)
        assert (np.diff(done.atom_ptr) >= 0).all()
        assert ((np.diff(done.atom_ptr) > 0) == (done.reason == smiles.OK)).all()
        parsed += int((done.reason == smiles.OK).sum())
        if everything:
            atoms, bonds = (
                dict(zip(ATOM_FIELDS, done.atoms, strict=True)),
                dict(zip(BOND_FIELDS, done.bonds, strict=True)),
            )
            graphs = MolGraphs(done.atom_ptr, done.bond_ptr, (done.reason > 0).astype(np.uint8), **atoms, **bonds)
            morgan_bits(graphs, 3, 1024)
            morgan_counts(graphs, 2, 2048)
            descriptors(graphs)
            compiled(("pains", "brenk")).match(graphs)
    checked = os.environ.get("NUMBA_BOUNDSCHECK") == "1"
    print(f"{rounds * ROWS} rows, {parsed} parsed, indices {'checked' if checked else 'not checked'}")


if __name__ == "__main__":
    main(int(sys.argv[1]), "all" in sys.argv[2:])
