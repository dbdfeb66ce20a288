"""hits.csv and hits.parquet: exact, safe in a spreadsheet, and the same bytes twice."""

import csv as standard_csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.report.columns import Column, describe, plain, written
from drylab.report.tables import csv, harmless, parquet, provenance
from drylab.types import Hits
from tests.report import sample

HITS = sample.hits(12, 5)


def cells(text: str) -> list[dict[str, str]]:
    return list(standard_csv.DictReader(io.StringIO(text, newline=""), strict=True))


def with_ids(ids: list[str]) -> Hits:
    table = HITS.table.slice(0, len(ids))
    return Hits(table.set_column(table.column_names.index("id"), "id", pa.array(ids)), HITS.run)


def test_csv_has_the_report_rows_and_no_list_columns() -> None:
    rows = cells(csv(HITS))
    assert len(rows) == 5
    assert list(rows[0]) == [name for name in HITS.table.column_names if name != "atom_contributions"]


def test_numbers_have_fixed_decimals() -> None:
    row = cells(csv(HITS))[0]
    first = HITS[0]
    assert row["score"] == f"{first['score']:.4f}"
    assert row["ames_prob"] == f"{first['ames_prob']:.4f}"
    assert row["mw"] == f"{first['mw']:.3f}"
    assert (row["rank"], row["hbd"], row["library_row"]) == ("1", str(int(first["hbd"])), str(first["library_row"]))
    assert row["in_domain"] in ("true", "false")
    assert cells(csv(HITS))[4]["known_as"] == ""


NUMBER = Column("x", "x", "", "", "number", 3, "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        (-0.0, "0.000"),
        (-0.0004, "0.000"),
        (-0.0005001, "-0.001"),
        (1e6, "1000000.000"),
    ],
)
def test_odd_numbers(value: float | None, text: str) -> None:
    assert written(value, NUMBER) == text
    assert plain(value, NUMBER) == (float(text) if text else None)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_id_comes_back_and_none_is_a_formula(ids: list[str]) -> None:
    back = [row["id"] for row in cells(csv(with_ids(ids)))]
    assert back == [harmless(name) for name in ids]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in back)
    assert all(cell in (name, f"'{name}") for cell, name in zip(back, ids, strict=True))


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")'])
def test_a_formula_gets_an_apostrophe_in_ids_and_in_smiles(evil: str) -> None:
    assert cells(csv(with_ids([evil])))[0]["id"] == f"'{evil}"
    table = HITS.table.slice(0, 1)
    changed = Hits(table.set_column(table.column_names.index("smiles"), "smiles", pa.array([evil])), HITS.run)
    assert cells(csv(changed))[0]["smiles"] == f"'{evil}"


def test_lines_end_with_a_single_newline() -> None:
    text = csv(HITS)
    assert "\r" not in text
    assert text.endswith("\n")
    assert text.count("\n") == 6


def test_no_rows_is_a_header() -> None:
    assert csv(sample.empty()).count("\n") == 1


def test_parquet_holds_every_row_and_where_it_came_from(tmp_path: Path) -> None:
    parquet(HITS, tmp_path / "hits.parquet")
    back = pq.read_table(tmp_path / "hits.parquet")
    assert back.drop_columns([]).to_pylist() == HITS.table.to_pylist()
    about = {key.decode(): value.decode() for key, value in back.schema.metadata.items()}
    assert about == provenance(HITS.run)
    assert about["drylab.schema"] == "drylab.hits/1"
    assert about["drylab.model_sha256"] == "ab" * 32
    assert len(about["drylab.target_sha256"]) == 64


def test_provenance_follows_the_question_and_not_the_clock() -> None:
    later = {**HITS.run, "started": "2031-01-01T00:00:00+00:00", "seconds": {"total": 1.0}}
    other = {**HITS.run, "target": {**HITS.run["target"], "name": "JAK2"}}
    assert provenance(later) == provenance(HITS.run)
    assert provenance(other)["drylab.target_sha256"] != provenance(HITS.run)["drylab.target_sha256"]


def test_a_column_the_contract_does_not_know_is_still_written() -> None:
    extra = Hits(HITS.table.append_column("price_usd", pa.array([1.5] * 12)), HITS.run)
    assert cells(csv(extra))[0]["price_usd"] == "1.500"
    assert describe(extra)[-1].group == "Other"


def test_docs_name_every_column() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "hits.md").read_text(encoding="utf-8")
    families = {
        "Selectivity": ("anti_<name>", "delta_<name>"),
        "Toxicity": (
            "<endpoint>_prob",
            "<endpoint>_set",
            "<endpoint>_mean",
            "<endpoint>_value",
            "<endpoint>_flag",
            "tox_worst",
        ),
    }
    for column in describe(HITS):
        names = families.get(column.group, (column.name,))
        assert all(f"`{name}`" in page for name in names), column.name
