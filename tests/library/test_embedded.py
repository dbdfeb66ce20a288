"""The embedded demo library, held against RDKit: its reaction engine, its parser, its formulas."""

from __future__ import annotations

import random
from itertools import chain

import pytest
from rdkit import Chem, RDLogger
from rdkit.Chem import AllChem, Crippen, Descriptors, rdMolDescriptors

from drylab.library import embedded
from drylab.library.embedded import RULES, Rule

RDLogger.DisableLog("rdApp.*")

AMINE = "[NX3;H2,H1;!$(N[C,S]=[O,S]):9]"
COUPLE = {
    "amide": f"[CX3:1](=[O:2])[OX2H1].{AMINE}>>[C:1](=[O:2])[N:9]",
    "sulfonamide": f"[S:1](=[O:2])(=[O:3])Cl.{AMINE}>>[S:1](=[O:2])(=[O:3])[N:9]",
    "urea": f"[N:1]=[C:2]=[O:3].{AMINE}>>[N:1][C:2](=[O:3])[N:9]",
    "snar": f"[c:1]Cl.{AMINE}>>[c:1][N:9]",
    "suzuki": "[c:1]Br.[#6:9]B(O)O>>[c:1]-[#6:9]",
    "buchwald": f"[c:1]Br.{AMINE}>>[c:1][N:9]",
    "reductive": f"[CX3H1:1]=O.{AMINE}>>[CH2:1][N:9]",
    "ether": "[CX4H2:1]Br.[c:8][OX2H1:9]>>[C:1][O:9][c:8]",
    "mitsunobu": "[CX4:1][OX2H1].[c:8][OX2H1:9]>>[C:1][O:9][c:8]",
    "alkylation": "[CX4H2:1]Br.[nH:9]>>[C:1][n;H0:9]",
    "click": "[#6:1][N:2]=[N+:3]=[N-:4].[CH:5]#[C:6]>>[#6:1][N:2]1[CH:5]=[C:6][N+0:4]=[N+0:3]1",
}
# Each route as the steps a chemist would run: (reaction, position of the next reagent in the rule's list).
STEPS = {
    "snar2": [("snar", 1), ("snar", 2)],
    "snar-amide": [("snar", 1), ("amide", 2)],
    "sulfonyl-amide": [("sulfonamide", 1), ("amide", 2)],
    "amine-amide": [("snar", 1), ("amide", 2)],
    "biaryl-amide": [("suzuki", 1), ("amide", 2)],
}
FORMULAS = {
    "gefitinib": "C22H24ClFN4O3",
    "erlotinib": "C22H23N3O4",
    "lapatinib": "C29H26ClFN4O4S",
    "osimertinib": "C28H33N7O2",
    "afatinib": "C24H25ClFN5O3",
    "imatinib": "C29H31N7O",
    "dasatinib": "C22H26ClN7O2S",
    "olaparib": "C24H23FN4O3",
    "atorvastatin": "C33H35FN2O5",
    "rivaroxaban": "C19H18ClN3O5S",
    "sildenafil": "C22H30N6O4S",
    "aspirin": "C9H8O4",
    "caffeine": "C8H10N4O2",
    "morphine": "C17H19NO3",
    "dexamethasone": "C22H29FO5",
    "sitagliptin": "C16H15F6N5O",
}


@pytest.fixture(scope="module")
def products() -> list[tuple[str, str]]:
    return list(embedded.products())


@pytest.fixture(scope="module")
def sample(products: list[tuple[str, str]]) -> list[tuple[str, Chem.Mol | None]]:
    return [(name, Chem.MolFromSmiles(smiles)) for name, smiles in random.Random(7).sample(products, 5_000)]


def _react(reaction: str, first: Chem.Mol, second: Chem.Mol) -> list[Chem.Mol]:
    """Every product RDKit finds, sanitised; those its engine cannot sanitise are left out."""
    found = AllChem.ReactionFromSmarts(COUPLE[reaction]).RunReactants((first, second))
    return [mol for (mol,) in found if Chem.SanitizeMol(mol, catchErrors=True) == Chem.SanitizeFlags.SANITIZE_NONE]


def _oracle(rule: Rule, reagents: list[Chem.Mol]) -> set[str]:
    """Canonical SMILES of all that RDKit can make of the reagents by the rule's route."""
    made = [reagents[0]]
    for reaction, partner in STEPS.get(rule.name, [(rule.name, 1)]):
        made = list(chain.from_iterable(_react(reaction, mol, reagents[partner]) for mol in made))
    return {Chem.MolToSmiles(mol) for mol in made}


def test_every_block_is_one_molecule_and_named_once():
    blocks = embedded.blocks()
    mols = {block.id: Chem.MolFromSmiles(block.smiles) for block in blocks}
    assert [name for name, mol in mols.items() if mol is None] == []
    assert len(mols) == len(blocks) >= 400
    assert not any("." in block.smiles for block in blocks)
    assert len({(block.role, Chem.MolToSmiles(mols[block.id])) for block in blocks}) == len(blocks)


