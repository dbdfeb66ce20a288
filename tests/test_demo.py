"""The embedded demonstration, on a part of its library."""

import json
from pathlib import Path

import pytest

from drylab.config import load_target
from drylab.demo import run_demo
from drylab.errors import ModelError, OutputError
from drylab.library.embedded import drugs


def test_demo_finds_the_drugs_of_its_target(tmp_path: Path) -> None:
    done = run_demo(tmp_path / "demo", molecules=3000)
    assert done.files["report.html"] == tmp_path / "demo" / "run" / "report.html"
    assert all(path.is_file() for path in done.files.values())
    known = done.hits.run["known"]
    assert {row["id"] for row in known} == {drug.name for drug in drugs() if "EGFR" in drug.targets}
    assert all(row["in_library"] for row in known)
    assert sum(row["percentile"] <= 1 for row in known) >= 3
    excluded = json.loads((tmp_path / "demo" / "run" / "run.json").read_text())["model"]["excluded"]
    assert "sentence" in excluded
    assert load_target(tmp_path / "demo" / "target.yaml").known.actives is not None
    with pytest.raises(OutputError, match="exists already"):
        run_demo(tmp_path / "demo", molecules=10)


def test_demo_of_a_target_without_drugs(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no approved drug of the demonstration acts on 'NOPE'; choose one of .*EGFR"):
        run_demo(tmp_path / "demo", target="NOPE")


@pytest.mark.slow
def test_whole_demo(tmp_path: Path) -> None:
    done = run_demo(tmp_path / "demo")
    tally = done.hits.run["tally"]
    assert tally["read"] >= 100_000
    assert sum(row["percentile"] <= 1 for row in done.hits.run["known"]) >= 3
