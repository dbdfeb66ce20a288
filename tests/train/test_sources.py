"""The table of files: what a row becomes, its unit, its sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from drylab.errors import InputError
from drylab.train.sources import SOURCES, TOXICITY, read, slug
from tests.real import DATA
from tests.train.conftest import write

COLUMNS = ["smiles", "value", "task", "relation", "part", "kind", "file"]


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_reads_into_the_same_columns(data: Path, name: str) -> None:
    if not (data / SOURCES[name].file).is_file():
        pytest.skip("no training reads it, so the made-up folder has none")
    rows = read(data, name)
    assert sorted(rows.columns) == sorted(COLUMNS)
    assert len(rows) > 0
    assert set(rows["relation"]) <= {-1, 0, 1}
    assert (rows["task"].str.len() > 0).all()
    assert set(rows["kind"]) == {SOURCES[name].kind}
    if SOURCES[name].kind == "class":
        assert set(rows["value"].dropna()) <= {0.0, 1.0}


def test_the_sign_of_a_concentration_turns_round(data: Path) -> None:
    rows = read(data, "fsmol_train").set_index("task")["relation"]
    assert set(rows["CHEMBL2"]) == {1}  # IC50 below a concentration: pIC50 above a value
    assert set(rows["CHEMBL1"]) == {-1, 0}


def test_a_wide_file_has_a_task_a_column_and_no_row_for_an_empty_cell(data: Path) -> None:
    assert set(read(data, "tox21")["task"]) == {"nr_ar"}  # the others are empty
    assert set(read(data, "adme_biogen")["task"]) == {"adme_log_p"}
    assert set(read(data, "toxcast")["task"]) == {"toxcast_a_assay"}


def test_names_of_columns_become_names_of_tasks() -> None:
    assert slug("LOG HLM_CLint (mL/min/kg)") == "log_hlm_clint_ml_min_kg"
    assert slug("NR-AR-LBD") == "nr_ar_lbd"


def test_a_missing_column_says_which(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"chembl22.csv.gz: no such file; give the folder"):
        read(tmp_path, "chembl22")
    write(tmp_path / "affinity/chembl22.csv.gz", ["smiles,target_chembl_id", "C,X"])
    with pytest.raises(InputError, match=r"chembl22.csv.gz:1: columns missing: pactivity, subset"):
        read(tmp_path, "chembl22")


@pytest.mark.parametrize(
    "name", [name for name in SOURCES if name not in ("toxcast", "kiba", "muv_dud", "fsmol_train")]
)
def test_the_real_files_are_what_the_table_says(name: str) -> None:
    if not (DATA / SOURCES[name].file).is_file():
        pytest.skip(f"the public data set ../shared/data/{SOURCES[name].file} is not here")
    rows = read(DATA, name)
    values = rows["value"].dropna()
    assert len(values) >= 200
    if SOURCES[name].kind == "p":
        assert 4 < values.median() < 9.5  # not nanomoles, not molar
    if SOURCES[name].kind == "class":
        assert set(values) == {0.0, 1.0}


def test_every_toxicity_file_is_in_the_table() -> None:
    files = {path.name for path in (DATA / "tox").glob("*.csv.gz")}
    if not files:
        pytest.skip("the public data sets ../shared/data/tox are not here")
    assert files == {Path(SOURCES[name].file).name for name in TOXICITY}
