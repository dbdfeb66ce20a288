"""The fixed splits: what docs/curation.md says is what the data give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drylab.train.data import read_labels
from drylab.train.dropped import markdown
from drylab.train.fixed import FIXED, line, main, molecules
from drylab.train.keepout import demo_skeletons
from drylab.train.sources import TOXICITY
from tests.real import DATA

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "curation.md").read_text(encoding="utf-8")
QUICK = ("DAVIS, DeepDTA", "KIBA, DeepDTA", "DAVIS, cold drug")


def test_the_page_has_a_row_and_a_hash_a_split() -> None:
    rows = re.findall(r"^\| (.+?) \| .+ \| `[0-9a-f]{64}` \|$", PAGE, re.MULTILINE)
    assert rows == list(FIXED)


@pytest.mark.parametrize("name", QUICK)
def test_quick_splits_are_what_the_page_says(name: str) -> None:
    if not (DATA / "affinity").is_dir():
        pytest.skip("the public data sets ../shared/data/affinity are not here")
    assert line(name, FIXED[name](DATA)) in PAGE


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FIXED if name not in QUICK])
def test_splits_are_what_the_page_says(shared_data: Path, name: str) -> None:
    assert line(name, FIXED[name](shared_data)) in PAGE


@pytest.mark.slow
def test_the_report_is_what_the_page_says(shared_data: Path) -> None:
    banned = demo_skeletons(ROOT / "drylab/library/data/drugs.csv")
    found = markdown(read_labels(shared_data, banned).counts)
    assert [row for row in found.splitlines() if row.startswith("|") and row not in PAGE] == []


def test_molecules_of_many_files_are_one_each(data: Path) -> None:
    files = [name for name in TOXICITY if (data / "tox" / f"{name}.csv.gz").is_file()]
    found = molecules(data, files)
    assert found == sorted(set(found))
    assert molecules(data, files[::-1]) == found


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "no such file; give the folder of the training data with --data" in capsys.readouterr().err
