"""Curation: what is one molecule, what is kept out, what is dropped and counted."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from drylab.errors import InputError
from drylab.featurize.curation import ecfp4, flat_parent, scaffold, skeleton
from drylab.featurize.reference import parse
from drylab.library.embedded import drugs
from drylab.train.data import Labels, read_labels
from drylab.train.keepout import demo_skeletons
from drylab.train.panel import TOX21, tox_tasks
from drylab.train.sources import BLOCK


@pytest.mark.parametrize(
    "variant",
    ["C[C@H](N)c1ccccc1", "C[C@@H](N)c1ccccc1", "CC(N)c1ccccc1.Cl", "CC([NH3+])c1ccccc1.[Cl-]", "c1ccccc1C(N)[13CH3]"],
)
def test_salts_stereo_charges_and_isotopes_are_one_parent(variant: str) -> None:
    assert flat_parent(variant) == "CC(N)c1ccccc1"


@pytest.mark.parametrize("text", ["", "   ", "not a molecule", "c1ccccc"])
def test_what_rdkit_refuses_has_no_parent(text: str) -> None:
    assert flat_parent(text) == ""


def test_a_flat_parent_is_its_own_flat_parent() -> None:
    for drug in drugs()[::5]:
        parent = flat_parent(drug.smiles)
        assert flat_parent(parent) == parent
        assert "@" not in parent
        assert "/" not in parent


def test_scaffold_keeps_rings_and_fingerprint_is_rdkits() -> None:
    (mol,) = parse(["CCc1ccc(C2CCNCC2)cc1"])
    assert mol is not None
    assert scaffold(mol) == "c1ccc(C2CCNCC2)cc1"
    expected = Chem.rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024).GetFingerprintAsNumPy(mol)
    assert np.array_equal(np.unpackbits(ecfp4([mol])[0]), expected)


def test_a_demo_drug_is_kept_out_in_every_form(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "drugs.csv"
    path.write_text("name,smiles,targets\na,OC(=O)c1ccccc1,\nb,[NH3+]CCCCc1ccccc1.[Cl-],EGFR\n")
    banned = demo_skeletons(path)
    assert banned == {"WPYMKLBDIGXBTP", "AGNFWIZBEATIAK"}  # benzoic acid and phenylbutylamine, from their PubChem pages
    before, after = read_labels(data, frozenset()), read_labels(data, banned)
    assert {"O=C(O)c1ccccc1", "NCCCCc1ccccc1"} == set(before.parents) - set(after.parents)
    assert after.counts["egfr_chembl27"]["kept out: demo drugs"] == 1
    assert after.counts["chembl22"]["kept out: demo drugs"] == 3  # one molecule, three targets
    assert len(after.parents) == len(before.parents) - 2


@pytest.mark.parametrize(
    "forms",
    [
        [
            "Cc1ccnc(CS(=O)c2nc3ccccc3[nH]2)c1",
            "Cc1ccnc(C[S+]([O-])c2nc3ccccc3[nH]2)c1",
            "Cc1ccnc(C[S@](=O)c2[nH]c3ccccc3n2)c1",
        ],
        ["O=c1[nH]cnc2[nH]ncc12", "Oc1ncnc2[nH]ncc12", "O=c1nc[nH]c2n[nH]cc1-2"],
        ["Clc1cccc(Cl)c1NC1=NCCN1", "Clc1cccc(Cl)c1N=C1NCCN1", "Clc1cccc(Cl)c1NC1=[NH+]CCN1.[Cl-]"],
    ],
)  # lansoprazole's core, allopurinol, clonidine
def test_tautomers_and_ways_to_draw_are_one_skeleton(forms: list[str]) -> None:
    assert len({skeleton(flat_parent(form)) for form in forms}) == 1


@pytest.mark.slow
def test_no_demo_drug_is_in_the_real_data(shared_data: Path) -> None:
    """By RDKit's own InChIKey of the text as written, whatever our curation makes of it."""
    mine = {Chem.MolToInchiKey(Chem.MolFromSmiles(drug.smiles))[:14] for drug in drugs()}
    made_of = {heavy_atoms(fragment) for drug in drugs() for fragment in drug.smiles.split(".")}
    banned = demo_skeletons(Path(str(resources.files("drylab"))) / "library/data/drugs.csv")
    kept = read_labels(shared_data, banned).parents
    assert len(kept) > 250_000
    alike = [text for text in kept if heavy_atoms(text) in made_of]  # InChI of all would take ten minutes
    assert len(alike) > 1_000
    assert not mine & {Chem.MolToInchiKey(Chem.MolFromSmiles(text))[:14] for text in alike}