def test_every_block_serves_a_rule():
    served = {role for rule in RULES for roles in rule.roles for role in roles}
    assert {block.role for block in embedded.blocks()} == served


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_makes_what_the_reaction_engine_makes(rule: Rule):
    every = list(embedded.combinations(rule))
    chosen = random.Random(rule.name).sample(every, 300)
    wrong = []
    for blocks in chosen:
        smiles = rule.join(*(block.smiles for block in blocks))
        made = _oracle(rule, [Chem.MolFromSmiles(block.smiles) for block in blocks])
        if Chem.CanonSmiles(smiles) not in made:
            wrong.append((smiles, [block.smiles for block in blocks], sorted(made)))
    assert wrong == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_never_repeats_a_combination(rule: Rule):
    every = [tuple(block.id for block in blocks) for blocks in embedded.combinations(rule)]
    total = 1
    for place in embedded.reagents(rule):
        total *= len(place)
    assert len(every) == len(set(every)) == min(rule.take or total, total)


def test_ids_are_unique_and_texts_many(products: list[tuple[str, str]]):
    assert len({name for name, _ in products}) == len(products)
    assert len({smiles for _, smiles in products}) >= 120_000


def test_the_order_is_fixed_and_mixes_the_rules(products: list[tuple[str, str]]):
    assert list(embedded.products()) == products
    first = {name.rsplit("-", 2)[0] for name, _ in products[:200]}
    assert len(first) >= len(RULES) // 2


def test_products_are_whole_molecules(sample: list[tuple[str, Chem.Mol | None]]):
    assert [name for name, mol in sample if mol is None] == []
    assert [name for name, mol in sample if len(Chem.GetMolFrags(mol)) != 1] == []
    elements = {atom.GetSymbol() for _, mol in sample for atom in mol.GetAtoms()}
    assert elements <= {"C", "N", "O", "S", "F", "Cl", "Br", "P", "I"}


def test_products_are_drug_like(sample: list[tuple[str, Chem.Mol]]):
    weights = [Descriptors.MolWt(mol) for _, mol in sample]
    assert 120 < min(weights) < max(weights) < 700
    assert sum(200 <= weight <= 600 for weight in weights) >= 0.9 * len(sample)
    assert sum(_keeps_rule_of_five(mol) for _, mol in sample) >= 0.85 * len(sample)


def _keeps_rule_of_five(mol: Chem.Mol) -> bool:
    return (
        Descriptors.MolWt(mol) <= 500
        and Crippen.MolLogP(mol) <= 5
        and rdMolDescriptors.CalcNumLipinskiHBD(mol) <= 5
        and rdMolDescriptors.CalcNumLipinskiHBA(mol) <= 10
    )


def test_no_reactive_group_is_left(sample: list[tuple[str, Chem.Mol]]):
    left = {
        "acid chloride": "[C,S](=O)Cl",
        "isocyanate": "N=C=O",
        "azide": "N=[N+]=[N-]",
        "boronic acid": "B(O)O",
        "carboxylic acid": "C(=O)[OX2H1]",
        "aldehyde": "[CX3H1](=O)[#6]",
        "alkyl bromide": "[CX4]Br",
    }
    queries = {name: Chem.MolFromSmarts(smarts) for name, smarts in left.items()}
    found = [(name, group) for name, mol in sample for group, query in queries.items() if mol.HasSubstructMatch(query)]
    assert found == []


def test_anilinoquinazolines_are_present_but_rare(sample: list[tuple[str, Chem.Mol]]):
    query = Chem.MolFromSmarts("c1ccccc1[NH]c1ncnc2ccccc12")
    found = sum(mol.HasSubstructMatch(query) for _, mol in sample)
    assert 0 < found < 0.01 * len(sample)


@pytest.mark.slow
def test_distinct_molecules(products: list[tuple[str, str]]):
    distinct = {Chem.CanonSmiles(smiles) for _, smiles in products}
    assert len(distinct) >= 120_000


def test_drugs_parse_and_are_named_once():
    drugs = embedded.drugs()
    assert len(drugs) >= 140
    assert len({drug.name for drug in drugs}) == len(drugs)
    assert [drug.name for drug in drugs if Chem.MolFromSmiles(drug.smiles) is None] == []
    assert len({Chem.CanonSmiles(drug.smiles) for drug in drugs}) == len(drugs)
    assert not any("." in drug.smiles for drug in drugs)
    assert not any(" " in symbol for drug in drugs for symbol in drug.targets)


def test_the_egfr_drugs_are_there():
    egfr = {drug.name for drug in embedded.drugs() if "EGFR" in drug.targets}
    assert {"gefitinib", "erlotinib", "lapatinib", "afatinib", "osimertinib", "dacomitinib", "neratinib"} <= egfr
    assert len(egfr) >= 8
    assert not {"imatinib", "dasatinib", "sunitinib"} & egfr


@pytest.mark.parametrize(("name", "formula"), FORMULAS.items())
def test_formula(name: str, formula: str):
    smiles = {drug.name: drug.smiles for drug in embedded.drugs()}[name]
    assert rdMolDescriptors.CalcMolFormula(Chem.MolFromSmiles(smiles)) == formula


def test_rows_are_products_then_drugs(products: list[tuple[str, str]]):
    rows = list(embedded.rows())
    assert rows[: len(products)] == products
    assert rows[len(products) :] == [(drug.name, drug.smiles) for drug in embedded.drugs()]
    assert len({name for name, _ in rows}) == len(rows)
