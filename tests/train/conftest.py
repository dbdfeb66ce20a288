"""A folder of made-up measurements, laid out as the real ones are: small, fast, with every trap in it."""

from __future__ import annotations

import gzip
from itertools import product
from pathlib import Path

import numpy as np
import pytest

CORES = ["c1ccc({})cc1", "c1ccnc({})c1", "c1ccc2nc({})ccc2c1", "C1CCN({})CC1", "c1csc({})n1", "c1cc({})[nH]n1"]
CORES += ["c1ccc2[nH]c({})cc2c1", "C1COCCN1{}", "c1coc({})c1", "c1ncc({})cn1", "C1CC({})C1", "c1ccc2c(c1)OCC({})O2"]
SIDES = ["C", "CC", "CCO", "CCN", "C(=O)O", "C(=O)NC", "C(F)(F)F", "CCCl", "CC#N", "CCS", "CC(C)C", "COC", "C(=O)CC"]


def molecules() -> list[str]:
    """156 small molecules of 12 scaffolds."""
    return [core.format(side) for core, side in product(CORES, SIDES)]


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder; activity follows the number of nitrogens, toxicity that of fluorines and chlorines."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(5)
    names, smiles = ["CHEMBL203", "CHEMBL279", "CHEMBL9999"], molecules()
    rows = [f"{s},{t},{5 + s.upper().count('N') + rng.normal(0, 0.1):.2f},x" for s in smiles for t in names]
    write(folder / "affinity/chembl22.csv.gz", ["smiles,target_chembl_id,pactivity,subset", *rows])
    rows = [
        "CHEMBL203,Epidermal growth factor receptor,SINGLE PROTEIN,P00533",
        "CHEMBL9999,Some kinase,SINGLE PROTEIN,X",
    ]
    write(folder / "affinity/targets.csv.gz", ["target_chembl_id,name,type,uniprot", *rows])
    write(folder / "affinity/sequences.csv.gz", ["uniprot,sequence", "P00533,mrpsgtag"])
    rows = ["X,c1ccc(CCCCN)cc1,1,14.0", "X,c1ccc(CCCCCN)cc1,1,6.0", "X,c1ccc(CCCCCN)cc1.Cl,1,8.5", "X,not smiles,1,7"]
    write(folder / "affinity/egfr_chembl27.csv.gz", ["chembl_id,smiles,ic50_nM,pic50", *rows])
    heads = (
        "smiles,NR-AR,NR-AR-LBD,NR-AhR,NR-Aromatase,NR-ER,NR-ER-LBD,NR-PPAR-gamma,SR-ARE,SR-ATAD5,SR-HSE,SR-MMP,SR-p53"
    )
    rows = [f"{s},{int('F' in s or 'Cl' in s)}{',' * 11}" for s in smiles]
    write(folder / "tox/tox21.csv.gz", [heads, *rows])
    write(folder / "tox/ames.csv.gz", ["Drug_ID,Drug,Y", *(f"x,{s},{int('n' in s)}" for s in smiles)])
    rows = [f"{s},{5.0 if i % 3 == 0 else 4 + 2 * rng.random():.3f}" for i, s in enumerate(smiles)]
    write(folder / "tox/herg_ctoxpred.csv.gz", ["SMILES,pIC50", *rows])
    for name, gap in (("zinc_a.smi.gz", " "), ("zinc_b.smi.gz", " "), ("pubchem_100k.csv.gz", "\t")):
        rows = [f"{s.replace('C', 'CC', 1)}{gap}{i}" for i, s in enumerate(smiles[::5]) if s[0] == "C"]
        write(folder / "libraries" / name, [*rows, *(f"{'C' * (i + 2)}O{gap}b{i}" for i in range(12))])
    return folder


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Threads cost more than they save on batches this small."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A list of one drug, drawn with stereo and as a salt."""
    path = tmp_path / "drugs.csv"
    path.write_text("name,smiles,targets\ndrug,C[C@H]([NH3+])c1ccccc1.[Cl-],EGFR;KDR\n")
    return path
