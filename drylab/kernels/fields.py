"""Where records and cells begin and end in the bytes of a vendor's file. CPU only: reading files is no work for a GPU.

Two passes, for two readers. The parent counts (``cut``): how far the complete records of a piece of a file reach, and how
many records and lines these are. A worker finds the cells that are wanted (``cells``, ``words``); gather.py copies them.

A line ends with LF, CR, or CRLF. What is a record:
    quoted    as Python's csv.reader(strict=True) has it: a cell that starts with a quote goes on to the closing quote, over
              delimiters and line ends; a quote in it is doubled; a line without a byte is no record. A quote further on in a
              cell is a character. FAULTS: a quote that is not closed, text between a closing quote and the next delimiter.
    plain     the same without quotes
    words     a line of a .smi file; a line of blanks only is no record
    SDF       ends with a line that starts with "$$$$"; behind the last of these, what is not blank is a record as well
Blanks are what bytes.strip() takes: space, TAB, LF, VT, FF, CR. All other bytes (NUL, Latin-1, ...) are characters.

Positions are int64. Lines count from 0 where ``data`` begins.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from drylab.kernels.twin import inlined, launcher, per_molecule

LF, CR, QUOTE, BLANK, BAR, DOLLAR = 10, 13, 34, 32, 124, 36
WHOLE, UNCLOSED, TRAILING = 0, 1, 2  # faults
PLAIN, DOUBLED, PARTED = 0, 1, 2  # marks of a cell: quotes to undo; a run of blanks that is to be one space
UNBOUND = 1 << 62


class Cut(NamedTuple):
    """What ``cut`` found: records and lines of data[:end]; a fault, and the line (from 0) on which its quote stands."""

    end: int
    records: int
    lines: int
    fault: int = WHOLE
    line: int = 0


def cut(data: bytes, delimiter: int, quoted: bool, words: bool, final: bool, limit: int = UNBOUND) -> Cut:
    """How far the complete records of ``data`` reach, at most ``limit`` of them. ``final``: the file ends with ``data``.

    A fault counts only if it stands before the end of the last record asked for; UNCLOSED where ``final`` is not set
    means that more is to be read. ``words``: lines of blanks only are no records.
    """
    view = np.frombuffer(data, np.uint8)
    quoted = quoted and data.find(b'"') >= 0
    if not quoted:
        end, records, lines, blank = tally(view, final)
        if records <= limit and not (words and blank):
            return Cut(end, records, lines)
    return Cut(*walk(view, delimiter, quoted, words, final, limit))


@launcher
def tally(data, final):
    """(end, records, lines, lines that begin with a blank) without quotes: one pass without a branch."""
    end = len(data)
    if not final:
        end -= 1 if end and data[end - 1] == CR else 0  # LF may follow
        while end and data[end - 1] != LF and data[end - 1] != CR:
            end -= 1
    records, lines, blanks, before = 0, 0, 0, True
    for i in range(end):
        c = data[i]
        ends = (c == LF) | (c == CR)
        records += before & (not ends)
        blanks += before & ((c == BLANK) | ((c >= 9) & (c <= 12) & (c != LF)))
        lines += ends & ((c == CR) | (i == 0) | (data[i - 1] != CR))
        before = ends
    if end and not before:
        lines += 1
    return end, records, lines, blanks


@launcher
def walk(data, delimiter, quoted, words, final, limit):
    """The same record by record: (end, records, lines, fault, line)."""
    n, p, records, lines = len(data), 0, 0, 0
    while p < n and records < limit:
        q, line, fault, opened = record_end(data, p, delimiter, quoted)
        if fault == TRAILING or (fault == UNCLOSED and final):
            return p, records, lines, fault, lines + opened
        if not final and (q >= n or (data[q] == CR and q + 1 >= n)):
            return p, records, lines, fault, lines + opened
        if q > p and not (words and only_blanks(data, p, q)):
            records += 1
        lines += line + 1
        p = line_after(data, q)
    return min(p, n), records, lines, WHOLE, 0


@per_molecule
def is_blank(c):
    return c == BLANK or 9 <= c <= 13


@per_molecule
def only_blanks(data, p, end):
    """Whether data[p:end] has nothing but blanks."""
    while p < end and is_blank(data[p]):
        p += 1
    return p >= end


@per_molecule
def line_after(data, q):
    """Where the line after the one starts that ends at q."""
    return q + 2 if q + 1 < len(data) and data[q] == CR and data[q + 1] == LF else q + 1


@per_molecule
def line_end(data, p):
    """Where the line that p stands in ends: at its LF or CR, or behind the last byte."""
    rest = data[p:]
    for j in range(len(rest)):  # an index from range(len()) needs no check of its sign: half the time
        if rest[j] == LF or rest[j] == CR:
            return p + j
    return p + len(rest)


@per_molecule
def record_end(data, p, delimiter, quoted):
    """(end, line ends inside, fault, line of its quote) of the record that starts at p."""
    if not quoted:
        return line_end(data, p), 0, WHOLE, 0
    n, line = len(data), 0
    while True:
        _, _, q, mark, more = cell(data, p, delimiter, True)
        opened, line = line, line + more
        if mark < 0:
            return q, line, -mark, opened
        if q >= n or data[q] != delimiter:
            return q, line, WHOLE, 0
        p = q + 1


@inlined
def cell(data, p, delimiter, quoted):
    """(begin, end, where it stops, mark or minus a fault, line ends inside) of the cell that starts at p."""
    n, q, line, mark = len(data), p, 0, PLAIN
    if not (quoted and p < n and data[p] == QUOTE):
        rest = data[p:]
        for j in range(len(rest)):
            c = rest[j]
            if c == delimiter or c == LF or c == CR:
                return p, p + j, p + j, PLAIN, 0
        q = p + len(rest)
        return p, q, q, PLAIN, 0
    q += 1
    while q < n:
        c = data[q]
        if c == QUOTE:
            if q + 1 >= n or data[q + 1] != QUOTE:
                break
            mark = DOUBLED
            q += 1
        elif c == LF or (c == CR and (q + 1 >= n or data[q + 1] != LF)):
            line += 1
        q += 1
    if q >= n:
        return p + 1, q, q, -UNCLOSED, line
    after = q + 1
    if after < n and data[after] != delimiter and data[after] != LF and data[after] != CR:
        mark = -TRAILING
    return p + 1, q, after, mark, line


def cells(data: bytes, columns: Any, n: int, delimiter: int, quoted: bool) -> tuple[Any, Any, Any, Any]:
    """Spans of the wanted cells of the n records of ``data``, which are whole and without a fault.

    ``columns`` (k,) int64, each once -> begin, end (k, n) int64, -1 where the record ends before that column; marks (k, n)
    uint8; lines (n,) int64 from 0, on which each record starts.
    """
    slots = np.full(int(columns.max(initial=-1)) + 1, -1, np.int64)
    slots[columns] = np.arange(len(columns))
    begin, end = np.full((2, len(columns), n), -1, np.int64)
    marks, lines = np.zeros((len(columns), n), np.uint8), np.zeros(n, np.int64)
    view = np.frombuffer(data, np.uint8)
    found = find_cells(view, slots, delimiter, quoted and data.find(b'"') >= 0, begin, end, marks, lines)
    assert found == n, f"{found} records in a block of {n}"
    return begin, end, marks, lines


@launcher
def find_cells(data, slots, delimiter, quoted, begin, end, marks, lines):
    n, p, row, line = len(data), 0, 0, 0
    while p < n:
        if data[p] == LF or data[p] == CR:
            p = line_after(data, p)
            line += 1
            continue
        if row >= len(lines):
            return row + 1
        lines[row] = line
        column, q = 0, p
        while column < len(slots):
            b, e, q, mark, more = cell(data, q, delimiter, quoted)
            line += more
            slot = slots[column]
            if slot >= 0:
                begin[slot, row], end[slot, row], marks[slot, row] = b, e, mark
            if q >= n or data[q] != delimiter:
                break
            q += 1
            column += 1
        if column == len(slots):
            q, more, _, _ = record_end(data, q, delimiter, quoted)
            line += more
        p = line_after(data, q)
        row += 1
        line += 1
    return row


def words(data: bytes, n: int) -> tuple[Any, Any, Any, Any]:
    """Spans of SMILES and id of the n records of a .smi file: as ``cells`` gives them, with k = 2.

    A SMILES goes to the first blank; a ChemAxon extension "|...|" behind it belongs to it. The id goes on to a TAB.
    """
    begin, end = np.zeros((2, 2, n), np.int64)
    marks, lines = np.zeros((2, n), np.uint8), np.zeros(n, np.int64)
    found = find_words(np.frombuffer(data, np.uint8), begin, end, marks, lines)
    assert found == n, f"{found} records in a block of {n}"
    return begin, end, marks, lines


@launcher
def find_words(data, begin, end, marks, lines):
    n, p, row, line = len(data), 0, 0, 0
    while p < n:
        stop = line_end(data, p)
        while p < stop and is_blank(data[p]):
            p += 1
        if p < stop:
            if row >= len(lines):
                return row + 1
            lines[row] = line
            q = p
            while q < stop and not is_blank(data[q]):
                q += 1
            begin[0, row], end[0, row] = p, q
            rest = q
            while rest < stop and is_blank(data[rest]):
                rest += 1
            if rest < stop and data[rest] == BAR:
                shut = rest + 1
                while shut < stop and data[shut] != BAR:
                    shut += 1
                if shut < stop:
                    end[0, row], marks[0, row] = shut + 1, PARTED
                    rest = shut + 1
                    while rest < stop and is_blank(data[rest]):
                        rest += 1
            begin[1, row] = rest
            while rest < stop and data[rest] != 9:
                rest += 1
            end[1, row] = rest
            row += 1
        p = line_after(data, stop)
        line += 1
    return row


def sdf_cut(data: bytes, final: bool, limit: int = UNBOUND) -> Cut:
    """``cut`` for SDF; lines are not counted."""
    ends = np.zeros(0, np.int64)
    records, end = find_records(np.frombuffer(data, np.uint8), final, limit, ends)
    return Cut(end, records, 0)


def sdf_records(data: bytes, n: int) -> Any:
    """(n+1,) int64: where each of the n records of ``data`` begins, and where the last ends."""
    ends = np.zeros(n + 1, np.int64)
    found, _ = find_records(np.frombuffer(data, np.uint8), True, n, ends[1:])
    assert found == n, f"{found} records in a block of {n}"
    return ends


@launcher
def find_records(data, final, limit, ends):
    """(records, where the last ends); their ends are written as far as there is room."""
    n, p, records, end = len(data), 0, 0, 0
    while p < n and records < limit:
        stop = line_end(data, p)
        after = line_after(data, stop)
        if not final and (stop >= n or (data[stop] == CR and stop + 1 >= n)):
            break
        last = stop - p >= 4 and data[p] == DOLLAR and data[p + 1] == DOLLAR and data[p + 2] == DOLLAR
        if (last and data[p + 3] == DOLLAR) or (final and after >= n and not only_blanks(data, end, n)):
            end = min(after, n)
            if records < len(ends):
                ends[records] = end
            records += 1
        p = after
    return records, n if final and records < limit else end
