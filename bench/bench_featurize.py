"""SMILES -> graph, ECFP4 and descriptors: our kernels against RDKit and scikit-fingerprints, one core, equality first.

    python bench/bench_featurize.py [--data ../shared/data] [--rows 20000] [--rounds 3]

Three libraries, the same molecules for all, each side from the input it likes best: an Arrow column for us, a list of str
for the others. RDKit's answers of the first round are what ours are held to. Goals: graphs 100 times MolFromSmiles and a
million a second, ECFP4 30 times RDKit and scikit-fingerprints, descriptors 100 times RDKit.
"""

from __future__ import annotations

import argparse
import sys
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

LIBRARIES = ("libraries/zinc_b.smi.gz", "benchmarks/Enamine50k_scores_4UNN.csv.gz", "affinity/chembl22.csv.gz")
RDLogger.DisableLog("rdApp.*")


def molecules(data: Path, rows: int) -> list[str]:
    """RDKit's canonical SMILES of ``rows`` molecules of each library, without the salts that a library build takes off."""
    texts: list[str] = []
    for name in LIBRARIES:
        mols = (Chem.MolFromSmiles(text) for text in dict.fromkeys(smiles_of(data / name, most=2 * rows)))
        texts += [Chem.MolToSmiles(mol) for mol in mols if mol is not None and len(Chem.GetMolFrags(mol)) == 1][:rows]
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, default=20_000, help="molecules of each library")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    texts = molecules(asked.data, asked.rows)
    column, n = pa.array(texts), len(texts)
    declined = route(*as_bytes(column)).declined()
    print(
        f"{n} molecules of {len(LIBRARIES)} libraries, {np.mean([len(t) for t in texts]):.1f} characters; to RDKit: {declined}"
    )
    bench_graphs(texts, column, asked.rounds)
    bench_fingerprints(texts, column, asked.rounds)
    bench_descriptors(texts, column, asked.rounds)


def bench_graphs(texts: list[str], column: pa.Array, rounds: int) -> None:
    """The whole graph, against the molecule object alone."""
    ours, theirs = graphs(column), reference.graphs([Chem.MolFromSmiles(text) for text in texts])
    for name in MOLGRAPH_FIELDS:
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    ratio = paired(lambda: graphs(column), lambda: [Chem.MolFromSmiles(text) for text in texts], rounds)
    report("featurize", "SMILES to graph, RDKit MolFromSmiles", len(texts), ratio)


MOLGRAPH_FIELDS = tuple(graphs([]).__slots__)


def bench_fingerprints(texts: list[str], column: pa.Array, rounds: int) -> None:
    """ECFP4, 2048 bits, from text."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)

    def rdkit() -> list[object]:
        return [generator.GetFingerprint(Chem.MolFromSmiles(text)) for text in texts]

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
        mols = [Chem.MolFromSmiles(text) for text in texts]
        return [[value(mol) for mol in mols] for value in reference.DESCRIPTORS.values()]

    ours, theirs = descriptors(column), rdkit()
    for name, values in zip(reference.DESCRIPTORS, theirs, strict=True):
        np.testing.assert_array_equal(ours.column(name).to_numpy(), values, err_msg=name)
    report(
        "featurize", "SMILES to 13 descriptors, RDKit", len(texts), paired(lambda: descriptors(column), rdkit, rounds)
    )


if __name__ == "__main__":
    main()
