"""The embedded demonstration, on a part of its library."""

import json
from pathlib import Path

import pytest

from drylab.config import load_target
from drylab.demo import run_demo
from drylab.errors import ModelError, OutputError
from drylab.library.embedded import drugs
from drylab.screening import Progress


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
    assert ".partial" not in (tmp_path / "demo" / "run" / "run.json").read_text()
    assert done.hits.run["library"]["path"] == str(tmp_path / "demo" / "library")
    assert load_target(tmp_path / "demo" / "target.yaml").known.actives is not None
    with pytest.raises(OutputError, match="exists already"):
        run_demo(tmp_path / "demo", molecules=10)


def test_demo_of_a_target_without_drugs(tmp_path: Path) -> None:
    """Nor of a target that drugs act on and the model does not know: before any work."""
    for target in ("NOPE", "HMGCR"):
        with pytest.raises(
            ModelError, match=f"no approved drug of the demonstration acts on '{target}'; choose .*EGFR"
        ):
            run_demo(tmp_path / "demo", target=target)
    assert not list(tmp_path.iterdir())


def test_a_demo_stopped_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    """Also while it screens: the library alone is no demonstration."""
    run_demo(tmp_path / "demo", molecules=10)
    before = sorted(path for path in tmp_path.rglob("*"))

    def stop(name: str, rows: int | None) -> None:
        if name == "screening":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_demo(tmp_path / "demo", molecules=20, force=True, progress=Progress(stop, lambda n: None))
    assert sorted(path for path in tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_whole_demo(tmp_path: Path) -> None:
    done = run_demo(tmp_path / "demo")
    tally = done.hits.run["tally"]
    assert tally["read"] >= 100_000
    assert sum(row["percentile"] <= 1 for row in done.hits.run["known"]) >= 3
