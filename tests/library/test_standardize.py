"""The recipes, held against RDKit's own steps applied always; what they give is valid and is its own standard form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from drylab.errors import InputError
from drylab.library.keys import flat
from drylab.library.standardize import (
    EMPTY,
    INORGANIC,
    LONGEST,
    TOO_LONG,
    UNPARSABLE,
    recipe,
    standardize,
    standardize_texts,
    written_alike,
)
from tests.real import data_files, rows_of, smiles_of

# RDKit's first SMILES of this one is not what it writes after reading it again.
UNSETTLED = (
    "COC(=O)CC[C@@H](C)[C@H]1CC[C@H]2[C@H]3[C@H](CC[C@@]21C)[C@@]1(C)CC[C@]2(C[C@H]1C[C@H]3OC(C)=O)"
    "OOC1(CC[C@@H](C)CC1)OO2"
)
EXPECTED = {
    "CC(=O)[O-].[Na+]": "CC(=O)O",
    "[H+].[Cl-].C[NH3+]": "CN",
    "[NH3+]CC(=O)[O-]": "NCC(=O)O",
    "C[N+](C)(C)CC(=O)[O-]": "C[N+](C)(C)CC(=O)[O-]",
    "[O-][N+](=O)c1ccccc1": "O=[N+]([O-])c1ccccc1",
    "OC[c-]1cccc1": "OC[c-]1cccc1",
    "[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1": "c1cc[cH-]c1",
    "CC(=O)[O-].CC(=O)[O-].[Ca+2]": "CC(=O)O",
    "[2H]C([2H])([2H])[O-]": "[2H]C([2H])([2H])O",
    "[13CH3][NH3+]": "[13CH3]N",
    "C[C@H](N)C(=O)O.Cl": "C[C@H](N)C(=O)O",
    "F/C=C/F": "F/C=C/F",
    "[CH3]": "[CH3]",
    "CN->[Pt](Cl)(Cl)<-NC": "C[NH2]->[Pt]([Cl])([Cl])<-[NH2]C",
    "C1=CC=CC=C1": "c1ccccc1",
    "[Cu+2]12[N-](C)CC[N-]1.C2": "C[N-]1CC[N-][Cu+2]<-1[CH3]",
}
# Pairs of charges that are also drawn without (or elsewhere): the one standard form, and writings of it.
DRAWN = {
    "CS(C)=O": ["C[S+](C)[O-]", "[O-][S+](C)C"],
    "CC[S@](C)=O": ["C[S@@+](CC)[O-]", "[O-][S@+](CC)C", "C[S@@](CC)=O"],
    "CS(C)(=O)=O": ["C[S+2]([O-])([O-])C", "C[S+](=O)([O-])C"],
    "CS(=O)O": ["C[S+]([O-])[O-]", "C[S+](O)[O-]", "CS(=O)[O-].[Na+]"],
    "CS(N)=O": ["C[S+]([O-])N"],
    "C[Se](C)=O": ["C[Se+](C)[O-]"],
    "O=S1C=CC=C1": ["[O-][s+]1cccc1", "C1=CC=C[S+]1[O-]"],
    "NC1=NS(=O)N=C1N": ["Nc1n[s+]([O-])nc1N"],
    "CN=S(C)C": ["C[S+](C)[N-]C"],
    "CS(C)(=N)=O": ["C[S+](C)(=O)[NH-]", "C[S+](C)(=N)[O-]", "C[S+2](C)([O-])[NH-]"],
    "CP(C)(C)=O": ["C[P+](C)(C)[O-]"],
    "COP(=O)(O)OC": ["CO[P+]([O-])([O-])OC", "CO[P+](O)([O-])OC"],
    "CP(C)(C)=S": ["C[P+](C)(C)[S-]"],
    "CN=P(C)(C)C": ["C[P+](C)(C)[N-]C"],
    "C[As](C)(C)=O": ["C[As+](C)(C)[O-]"],
    "CN=[N+]=[N-]": ["C[N-][N+]#N", "CN=N#N", "CN=[N]#N"],
    "C=[N+]=[N-]": ["[CH2-][N+]#N", "C=N#N"],
    "CC(=O)C=[N+]=[N-]": ["CC(=O)[CH-][N+]#N"],
    "CC(=O)N(C)C": ["CC([O-])=[N+](C)C"],
    "CNC(C)=S": ["CC([S-])=[NH+]C"],
    "C[N+](C)(C)[O-]": ["CN(C)(C)=O"],
    "CC#[N+][O-]": ["CC#N=O"],
    "[O-][n+]1ccccc1": ["c1ccn(=O)cc1", "C1=CC=C[N+]([O-])=C1"],
    "O=[N+]([O-])c1ccccc1": ["c1ccccc1N(=O)=O", "O=[N+]([O-])c1ccccc1.Cl"],
    "CC(=O)[CH-][S+](C)C": ["CC(=O)[CH-][S+](C)C"],
}
# Fragments, charges and rings that the text alone does not settle.
TRICKY = [
    "Cl.CC |^1:1|",
    "CC.Cl |^1:0|",
    "C1CC.C1",
    "C1.O1CC",
    "CC(.Cl)C",
    "C.",
    "C..C",
    "CCO.CCN",
    "CCO.OCC",
    "CC.[Fe+2].[O-]C=O",
    "C%11.C%11",
    "O=C(O)CC.CCC(=O)[O-].[NH3+]CC.[Na+]",
    "C[C@H](C(=O)[O-])C(=O)O",
    "C[C@H](C(=O)[O-])C(=O)O.C",
    "C[N@@H+]1CC[C@H](O)CC1",
    "C1=C[NH2+]C=C1",
    "[Ni+2].c1cc[cH-]c1.c1cc[cH-]c1",
    "c1cc2cc3ccc(cc4ccc(cc5ccc(cc1o2)[o+]5)o4)[o+]3",
    "C1=C/COCc2cc(ccc2OCCN2CCCC2)Nc2nccc(n2)-c2ccc(s2)COC/1",
    "CN1C(=O)/C(=C/[C@@]2(C)N3C[C@@]4(C)C[N@]2C[C@@](C)(C3)C4=O)c2ccccc21",
    "N[C@]1(C(F)(F)F)CC2(C[C@@H](C(=O)O)C2)C1",
    "C[N+](C)(C)CCOP(=O)([O-])OC",
    "C[S+](C)(C)[O-]",
    "C/C=[S+]/[O-]",
    "C[N-]/C(C)=[N+](\\C)CC",
    "O=[N+]([O-])C[O-]",
]
ODD = [
    *EXPECTED,
    *DRAWN,
    *(text for drawings in DRAWN.values() for text in drawings),
    *TRICKY,
    UNSETTLED,
    *(
        "[Na]C",
        "C[Mg]Br",
        "*C",
        "C~C",
        "C$C",
        "[CH3+]",
        "C1=C[CH+]C=CC=C1",
        "[C-]1=CC=CC1",
        "[C+15]",
        "[CH2-]C",
        "C[S+](C)[O-]",
    ),
    *(
        "C[N+]#[C-]",
        "C[N-][N+]#N",
        "CC[O+](CC)CC.F[B-](F)(F)F",
        "[O-]C(=O)C1=CC=CC=C1[Hg+]",
        "[C@SP1](F)(Cl)(Br)I",
        "C |^1:0|",
    ),
]
REFUSED = {
    "": EMPTY,
    "C1CC": UNPARSABLE,
    "c1cccc1": UNPARSABLE,
    "CC>>CC": UNPARSABLE,
    "C\0C": UNPARSABLE,
    "\ud800": UNPARSABLE,
    "C\u00e9": UNPARSABLE,
    "(" * 1000: UNPARSABLE,
    "[Fe]": INORGANIC,
    "O": INORGANIC,
    "[NH4+].[Cl-]": INORGANIC,
    "C" * (LONGEST + 1): TOO_LONG,
}


def one(text: str, name: str = "standard") -> tuple[str, str]:
    return standardize_texts([text], name)[0]


def holds(text: str, name: str = "standard") -> None:
    smiles, reason = one(text, name)
    assert bool(smiles) != bool(reason)
    if smiles:
        assert smiles.isascii()
        assert Chem.MolFromSmiles(smiles) is not None
        assert one(smiles, name) == (smiles, "")


def always(text: str) -> list[str]:
    """RDKit's steps, none left out, and its own SMILES read until they stay, or come back: then RDKit has several."""
    mol = rdMolStandardize.LargestFragmentChooser(preferOrganic=True).choose(Chem.MolFromSmiles(text))
    neutral = Chem.MolToSmiles(rdMolStandardize.Uncharger(canonicalOrder=True).uncharge(mol))
    seen = [Chem.MolToSmiles(mol) if Chem.MolFromSmiles(neutral) is None else neutral]
    while (again := Chem.MolFromSmiles(seen[-1])) is not None and (written := Chem.MolToSmiles(again)) not in seen:
        seen.append(written)
    return seen if again is None else seen[seen.index(written) :]


