"""A folder of made-up benchmarks, laid out as the real ones are, small enough to judge a model on in seconds."""

from __future__ import annotations

import gzip
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from drylab.score.model import Model, load_model
from drylab.train.suites import Budget

CORES = ["c1ccc({})cc1", "c1ccnc({})c1", "c1ccc2nc({})ccc2c1", "C1CCN({})CC1", "c1csc({})n1", "c1ccc2[nH]c({})cc2c1"]
SIDES = ["C", "CC", "CCO", "CCN", "C(=O)O", "C(=O)NC", "C(F)(F)F", "CCCl", "CC#N", "CCS", "CC(C)C", "COC", "C(=O)CC"]
BUDGET = Budget(draws=50, trees=10)


def molecules() -> list[str]:
    """78 small molecules of 6 scaffolds."""
    return [core.format(side) for core, side in product(CORES, SIDES)]


def activity(smiles: str) -> float:
    """What a model can learn here: nitrogens and fluorines."""
    return 5.0 + 0.8 * smiles.upper().count("N") + 0.3 * smiles.count("F")


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def benchmarks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder."""
    folder, rng, smiles = tmp_path_factory.mktemp("benchmarks"), np.random.default_rng(4), molecules()
    rows = []
    for number, target in enumerate(["CHEMBL1", "CHEMBL2", "CHEMBL3"]):
        for i, text in enumerate(smiles):
            late = (i + number) % 2 and i % 3
            rows.append(
                f"{text},{target},{activity(text) + rng.normal(0, 0.2):.2f},{'sparse_valid' if late else '5thresh_train'}"
            )
    rows += [f"{text},CHEMBL4,5.0,5thresh_train" for text in smiles[:5]]  # too few to be a target
    write(folder / "affinity/chembl22.csv.gz", ["smiles,target_chembl_id,pactivity,subset", *rows])
    for name in ("CHEMBL11_Ki", "CHEMBL12_EC50"):
        order = rng.permutation(len(smiles))
        rows = [
            f"{smiles[i]},{activity(smiles[i]) + rng.normal(0, 0.2):.3f},{k // 4 % 2},{'test' if k % 4 == 0 else 'train'}"
            for k, i in enumerate(order)
        ]
        write(folder / f"affinity/moleculeace/{name}.csv.gz", ["smiles,pactivity,cliff_mol,split", *rows])
    rows = [f"{name},SVM,ECFP,0,0.7,0.8" for name in ("CHEMBL11_Ki", "CHEMBL12_EC50", "CHEMBL99_Ki")]
    write(
        folder / "affinity/moleculeace/published_results.csv.gz",
        ["dataset,algorithm,descriptor,augmentation,rmse,cliff_rmse", *rows],
    )
    for name, assays in (("fsmol_train", ["A1", "A2", "A3"]), ("fsmol_valid", ["B1", "B2"])):
        rows = [
            f"{assay},{text},{int(activity(text) > 5.5)},{activity(text):.2f},=,B"
            for assay in assays
            for text in smiles
        ]
        write(
            folder / f"affinity/{name}.csv.gz", ["assay_chembl_id,smiles,active,log_value,relation,assay_type", *rows]
        )
    lists: dict[str, dict[str, dict[str, list[list[int]]]]] = {}
    rows = []
    for source, targets in (("MUV", ["466", "548"]), ("DUD", ["ace"])):
        for target in targets:
            actives = [text for text in smiles if text.startswith("c1ccc2")]
            decoys = [text for text in smiles if not text.startswith("c1ccc2")]
            rows += [f"{source},{target},1,a,{text}" for text in actives] + [
                f"{source},{target},0,d,{text}" for text in decoys
            ]
            queries = [rng.choice(len(actives), 5, replace=False).tolist() for _ in range(4)]
            lists.setdefault(source, {})[target] = {"5": queries}
    write(folder / "benchmarks/muv_dud.csv.gz", ["source,target,label,internal_id,smiles", *rows])
    with gzip.open(folder / "benchmarks/query_active_indices_sets_I.json.gz", "wt") as file:
        json.dump(lists, file)
    return folder


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model("default")
