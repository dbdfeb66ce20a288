"""A folder of made-up measurements, laid out as the real ones are: small, fast, with every trap in it."""

from __future__ import annotations

import gzip
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from drylab.train.panel import CYPS
from drylab.train.sources import CLIFF_SETS

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
    rows = ["X,c1ccc(CCCCN)cc1,1,9.0", "X,c1ccc(CCCCCCN)cc1,1,14.0", "X,not smiles,1,7"]
    rows += ["X,c1ccc(CCCCCN)cc1,1,6.0", "X,c1ccc(CCCCCN)cc1.Cl,1,8.5"]
    write(folder / "affinity/egfr_chembl27.csv.gz", ["chembl_id,smiles,ic50_nM,pic50", *rows])
    heads = (
        "smiles,NR-AR,NR-AR-LBD,NR-AhR,NR-Aromatase,NR-ER,NR-ER-LBD,NR-PPAR-gamma,SR-ARE,SR-ATAD5,SR-HSE,SR-MMP,SR-p53"
    )
    rows = [f"{s},{int('F' in s or 'Cl' in s)}{',' * 11}" for s in smiles]
    write(folder / "tox/tox21.csv.gz", [heads, *rows])
    write(folder / "tox/ames.csv.gz", ["Drug_ID,Drug,Y", *(f"x,{s},{int('n' in s)}" for s in smiles)])
    rows = [f"{s},{5.0 if i % 3 == 0 else 4 + 2 * rng.random():.3f}" for i, s in enumerate(smiles)]
    write(folder / "tox/herg_ctoxpred.csv.gz", ["SMILES,pIC50,USED_AS", *(f"{row},Train" for row in rows)])
    for name, gap in (("zinc_a.smi.gz", " "), ("zinc_b.smi.gz", " "), ("pubchem_100k.csv.gz", "\t")):
        rows = [f"{s.replace('C', 'CC', 1)}{gap}{i}" for i, s in enumerate(smiles[::5]) if s[0] == "C"]
        write(folder / "libraries" / name, [*rows, *(f"{'C' * (i + 2)}O{gap}b{i}" for i in range(12))])
    write_more(folder, smiles, rng)
    return folder


def write_more(folder: Path, smiles: list[str], rng: np.random.Generator) -> None:
    """FS-Mol, the endpoints and the benchmarks: the benchmarks' molecules are chains that are in no other file."""
    strong = [5 + s.upper().count("N") + rng.normal(0, 0.1) for s in smiles]
    rows = [
        f"CHEMBL1,{s},1,{v:.3f},{'>' if i % 4 == 0 else '='},B"
        for i, (s, v) in enumerate(zip(smiles, strong, strict=True))
    ]
    rows += [f"CHEMBL2,{s},0,{v - 1:.3f},<,F" for s, v in zip(smiles[:20], strong, strict=False)]
    rows += [f"CHEMBL3,{s},0,5.0,=,F" for s in smiles[:9]] + ["CHEMBL1,c1ccccc1CCCCCCO,0,,=,B"]
    heads = "assay_chembl_id,smiles,active,log_value,relation,assay_type"
    write(folder / "affinity/fsmol_train.csv.gz", [heads, *rows])
    write(folder / "affinity/fsmol_valid.csv.gz", [heads, *(f"CHEMBL4,{chain(i)}N,0,5,=,B" for i in range(5))])
    rows = ["CHEMBL1,7,enzyme  kinase", "CHEMBL2,8,", "CHEMBL3,9,", "CHEMBL4,,"]
    write(folder / "affinity/fsmol_assay_targets.csv.gz", ["assay_chembl_id,chembl_tid,protein_class", *rows])
    rows = [f"{v:.1f},{s},CDK7,metz" for s, v in zip(smiles[::4], strong[::4], strict=True)]
    write(folder / "affinity/metz.csv.gz", ["metz,smiles,proteinName,protein_dataset", *rows])
    rows = [f"x,x,{s},y,{len(s) / 9:.2f}" for s in smiles]
    write(folder / "affinity/adme_biogen.csv.gz", ["Internal ID,Vendor ID,SMILES,CollectionName,LOG P", *rows])
    for name in (*(f"{name}_veith" for name in CYPS), "bbb_martins", "dili"):
        write(folder / f"tox/{name}.csv.gz", ["Drug_ID,Drug,Y", *(f"x,{s},{int('O' in s)}" for s in smiles)])
    write(folder / "tox/dili_gold.csv.gz", ["smiles_r,TOXICITY", *(f"{s},{int('O' in s)}" for s in smiles[::9])])
    write(folder / "tox/ld50_zhu.csv.gz", ["index,smiles,active", *(f"1,{s},{len(s) / 9:.2f}" for s in smiles)])
    for name in ("nav", "cav"):
        rows = [f"{s},{4 + 2 * rng.random():.3f},Train" for s in smiles[::3]]
        write(folder / f"tox/{name}_ctoxpred.csv.gz", ["SMILES,pIC50,USED_AS", *rows])
    write(folder / "tox/toxcast.csv.gz", ["smiles,A Assay", *(f"{s},{i % 2}" for i, s in enumerate(smiles))])
    write_benchmarks(folder)


def write_benchmarks(folder: Path) -> None:
    for number, name in enumerate(CLIFF_SETS):
        rows = [f"{chain(i)}{chain(number)}O,6,0,{'test' if i % 2 else 'train'}" for i in range(4)]
        write(folder / f"affinity/moleculeace/{name}.csv.gz", ["smiles,pactivity,cliff_mol,split", *rows])
    for name, value in (("davis", "p_value"), ("kiba", "kiba_score")):
        rows = [f"{chain(i)}S,T{i % 2},6.0,train{i % 5}" for i in range(6)]
        write(folder / f"affinity/{name}.csv.gz", [f"smiles,target,{value},fold", *rows])
    rows = [f"MUV,466,{i % 2},{chain(i)}F" for i in range(6)]
    write(folder / "benchmarks/muv_dud.csv.gz", ["source,target,label,smiles", *rows])


def chain(length: int) -> str:
    """Eleven carbons and more."""
    return "C" * (11 + length)


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
