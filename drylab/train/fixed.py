"""``python -m drylab.train.fixed --data DIR``: the fixed splits of the public data, their hashes and sizes, as Markdown.

docs/curation.md holds what this prints, and a test holds the two together.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from drylab.errors import DrylabError
from drylab.featurize import curation, fingerprints, reference
from drylab.score.align import clean as clean_sequence
from drylab.score.align import similarities
from drylab.score.similarity import named, similarity
from drylab.train import dropped
from drylab.train.curate import faults, one_drawing
from drylab.train.data import read_labels
from drylab.train.keepout import demo_skeletons
from drylab.train.parents import parent_table, pooled
from drylab.train.sources import TOXICITY, read, table
from drylab.train.split import (
    FAMILY,
    GENE,
    NEAR,
    TEST,
    YEARS,
    Split,
    by_cluster,
    by_file,
    by_groups,
    by_scaffold,
    linked,
    spheres,
)

FOLDS = {**{f"train{i}": i for i in range(5)}, "test": 5}  # of DeepDTA (Ozturk 2018, 10.1093/bioinformatics/bty593)


def molecules(folder: Path, files: Sequence[str], cache: Path | None = None) -> list[str]:
    """The parents of all molecules of these sources, one a skeleton, sorted; without those that no model learns from."""
    found = parent_table((list(read(folder, name)["smiles"].unique()) for name in files), cache)
    good = one_drawing(found)[faults(found) == ""]
    return sorted(set(good["parent"]))


def toxicity_scaffold(folder: Path) -> Split:
    """Scaffolds over the union of all toxicity files: the same compounds are in many of them."""
    parents = molecules(folder, TOXICITY)
    return by_scaffold(parents, pooled(scaffold_of, parents))


def toxicity_cluster(folder: Path) -> Split:
    """Clusters over the union of all toxicity files."""
    parents = molecules(folder, TOXICITY)
    bits = fingerprints(parents, 2, curation.FINGERPRINT_BITS).to_numpy()
    return by_cluster(parents, spheres(parents, np.packbits(bits, axis=1)))


def chembl_scaffold(folder: Path) -> Split:
    """Scaffolds of ChEMBL 22."""
    parents = molecules(folder, ["chembl22"])
    return by_scaffold(parents, pooled(scaffold_of, parents))


def chembl_time(folder: Path) -> Split:
    """Later years are the test; a molecule that has a stereoisomer or tautomer there is of the later years, too."""
    rows = read(folder, "chembl22")
    found = parent_table([list(rows["smiles"].unique())])
    rows = rows.join(one_drawing(found).assign(fault=faults(found)), on="smiles")
    rows = rows[rows["fault"] == ""].assign(fold=rows["part"].map(YEARS))
    latest = rows.groupby("parent")["fold"].max()
    return Split(tuple(latest.index), latest.to_numpy(np.uint8), {0: "earlier", TEST: "later"})


def scaffold_of(parent: str) -> str:
    """The scaffold of a SMILES that RDKit reads."""
    (mol,) = reference.parse([parent])
    return "" if mol is None else curation.scaffold(mol)


def pair_folds(folder: Path, name: str) -> Split:
    """DeepDTA's own folds of pairs: a pair is "drug<TAB>target"."""
    frame = _pairs(folder, name)
    keys = frame["drug_id"].astype(str) + "\t" + frame["target"].astype(str)
    return by_file(keys.tolist(), frame["fold"].tolist(), FOLDS)


def cold_drug(folder: Path, name: str) -> Split:
    """Clusters of drugs, by average linkage on count ECFP4."""
    drugs = sorted(set(_pairs(folder, name)["smiles"]))
    prints = named(drugs, ["ecfp4"])["ecfp4"]
    return by_groups(drugs, linked(similarity(prints, prints), NEAR))


def cold_target(folder: Path, name: str, at_least: float) -> Split:
    """Clusters of proteins, by average linkage on normalised Smith-Waterman."""
    frame = table(folder / f"affinity/{name}_sequences.csv.gz", ["target", "sequence"]).sort_values("target")
    sequences = [clean_sequence(text) for text in frame["sequence"]]
    return by_groups(frame["target"].tolist(), linked(similarities(sequences), at_least))


def _pairs(folder: Path, name: str) -> pd.DataFrame:
    return table(folder / f"affinity/{name}.csv.gz", ["drug_id", "smiles", "target", "fold"])


FIXED: Mapping[str, Callable[[Path], Split]] = {
    "toxicity, scaffold": toxicity_scaffold,
    "toxicity, cluster": toxicity_cluster,
    "ChEMBL 22, scaffold": chembl_scaffold,
    "ChEMBL 22, time": chembl_time,
    "DAVIS, DeepDTA": lambda folder: pair_folds(folder, "davis"),
    "KIBA, DeepDTA": lambda folder: pair_folds(folder, "kiba"),
    "DAVIS, cold drug": lambda folder: cold_drug(folder, "davis"),
    "KIBA, cold drug": lambda folder: cold_drug(folder, "kiba"),
    "DAVIS, cold gene": lambda folder: cold_target(folder, "davis", GENE),
    "DAVIS, cold family": lambda folder: cold_target(folder, "davis", FAMILY),
    "KIBA, cold gene": lambda folder: cold_target(folder, "kiba", GENE),
    "KIBA, cold family": lambda folder: cold_target(folder, "kiba", FAMILY),
}


def line(name: str, split: Split) -> str:
    """A row of the table: name, hash, sizes."""
    sizes = ", ".join(f"{what} {number:,}" for what, number in split.sizes().items())
    return f"| {name} | {sizes} | `{split.sha256}` |"


def main(arguments: list[str] | None = None) -> int:
    """Print a row a split, or write the report of what was dropped; 2 after an error of drylab's own."""
    parser = argparse.ArgumentParser(prog="python -m drylab.train.fixed", description="Fixed splits and their hashes.")
    parser.add_argument("--data", type=Path, required=True, help="folder with affinity/, tox/ and benchmarks/")
    parser.add_argument(
        "--dropped", type=Path, help="instead: what a training drops and why, to this name, .md and .json"
    )
    given = parser.parse_args(arguments)
    try:
        if given.dropped:
            demo = Path(str(resources.files("drylab"))) / "library" / "data" / "drugs.csv"
            dropped.write(read_labels(given.data, demo_skeletons(demo)).counts, given.dropped)
            return 0
        print("| split | sizes | SHA-256 |\n| --- | --- | --- |")
        for name, make in FIXED.items():
            print(line(name, make(given.data)), flush=True)
    except DrylabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
