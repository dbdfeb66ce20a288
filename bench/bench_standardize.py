"""Recipe ``standard`` against RDKit's own steps called one after the other, on one core: python bench/bench_standardize.py

Equality first, then CPU seconds; both read the same list of SMILES. The loop does less than the recipe: it draws nothing
alike and does not settle the stereo of rings. The keys against hashlib in a loop over the same bytes. Real libraries
where the shared data is beside the checkout, else drylab's demonstration library.
"""

from __future__ import annotations

import hashlib
import sys
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize
from timing import paired, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from drylab.library.embedded import products
from drylab.library.keys import flat, keys
from drylab.library.standardize import standardize, standardize_texts
from tests.real import DATA, smiles_of

LIBRARIES = (
    "chembl_10k.smi.gz",
    "zinc_a.smi.gz",
    "natural_products_50k.smi.gz",
    "pubchem_100k.csv.gz",
    "quinazoline_1M.csv.gz",
    "drugs.smi.gz",
)
N, ROUNDS = 1000, 7  # molecules a library, spread over its file
REPEAT = 100  # passes over the bytes in one timing of the keys: one is too short to time
CHOOSER = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
UNCHARGER = rdMolStandardize.Uncharger(canonicalOrder=True)


def libraries() -> dict[str, list[str]]:
    """Name -> SMILES that RDKit parses, and all of them together."""
    found = {}
    for name in LIBRARIES:
        if (DATA / "libraries" / name).is_file():
            every = smiles_of(DATA / "libraries" / name, most=100_000)
            found[name.split(".")[0]] = every[:: max(1, len(every) // N)][:N]
    found = found or {"demonstration": [text for _, text in islice(products(), N)]}
    valid = {name: [text for text in texts if Chem.MolFromSmiles(text)] for name, texts in found.items()}
    return valid | {"all of these": [text for texts in valid.values() for text in texts]}


def loop(texts: list[str]) -> list[str]:
    """RDKit's own steps."""
    return [
        Chem.MolToSmiles(UNCHARGER.uncharge(CHOOSER.choose(mol)))
        for text in texts
        if (mol := Chem.MolFromSmiles(text)) is not None
    ]


def agree(texts: list[str]) -> float:
    """Assert that the recipe gives the molecules of the loop, read once more; the share it draws in another way."""
    drawn = 0
    for (ours, reason), theirs in zip(standardize_texts(texts), loop(texts), strict=True):
        again = Chem.MolFromSmiles(theirs)
        if reason or again is None or ours == Chem.MolToSmiles(again):
            continue
        assert standardize_texts([theirs])[0] == (ours, ""), (ours, theirs)
        drawn += 1
    return drawn / len(texts)


def hashed(data: NDArray[np.uint8], offsets: NDArray[np.int32]) -> NDArray[np.uint64]:
    """What ``keys`` gives, by hashlib."""
    raw, ends = data.tobytes(), offsets.tolist()
    digests = [hashlib.blake2b(raw[i:j], digest_size=16).digest() for i, j in pairwise(ends)]
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(-1, 2)


def main() -> None:
    for name, texts in libraries().items():
        drawn, (data, offsets) = agree(texts), flat(texts)
        np.testing.assert_array_equal(keys(data, offsets), hashed(data, offsets))
        print(
            f"{name}: equal on {len(texts)} molecules, of which {drawn:.2%} are drawn in another way than the loop does"
        )
        found = paired(
            lambda data=data, offsets=offsets: standardize(data, offsets, "standard"),
            lambda texts=texts: loop(texts),
            ROUNDS,
        )
        report("standardize", f"{name}, standard", len(texts), found)
    found = paired(
        lambda: [keys(data, offsets) for _ in range(REPEAT)],
        lambda: [hashed(data, offsets) for _ in range(REPEAT)],
        ROUNDS,
    )
    report("standardize", f"{name}, keys", len(texts) * REPEAT, found)


if __name__ == "__main__":
    main()
