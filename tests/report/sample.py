"""A made-up answer of a screen with every column of docs/hits.md: real molecules, invented predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
from rdkit import Chem
from rdkit.Chem import Descriptors, rdMolDescriptors
from rdkit.Chem.Scaffolds import MurckoScaffold

from drylab.report.depict import picture
from drylab.score.endpoint_table import ENDPOINTS as ENDPOINTS_TOLD
from drylab.score.endpoint_table import Endpoint
from drylab.types import Hits

DRUGS = {
    "erlotinib": "COCCOc1cc2ncnc(Nc3cccc(C#C)c3)c2cc1OCCOC",
    "gefitinib": "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1",
    "afatinib": "CN(C)C/C=C/C(=O)Nc1cc2c(Nc3ccc(F)c(Cl)c3)ncnc2cc1O[C@H]1CCOC1",
    "lapatinib": "CS(=O)(=O)CCNCc1ccc(o1)-c1ccc2ncnc(Nc3ccc(OCc4cccc(F)c4)c(Cl)c3)c2c1",
    "imatinib": "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "dasatinib": "Cc1nc(Nc2ncc(s2)C(=O)Nc2c(C)cccc2Cl)cc(n1)N1CCN(CCO)CC1",
    "caffeine": "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "celecoxib": "Cc1ccc(cc1)-c1cc(nn1-c1ccc(cc1)S(N)(=O)=O)C(F)(F)F",
    "diazepam": "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc12",
    "metformin": "CN(C)C(=N)NC(N)=N",
    "nitrofurantoin": "O=C1CN(/N=C/c2ccc(o2)[N+](=O)[O-])C(=O)N1",
    "propranolol": "CC(C)NCC(O)COc1cccc2ccccc12",
    "haloperidol": "O=C(CCCN1CCC(O)(CC1)c1ccc(Cl)cc1)c1ccc(F)cc1",
    "terfenadine": "CC(C)(C)c1ccc(cc1)C(O)CCCN1CCC(CC1)C(O)(c1ccccc1)c1ccccc1",
    "warfarin": "CC(=O)CC(c1ccccc1)C1=C(O)c2ccccc2OC1=O",
    "omeprazole": "COc1ccc2[nH]c(nc2c1)S(=O)Cc1ncc(C)c(OC)c1C",
    "penicillin G": "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
    "curcumin": "COc1cc(/C=C/C(=O)CC(=O)/C=C/c2ccc(O)c(OC)c2)ccc1O",
}
CORES = (
    "c1ccc2ncnc(NX)c2c1", "O=C(NX)c1cccnc1", "Cc1nc(NX)sc1C", "O=S(=O)(NX)c1ccc(F)cc1", "O=C(CN1CCOCC1)NX",
    "COc1cc(NX)ncn1", "FC(F)(F)c1cnc(NX)nc1", "O=C1CCCN1CC(=O)NX", "c1cc2[nH]ccc2c(NX)n1", "Cn1cc(C(=O)NX)cn1",
)  # fmt: skip
TAILS = (
    "c1ccccc1", "Cc1ccccc1Cl", "c1ccc(OC)cc1", "C1CCCCC1", "c1cc(C#N)ccc1F", "CCc1ccncc1", "c1ccc(cc1)N1CCNCC1", "CC(C)(C)O",
    "c1cccc2ccccc12", "Cc1ccc2OCOc2c1", "c1ccc(cc1)S(C)(=O)=O", "C1CCN(C)CC1", "c1nccs1", "Cc1cccc(c1)C(F)(F)F",
    "[C@@H](C)c1ccccc1", "c1ccc(Br)cc1C", "CCN1CCOCC1", "c1ccc(cc1)[N+](=O)[O-]", "c1cc(Cl)cc(Cl)c1", "CC#C",
)  # fmt: skip
# A tail is set in while rings of the core are open, so it counts its own from 6.
_RINGS = str.maketrans("12", "67")
PANEL = ("nr_ahr", "ames", "herg", "herg_block", "cyp3a4", "bbb", "dili")
ENDPOINTS = ("ames", "herg_block", "dili", "nr_ahr", "nr_er", "sr_mmp", "sr_p53")


def molecules(rows: int) -> list[tuple[str, str]]:
    """(id, canonical SMILES), as many as wanted up to 220."""
    made = [
        (f"Z{1000 + n}", core.replace("X", tail.translate(_RINGS)))
        for n, (core, tail) in enumerate(product(CORES, TAILS))
    ]
    pairs = [(f"DRUG-{name}", smiles) for name, smiles in DRUGS.items()] + made
    return [(name, Chem.CanonSmiles(smiles)) for name, smiles in pairs[:rows]]


def hits(rows: int = 40, report_n: int = 30, **changes: Any) -> Hits:
    """Hits of ``rows`` molecules; ``changes`` are whole columns to use instead, by name."""
    columns = {**_columns(rows), **changes}
    n = len(columns["id"])
    shown = min(report_n, n)
    maps = columns["atom_contributions"]
    pictures = tuple(picture(columns["smiles"][i], maps[i]) for i in range(shown))
    table = pa.table({name: _array(name, values) for name, values in columns.items()})
    return Hits(table, record(n, report_n, columns["score"]), pictures)


def panelled(rows: int = 12) -> Hits:
    """Hits of a model with a toxicity panel and a support: every set and interval there can be, in turns."""
    plain = hits(rows, rows)
    table = plain.table.drop_columns(
        [name for name in plain.table.column_names if name.endswith(("_prob", "_value", "_flag"))]
    )
    for name in PANEL:
        one = ENDPOINTS_TOLD[name]
        for part, values in _panel_columns(one, rows).items():
            table = table.append_column(f"{name}_{part}", pa.array(values))
    table = table.drop_columns("tox_worst").append_column("tox_worst", pa.array(["unknown"] * rows))
    table = table.append_column("refined_mean", pa.array([7.0 - 0.01 * i for i in range(rows)]))
    table = table.append_column("refined_sd", pa.array([0.5] * rows))
    return Hits(table, {**plain.run, "toxicity": [_told(ENDPOINTS_TOLD[name]) for name in PANEL]}, plain.pictures)


def _panel_columns(one: Endpoint, rows: int) -> dict[str, list[Any]]:
    turns = [i % 5 for i in range(rows)]
    if one.kind == "value":
        low = [(one.amber + 0.1, one.amber - 3.0, one.amber - 1.0)[turn % 3] for turn in turns]
        return {"mean": [x + 1.0 for x in low], "low": low, "high": [x + 2.0 for x in low]}
    said = [f"{{{one.yes}}}", f"{{{one.yes}}}", "{both}", "{}", f"{{{one.no}}}"]
    return {"prob": [(0.83, 0.07, 0.41, 0.3, 0.02)[turn] for turn in turns], "set": [said[turn] for turn in turns]}


def _told(one: Endpoint) -> dict[str, Any]:
    names = ("name", "unit", "meaning", "kind", "label", "threshold", "bad", "yes", "no", "report_only", "data")
    more = {"usual": {"amber": one.amber, "red": one.red}, "cautions": list(one.cautions), "panel": True}
    metrics = {"auroc": 0.84, "n_train": 6500.0}
    return {**{name: getattr(one, name) for name in names}, **more, "metrics": metrics, "amber": None, "red": None}


def empty() -> Hits:
    """What a screen gives when nothing passes."""
    full = hits(3)
    run = {
        **full.run,
        "tally": {"read": 3, "rejected": {}, "filtered": {"mw in [200, 500]": 3}, "scored": 0, "kept": 0},
    }
    run["library"] = {**run["library"], "rows": 3, "build": {"read": 3, "kept": 3, "duplicates": 0, "rejected": {}}}
    run["histogram"] = {"low": 0.0, "width": 0.1, "counts": [0] * 120, "underflow": 0, "overflow": 0}
    return Hits(full.table.slice(0, 0), run, ())


def _columns(rows: int) -> dict[str, list[Any]]:
    draw = np.random.default_rng(20260301)
    pairs = molecules(rows)
    mols = [Chem.MolFromSmiles(smiles) for _, smiles in pairs]
    n = len(mols)
    flags = np.array(["green", "green", "green", "amber", "red", "unknown"])
    columns: dict[str, list[Any]] = {
        "rank": list(range(1, n + 1)),
        "id": [name for name, _ in pairs],
        "smiles": [smiles for _, smiles in pairs],
        "key": [hashlib.md5(smiles.encode()).hexdigest() for _, smiles in pairs],
        "inchikey": [Chem.MolToInchiKey(mol) for mol in mols],
        "score": sorted((9.0 - draw.gamma(2.0, 0.28, n)).tolist(), reverse=True),
        "known_as": [name[5:] if name in ("DRUG-erlotinib", "DRUG-gefitinib") else None for name, _ in pairs],
        "anti_ERBB2": draw.normal(6.2, 0.7, n).tolist(),
    }
    columns["delta_ERBB2"] = [s - a for s, a in zip(columns["score"], columns["anti_ERBB2"], strict=True)]
    for endpoint in ENDPOINTS:
        columns[f"{endpoint}_prob"] = draw.beta(1.3, 3, n).tolist()
        columns[f"{endpoint}_flag"] = [_flag(p, endpoint) for p in columns[f"{endpoint}_prob"]]
    columns["herg_value"] = draw.normal(4.8, 0.7, n).tolist()
    columns["herg_flag"] = flags[draw.integers(0, 4, n)].tolist()
    order = ["green", "unknown", "amber", "red"]
    flagged = [columns[f"{e}_flag"] for e in (*ENDPOINTS, "herg")]
    columns["tox_worst"] = [max(row, key=order.index) for row in zip(*flagged, strict=True)]
    columns["embed_distance_pct"] = draw.uniform(0, 100, n).tolist()
    columns["in_domain"] = [distance < 90 for distance in columns["embed_distance_pct"]]
    return {**columns, **_properties(mols), **_novelty(mols, draw)}


def _flag(probability: float, endpoint: str) -> str:
    if endpoint == "sr_p53":
        return "unknown"
    return "red" if probability >= 0.7 else "amber" if probability >= 0.4 else "green"


def _properties(mols: list[Chem.Mol]) -> dict[str, list[Any]]:
    of = rdMolDescriptors
    columns: dict[str, list[Any]] = {
        "mw": [of.CalcExactMolWt(m) for m in mols],
        "clogp": [of.CalcCrippenDescriptors(m)[0] for m in mols],
        "tpsa": [of.CalcTPSA(m) for m in mols],
    }
    counts: dict[str, Callable[[Chem.Mol], float]] = {
        "hbd": of.CalcNumHBD, "hba": of.CalcNumHBA, "rotatable": of.CalcNumRotatableBonds, "rings": of.CalcNumRings,
        "aromatic_rings": of.CalcNumAromaticRings, "fsp3": of.CalcFractionCSP3, "heavy_atoms": lambda m: m.GetNumHeavyAtoms(),
        "charge": Chem.GetFormalCharge, "qed": Descriptors.qed,
    }  # fmt: skip
    columns |= {name: [float(count(m)) for m in mols] for name, count in counts.items()}
    columns["outside"] = ["mw" if weight > 450 else "" for weight in columns["mw"]]
    nitro = Chem.MolFromSmarts("[N+](=O)[O-]")
    columns["alerts_pains"] = ["catechol_A(92)" if i % 17 == 5 else "" for i in range(len(mols))]
    columns["alerts_brenk"] = ["; ".join(_brenk(m, nitro)) for m in mols]
    return columns


def _brenk(mol: Chem.Mol, nitro: Chem.Mol) -> list[str]:
    found = ["nitro_group", "Oxygen-nitrogen_single_bond"] if mol.HasSubstructMatch(nitro) else []
    return found + (["triple_bond"] if mol.HasSubstructMatch(Chem.MolFromSmarts("C#C")) else [])


def _novelty(mols: list[Chem.Mol], draw: np.random.Generator) -> dict[str, list[Any]]:
    n = len(mols)
    known = [row["id"] for row in KNOWN]
    return {
        "scaffold": [MurckoScaffold.MurckoScaffoldSmiles(mol=m) for m in mols],
        "max_sim_known": draw.uniform(0.1, 0.9, n).tolist(),
        "nearest_known_id": [known[i] for i in draw.integers(0, len(known), n)],
        "nearest_known_value": draw.uniform(5, 9, n).tolist(),
        "library_row": draw.integers(0, 2**40, n).tolist(),
        "atom_contributions": [
            draw.normal(0, 0.3, m.GetNumAtoms()).tolist() if i < 20 else None for i, m in enumerate(mols)
        ],
    }


KNOWN: list[dict[str, Any]] = [
    {"id": "erlotinib", "score": 8.41, "rank": 12, "percentile": 0.012, "in_library": True, "value": 8.7, "filtered_by": None},
    {"id": "gefitinib", "score": 8.32, "rank": 31, "percentile": 0.031, "in_library": True, "value": 8.5, "filtered_by": None},
    {"id": "afatinib", "score": 8.02, "rank": 160, "percentile": 0.162, "in_library": False, "value": 9.3, "filtered_by": None},
    {"id": "lapatinib", "score": 7.1, "rank": 3400, "percentile": 3.44, "in_library": True, "value": 7.9, "filtered_by": None},
    {"id": "a <b>bold</b> name", "score": 5.2, "rank": None, "percentile": None, "in_library": True, "value": None,
     "filtered_by": "mw in [200, 500]"},
]  # fmt: skip
for _row in KNOWN:
    _row |= {"smiles": DRUGS.get(str(_row["id"]), "CCO"), "units": "pX"}


def record(rows: int, report_n: int, scores: list[float]) -> dict[str, Any]:
    """The run of these hits: every number adds up."""
    centres = np.arange(120) * 0.1
    counts = (9000 * np.exp(-0.5 * ((centres - 5.3) / 0.75) ** 2)).astype(int)
    counts[int(min(scores) / 0.1) :] = 0
    for score in scores:
        counts[min(max(int(score / 0.1), 0), 119)] += 1
    scored = int(counts.sum())
    rejected, filtered = {"declined: more than 255 atoms": 3}, {"mw in [200, 500]": 1234, "excluded: already tested": 7}
    read = scored + 3 + 1241
    targets = {
        "schema": "drylab.target/1",
        "name": "EGFR",
        "screen": {"library": "libs/demo", "top_k": rows, "report_n": report_n},
    }
    metrics = {
        "n_train": 4000,
        "n_test": 500,
        "spearman": 0.61,
        "rmse": 0.88,
        "spearman_1nn": 0.49,
        "spearman_rf": 0.55,
        "rmse_rf": 0.95,
    }
    return {
        "schema": "drylab.run/1", "drylab": "0.1.0", "name": "EGFR", "title": "EGFR round 1", "contact": "a.chemist@lab",
        "started": "2026-03-02T09:12:00+00:00", "seconds": {"library": 1.2, "screen": 40.1, "finish": 5.0, "total": 46.3},
        "target": targets,
        "probe": {"name": "EGFR", "unit": "pActivity", "meaning": "Potency on the epidermal growth factor receptor.",
                  "aliases": ["CHEMBL203", "P00533"], "metrics": metrics},
        "tier": {"tier": "B", "label": "panel", "sentence": "Known target; expected per-target rho 0.6 on new scaffolds."},
        "model": {"name": "panel-2", "sha256": "ab" * 32, "path": "models/panel-2.safetensors", "recipe": {"graphs": "gine/1", "width": 128},
                  "training": {"molecules": 250000, "targets": 120}, "excluded": {"molecules of the target file": 4},
                  "card": "# panel-2\n\nTrained on public data. **Limits**: see below.\n"},
        "library": {"path": "libs/demo", "name": "demo", "rows": read, "recipe": "standard/1", "manifest_sha256": "cd" * 32,
                    "build": {"read": read + 1000, "kept": read, "duplicates": 900, "rejected": {"RDKit cannot parse it": 100}},
                    "sources": [{"path": "zinc_a.smi.gz", "read": read + 1000, "kept": read, "duplicates": 900, "rejected": 100}]},
        "tally": {"read": read, "rejected": rejected, "filtered": filtered, "scored": scored, "kept": rows},
        "histogram": {"low": 0.0, "width": 0.1, "counts": counts.tolist(), "underflow": 0, "overflow": 0},
        "known": KNOWN,
        "toxicity": [_endpoint(name) for name in ENDPOINTS]
        + [{"name": "herg", "unit": "pIC50", "amber": 5.0, "red": 6.0, "meaning": "Potency on the hERG channel.", "metrics": {"rmse": 0.6}}],
        "ranges": {"mw": {"low": 200, "high": 500, "hard": True}},
        "executor": {"kind": "serial", "workers": 1}, "versions": {"python": "3.11.7", "rdkit": "2026.3.5", "numpy": "2.4.6"},
        "machine": "Linux x86_64, 2 cores", "confidential": True,
    }  # fmt: skip


def _endpoint(name: str) -> dict[str, Any]:
    limits = {"amber": None, "red": None} if name == "sr_p53" else {"amber": 0.4, "red": 0.7}
    return {
        "name": name,
        "unit": "probability",
        **limits,
        "meaning": f"Positive in the {name} test.",
        "metrics": {"auroc": 0.84, "n_train": 6500},
    }


def _array(name: str, values: list[Any]) -> pa.Array:
    return pa.array(values, pa.list_(pa.float32())) if name == "atom_contributions" else pa.array(values)
