"""Rows of a library as text for other programs. A format is one function in ``TEXTS``: a table -> bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from drylab.library import layout
from drylab.library.pruning import Range
from drylab.library.writing import whole_file

CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
COLUMNS = ["id", "smiles", *layout.PROPERTIES]
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
# What a line of a .smi file cannot hold, as drylab.report.depict has it for SD records.
_CONTROLS = "[\x00-\x1f\x7f\u0085\u2028\u2029]+"


def one_line(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ids that fit into a line: each run of tabs, line breaks and other control characters becomes a blank."""
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(ids, _CONTROLS, " "))


def changed_ids(ids: pa.ChunkedArray) -> int:
    """How many ids ``one_line`` changes."""
    return int(pc.sum(pc.not_equal(one_line(ids), ids)).as_py() or 0)


def smi(table: pa.Table) -> bytes:
    """Lines of SMILES, a tab, and the id; one that starts with "|" would be read as a ChemAxon extension: an empty one comes first."""
    ids = one_line(table.column("id"))
    ids = pc.if_else(pc.starts_with(ids, "|"), pc.binary_join_element_wise("||", ids, "\t"), ids)
    lines = pc.binary_join_element_wise(table.column("smiles"), ids, "\t")
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode()


def csv(table: pa.Table) -> bytes:
    """RFC 4180 with ``\\n`` line ends, text in quotes, numbers that read back to the last bit; without the header."""
    return _cells(table, ".csv")


def tsv(table: pa.Table) -> bytes:
    """The same with tabs."""
    return _cells(table, ".tsv")


def _cells(table: pa.Table, suffix: str) -> bytes:
    if not table.num_rows:  # pyarrow 26 writes whatever lies in memory for a chunk without rows
        return b""
    sink = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter=_DELIMITERS[suffix])
    pyarrow.csv.write_csv(table.select(COLUMNS).combine_chunks(), sink, options)
    return sink.getvalue()


def header(suffix: str) -> bytes:
    """What a file of a format starts with."""
    return f"{_DELIMITERS[suffix].join(COLUMNS)}\n".encode() if suffix in _DELIMITERS else b""


TEXTS: Mapping[str, Callable[[pa.Table], bytes]] = {".smi": smi, ".csv": csv, ".tsv": tsv}


def within(tables: Iterable[pa.Table], ranges: Iterable[Range]) -> pa.Table:
    """The rows of all tables whose properties are within all ranges, ends included."""
    kept = []
    for table in tables:
        inside = np.ones(table.num_rows, bool)
        for name, low, high in ranges:
            values = table.column(name).to_numpy()
            inside &= (low <= values) & (values <= high)
        kept.append(table.filter(pa.array(inside)))
    return pa.concat_tables(kept).combine_chunks()


def write_text(path: str, codec: str, parts: Iterable[bytes]) -> None:
    """Write a file that appears whole or not at all, compressed by one of CODECS unless ``codec`` is "". Raises OSError."""
    with whole_file(path, sync=True) as file:
        if not codec:
            file.writelines(parts)
            return
        # Arrow closes what it writes to, and the file is still to reach the disk.
        with open(os.dup(file.fileno()), "wb") as other, pa.CompressedOutputStream(other, codec) as out:
            for part in parts:
                out.write(part)
