"""One SMILES -> the one SMILES of its molecule, by RDKit: the steps of the recipes ``standard`` and ``tautomer``.

RDKit's own steps, called one after the other, take as long again. Here a step is left out where it cannot act, which the
text tells, fragments are parsed one by one, and RDKit reads its own SMILES again only where that can change it. Tests
hold the result against the steps called always.
"""

from __future__ import annotations

import re

import rdkit
from rdkit import Chem, RDLogger
from rdkit.Chem import rdqueries
from rdkit.Chem.MolStandardize import rdMolStandardize

RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]

VERSION: str = rdkit.__version__
UNPARSABLE = "RDKit cannot parse it"
INORGANIC = "no carbon atom"

_CHOOSER = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
_UNCHARGER = rdMolStandardize.Uncharger(canonicalOrder=True)
_CHARGE = re.compile(r"\[[^\]]*[-+]")
# Groups whose two charges stand side by side, so that nothing is to be neutralised: nitro groups and aromatic N-oxides.
_PAIRED = re.compile(
    r"\[N\+\]\(=O\)\[O-\]|\[O-\]\[N\+\]\(=O\)|O=\[N\+\]\(\[O-\]\)|\[N\+\]\(\[O-\]\)=O|\[n\+\]\(\[O-\]\)|\[O-\]\[n\+\]"
)
_UNUSUAL = re.compile(r"\[\d*(?![NnOoSsP](?:@@?)?H?\d?[-+])[^\]]*[-+]")  # a charged atom that is no N, O, S or P
_LONE = Chem.MolFromSmarts("[$([+1,+2,+3,+4;!$(*~[-1,-2,-3,-4])]),$([-1,-2,-3,-4;!$(*~[+1,+2,+3,+4])])]")
# Where RDKit's first SMILES may not be the one it writes after reading it again: the stereo of a ring that depends on itself
# (RDKit marks its atoms), and aromatic rings bridged into a large one, where the choice of rings depends on the order of atoms.
_UNSURE = rdqueries.HasPropQueryAtom("_ringStereochemCand")
_UNSURE.ExpandQuery(rdqueries.MinRingSizeGreaterQueryAtom(8), Chem.CompositeQueryType.COMPOSITE_OR)
_CARBON = Chem.MolFromSmarts("[#6]")
# What most salts hold beside their molecule: not worth parsing.
_SMALL = frozenset(("Cl", "Br", "I", "O", "[Cl-]", "[Br-]", "[I-]", "[Na+]", "[K+]"))

# Charge-separated drawings of groups that are also drawn without charges (or with them elsewhere): what their text has for
# certain, a pattern, what is added to the charges of its atoms, and the orders of the bonds from each atom to the next. The
# neutral drawing is the one chemists write; RDKit's Normalizer (normalizations.in) and ChEMBL's pipeline, which know the
# same groups, write sulfoxides with charges. The conditions on valence (v) see to it that no hydrogen is needed afterwards.
_SINGLE, _DOUBLE = Chem.BondType.SINGLE, Chem.BondType.DOUBLE
_SULFUR = "$([S,Se,Te;+1;X3;v3]),$([S,Se,Te;+1;X4;v5]),$([S,Se,Te;+2;X4;v4]),$([s,se;+1;X3])"
_PHOSPHORUS = "$([P,As;+1;X4;v4])"
_ON_SULFUR = r"\[\d*[SsPpAaTt]"
_DRAWINGS = [
    (re.compile(sign), Chem.MolFromSmarts(pattern), charges, bonds)
    for sign, pattern, charges, bonds in (
        # sulfoxides, sulfones, phosphine oxides, phosphates
        (_ON_SULFUR, f"[{_SULFUR},{_PHOSPHORUS}]-[O;-1;X1]", (-1, 1), (_DOUBLE,)),
        # sulfoximines, sulfilimines, phosphazenes
        (_ON_SULFUR, f"[{_SULFUR},{_PHOSPHORUS}]-[N;-1]", (-1, 1), (_DOUBLE,)),
        # phosphine sulfides
        (_ON_SULFUR, f"[{_PHOSPHORUS}]-[S,Se;-1;X1]", (-1, 1), (_DOUBLE,)),
        # azides, diazo compounds
        ("#", "[N,C;-1]-[N;+1]#[N;+0;X1]", (1, 0, -1), (_DOUBLE, _DOUBLE)),
        # amides, thioamides, amidines
        ("", "[O,S,N;-1]-[C;+0]=[N,O,S;+1]", (1, 0, -1), (_DOUBLE, _SINGLE)),
    )
]


def standard(text: str) -> tuple[str, str]:
    """(canonical SMILES of the largest organic fragment, redrawn and neutralised, "") or ("", reason)."""
    mol, part = _chosen(text)
    if mol is None or not mol.GetNumAtoms():
        return "", UNPARSABLE
    if ("+" in part or "-" in part) and _CHARGE.search(part):
        bare = _PAIRED.sub("", part)
        if _CHARGE.search(bare):
            mol = _neutral(mol, bare)
    if not mol.HasSubstructMatch(_CARBON):
        return "", INORGANIC
    written = Chem.MolToSmiles(mol)
    unsure = (part is text and "." in text) or mol.GetAtomsMatchingQuery(_UNSURE)
    return _settled(written) if unsure else written, ""