def heavy_atoms(text: str) -> tuple[tuple[int, int], ...]:
    """How many atoms of each element but hydrogen."""
    counts = Counter(atom.GetAtomicNum() for atom in Chem.MolFromSmiles(text).GetAtoms())
    return tuple(sorted((number, n) for number, n in counts.items() if number != 1))


def named(labels: Labels, task: str) -> dict[str, tuple[float, int]]:
    """Parent -> value and relation of one task."""
    column = {task.name: i for i, task in enumerate(labels.tasks)}[task]
    at = labels.task == column
    rows = zip(labels.mol[at], labels.value[at], labels.relation[at], strict=True)
    return {labels.parents[mol]: (float(value), int(relation)) for mol, value, relation in rows}


def test_labels_are_merged_and_counted(data: Path) -> None:
    labels = read_labels(data, frozenset())
    egfr = named(labels, "EGFR")
    assert egfr["NCCCCc1ccccc1"] == (9.0, 0)
    assert "NCCCCCc1ccccc1" not in egfr  # 6.0 and 8.5 contradict one another
    assert "NCCCCCCc1ccccc1" not in egfr  # 14 is an error of units
    assert labels.counts["egfr_chembl27"] == {
        "rows": 5,
        "not_readable": 1,
        "impossible": 1,
        "contradicting": 2,
        "replicates_merged": 0,
        "kept": 1,
    }
    for count in labels.counts.values():
        gone = sum(n for name, n in count.items() if name not in ("rows", "kept"))
        assert count["rows"] == count["kept"] + gone
    assert labels.counts[BLOCK]["rows"] == labels.counts["herg_ctoxpred"]["rows"], (
        "a row is two labels, each told of once"
    )


def test_a_herg_value_of_exactly_five_is_a_bound_and_no_blocker(data: Path) -> None:
    labels = read_labels(data, frozenset())
    herg, block = named(labels, "herg"), named(labels, "herg_block")
    bounds = {parent for parent, (value, relation) in herg.items() if relation == -1}
    assert bounds == {parent for parent, (value, _) in herg.items() if value == 5.0}
    assert len(bounds) == 52
    assert block == {parent: (float(value > 5.0), 0) for parent, (value, _) in herg.items()}


def test_an_assay_is_a_task_with_bounds_turned_round(data: Path) -> None:
    labels = read_labels(data, frozenset())
    tasks = {task.name: task for task in labels.tasks}
    assert tasks["CHEMBL1"].kind == tasks["CHEMBL2"].kind == "assay"
    assert not tasks["CHEMBL1"].shipped
    assert "CHEMBL3" not in tasks  # nine molecules
    weaker = [relation for _, relation in named(labels, "CHEMBL1").values()]
    assert (weaker.count(-1), weaker.count(0)) == (39, 117)  # an IC50 above a concentration is a pIC50 below a value
    assert {relation for _, relation in named(labels, "CHEMBL2").values()} == {1}
    assert np.array_equal(labels.bound, labels.relation == -1)
    assert np.array_equal(labels.lower, labels.relation == 1)
    assert labels.counts["fsmol_train"]["no_value"] == 1
    assert labels.counts["fsmol_train"]["too_few"] == 9


def test_shipped_endpoints_have_their_files(data: Path) -> None:
    labels = read_labels(data, frozenset())
    filled = {labels.tasks[i].name for i in set(labels.task.tolist())}
    assert {task.name for task in tox_tasks()} - filled == set(list(TOX21)[1:])  # the made-up Tox21 has one assay


def test_library_molecules_have_no_label_and_come_last(data: Path) -> None:
    labels = read_labels(data, frozenset())
    assert labels.library.sum() > 10
    assert not labels.library[labels.mol].any()
    assert labels.library[-1]
    assert len(set(labels.parents)) == len(labels.parents)


def test_auxiliary_targets_are_trained_on_and_not_shipped(data: Path) -> None:
    tasks = {task.name: task for task in read_labels(data, frozenset()).tasks}
    assert not tasks["CHEMBL9999"].shipped
    assert tasks["CHEMBL9999"].family == tasks["EGFR"].family == "kinase"


def test_a_missing_file_or_column_says_which(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"chembl22.csv.gz: no such file; give the folder"):
        read_labels(tmp_path, frozenset())
    path = tmp_path / "drugs.csv"
    path.write_text("name,structure\na,C\n")
    with pytest.raises(InputError, match=r"drugs.csv:1: columns missing: smiles; got name, structure"):
        demo_skeletons(path)
    path.write_text("name,smiles\na,C\nb,not one\n")
    with pytest.raises(InputError, match=r"expected SMILES that RDKit reads, got 'not one'"):
        demo_skeletons(path)
