"""The plan of a screen: what it says will be read is what the screen reads, and everything it foretells is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from drylab import execute
from drylab.errors import ConfigError, LibraryError
from drylab.foreseeing import SAMPLE, plan
from drylab.library import layout
from drylab.library.embedded import drugs
from drylab.library.reading import scan
from drylab.library.store import Library, open_library
from drylab.plans import Plan
from drylab.resources import sentence
from drylab.screening import screen, screen_many, screen_to
from tests.library.made_library import in_order, write
from tests.test_screening import asked, described


@pytest.fixture(scope="module")
def molecules(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Library:
    """A sorted library of two versions in many row groups, so that ranges skip some."""
    table = pa.concat_tables(scan(open_library(library)))
    rows = described(table.take(pa.array(range(0, table.num_rows, 4))).slice(0, 270))
    folder = tmp_path_factory.mktemp("plan") / "lib"
    return open_library(write(folder, [in_order(rows.slice(0, 190)), in_order(rows.slice(190))], 20, 60))


def of(molecules: Library, **more: Any) -> dict[str, Any]:
    return asked(Path(molecules.path), **more)


def foreseen(*args: Any, **more: Any) -> Plan:
    return plan(*args, **{"seconds": 0.1, **more})


def read_by(run: Any) -> int:
    """Molecules that a run has read: what its tasks counted."""
    return int(run["resources"]["molecules"])


@pytest.mark.parametrize("since", [None, 1])
@pytest.mark.parametrize(
    "ranges", [{}, {"mw": {"hard": [0, 350]}}, {"mw": {"hard": [400, 450]}, "clogp": {"hard": [-1, 4]}}]
)
def test_what_is_said_to_be_read_is_read(molecules: Library, ranges: dict[str, Any], since: int | None) -> None:
    target = of(molecules, properties=ranges)
    said = foreseen(target, since=since)
    run = screen(target, since=since).run
    assert said.work.rows == said.forecast.resources.rows == read_by(run)
    assert said.work.rows + said.work.skipped == run["tally"]["read"]
    assert said.work.groups == run["library"]["groups"]["read"]
    if ranges:
        assert 0 < said.work.skipped < molecules.rows


@pytest.mark.parametrize("executor", [execute.serial(), execute.processes(2)], ids=lambda e: e.kind)
def test_all_quantities_are_there(molecules: Library, executor: execute.Executor) -> None:
    said = foreseen(of(molecules), executor=executor)
    it, workers = said.forecast, executor.workers or 1
    assert it.resources.workers == workers
    assert 0 < it.seconds.low <= it.seconds.likely <= it.seconds.high
    assert 0 < it.pace.low <= it.pace.likely <= it.pace.high
    assert sum(it.parts.values()) == pytest.approx(it.seconds.likely)
    assert it.resources.all_bytes >= it.resources.peak_bytes > 50_000_000
    assert it.disk_bytes > 10_000
    assert it.resources.read_bytes > 1_000
    assert it.resources.cpu_s > 0
    assert it.resources.core_hours == pytest.approx(workers * it.resources.wall_s / 3600)
    assert 0 < said.quiet_share <= 1
    text, page = str(said), said._repr_html_()
    for heading in ("library", "rows", "hardware", "probe", "time", "memory", "disk", "core-hours", "energy"):
        assert heading in text
        assert f"<th>{heading}</th>" in page
    if not said.probed.gpus:
        assert f"no GPU: {said.no_gpu}" in text
    json.dumps(said.to_dict(), allow_nan=False)


def test_a_run_says_what_it_used(molecules: Library, tmp_path: Path) -> None:
    """The same quantities, measured; of bytes at least the columns that a plan says, at most those and whole files."""
    said = foreseen(of(molecules))
    for executor in (execute.serial(), execute.processes(2)):
        _, files = screen_to(of(molecules), tmp_path / executor.kind, executor=executor)
        used = json.loads(files["run.json"].read_text())["resources"]
        foretold = said.forecast.resources.to_dict()
        assert used.keys() == foretold.keys()
        assert used["molecules"] == said.work.rows
        assert used["workers"] == executor.workers
        assert used["cpu_s"] > 0
        assert used["wall_s"] * (executor.workers or 1) / 3600 == pytest.approx(used["core_hours"], abs=1e-5)
        assert used["peak_memory_bytes"]["all_processes"] >= used["peak_memory_bytes"]["largest_process"] > 50_000_000
        assert used["read_bytes"] >= said.work.checked + said.work.columns
        assert f"on {executor.workers} worker" in sentence(used)
        assert sentence(used) in files["report.html"].read_text()


def test_several_targets_are_planned_as_one_screen(molecules: Library) -> None:
    others = [{**of(molecules), "name": name, "target": name} for name in ("EGFR", "KDR")]
    one, two = foreseen(others[0]), foreseen(others)
    assert two.targets == ("EGFR", "KDR")
    assert two.work.rows == one.work.rows == read_by(screen_many(others)[1].run)
    assert two.work.kept == 2 * one.work.kept
    assert two.hits.runs == 2
    assert two.forecast.disk_bytes > one.forecast.disk_bytes


def test_nothing_to_read_is_planned_too(molecules: Library) -> None:
    said = foreseen(of(molecules, properties={"mw": {"hard": [3000, 4000]}}))
    assert (said.work.rows, said.work.skipped, said.work.kept) == (0, molecules.rows, 0)
    assert said.forecast.seconds.likely > 0


def test_a_cascade_is_planned_as_exact(molecules: Library) -> None:
    exact, cascade = (foreseen(of(molecules, screen={"mode": mode})) for mode in ("exact", "cascade"))
    assert "planned as exact" in str(cascade)
    assert "planned as exact" not in str(exact)
    assert cascade.work.rows == exact.work.rows


def test_vendor_files_are_planned_with_their_build(tmp_path: Path) -> None:
    kept = [drug for drug in drugs() if "." not in drug.smiles][:60]
    lines = [f"{drug.smiles} {drug.name}-{copy}" for copy in range(50) for drug in kept]
    (tmp_path / "vendor.smi").write_text("\n".join(lines) + "\n")
    said = foreseen(asked(tmp_path / "vendor.smi"))
    assert said.build is not None
    assert said.build.rows == len(lines) > SAMPLE
    # Each molecule stands there many times, in the sample as in the whole: what is kept of that is kept of this.
    assert said.work.rows == pytest.approx(len(lines) * len(kept) / SAMPLE, rel=0.05)
    assert "build first" in str(said)
    assert f"about {said.molecules:,} molecules" in str(said)
    assert [path.name for path in tmp_path.iterdir()] == ["vendor.smi"]


def test_what_screen_refuses_plan_refuses(molecules: Library, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no library is named"):
        plan({"name": "x", "target": "EGFR"})
    with pytest.raises(LibraryError, match="not a drylab library"):
        plan("EGFR", tmp_path)
    with pytest.raises(LibraryError, match="has no version 7"):
        plan("EGFR", molecules, since=7)


def test_a_large_library_is_probed_in_a_few_places(library: Path, tmp_path: Path) -> None:
    """The manifest alone says how much there is: it is made up here, and the files are few."""
    opened = open_library(library)
    many = 3_000
    entries = opened.manifest["versions"][0]["shards"]
    version = {**opened.manifest["versions"][0], "shards": entries * many, "rows": opened.rows * many}
    large = Library(opened.path, {**opened.manifest, "rows": opened.rows * many, "versions": [version]}, opened.sha256)
    said = foreseen(asked(library), large)
    assert said.work.rows == opened.rows * many
    assert said.probed.rows < 100 * layout.GROUP_ROWS
    assert said.forecast.seconds.likely > foreseen(asked(library)).forecast.seconds.likely


def test_the_command(say, molecules: Library, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "target.yaml"
    file.write_text(f"name: round 1\ntarget: EGFR\nscreen: {{library: {molecules.path}}}\n")
    code, out, _ = say("plan", file, "--seconds", "0.1", "--workers", "1")
    assert code == 0
    assert "270 in 14 row groups are read" in " ".join(out.split())
    code, out, _ = say("plan", file, "--seconds", "0.1", "--executor", "serial", "--json")
    assert (code, json.loads(out)["work"]["rows"]) == (0, 270)
    code, _, err = say("plan", tmp_path / "none.yaml")
    assert (code, err.startswith("error: ")) == (2, True)
