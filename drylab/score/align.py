"""How alike two protein sequences are: Smith-Waterman, normalised so that a sequence is 1 to itself.

    similarity(a, b) = s(a, b) / sqrt(s(a, a) s(b, b))        0 to 1; s: local alignment score, BLOSUM62, gap 11 + (k - 1)

A gap of k residues costs 11 + (k - 1): parasail, like BLAST, counts the opening as the first residue's cost. (Smith 1981,
10.1016/0022-2836(81)90087-5; Yamanishi 2008, 10.1093/bioinformatics/btn162 for the normalisation.) The alignments are
parasail's (Daily 2016, 10.1186/s12859-016-0930-z), and this is the only file that knows it.

Letters: the twenty amino acids and B, Z, X, *. Selenocysteine (U) counts as C, pyrrolysine (O) as K, J (I or L) as L, and
every other letter as X. Case does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import parasail  # type: ignore[import-untyped]
from numpy.typing import NDArray

from drylab.errors import InputError

GAP_OPEN, GAP_EXTEND = 11, 1
LETTERS = "ARNDCQEGHILKMFPSTWYVBZX*"  # BLOSUM62's own order
AMINO_ACIDS = LETTERS[:20]
_CLOSEST = {"U": "C", "O": "K", "J": "L"}
_ANY = str.maketrans({chr(i): _CLOSEST.get(chr(i), "X") for i in range(128) if chr(i) not in LETTERS})
_LONGEST = 40_000  # residues; titin has 34,350


def blosum62() -> NDArray[np.float64]:
    """(20, 20) scores of the amino acids, in the order of AMINO_ACIDS (Henikoff 1992, 10.1073/pnas.89.22.10915)."""
    matrix: NDArray[np.float64] = np.array(parasail.blosum62.matrix, np.float64)[:20, :20]
    return matrix


def clean(sequence: str, where: str = "sequence") -> str:
    """A protein sequence in the letters of BLOSUM62, spaces and line ends gone. Raises InputError, starting with ``where``."""
    text = "".join(sequence.split()).upper()
    if not text or len(text) > _LONGEST:
        raise InputError(f"{where}: {len(text):,} residues; expected 1 to {_LONGEST:,} one-letter codes of a protein")
    if not text.isascii() or not all(letter.isalpha() or letter == "*" for letter in text):
        wrong = next(letter for letter in text if not (letter.isascii() and (letter.isalpha() or letter == "*")))
        raise InputError(f"{where}: {wrong!r} is no amino acid; expected one-letter codes, without a FASTA header")
    return text.translate(_ANY)


def similarities(x: Sequence[str], y: Sequence[str] | None = None) -> NDArray[np.float64]:
    """(n, m) similarity of n cleaned sequences with m others; of all with all (n, n) where there are no others."""
    own = np.array([score(a, a) for a in x], np.float64)
    if y is not None:
        found = np.array([[score(a, b) for b in y] for a in x], np.float64).reshape(len(x), len(y))
        other = np.array([score(b, b) for b in y], np.float64)
        return found / np.sqrt(np.outer(own, other))
    found = np.diag(own)
    for i, a in enumerate(x):
        found[i, i + 1 :] = [score(a, b) for b in x[i + 1 :]]
    found = np.maximum(found, found.T)
    return found / np.sqrt(np.outer(own, own))


def score(a: str, b: str) -> int:
    """The best local alignment of two cleaned sequences."""
    result = parasail.sw_striped_16(a, b, GAP_OPEN, GAP_EXTEND, parasail.blosum62)
    if result.saturated:
        result = parasail.sw_striped_32(a, b, GAP_OPEN, GAP_EXTEND, parasail.blosum62)
    # A sequence of nothing but X has no score of its own; 1 keeps it unlike everything, and divides.
    return max(int(result.score), 1)


@dataclass(frozen=True, slots=True)
class Placed:
    """A pattern laid along a sequence: its score, and for every letter of the pattern the one beside it, "-" for none.

    The pattern lies along sequence[start:end].
    """

    score: int
    letters: str
    start: int
    end: int


def place(pattern: str, sequence: str, gap: int) -> Placed:
    """The whole of a pattern along a part of a sequence; a gap costs ``gap`` however long it is.

    Made for patterns that are pieces of a protein with the stretches between them left out.
    """
    result = parasail.sg_dx_trace_striped_16(pattern, sequence, gap, 0, parasail.blosum62)
    query, beside = result.traceback.query, result.traceback.ref
    letters = "".join(b for a, b in zip(query, beside, strict=True) if a != "-")
    start, end = len(query) - len(query.lstrip("-")), len(query.rstrip("-"))
    return Placed(int(result.score), letters, start, end - beside[:end].count("-"))
