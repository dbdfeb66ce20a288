"""PAINS + Brenk + NIH against RDKit's FilterCatalog on one core: python bench/bench_alerts.py

Equality first, entry by entry; then CPU seconds. Both start from what their own parser gives (graphs, molecules). Real
libraries where the shared data is beside the checkout, else drylab's demonstration library.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
from timing import paired, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from drylab.featurize import alerts, reference
from drylab.kernels.substructure import ASK, YES
from drylab.library.embedded import products
from tests.real import DATA, smiles_of

NAMES = ("pains", "brenk", "nih")
LIBRARIES = ("zinc_a.smi.gz", "zinc_b.smi.gz", "chembl_10k.smi.gz", "natural_products_50k.smi.gz")
N, COMPARED, ROUNDS = 2000, 400, 3  # molecules a library; of these, given to RDKit, which takes about 4 ms each
REPEAT = 20  # passes of ours in one timing: one is too short to time


def libraries() -> dict[str, list[str]]:
    """Name -> SMILES."""
    found = {
        name: smiles_of(DATA / "libraries" / name, 5, N + 1)[1:]
        for name in LIBRARIES
        if (DATA / "libraries" / name).is_file()
    }
    return found or {"demonstration": [text for _, text in islice(products(), N)]}


def agree(compiled: alerts.Alerts, mols: list[reference.Mol], codes: np.ndarray) -> None:
    """Assert that RDKit finds the entries that the programs find."""
    catalog = reference.alert_catalog(NAMES)
    for mol, row in zip(mols, codes, strict=True):
        want = Counter(entry.GetDescription() for entry in catalog.GetMatches(mol))
        yes, ask = (Counter(compiled.names[e] for e in np.flatnonzero(row == code)) for code in (YES, ASK))
        assert not yes - want and not want - yes - ask, (want, yes, ask)  # noqa: PT018


def main() -> None:
    start = time.process_time()
    compiled = alerts.compiled(NAMES)
    print(
        f"{len(compiled.names)} entries, {len(compiled.programs.entry)} programs, compiled in {time.process_time() - start:.1f} s"
    )
    catalog = reference.alert_catalog(NAMES)
    for name, smiles in libraries().items():
        mols = [mol for mol in reference.parse(smiles) if mol is not None]
        graphs, few = reference.graphs(mols), reference.graphs(mols[:COMPARED])
        codes = compiled.match(graphs)
        agree(compiled, mols[:COMPARED], codes[:COMPARED])
        asked = (codes == ASK).any(axis=1).mean()
        print(f"{name}: equal on {COMPARED} of {len(mols)} molecules, RDKit to be asked about {asked:.2%}")
        for what, ours, theirs in (
            ("any entry (HasMatch)", compiled.any_match, catalog.HasMatch),
            ("every entry (GetMatches)", compiled.match, catalog.GetMatches),
        ):
            found = paired(
                lambda ours=ours, few=few: [ours(few) for _ in range(REPEAT)],
                lambda theirs=theirs, mols=mols: [theirs(mol) for mol in mols[:COMPARED]],
                ROUNDS,
            )
            scaled = type(found)(
                found.ours / REPEAT, found.theirs, *(r * REPEAT for r in (found.median, found.low, found.high))
            )
            report("alerts", f"{name.split('.')[0]}, {what}", COMPARED, scaled)


if __name__ == "__main__":
    main()
