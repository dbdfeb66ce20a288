"""Alerts and SMARTS as programs, entry by entry, against RDKit's own catalogues and HasSubstructMatch."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from rdkit import Chem

from drylab.errors import InputError
from drylab.featurize import alerts, reference
from drylab.kernels.substructure import ASK, NO, YES
from drylab.types import PARSED
from tests.featurize.smarts_maker import PRIMITIVES, random_smarts
from tests.molecules import AWKWARD, DRUGS
from tests.real import data_files, smiles_of

NAMES = ("pains", "brenk", "nih")
THINNED = {"quinazoline_1M.csv.gz": 400, "dude_decoys_by_id.tsv.gz": 400}
# What is rare in a library: metals, isotopes, hydrogens as atoms, cages, crowns, phosphorus, long chains, dots.
RARE = [
    "C[Hg]C", "CC[Pb](CC)(CC)CC", "[2H]C([2H])([2H])O", "[2H]c1ccccc1", "C[As](C)O", "C[Si](C)(C)OB(O)O", "c1cc[se]c1", "C[Te]C",
    "C1COCCOCCOCCOCCOCCO1", "c1ccc2cc3cc4cc5ccccc5cc4cc3cc2c1", "C12C3C4C1C5C2C3C45", "C1CCCCCC1", "C1CCCCCCC1", "C1=CC2=CC=CC2=C1",
    "C(C(C(C(C(C(CO)O)O)O)O)O)O", "FC(F)(F)C(F)(F)C(F)(F)C(F)(F)F", "IC(I)(I)I", "O=C=O", "N=C=O", "CN=C=S", "C=C=O", "CC(=O)OC(C)=O",
    "COP(=O)(OC)OC", "CP(C)(C)=O", "O=S(=O)(Cl)c1ccccc1", "[O-][N+](=O)c1ccc(cc1)[N+](=O)[O-]", "CC(=O)C(=O)C", "OO", "COOC", "NN", "N=N",
    "CCCCCCCCCCCCCCCC", "C1CN1", "C1CO1", "C1CS1", "O=C1OCC1", "O=C1C=CC(=O)C=C1", "Oc1ccccc1O", "[Na+].[Cl-]", "[Fe+2]", "*C", "C$C", "[H][H]",
]  # fmt: skip


def parsed(smiles: Sequence[str]) -> list[Chem.Mol]:
    return [mol for mol in reference.parse(smiles) if mol is not None and 0 < mol.GetNumAtoms() <= reference.MAX_ATOMS]


def real(most: int, every: int = 41) -> list[Chem.Mol]:
    """Molecules of every file of the shared data: each ``every``-th, fewer of the largest files, at most so many each."""
    if not data_files():
        pytest.skip("the public data sets (../shared/data) are not here")
    return parsed([s for file in data_files() for s in smiles_of(file, THINNED.get(file.name, every), most)])


def held_to_the_catalogue(mols: list[Chem.Mol]) -> float:
    """Assert that every entry agrees on every molecule; the share of molecules for which any entry asks RDKit."""
    compiled, catalog = alerts.compiled(NAMES), reference.alert_catalog(NAMES)
    graphs = reference.graphs(mols)
    codes, some = compiled.match(graphs), compiled.any_match(graphs)
    names = np.array(compiled.names)
    for mol, row, any_code in zip(mols, codes, some, strict=True):
        # Some entries share a name: names are counted.
        want = Counter(entry.GetDescription() for entry in catalog.GetMatches(mol))
        yes, ask = Counter(names[row == YES].tolist()), Counter(names[row == ASK].tolist())
        assert not yes - want, f"{Chem.MolToSmiles(mol)}: RDKit finds no {yes - want}"
        assert not want - yes - ask, f"{Chem.MolToSmiles(mol)}: RDKit finds {want - yes}"
        assert any_code == (YES if yes else ASK if ask else NO), Chem.MolToSmiles(mol)
    return float((codes == ASK).any(axis=1).mean())


def test_every_entry_of_the_catalogues_is_compiled_exactly() -> None:
    catalog, compiled = reference.alert_catalog(NAMES), alerts.compiled(NAMES)
    assert compiled.names == tuple(catalog.GetEntryWithIdx(i).GetDescription() for i in range(catalog.GetNumEntries()))
    assert compiled.inexact == ()
    assert len(compiled.names) > 700


def test_the_awkward_ones_agree_with_rdkit() -> None:
    held_to_the_catalogue(parsed([*DRUGS, *AWKWARD, *RARE]))


def test_a_sample_of_every_file_agrees_with_rdkit() -> None:
    assert held_to_the_catalogue(real(8)) < 0.01


@pytest.mark.slow
def test_fifty_thousand_molecules_agree_with_rdkit() -> None:
    mols = real(2500, 11)
    assert len(mols) > 50_000
    asked = sum(held_to_the_catalogue(mols[i : i + 5000]) * len(mols[i : i + 5000]) for i in range(0, len(mols), 5000))
    assert asked / len(mols) < 0.002


def held_to_has_substruct_match(smarts: list[str], mols: list[Chem.Mol]) -> int:
    """Assert that no code contradicts RDKit; how many pairs were answered with YES."""
    compiled = alerts.patterns(tuple(smarts))
    codes = compiled.match(reference.graphs(mols))
    inexact = set(compiled.inexact)
    for k, text in enumerate(smarts):
        query = reference.pattern(text)
        for mol, code in zip(mols, codes[:, k].tolist(), strict=True):
            matches = mol.HasSubstructMatch(query)
            assert code in ((YES, ASK) if matches else (NO, ASK)), (
                f"{text} in {Chem.MolToSmiles(mol)}: {code}, RDKit {matches}"
            )
            assert not (text in inexact and code == YES)
    return int((codes == YES).sum())


ATOMS = [
    f"[{text}]"
    for text in (
        *PRIMITIVES,
        "#1",
        "H",
        "2H",
        "13C",
        "!13C",
        "r4",
        "r9",
        "r18",
        "r19",
        "k12",
        "R7",
        "D9",
        "X9",
        "H9",
        "+3",
        "-4",
        "v9",
    )
]
SHAPES = ["C", "C-C", "C=C", "C#C", "C:C", "C~C", "C@C", "C!@C", "C-,=C", "C->[Fe]", "C$C", "F/C=C/F", "N[C@H](C)O", "[C;R](=O)[N;!R]", "C.O", "[O].[O].[O].[O].[O]", "[CH2].[CH2].[CH2].[CH2]", "c1ccccc1", "C1CC1", "*1****1", "*1*****1.*1****1", "[#6]12~*~*~*~*~1~*~*~2", "[!*]", "[!C;!N;!c]", "[!$(C(=O)O);!$(CN)]", "[$(C(=O)O)]~[$(CN),$(OC)]", "[$([$([$(CO)])])]", "[O;!$(*~*~*~*)]", "[C,c;$(*~*~*~*~*)]", "[$([#6]~[#6]~[#6]);$([#6]~[#8])]", "[!#6;!#7;!#8;!H0]", "[C;!$([CH3]);!$(C~[!#6])]", "[2H]C", "[#1]", "[#0]"]  # fmt: skip


def test_each_primitive_and_shape_agrees_with_rdkit() -> None:
    mols = parsed([*DRUGS, *AWKWARD, *RARE, "C(C)(C)" * 80 + "O", "C(F)(F)" * 60 + "Cl"])
    assert held_to_has_substruct_match([*ATOMS, *SHAPES], mols) > 1000


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_random_smarts_agree_with_rdkit(seed: int) -> None:
    rng = random.Random(seed)
    mols = parsed([*DRUGS, *AWKWARD, *RARE]) if seed == 1 else real(40)
    smarts = [random_smarts(rng.choice(mols), rng) for _ in range(250 if seed == 1 else 2000)]
    assert held_to_has_substruct_match(smarts, mols if seed == 1 else rng.sample(mols, 150)) > 1000


def test_what_cannot_be_told_is_asked() -> None:
    inexact = ["[C^2]", "[C;z1]", "C->[Fe]", "[!13C]"]
    assert alerts.patterns(("C", *inexact, "[C;!$([C^2])]")).inexact == (*inexact, "[C;!$([C^2])]")
    graphs = reference.graphs(reference.parse(["CC", "N", "C" * 300, ""]))
    codes = alerts.patterns(("[C^2]", "C")).match(graphs)
    assert codes.tolist() == [[ASK, YES], [NO, NO], [ASK, ASK], [ASK, ASK]]
    assert graphs.status[1] == PARSED


def test_no_molecules_no_queries_and_no_catalogue() -> None:
    none = reference.graphs([])
    assert alerts.alerts(none, ("nih",)).shape == (0, len(alerts.compiled(("nih",)).names))
    assert alerts.compiled(("nih",)).any_match(none).shape == (0,)
    two = reference.graphs(reference.parse(["C", "C" * 300]))
    assert alerts.patterns(()).match(two).shape == (2, 0)
    assert alerts.patterns(()).any_match(two)[0] == NO
    assert alerts.entry_query(b"22 serialization::archive 20 1 1\nsomething else") is None
    with pytest.raises(InputError, match="not a SMARTS"):
        alerts.compile_smarts("C(")


def test_too_large_a_query_is_left_to_rdkit() -> None:
    deep = "C"
    for _ in range(20):
        deep = f"[$({deep}O)]"
    assert alerts.compile_smarts("C" * 200) is None
    compiled = alerts.patterns(("C" * 200, "C", deep))
    assert compiled.inexact[0] == "C" * 200
    codes = compiled.match(reference.graphs(reference.parse(["C" * 210])))
    assert codes[0, :2].tolist() == [ASK, YES]
    assert codes[0, 2] != YES


def test_user_rules_are_those_of_the_target_file() -> None:
    rules = alerts.patterns(("[N+](=O)[O-]", "c1ccccc1"))
    codes = rules.match(reference.graphs(reference.parse(["C[N+](=O)[O-]", "Cc1ccccc1", "CC"])))
    assert codes.tolist() == [[YES, NO], [NO, YES], [NO, NO]]
