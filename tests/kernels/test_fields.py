"""Records and cells against Python's csv module and the plain definition of a line, on texts made to be misread."""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drylab.kernels.fields import TRAILING, UNCLOSED, WHOLE, Cut, cells, cut, sdf_cut, sdf_records, words
from drylab.kernels.gather import gathered

COMMA = ord(",")
NASTY = st.text(st.sampled_from('"",,\n\n\r a\tb\0é'), max_size=40)
LINES = st.lists(st.sampled_from(['"a"', "b", ",", '"x\n""y"', "\n", "\r\n", "\r", " ", '"",', ","]), max_size=12).map(
    "".join
)
PARTS = st.one_of(NASTY, LINES)


def by_csv(text: str) -> tuple[list[tuple[int, list[str]]], bool]:
    """((line, cells) of every row, whether the text is CSV to its end), by the standard library."""
    reader, found, line = csv.reader(io.StringIO(text, newline=""), strict=True), [], 0
    try:
        for row in reader:
            if row:
                found.append((line, row))
            line = reader.line_num
    except csv.Error:
        return found, False
    return found, True


def by_kernel(data: bytes, quoted: bool = True) -> tuple[list[tuple[int, list[str]]], int]:
    """The same, with the fault."""
    piece = cut(data, COMMA, quoted, False, True)
    text = data[: piece.end]
    width = text.count(b",") + 1
    begin, end, marks, lines = cells(text, np.arange(width), piece.records, COMMA, quoted)
    rows = []
    for i in range(piece.records):
        there = int((begin[:, i] >= 0).sum())
        assert (begin[there:, i] < 0).all()
        flat, offsets = gathered(text, begin[:there, i].copy(), end[:there, i].copy(), marks[:there, i].copy())
        rows.append((int(lines[i]), [flat[offsets[k] : offsets[k + 1]].tobytes().decode() for k in range(there)]))
    return rows, piece.fault


@given(PARTS)
@example('"a"b\n')
@example('x,"a\r\nb"\r\n"')
@example('""\n"""",\r')
def test_cells_are_those_of_the_csv_module(text: str) -> None:
    wanted, whole = by_csv(text)
    found, fault = by_kernel(text.encode())
    assert found == [(line, [cell.encode().strip().decode() for cell in row]) for line, row in wanted]
    assert (fault == WHOLE) == whole


@given(PARTS, st.integers(0, 5))
def test_a_limit_stops_before_what_is_wrong_behind_it(text: str, limit: int) -> None:
    wanted, _ = by_csv(text)
    piece = cut(text.encode(), COMMA, True, False, True, limit)
    assert piece.records == min(limit, len(wanted))
    assert piece.fault == WHOLE or len(wanted) < limit
    assert by_csv(text.encode()[: piece.end].decode())[0] == wanted[:limit]


@given(PARTS, st.booleans(), st.booleans(), st.integers(1, 9))
def test_pieces_of_a_text_hold_the_rows_of_the_whole(text: str, quoted: bool, words: bool, step: int) -> None:
    data = text.encode()
    whole = cut(data, COMMA, quoted, words, True)
    records, lines, rest, at = 0, 0, b"", 0
    while True:
        rest += data[at : at + step]
        at += step
        piece = cut(rest, COMMA, quoted, words, at >= len(data))
        records, lines, rest = records + piece.records, lines + piece.lines, rest[piece.end :]
        if at >= len(data) or piece.fault == TRAILING:
            break
    assert (records, lines, piece.fault) == (whole.records, whole.lines, whole.fault)
    assert not whole.fault or lines - piece.lines + piece.line == whole.line


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a\nb,"c\nd\n', Cut(2, 1, 1, UNCLOSED, 1)),
        ('a\n"b\n\n",x"\n"y\n', Cut(11, 2, 4, UNCLOSED, 4)),
        ('a\n\n"b"c,\n', Cut(3, 1, 2, TRAILING, 2)),
        ('"a\nb","c"d', Cut(0, 0, 0, TRAILING, 1)),
    ],
)
def test_a_fault_is_named_by_the_line_of_its_quote(text: str, found: Cut) -> None:
    assert cut(text.encode(), COMMA, True, False, True) == found


