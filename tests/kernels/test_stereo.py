"""Stereo marks as written against what RDKit's MolFromSmiles ends with: tags, directions, and R and S."""

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

from drylab.featurize import reference
from drylab.kernels.stereo import (
    DECLINED_BOND,
    DECLINED_CENTRE,
    DECLINED_HYDROGENS,
    DECLINED_RANKS,
    EXACT,
    stereo_flat,
)
from drylab.types import MolGraphs
from tests.molecules import AWKWARD
from tests.real import rows_of

FILES = ("natural_products_50k.smi.gz", "zinc_a.smi.gz", "zinc_b.smi.gz", "chembl_10k.smi.gz", "drugs.smi.gz")

# What the rules turn on; RDKit's answer is looked up, not typed.
CASES = [
    # kept, dropped for equal or for too few substituents, dropped for flat or fast atoms
    "N[C@@H](C)C(=O)O", "C[C@H](C)O", "C[C@](C)(N)O", "C[C@H2]O", "C[C@@H]=CC", "C[C@@](F)=O", "[C@H](F)(Cl)Br",
    "OC[C@H](C)O", "CC[C@H](CO)CC=O", "C[N@](CC)CCC", "C[N@+](CC)(CCC)CCCC", "C[N@H+](CC)CCC", "CC(=O)[N@](C)CC",
    "C[S@](=O)CC", "C[S@@+]([O-])CC", "C[S@](=O)(=N)CC", "C[S@@](=O)(=O)C", "C[P@](CC)CCC", "C[P@](=O)(O)OC", "C[P@H]CC",
    "C[Si@](F)(Cl)Br", "C[Si@H](F)Cl", "C[Ge@](F)(Cl)Br", "C[Se@](=O)CC", "O=c1[n@H]cccc1", "C[B@-](F)(Cl)O",
    # isotopes and phosphorus in the ranks
    "C[C@H]([13CH3])O", "[2H][C@H](C)O", "C[C@]([2H])([3H])O", "C[C@H](P(=O)(O)O)CP", "CC[C@H](OP(C)(C)=O)OP(C)C",
    "[2H]C[C@H](C)C([2H])[2H]", "C[C@H]([35ClH])Cl",
    # ring nitrogen: aziridine, bridgehead, fused, conjugated
    "C[N@]1C[C@@H]1C", "C[C@H]1C[N@@]2CCC1CC2", "C1CC[N@]2CCC[C@H]2C1", "CN1[C@@H]2CC[C@H]1CC2", "C1[N@]2CN3CN1CN(C2)C3",
    "C[N@]1CC1=O", "C=C[C@H]1C[N@]2CC[C@H]1C[C@@H]2[C@@H](O)c1ccncc1",
    # ring stereo, alone and with labels beside
    "C[C@H]1CC[C@@H](C)CC1", "C[C@H]1CC[C@](C)(O)CC1", "C[C@H]1CCC(C)CC1", "C[C@@H]1CC[C@@H](CC1)C(=O)N[C@H](C)C=O",
    "C[C@H]1CC2CCCC3CCCC(C1)[C@@H]23", "C1C[C@@]2(CC[C@H]1O)CC[C@@H](O)CC2", "C[C@H]1C[C@@H](C)C1", "O[C@H]1[C@H](O)[C@H](O)C1",
    "C[C@]12CC[C@](C)(CC1)CC2", "C1C[C@@H]2C[C@H]1C2", "C[C@H]1C[C@H](O)C[C@@H](C)C1", "F[C@H]1CC[C@@H](c2ccccc2)CC1",
    # dependent and meso centres
    "C[C@H](O)[C@H](O)[C@@H](C)O", "C[C@H](O)[C@@H](O)[C@H](C)O", "O[C@H](C)[C@@](F)(Cl)[C@@H](C)O", "C[C@H](O)C(F)[C@@H](C)O",
    "C/C=C/[C@H](O)/C=C\\C", "C/C=C/[C@H](O)/C=C/C", "C[C@H](Cl)/C(F)=C(/F)[C@@H](C)Cl", "C/C=C/C(/C=C\\C)=C/F",
    # double bonds: both ends, one end, contradictions, rings, hydrogens, chains of them
    "F/C=C/F", "F/C=C\\F", "F/C=CF", "C/C=C", "F/C(Cl)=C(/Br)I", "F/C(/Cl)=C/F", "F/C(\\Cl)=C/F", "C/C(C)=C/F", "CC/C(CC)=C/F",
    "C/C=N/O", "C/C=N/N=C/C", "CN=N/C", "C/N=N/C", "C/C=[N+](/C)CC", "C/C=C/C=C/C", "C/C=C/C=CC", "C/C=C=C/C", "F/CC/F",
    "C1C/C=C/CC1", "C1CCC/C=C/CCC1", "C1CC/C=C/CC1", "C1CC/C=C\\CCC1", "C/C1=C/CCCCCC1", "C\\C=C1/CCCC(C)C1", "C/C=C1/CCCCC1",
    "[H]/N=C/C", "[H]/N=C(/C)CC", "[H]/C=C/F", "[2H]/C=C/F", "C/C=S/C", "C/P=C/C", "C/C=P(/C)(C)CC", "O=S/C=C/C",
    # directions on aromatic bonds
    "Cc1cc/c(C)cc1", "c1ccccc1/c1ccccc1", "O=c1/c(=C/C)s/c(=N\\C)n1C", "Cc1n/c(=N/C)s1", "c1ccc2/c(c1)/C=C/CC\\2", "C1=C/C=C\\C=C/1",
    # parse state and limits
    "C", "[Na+]", "C[C@H](F)Cl", "C[C@@]", "C[C@H]", "[C@@H]1CC1", "F[S@@](F)(F)(F)(F)C", "C[C@H](S(F)(F)(F)(F)F)CF",
    "C[C@H](" + "C" * 100 + ")" + "C" * 101 + "F", "C[C@H](" + "C" * 100 + "F)" + "C" * 101 + "F", "C" * 251 + "[C@H](F)Cl",
    "C[C@](F)([*H])[*]", "*C[C@H](C*)CC", "C[C@H](C1CC1)C1CC=C1", "OC(=O)[C@@H](c1ccccc1)c1ccncc1",
]  # fmt: skip