def is_drawn_otherwise(text: str) -> bool:
    """Whether the recipe may redraw a group of this molecule: then RDKit's own steps, which do not, may differ from it."""
    return bool(re.search(r"\[(S|s|Se|P|As)[@H\d]*\+|\[(N|C)H?\d?-|=\[NH?\d?\+\](?!\(?\[O-\])", text))


def hydrogens_less_charge(text: str) -> tuple[dict[int, int], int]:
    """(element -> atoms, hydrogens - charge), which neutralising and redrawing keep."""
    mol = Chem.AddHs(rdMolStandardize.LargestFragmentChooser(preferOrganic=True).choose(Chem.MolFromSmiles(text)))
    elements = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    heavy = {element: elements.count(element) for element in elements if element > 1}
    return heavy, elements.count(1) - Chem.GetFormalCharge(mol)


@pytest.mark.parametrize("text", EXPECTED)
def test_known_molecules(text: str) -> None:
    assert one(text) == (EXPECTED[text], "")


@pytest.mark.parametrize("text", DRAWN)
def test_drawings_of_one_molecule_have_one_form(text: str) -> None:
    for drawing in (text, *DRAWN[text]):
        assert one(drawing) == (text, "")
        for seed in range(5):
            mol = Chem.MolFromSmiles(drawing)
            assert one(Chem.MolToRandomSmilesVect(mol, 1, seed)[0]) == (text, "")


