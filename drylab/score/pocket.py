"""The ATP site of a protein kinase: 85 positions, the same in every kinase, found in a sequence by alignment to known ones.

The positions are those of KLIFS (van Linden 2014, 10.1021/jm400378w), which numbers the residues around the ATP site: 17
is the catalytic lysine, 45 the gatekeeper, 81 to 83 DFG. The sites of nine kinases of all groups, as KLIFS gives them, are
laid along a sequence; the stretches between their pieces differ in length and cost the same however long they are. The
site that fits best says which residue stands where. A protein in which none fits is no protein kinase, and has no site.

Residues of the site predict which kinases share inhibitors better than whole sequences do (Born 2022,
10.1021/acs.jcim.1c00889); docs/targets-from-sequence.md says how much here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drylab.score.align import AMINO_ACIDS, Placed, blosum62, place

POSITIONS = 85
GAP = 12  # cost of a stretch between two pieces
FITS = (
    100  # a site scores more than this in every protein kinase of ChEMBL 22's targets, and less in all but two others
)
BEFORE, AFTER = 15, 140  # residues of a kinase domain that lie before and behind its ATP site: the rest of the C-lobe
_CONSERVED = {
    17: "K",
    70: "D",
    81: "D",
}  # those two (mTOR, DNA-PK) are no protein kinases by these: two of three must be there
_KNOWN = {
    "EGFR": "KVLGSGAFGTVYKVAIKELEILDEAYVMASVDPHVCRLLGIQLITQLMPFGCLLDYVREYLEDRRLVHRDLAARNVLVITDFGLA",
    "ABL1": "HKLGGGQYGEVYEVAVKTLEFLKEAAVMKEIKPNLVQLLGVYIITEFMTYGNLLDYLREYLEKKNFIHRDLAARNCLVVADFGLS",
    "CDK2": "EKIGEGTYGVVYKVALKKITAIREISLLKELNPNIVKLLDVYLVFEFLH-QDLKKFMDAFCHSHRVLHRDLKPQNLLILADFGLA",
    "MAPK14": "SPVGSGAYGSVCAVAVKKLRTYRELRLLKHMKENVIGLLDVYLVTHLMG--ADLNNIVKYIHSADIIHRDLKPSNLAVILDFGLA",
    "PRKACA": "KTLGTGSFGRVMLYAMKILHTLNEKRILQAVNPFLVKLEFSYMVMEYVPGGEMFSHLRRYLHSLDLIYRDLKPENLLIVTDFGFA",
    "BRAF": "QRIGSGSFGTVYKVAVKMLAFKNEVGVLRKTRVNILLFMGYAIVTQWCEGSSLYHHLHIYLHAKSIIHRDLKSNNIFLIGDFGLA",
    "AURKA": "RPLGKGKFGNVYLLALKVLQLRREVEIQSHLRPNILRLYGYYLILEYAPLGTVYRELQKYCHSKRVIHRDIKPENLLLIADFGWS",
    "CHEK1": "QTLGEGAYGEVQLVAVKIVNIKKEICINKMLNENVVKFYGHYLFLEYCSGGELFDRIEVYLHGIGITHRDIKPENLLLISDFGLA",
    "CSNK2A1": "RKLGRGKYSEVFEVVVKILKIKREIKILENLGPNIITLADIALVFEHVN-NTDFKQLYQYCHSMGIMHRDVKPHNVMILIDWGLA",
}


def site(sequence: str) -> str:
    """The 85 residues of a cleaned sequence's ATP site, "-" where one is missing; "" for what is no protein kinase."""
    return _found(sequence)[0]


def domain(sequence: str) -> str:
    """The part of a cleaned sequence that is its kinase domain, by the place of its ATP site; all of it without a site."""
    text, where = _found(sequence)
    return sequence[max(0, where.start - BEFORE) : where.end + AFTER] if text else sequence


def _found(sequence: str) -> tuple[str, Placed]:
    """The site, "" for none, and where the known one that fits best was laid."""
    known = max((place(text.replace("-", ""), sequence, GAP).score, name, text) for name, text in _KNOWN.items())[2]
    best = place(known.replace("-", ""), sequence, GAP)
    beside = iter(best.letters)
    found = "".join("-" if letter == "-" else next(beside) for letter in known)
    kept = sum(found[position - 1] == letter for position, letter in _CONSERVED.items())
    return found if best.score >= FITS and kept >= 2 else "", best


def likenesses(x: Sequence[str], y: Sequence[str]) -> NDArray[np.float64]:
    """(n, m) likeness of sites, 1 to itself: the mean over positions of how alike the residues are by BLOSUM62.

    Without a site a protein is like nothing: 0 to everything, itself too. Positive semi-definite.
    """
    return _features(x) @ _features(y).T


def _features(sites: Sequence[str]) -> NDArray[np.float64]:
    """(n, 85 * 21) unit rows: for each position the residue's eigenvector coordinates, or a mark for a missing one."""
    values, vectors = np.linalg.eigh(blosum62())
    letters = vectors * np.sqrt(np.maximum(values, 0.0))
    table = np.zeros((len(AMINO_ACIDS) + 1, 21))
    table[:-1, :20] = letters / np.linalg.norm(letters, axis=1, keepdims=True)
    table[-1, 20] = 0.5  # that both miss a residue says less than that both have the same
    found = np.zeros((len(sites), POSITIONS * 21))
    for row, text in enumerate(sites):
        if text:
            places = [AMINO_ACIDS.index(letter) if letter in AMINO_ACIDS else -1 for letter in text]
            found[row] = table[places].ravel()
            found[row] /= np.linalg.norm(found[row])
    return found