def written(smiles: list[str]) -> tuple[MolGraphs, MolGraphs, np.ndarray, list[str]]:
    """Graphs with marks as written, graphs as RDKit ends, RDKit's labels, and the texts that have them."""
    params = Chem.SmilesParserParams()
    params.sanitize, params.removeHs = False, False
    texts, mols, tags, directions = [], [], [], []
    for text in smiles:
        mol, raw = Chem.MolFromSmiles(text), Chem.MolFromSmiles(text, params)
        if mol is None or mol.GetNumAtoms() > reference.MAX_ATOMS:
            continue
        # A hydrogen atom that RDKit removes takes marks with it: the parser's matter. So are map numbers.
        if raw.GetNumAtoms() != mol.GetNumAtoms() or any(a.GetAtomMapNum() for a in mol.GetAtoms()):
            continue
        assert [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in raw.GetBonds()] == [
            (b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in mol.GetBonds()
        ]
        texts.append(text)
        mols.append(mol)
        tags += [reference._CHIRALITY.get(a.GetChiralTag(), 0) for a in raw.GetAtoms()]
        directions += [reference._DIRECTION.get(b.GetBondDir(), 0) for b in raw.GetBonds()]
    want = reference.graphs(mols)
    labels = [
        {"R": 1, "S": 2}[a.GetProp("_CIPCode")] if a.HasProp("_CIPCode") else 0 for m in mols for a in m.GetAtoms()
    ]
    marked = replace(want, chirality=np.array(tags, np.uint8), direction=np.array(directions, np.uint8))
    return marked, want, np.array(labels, np.uint8), texts


def mutated(text: str, rng: random.Random) -> str:
    """The text with stereo marks put in, taken away or turned at a few places."""
    parts = re.findall(r"\[[^\]]*\]|.", text)
    for _ in range(rng.randint(1, 4)):
        k = rng.randrange(len(parts))
        if parts[k] in ("C", "N", "S", "P"):
            parts[k] = rng.choice(["/{}", "\\{}", "[{}@H]", "[{}@@H]", "[{}@]", "[{}@@]"]).format(parts[k])
        elif parts[k] in ("/", "\\"):
            parts[k] = rng.choice(["/", "\\", ""])
        elif "@" in parts[k]:
            parts[k] = rng.choice([parts[k].replace("@", ""), parts[k].replace("@@", "@")])
        elif parts[k] in ("c", "n", "O", "F", "Cl", "(") and k:
            parts[k] = rng.choice("/\\") + parts[k]
    return "".join(parts)


def sample(file: str, count: int, marked: bool = True) -> list[str]:
    texts = rows_of(f"libraries/{file}")
    if marked:
        texts = [text for text in texts if re.search(r"[@/\\]", text)]
    return random.Random(7).sample(texts, min(count, len(texts)))


def check(smiles: list[str]) -> np.ndarray:
    """Codes, after comparing everything that was not declined with RDKit, with labels and without."""
    marked, want, labels, texts = written(smiles)
    for with_labels in (False, True):
        chirality, direction, found, codes = stereo_flat(marked, with_labels)
        for i in np.flatnonzero(codes == EXACT):
            atoms, bonds = slice(*want.atom_ptr[i : i + 2]), slice(*want.bond_ptr[i : i + 2])
            np.testing.assert_array_equal(chirality[atoms], want.chirality[atoms], err_msg=texts[i])
            np.testing.assert_array_equal(direction[bonds], want.direction[bonds], err_msg=texts[i])
            if with_labels:
                np.testing.assert_array_equal(found[atoms], labels[atoms], err_msg=texts[i])
    return codes


def test_the_rules_one_by_one() -> None:
    check(CASES)


def test_awkward_texts() -> None:
    check([text for text in AWKWARD if text])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("C1[N@]2CN3CN1CN(C2)C3", DECLINED_CENTRE),  # bridgehead of more than two rings
        ("C[C@](C)F", DECLINED_CENTRE),  # a radical
        ("C[S@H]C", DECLINED_HYDROGENS),
        ("Cc1cc/c(C)cc1", DECLINED_BOND),
        ("C[C@H](F)CN->[Fe]", DECLINED_BOND),
        ("C[C@H](CCCCCCS(F)(F)(F)(F)F)CCCCCCS(F)(F)(F)(F)F", DECLINED_RANKS),
        ("[60Fe]CCC[C@H](C)CCC[60Fe]", DECLINED_RANKS),
        ("C[C@H](F)CS(F)(F)(F)(F)F", EXACT),  # plain to the hashes: no ranks needed
        ("Cc1n/c(=N/C)s1", EXACT),
    ],
)
def test_what_is_declined(text: str, code: int) -> None:
    marked, _, _, texts = written([text])
    assert texts == [text]
    assert stereo_flat(marked)[3].tolist() == [code]