@pytest.mark.parametrize("text", ODD)
def test_odd_molecules_have_a_standard_form(text: str) -> None:
    holds(text)


@pytest.mark.parametrize("name", ["standard", "tautomer"])
@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:12]))
def test_refused(text: str, name: str) -> None:
    assert one(text, name) == ("", REFUSED[text])


def test_a_refused_row_keeps_its_place() -> None:
    done = standardize(*flat(["C", "x", "CC", ""]), "standard")
    assert done.offsets.tolist() == [0, 1, 1, 3, 3]
    assert done.data.tobytes() == b"CCC"
    assert done.reasons == {1: UNPARSABLE, 3: EMPTY}


_TOKENS = st.sampled_from(
    [
        *"CNOScnos()[]123=#-+.:/\\@%H|$ ",
        "Cl",
        "[nH]",
        "[O-]",
        "[NH3+]",
        "[Na+]",
        "[c-]",
        "[C@H]",
        "[C@@]",
        "c1ccccc1",
        "->",
        "[Fe]",
        "[S+]",
        "[S@+]",
        "[N-]",
        "[N+]",
        "[P+]",
        "C([O-])",
        "(=O)",
    ]
)


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=20), st.lists(_TOKENS, max_size=14).map("".join)))
@example("C |$a|")
def test_any_text_is_a_molecule_or_a_reason(text: str) -> None:
    holds(text)


MIXTURES = st.lists(st.sampled_from([text for text in ODD if "|" not in text]), min_size=1, max_size=3).map(".".join)


@settings(max_examples=200)
@given(MIXTURES)
def test_any_mixture_has_a_standard_form(text: str) -> None:
    holds(text)


@settings(max_examples=200)
@given(MIXTURES)
def test_only_protons_and_other_fragments_are_lost(text: str) -> None:
    smiles, _ = one(text)
    if smiles:
        (heavy, protons), (heavy_before, protons_before) = hydrogens_less_charge(smiles), hydrogens_less_charge(text)
        assert heavy == heavy_before
        # RDKit makes a carbocation neutral by a hydride, and leaves none in a radical.
        assert protons == protons_before or re.search(r"\[CH?\d?\+|\[C\+15", text)


@settings(max_examples=200)
@given(MIXTURES)
def test_steps_are_left_out_only_where_they_do_nothing(text: str) -> None:
    smiles, _ = one(text)
    if smiles and not is_drawn_otherwise(text):
        assert smiles in always(text)


def equals_the_reference(texts: list[str]) -> None:
    results = standardize_texts(texts)
    for text, (smiles, reason) in zip(texts, results, strict=True):
        assert reason == INORGANIC or (Chem.MolFromSmiles(text) is None) == bool(reason)
        if smiles and not is_drawn_otherwise(text):
            assert smiles in always(text)
    kept = [(smiles, "") for smiles, _ in results if smiles]
    assert standardize_texts([smiles for smiles, _ in kept]) == kept
    assert len(kept) > 0.9 * len(texts)


@pytest.mark.parametrize("file", ["chembl_10k.smi.gz", "drugs.smi.gz", "natural_products_50k.smi.gz", "zinc_a.smi.gz"])
def test_equals_the_reference_on_real_molecules(file: str) -> None:
    equals_the_reference(rows_of(f"libraries/{file}")[7:9000:30])


@pytest.mark.slow
@pytest.mark.parametrize("file", data_files(), ids=lambda file: file.name)
def test_equals_the_reference_on_many_more(file: Path) -> None:
    equals_the_reference(sorted(set(smiles_of(file, every=7, most=3000))))


# -- none ------------------------------------------------------------------------------------------------------------------


