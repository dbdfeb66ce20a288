"""Alignment against a plain dynamic programme, and the laws of a similarity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.errors import InputError
from drylab.score import align

EGFR = "MRPSGTAGAALLALLAALCPASRALEEKKVCQGTSNKLTQLGTFEDHFLSLQRMFNNCEVVLGNLEITYVQRNYDLSFLKTIQEVAGYVLIALNTVERIPLENLQIIRG"
proteins = st.text(alphabet=align.LETTERS, min_size=1, max_size=25)


def gotoh(a: str, b: str) -> int:
    """Local alignment with affine gaps, cell by cell (Gotoh 1982, 10.1016/0022-2836(82)90398-9)."""
    import parasail

    matrix, index = np.array(parasail.blosum62.matrix), {letter: i for i, letter in enumerate(align.LETTERS)}
    low = -(10**6)
    best, (h, e) = 0, ([0] * (len(b) + 1), [low] * (len(b) + 1))
    for x in a:
        corner, left, f = 0, 0, low
        row = [0]
        for j, y in enumerate(b, 1):
            e[j] = max(e[j] - align.GAP_EXTEND, h[j] - align.GAP_OPEN)
            f = max(f - align.GAP_EXTEND, left - align.GAP_OPEN)
            left = max(0, corner + int(matrix[index[x], index[y]]), e[j], f)
            corner = h[j]
            row.append(left)
            best = max(best, left)
        h = row
    return best


@settings(max_examples=150, deadline=None)
@given(proteins, proteins)
def test_score_is_that_of_a_plain_programme(a: str, b: str) -> None:
    assert align.score(a, b) == max(gotoh(a, b), 1)


def test_real_sequences_with_gaps_score_as_the_plain_programme() -> None:
    shortened = EGFR[:40] + EGFR[55:90] + "WWW" + EGFR[90:]
    assert align.score(EGFR, shortened) == gotoh(EGFR, shortened) > 400


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet=align.AMINO_ACIDS, min_size=1, max_size=30), min_size=1, max_size=5))
def test_similarity_is_one_to_itself_symmetric_and_at_most_one(sequences: list[str]) -> None:
    found = align.similarities(sequences)
    assert np.array_equal(np.diag(found), np.ones(len(sequences)))
    assert np.array_equal(found, found.T)
    assert np.array_equal(found, align.similarities(sequences, sequences))
    assert ((found > 0) & (found <= 1)).all()


def test_a_long_sequence_does_not_overflow_sixteen_bits() -> None:
    long = EGFR * 100
    assert align.score(long, long) == 100 * align.score(EGFR, EGFR) > 2**15


@pytest.mark.parametrize(("said", "read"), [("mk u\nOJ", "MKCKL"), ("ABZX*", "ABZX*")], ids=["odd letters", "kept"])
def test_letters_outside_the_matrix_are_read_as_their_closest(said: str, read: str) -> None:
    assert align.clean(said) == read


BAD = {
    "empty": "",
    "space": "  \n",
    "header": ">sp|P00533\nMRPS",
    "digit": "MK4",
    "accent": "MKé",
    "long": "M" * 40_001,
}


@pytest.mark.parametrize("said", list(BAD.values()), ids=list(BAD))
def test_what_is_no_sequence_is_refused_by_name(said: str) -> None:
    with pytest.raises(InputError, match=r"^target\.yaml:3: .*expected"):
        align.clean(said, "target.yaml:3")


def test_a_pattern_in_pieces_is_found_whatever_stands_between_them() -> None:
    placed = align.place("KVLGSGAFGTVDFGLAKLL", "AAAA" + "KVLGSGAFGTV" + "P" * 70 + "DFGLAKLL" + "AAA", gap=12)
    assert placed.letters == "KVLGSGAFGTVDFGLAKLL"
    assert (placed.start, placed.end) == (4, 4 + 11 + 70 + 8)
    assert placed.score == align.place("KVLGSGAFGTVDFGLAKLL", "KVLGSGAFGTVPDFGLAKLL", gap=12).score