@pytest.mark.parametrize("file", FILES)
def test_library_texts(file: str) -> None:
    codes = check(sample(file, 250))
    assert np.count_nonzero(codes != EXACT) <= 1


@pytest.mark.parametrize("file", FILES[:3])
def test_random_writings(file: str) -> None:
    texts = sample(file, 120)
    again = [Chem.MolToSmiles(Chem.MolFromSmiles(text), doRandom=True) for text in texts]
    codes = check(again)
    assert np.count_nonzero(codes != EXACT) <= 1


@pytest.mark.parametrize("file", FILES[:3])
def test_mutated_writings(file: str) -> None:
    rng = random.Random(11)
    codes = check([mutated(text, rng) for text in sample(file, 300, marked=False)])
    assert np.count_nonzero(codes == EXACT) > 50


def test_cleaning_twice_is_cleaning_once() -> None:
    marked, _, _, _ = written(CASES)
    chirality, direction, labels, codes = stereo_flat(marked, with_labels=True)
    again = stereo_flat(replace(marked, chirality=chirality, direction=direction), with_labels=True)
    done = np.repeat(codes == EXACT, np.diff(marked.atom_ptr))
    np.testing.assert_array_equal(again[0][done], chirality[done])
    np.testing.assert_array_equal(again[2][done], labels[done])
    np.testing.assert_array_equal(again[3], codes)


def test_a_mirror_image_keeps_the_same_centres() -> None:
    marked, _, _, _ = written(CASES)
    mirror = replace(marked, chirality=np.where(marked.chirality > 0, 3 - marked.chirality, 0).astype(np.uint8))
    chirality, direction, _, codes = stereo_flat(marked)
    mirrored, mirrored_direction, _, mirrored_codes = stereo_flat(mirror)
    np.testing.assert_array_equal(mirrored_codes, codes)
    done = np.repeat(codes == EXACT, np.diff(marked.atom_ptr))
    np.testing.assert_array_equal(mirrored[done], np.where(chirality > 0, 3 - chirality, 0)[done])
    done = np.repeat(codes == EXACT, np.diff(marked.bond_ptr))
    np.testing.assert_array_equal(mirrored_direction[done], direction[done])


def test_no_molecules_and_molecules_without_atoms() -> None:
    for mols in ([], [None], [None, Chem.MolFromSmiles("C")]):
        chirality, direction, _, codes = stereo_flat(reference.graphs(mols))
        assert not chirality.any()
        assert not direction.any()
        assert codes.tolist() == [EXACT] * len(mols)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_whole_libraries(file: str) -> None:
    rng = random.Random(13)
    texts = sample(file, 20_000)
    codes = check(texts)
    assert np.count_nonzero(codes != EXACT) <= 0.001 * len(codes)
    check([mutated(text, rng) for text in sample(file, 20_000, marked=False)])