def plain(text: str) -> tuple[str, str]:
    """Recipe ``none``, character by character."""
    if not text:
        return "", EMPTY
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        return "", TOO_LONG
    head = next((text[:i] for i, sign in enumerate(text) if ord(sign) <= 32), text)
    rest = text[len(head) :]
    extended = rest[:1] in " \t" and len(rest.strip(" \t")) > 1 and rest.lstrip(" \t")[0] == rest[-1] == "|"
    return (head, "") if text.isascii() and "\0" not in text and (not rest or extended) else ("", UNPARSABLE)


_PIECES = st.sampled_from([*"CNO()1=# |\t\n\r\0\x7f", "é", "c1ccccc1", " |$a b$|", " |", "| ", "C" * LONGEST])


@settings(max_examples=300)
@given(st.lists(st.lists(_PIECES, max_size=5).map("".join), max_size=6))
@example(["C |", "C ||", "C | |", "C  \t|x|", "C |é|", "", " |x|", "C |x| "])
def test_none_keeps_the_text(texts: list[str]) -> None:
    assert standardize_texts(texts, "none") == [plain(text) for text in texts]


def test_none_is_the_writing_of_the_vendor() -> None:
    assert standardize_texts(["OCC", "CCO", "C1CC", "[Na+].[Cl-]"], "none") == [
        ("OCC", ""), ("CCO", ""), ("C1CC", ""), ("[Na+].[Cl-]", ""),
    ]  # fmt: skip


def test_how_many_are_written_alike() -> None:
    data, offsets = flat(["OCC", "CCO", "C1CC", "CC(=O)[O-].[Na+]"] * 25)
    assert written_alike(data, offsets, 1000, 7) == (100, 25)
    asked, alike = written_alike(data, offsets, 40, 7)
    assert asked == 40
    assert 0 < alike < 40
    assert written_alike(data, offsets, 40, 7) == (asked, alike)
    assert written_alike(*flat([]), 40, 7) == (0, 0)


# -- tautomer --------------------------------------------------------------------------------------------------------------

TAUTOMERS = {
    "O=c1cccc[nH]1": ["Oc1ccccn1", "O=c1cccc[nH]1", "O=C1C=CC=CN1"],
    "Cc1c[nH]cn1": ["Cc1cnc[nH]1", "Cc1c[nH]cn1"],
    "CC(=O)CC(C)=O": ["CC(O)=CC(C)=O", "C/C(O)=C/C(C)=O"],
    "CCC(C)=O": ["C/C(O)=C/C", "C=C(O)CC"],
    "CCN=C(N)NC": ["CCNC(=N)NC", "CCN/C(N)=N/C", "CCN/C(N)=N\\C", "CCNC(NC)=[NH2+]"],
    "Oc1ccccc1": ["O=C1C=CC=CC1", "[O-]c1ccccc1.[Na+]"],
    "C[C@H](N)C(=O)O": ["C[C@H]([NH3+])C(=O)[O-]"],
    "CC(C)Cc1ccc([C@H](C)C(=O)O)cc1": ["CC(C)Cc1ccc(cc1)[C@H](C)C(=O)O"],
    "CC(=O)C[C@H](C)O": ["C[C@H](O)CC(C)=O", "C[C@H](O)C=C(C)O"],
    "CN(C)C/C=C/C(N)=O": ["CN(C)C/C=C/C(N)=O"],
    "CS(C)=O": ["C[S+](C)[O-]"],
}


@pytest.mark.parametrize("text", TAUTOMERS)
def test_tautomers_of_one_molecule_have_one_form(text: str) -> None:
    assert {one(drawing, "tautomer") for drawing in (text, *TAUTOMERS[text])} == {(text, "")}


@pytest.mark.parametrize("text", ODD)
def test_odd_molecules_have_a_canonical_tautomer(text: str) -> None:
    holds(text, "tautomer")


def test_tautomers_of_real_molecules_stay() -> None:
    """Only molecules for which no limit is reached."""
    texts = [text for text in rows_of("libraries/chembl_10k.smi.gz")[::200] if len(text) < 60]
    once = standardize_texts(texts, "tautomer")
    assert standardize_texts([smiles for smiles, _ in once], "tautomer") == once
    assert standardize_texts([smiles for smiles, _ in once], "standard") == once


# -- recipes ---------------------------------------------------------------------------------------------------------------


def test_recipes_have_versions() -> None:
    assert [(recipe(name)["name"], recipe(name)["version"]) for name in ("none", "standard", "tautomer")] == [
        ("none", "1"), ("standard", "2"), ("tautomer", "1"),
    ]  # fmt: skip
    with pytest.raises(InputError, match="recipe 'x' is not known; choose one of none, standard, tautomer"):
        recipe("x")
