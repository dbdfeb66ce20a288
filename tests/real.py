"""The real molecules beside the checkout, as text, for tests that hold kernels to RDKit."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import pyarrow.parquet as pq
import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COLUMNS = ("smiles", "drug", "canonical_smiles", "compound_iso_smiles")
NO_MOLECULES = ("sequences", "targets", "published", "counts", "uniprot", "subset_and_class", "fasta", "json")


def data_files() -> list[Path]:
    """Every file of the shared data that holds molecules; none where the data is absent."""
    found = [
        path
        for folder in ("libraries", "affinity", "tox", "benchmarks", "synthons")
        for path in (DATA / folder).rglob("*.*")
    ]
    return sorted(path for path in found if path.is_file() and not any(word in path.name for word in NO_MOLECULES))


def rows_of(name: str) -> list[str]:
    """All SMILES of a file of the shared data, e.g. "libraries/drugs.smi.gz"; the test is skipped where it is absent."""
    if not (DATA / name).is_file():
        pytest.skip(f"the public data set ../shared/data/{name} is not here")
    return smiles_of(DATA / name)


def smiles_of(file: Path, every: int = 1, most: int | None = None) -> list[str]:
    """The SMILES of a file as written there: each ``every``-th, at most ``most``."""
    return [text for text in islice(_rows(file), 0, None if most is None else most * every, every) if text]


def _rows(file: Path) -> Iterator[str]:
    if file.suffix == ".parquet":
        table = pq.read_table(file)
        name = next(name for name in table.column_names if "smiles" in name.lower())
        yield from (text or "" for text in table.column(name).to_pylist())
        return
    with (gzip.open if file.suffix == ".gz" else open)(file, "rt", encoding="utf-8") as stream:
        if ".smi" in file.name:
            yield from (words[0] for line in stream if (words := line.split()))
        else:
            yield from _column(stream, "\t" if ".tsv" in file.name else ",")


def _column(stream: Iterator[str], delimiter: str) -> Iterator[str]:
    rows = csv.reader(stream, delimiter=delimiter)
    head = next(rows)
    wanted = [i for i, name in enumerate(head) if name.lower() in COLUMNS or "smiles" in name.lower()]
    if wanted:
        yield from (row[wanted[0]] for row in rows if len(row) > wanted[0])
    else:  # no header (PubChem's): the SMILES, a tab and a name
        yield from (row[0].partition("\t")[0] for row in chain([head], rows) if row)
