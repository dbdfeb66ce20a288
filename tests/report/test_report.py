"""The five files of a screen: all there, the same bytes twice, and a clear word where they cannot be written."""

import json
from pathlib import Path

import pytest
from rdkit import Chem

from drylab.errors import OutputError
from drylab.report import write
from drylab.types import Hits
from tests.report import sample

NAMES = ["hits.parquet", "hits.csv", "hits.sdf", "report.html", "run.json"]
HITS = sample.hits(40, 30)


def test_it_writes_five_files_and_nothing_else(tmp_path: Path) -> None:
    paths = write(HITS, tmp_path / "new" / "run")
    assert list(paths) == NAMES
    assert sorted(path.name for path in (tmp_path / "new" / "run").iterdir()) == sorted(NAMES)
    assert all(path == tmp_path / "new" / "run" / name for name, path in paths.items())


def test_the_same_hits_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = write(HITS, tmp_path / "a"), write(sample.hits(40, 30), tmp_path / "b")
    again = write(HITS, tmp_path / "a")
    for name in NAMES:
        assert first[name].read_bytes() == second[name].read_bytes() == again[name].read_bytes()


def test_sdf_has_the_rows_and_tags_of_the_report(tmp_path: Path) -> None:
    mols = list(Chem.SDMolSupplier(str(write(HITS, tmp_path)["hits.sdf"])))
    assert len(mols) == 30
    for mol, hit in zip(mols, HITS, strict=False):
        assert mol.GetProp("_Name") == hit["id"]
        assert float(mol.GetProp("score")) == pytest.approx(hit["score"], abs=5e-5)
        wanted = {
            name
            for name, value in hit.columns.items()
            if value is not None and name not in ("atom_contributions", "picture")
        }
        assert set(mol.GetPropNames()) == wanted


def test_run_json_is_the_run(tmp_path: Path) -> None:
    text = write(HITS, tmp_path)["run.json"].read_text(encoding="utf-8")
    assert json.loads(text) == HITS.run
    assert list(json.loads(text)) == sorted(HITS.run)


def test_an_undefined_figure_is_null_in_run_json(tmp_path: Path) -> None:
    run = {**HITS.run, "probe": {**HITS.run["probe"], "metrics": {"spearman": float("nan"), "rmse": 0.8}}}
    text = write(Hits(HITS.table, run, HITS.pictures), tmp_path)["run.json"].read_text(encoding="utf-8")
    assert json.loads(text)["probe"]["metrics"] == {"spearman": None, "rmse": 0.8}
    assert "NaN" not in text


def test_no_hits_still_gives_five_files(tmp_path: Path) -> None:
    paths = write(sample.empty(), tmp_path)
    assert paths["hits.sdf"].read_text() == ""
    assert all(path.exists() for path in paths.values())


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match=r"taken/run: expected a folder .* choose another output folder"):
        write(HITS, tmp_path / "taken" / "run")


def test_a_failed_write_leaves_no_run_json(tmp_path: Path) -> None:
    write(HITS, tmp_path)
    (tmp_path / "hits.sdf").unlink()
    (tmp_path / "hits.sdf").mkdir()
    (tmp_path / "hits.sdf" / "in the way").write_text("")
    with pytest.raises(OutputError, match="expected a folder that drylab can write"):
        write(HITS, tmp_path)
    assert not (tmp_path / "run.json").exists()