def _chosen(text: str) -> tuple[Chem.Mol | None, str]:
    """The largest organic fragment and its text; the whole text where RDKit had to parse it at once."""
    if "." not in text:
        return Chem.MolFromSmiles(text), text
    parts = () if " " in text or "\t" in text else sorted(set(text.split(".")) - _SMALL)
    # Parts that can be parsed alone are fragments: a ring or a branch that spans a dot would be open.
    mols = [mol for part in parts if part and (mol := Chem.MolFromSmiles(part))]
    if mols and len(mols) == len(parts):
        sizes = [mol.GetNumAtoms(onlyExplicit=False) if mol.HasSubstructMatch(_CARBON) else 0 for mol in mols]
        best = sizes.index(max(sizes))
        if sizes[best] and sizes.count(sizes[best]) == 1:
            return mols[best], parts[best]
    mol = Chem.MolFromSmiles(text)
    return mol if mol is None else _CHOOSER.choose(mol), text


def _neutral(mol: Chem.Mol, part: str) -> Chem.Mol:
    """The molecule redrawn and neutralised; ``part`` is its text, with all its charges."""
    if "+" in part and "-" in part:
        mol = _valid(_redrawn(mol, part), mol, part)
    if mol.HasSubstructMatch(_LONE):
        # A carbanion in an aromatic ring or a charged metal has no neutral form with a valid SMILES: it stays charged.
        mol = _valid(_UNCHARGER.uncharge(mol), mol, part)
    return mol


def _valid(changed: Chem.Mol, mol: Chem.Mol, part: str) -> Chem.Mol:
    """``changed`` as RDKit would read its SMILES, or ``mol`` where it could not."""
    if changed is mol:
        return mol
    if _UNUSUAL.search(part):  # sanitising is not enough to tell
        again = Chem.MolFromSmiles(Chem.MolToSmiles(changed))
        return mol if again is None else again
    if Chem.SanitizeMol(changed, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return mol
    if any(sign in part for sign in "@/\\"):
        Chem.AssignStereochemistry(changed, cleanIt=True, force=True)
    return changed


def _redrawn(mol: Chem.Mol, part: str) -> Chem.Mol:
    """The molecule with its charge-separated groups drawn as in ``_DRAWINGS``; itself if there are none."""
    drawn = mol
    for sign, pattern, charges, bonds in _DRAWINGS:
        while sign.search(part) and (match := drawn.GetSubstructMatch(pattern)):
            drawn = Chem.RWMol(drawn)
            atoms = [drawn.GetAtomWithIdx(i) for i in match]
            if any(atom.GetIsAromatic() for atom in atoms):
                Chem.Kekulize(drawn, clearAromaticFlags=True)
            for atom, change in zip(atoms, charges, strict=True):
                atom.SetFormalCharge(atom.GetFormalCharge() + change)
            for first, second, order in zip(match[:-1], match[1:], bonds, strict=True):
                bond = drawn.GetBondBetweenAtoms(first, second)
                bond.SetBondType(order)
                bond.SetStereo(Chem.BondStereo.STEREONONE)
                bond.SetBondDir(Chem.BondDir.NONE)
            drawn.UpdatePropertyCache(strict=False)
    return drawn


def _settled(text: str) -> str:
    """The SMILES that RDKit writes after reading it. Where it goes back and forth between several (rings as for ``_UNSURE``,
    a spiro[3.3]heptane with its axis of chirality), the most aromatic of them, so that there is one."""
    seen = [text]
    while len(seen) < 9:
        mol = Chem.MolFromSmiles(seen[-1])
        again = seen[-1] if mol is None else Chem.MolToSmiles(mol)
        if again in seen:
            return max(seen[seen.index(again) :], key=lambda text: (sum(map(str.islower, text)), text))
        seen.append(again)
    return seen[-1]


def _enumerator() -> rdMolStandardize.TautomerEnumerator:
    """RDKit's rules, scores and limits.

    Double bonds that move lose their stereo, since it belongs to one tautomer: guanidines drawn both ways are one. Centres
    keep theirs: by RDKit's rules all amino acids and profens would enolise and lose it. A molecule for which a limit is
    reached gets the best tautomer found until then; these few are not their own canonical tautomer.
    """
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(1000)
    enumerator.SetMaxTransforms(1000)
    enumerator.SetRemoveSp3Stereo(False)
    enumerator.SetRemoveBondStereo(True)
    enumerator.SetReassignStereo(True)
    return enumerator


_ENUMERATOR = _enumerator()


def tautomer(text: str) -> tuple[str, str]:
    """(canonical SMILES of RDKit's canonical tautomer of the standard form, "") or ("", reason)."""
    text, reason = standard(text)
    if reason:
        return "", reason
    return _settled(Chem.MolToSmiles(_ENUMERATOR.Canonicalize(Chem.MolFromSmiles(text)))), ""
