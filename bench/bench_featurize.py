"""SMILES -> graph, ECFP4 and descriptors: our kernels against RDKit and scikit-fingerprints, one core, equality first.

    python bench/bench_featurize.py [--data ../shared/data] [--rows 7000] [--rounds 5]

Three libraries, the same molecules for all, each side from the input it likes best: an Arrow column for us, a list of str
for the others; the rows that our parser leaves to RDKit are in our time. RDKit's answers are what ours are held to first.
Goals: graphs 100 times MolFromSmiles and a million a second, ECFP4 30 times RDKit and scikit-fingerprints, descriptors 100 times.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from rdkit import Chem, RDLogger
from rdkit.Chem import rdFingerprintGenerator

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from timing import paired, report

from drylab.featurize import descriptors, fingerprints, graphs, reference
from drylab.featurize.route import route
from drylab.featurize.text import as_bytes
from tests.real import DATA, smiles_of

LIBRARIES = ("libraries/zinc_a.smi.gz", "benchmarks/Enamine50k_scores_4UNN.csv.gz", "affinity/chembl22.csv.gz")
RDLogger.DisableLog("rdApp.*")


def molecules(file: Path, rows: int) -> list[str]:
    """RDKit's canonical SMILES of ``rows`` molecules of a library, without the salts that a library build takes off."""
    mols = (Chem.MolFromSmiles(text) for text in dict.fromkeys(smiles_of(file)))
    texts = (Chem.MolToSmiles(mol) for mol in mols if mol is not None and len(Chem.GetMolFrags(mol)) == 1)
    return list(islice(texts, rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, default=7_000, help="molecules of each library")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    texts = []
    for name in LIBRARIES:
        part = molecules(asked.data / name, asked.rows)
        bench_graphs(f"{Path(name).name.partition('.')[0]}: ", part, pa.array(part), asked.rounds)
        texts += part
    column = pa.array(texts)
    declined = route(*as_bytes(column)).declined()
    print(f"all {len(texts)} molecules, {np.mean([len(t) for t in texts]):.1f} characters; to RDKit: {declined}")
    bench_graphs("", texts, column, asked.rounds)
    bench_fingerprints(texts, column, asked.rounds)
    bench_descriptors(texts, column, asked.rounds)


def bench_graphs(library: str, texts: list[str], column: pa.Array, rounds: int) -> None:
    """The whole graph, against the molecule object alone."""
    ours, theirs = graphs(column), reference.graphs([Chem.MolFromSmiles(text) for text in texts])
    for name in MOLGRAPH_FIELDS:
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)

    def rdkit() -> None:  # one molecule at a time: freeing them all at once would fall into our time
        for text in texts:
            Chem.MolFromSmiles(text)

    report("featurize", f"{library}SMILES to graph, RDKit", len(texts), paired(lambda: graphs(column), rdkit, rounds))


MOLGRAPH_FIELDS = tuple(graphs([]).__slots__)


def bench_fingerprints(texts: list[str], column: pa.Array, rounds: int) -> None:
    """ECFP4, 2048 bits, from text."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)

    def rdkit() -> None:
        for text in texts:
            generator.GetFingerprint(Chem.MolFromSmiles(text))

    ours = fingerprints(column).to_numpy()
    for start in range(0, len(texts), 4096):
        part = texts[start : start + 4096]
        theirs = np.stack([generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(text)) for text in part])
        np.testing.assert_array_equal(ours[start : start + 4096], theirs)
    report("featurize", "SMILES to ECFP4 2048, RDKit", len(texts), paired(lambda: fingerprints(column), rdkit, rounds))
    try:
        from skfp.fingerprints import ECFPFingerprint
    except ImportError:
        print("scikit-fingerprints is not installed (pip install -e '.[bench]'): not measured")
        return
    peer = ECFPFingerprint(fp_size=2048, radius=2, n_jobs=1)
    np.testing.assert_array_equal(ours[:2000], peer.transform(texts[:2000]))
    ratio = paired(lambda: fingerprints(column), lambda: peer.transform(texts), rounds)
    report("featurize", "SMILES to ECFP4 2048, scikit-fingerprints", len(texts), ratio)


def bench_descriptors(texts: list[str], column: pa.Array, rounds: int) -> None:
    """All columns of drylab.featurize.descriptors, from text."""

    def rdkit() -> list[list[float]]:
        return [[value(mol) for value in reference.DESCRIPTORS.values()] for mol in map(Chem.MolFromSmiles, texts)]

    ours = descriptors(column)
    for name, values in zip(reference.DESCRIPTORS, zip(*rdkit(), strict=True), strict=True):
        np.testing.assert_array_equal(ours.column(name).to_numpy(), values, err_msg=name)
    what = f"SMILES to {len(reference.DESCRIPTORS)} descriptors, RDKit"
    report("featurize", what, len(texts), paired(lambda: descriptors(column), rdkit, rounds))


if __name__ == "__main__":
    main()
