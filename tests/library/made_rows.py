"""Rows of made-up molecules for tests of runs, parts and shards, and what a plain sort and a set make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from drylab.library import layout

# (source, row, molecule): where a row comes from and which of the molecules it is.
Place = tuple[int, int, int]

_MW = (12.5, 300.0, 300.99, 1e5)
_CLOGP = (-7.25, -0.0, 3.5)
_WORDS = (0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
MOLECULES = len(_MW) * len(_CLOGP) * len(_WORDS) ** 2  # that differ in few words: most pairs share some


def places(molecules: Sequence[Sequence[int]]) -> list[Place]:
    """The rows of several sources, given as the molecules of each; rows count from 1."""
    return [(s, row, m) for s, own in enumerate(molecules) for row, m in enumerate(own, 1)]


def table(rows: Sequence[Place]) -> pa.Table:
    """The rows as a table of schema RUN. Everything but id, source and row follows from the molecule."""
    source, row, m = (
        (np.array(column, np.int64) for column in zip(*rows, strict=True)) if rows else [np.zeros(0, int)] * 3
    )
    mw = np.array(_MW)[m % len(_MW)]
    clogp = np.array(_CLOGP)[m // len(_MW) % len(_CLOGP)]
    orders = len(_MW) * len(_CLOGP)
    word = m // orders
    words = np.array(_WORDS, np.uint64)
    # Another order is another key, and so is what comes after MOLECULES.
    other = (m % orders + orders * (word // len(_WORDS) ** 2)).astype(np.uint64) << np.uint64(8)
    keys = np.column_stack([words[word // len(_WORDS) % len(_WORDS)] ^ other, words[word % len(_WORDS)]])
    columns: dict[str, Any] = {
        "order": layout.order_of(mw, clogp),
        "source": source,
        "row": row,
        "id": [f"é{s}:{r}" for s, r in zip(source.tolist(), row.tolist(), strict=True)],
        "key": layout.binary_keys(keys),
        "smiles": [f"C{'C' * (i % 7)}[{i}CH4]" for i in m.tolist()],
        "mw": mw,
        "clogp": clogp,
        "tpsa": m * 7.5,
        "fsp3": m % 21 / 20,
    }
    columns |= {name: m % 50 - 10 for name in layout.PROPERTIES if name not in columns}
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in layout.RUN}, layout.RUN)


def many(n: int) -> pa.Table:
    """n rows of schema RUN in any order, of 50 characters of SMILES and weights and logP as drugs have; a tenth are doubles."""
    random = np.random.default_rng(7)
    which = random.integers(0, 5 * n, n)
    mw = np.round(200 + 100 * ((which * 7919) % 1009 / 1009 + (which * 104729) % 1013 / 1013 + which % 991 / 991), 3)
    clogp = np.round((which * 15485863) % 7919 / 1000 - 2, 4)
    key = np.column_stack([which.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), which.astype(np.uint64)])
    text = np.frombuffer(b"CNOc1()=", np.uint8)[random.integers(0, 8, 50 * n)]
    ends = pa.py_buffer((np.arange(n + 1) * 50).astype(np.int32))
    columns: dict[str, Any] = {
        "order": layout.order_of(mw, clogp),
        "source": which % 3,
        "row": np.arange(1, n + 1),
        "id": pa.array(np.arange(10**11, 10**11 + n)).cast(pa.string()),
        "key": layout.binary_keys(key),
        "smiles": pa.Array.from_buffers(pa.string(), n, [None, ends, pa.py_buffer(text)]),
        "mw": mw,
        "clogp": clogp,
        "tpsa": random.integers(0, 2000, n) / 10,
        "fsp3": random.integers(0, 31, n) / 30,
    }
    columns |= {name: random.integers(0, 12, n) for name in layout.PROPERTIES if name not in columns}
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in layout.RUN}, layout.RUN)


def reference(rows: Sequence[Place]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows as they are to stand in a library, each molecule once, and the other rows: one sort and one set."""
    kept, others, seen = [], [], set()
    for row in sorted(table(rows).to_pylist(), key=lambda row: (row["order"], row["key"], row["source"], row["row"])):
        (others if row["key"] in seen else kept).append(row)
        seen.add(row["key"])
    return kept, others


def only(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Some columns of rows."""
    return [{name: row[name] for name in names} for row in rows]


def counts(rows: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Source -> rows."""
    numbers = [row["source"] for row in rows]
    return {number: numbers.count(number) for number in sorted(set(numbers))}