def plain_lines(data: bytes) -> list[bytes]:
    return re.split(rb"\r\n|\r|\n", data)


@given(PARTS)
def test_without_quotes_a_record_is_a_line(text: str) -> None:
    data = text.encode()
    wanted = [
        (i, [cell.strip().decode() for cell in line.split(b",")]) for i, line in enumerate(plain_lines(data)) if line
    ]
    assert by_kernel(data, quoted=False)[0] == wanted


SMI = st.lists(st.sampled_from(["CC", " ", "\t", "|a|", "|", "x y", "\n", "\r\n", "\r", "\v", "\0", "é"]), max_size=14)


@given(SMI.map("".join))
@example("C |a\tb| c d\te")
@example("C\t |a|")
def test_words_are_a_smiles_and_an_id(text: str) -> None:
    data, wanted = text.encode(), []
    for i, line in enumerate(plain_lines(data)):
        parts = line.strip().split(None, 1)
        if parts:
            rest = parts[1] if len(parts) > 1 else b""
            shut = rest.find(b"|", 1) if rest.startswith(b"|") else -1
            smiles, rest = (parts[0] + b" " + rest[: shut + 1], rest[shut + 1 :]) if shut > 0 else (parts[0], rest)
            wanted.append((i, smiles, rest.strip().split(b"\t")[0].strip()))
    piece = cut(data, 0, False, True, True)
    assert (piece.records, piece.end) == (len(wanted), len(data))
    begin, end, marks, lines = words(data, piece.records)
    columns = [gathered(data, begin[k], end[k], marks[k]) for k in (0, 1)]
    told = [[flat[a:b].tobytes() for a, b in pairwise(offsets)] for flat, offsets in columns]
    assert list(zip(lines.tolist(), *told, strict=True)) == wanted


SDF = st.lists(st.sampled_from(["$$$$", "$$$$ x", "$$$", "mol", "", " "]), max_size=10)


@given(SDF, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.integers(1, 7))
def test_records_of_an_sdf_end_with_dollars(parts: list[str], newline: str, ended: bool, step: int) -> None:
    data = newline.join(parts).encode() + (newline.encode() if ended and parts else b"")
    wanted: list[list[str]] = [[]]
    for part in parts:
        wanted[-1].append(part)
        if part.startswith("$$$$"):
            wanted.append([])
    wanted = wanted if "".join(wanted[-1]).strip() else wanted[:-1]
    whole = sdf_cut(data, True)
    assert (whole.records, whole.end) == (len(wanted), len(data))
    bounds = sdf_records(data, whole.records).tolist()
    found = [data[a:b].decode().split(newline) for a, b in pairwise(bounds)]
    assert [[line for line in record if line] for record in found] == [[x for x in record if x] for record in wanted]
    records, rest = 0, b""
    for at in range(0, max(1, len(data)), step):
        rest += data[at : at + step]
        piece = sdf_cut(rest, at + step >= len(data))
        records, rest = records + piece.records, rest[piece.end :]
    assert records == len(wanted)
    assert sdf_cut(data, True, 1).records == min(1, len(wanted))


def test_a_block_that_is_not_what_was_counted_is_noticed() -> None:
    for n in (1, 3):
        with pytest.raises(AssertionError, match="records in a block of"):
            cells(b"a\nb\n", np.arange(1), n, COMMA, True)
        with pytest.raises(AssertionError, match="records in a block of"):
            words(b"a\nb\n", n)
    with pytest.raises(AssertionError, match="records in a block of"):
        sdf_records(b"a\n$$$$\n", 2)
