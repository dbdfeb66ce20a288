"""The command line as a chemist meets it: what it prints, and one line for everything that can be wrong."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drylab import cli

TARGET = "name: EGFR test\ntarget: EGFR\nscreen: {{library: {library}, top_k: 30, report_n: 10}}\n{more}"


@pytest.fixture
def target(tmp_path: Path, library: Path):  # type: ignore[no-untyped-def]
    def write(more: str = "", where: object = library) -> Path:
        path = tmp_path / "target.yaml"
        path.write_text(TARGET.format(library=where, more=more))
        return path

    return write


def test_screen_prints_the_account_and_the_files(say, target, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = say("screen", target(), "--out", tmp_path / "run", "--executor", "serial")
    assert code == 0
    assert "read 1,0" in out
    assert "library: read 1,099, rejected 3, duplicates 0, kept 1,096" in out
    for name in ("report.html", "hits.csv", "hits.parquet", "hits.sdf", "run.json"):
        path = tmp_path / "run" / name
        assert path.is_file()
        assert str(path) in out
    with open(tmp_path / "run" / "hits.csv") as file:
        assert len(list(csv.DictReader(file))) == 10


def test_check_says_what_it_would_do(say, target) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = say("check", target("properties: {mw: {hard: [100, 500]}}\n"))
    assert code == 0
    assert "probe EGFR" in out
    assert "mw in [100, 500]" in out
    assert "`drylab plan` says what it takes" in out
    assert "the best 30, of which 10 are shown" in out


def test_init_check_screen_in_a_row(say, library: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "new.yaml"
    assert say("init", file, "--target", "EGFR", "--library", library)[0] == 0
    assert say("check", file)[0] == 0
    assert say("screen", file, "--out", tmp_path / "run", "--executor", "serial")[0] == 0
    code, _, err = say("init", file)
    assert code == 2
    assert "exists already" in err


def test_init_replaces_target_files_only(say, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "precious.csv").write_text("years of work")
    one_line(say("init", tmp_path / "precious.csv", "--force"), "is no target file")
    assert (tmp_path / "precious.csv").read_text() == "years of work"
    (tmp_path / "a[b].yaml").write_text("old")
    code, out, _ = say("init", tmp_path / "a[b].yaml", "--force")
    assert code == 0
    assert "a[b].yaml" in out


def test_check_refuses_vendor_files_that_screen_would(say, target, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    one_line(say("check", target(where=tmp_path / "a.csv")), "a.csv:1: no column is named like SMILES")
    (tmp_path / "a.smi").write_text("\n")
    one_line(say("check", target(where=tmp_path / "a.smi")), "a.smi: holds no rows")


def test_a_confidential_structure_stands_in_no_message(say, target, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "bad.smi").write_text("CCOSECRET a\n")
    more = f"known: {{exclude: {tmp_path / 'bad.smi'}}}\n"
    for path in (target(where=tmp_path / "bad.smi"), target(more)):
        _, out, err = say("screen", path, "--out", tmp_path / "run", "--executor", "serial")
        assert "bad.smi:1: " in err
        assert "SECRET" not in out + err


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    """By a batch system whose time is up; Ctrl-C goes the same way."""
    command = [sys.executable, "-m", "drylab.cli", "demo", "--out", str(tmp_path / "demo"), "--executor", "serial"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while process.poll() is None and not list(tmp_path.glob(".demo.partial-*/library/shards")):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
    assert (process.returncode, out) == (130, "stopped; the output folder is as it was\n")
    assert not list(tmp_path.iterdir())


def test_targets_lists_the_panel(say) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = say("targets")
    assert code == 0
    assert "EGFR" in out
    assert "ames" in out


def test_help_names_every_command() -> None:
    text = CliRunner().invoke(cli.app, ["--help"]).output
    for command in ("screen", "demo", "init", "check", "targets", "library"):
        assert command in text


def bad_cases() -> dict[str, tuple[str, str]]:
    """What is wrong -> (lines after TARGET's, what the error has to say)."""
    return {
        "unknown key": ("screem: 1\n", "target.yaml:4: unknown key 'screem'"),
        "malformed": ("properties: {mw: [1, 2\n", "target.yaml:"),
        "not yet": ("diversity: {threshold: 0.6}\n", "not supported yet"),
        "no such file of actives": ("known:\n  actives: {file: nowhere.csv}\n", "target.yaml:5: "),
        "SMARTS": ('substructure:\n  must_not_have: ["C(=O"]\n', "target.yaml:5: 'C(=O' is not a SMARTS"),
        "endpoint": ("toxicity:\n  hergg: {amber: 5, unit: pIC50}\n", "did you mean 'herg'?"),
        "unit": ("toxicity:\n  ames: {amber: 5.0, unit: pIC50}\n", "ames is predicted as probability"),
        "empty SMARTS": ('substructure:\n  must_have_any: [""]\n', "target.yaml:5: '' is not a SMARTS"),
        "nothing to reject": (
            "alerts: {catalogs: [], action: reject}\n",
            "target.yaml:4: alerts.action: expected catalogs",
        ),
        "units not yet": (
            "known:\n  actives:\n    file: k.csv\n    value: v\n    units: percent_inhibition\n",
            "target.yaml:8: known.actives.units: 'percent_inhibition' is not supported yet",
        ),
        "sequence not yet": (
            "anti_targets:\n  - {name: a, sequence: MKV, min_delta: 1}\n",
            "target.yaml:5: anti_targets[0].sequence is not supported yet",
        ),
        "anti-target": ("anti_targets:\n  - {name: EGFR, panel: EGFR, min_delta: 1}\n", "is the target itself"),
        "model": ("model: {affinity: nothing-9}\n", "no such file, and the shipped models are panel-2"),
    }


@pytest.mark.parametrize("what", bad_cases())
@pytest.mark.parametrize("command", ["check", "screen"])
def test_a_bad_target_file_is_one_line(say, target, tmp_path: Path, command: str, what: str) -> None:  # type: ignore[no-untyped-def]
    more, expected = bad_cases()[what]
    options = ["--out", tmp_path / "run", "--executor", "serial"] if command == "screen" else []
    one_line(say(command, target(more), *options), expected)
    assert not (tmp_path / "run").exists()


def one_line(result: tuple[int, str, str], expected: str) -> None:
    code, out, err = result
    assert code == 2, out + err
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    assert expected in lines[0]
    assert "Traceback" not in out + err


def test_a_target_that_is_not_known(say, tmp_path: Path, library: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "t.yaml"
    path.write_text(f"name: x\ntarget: EGFRR\nscreen: {{library: {library}}}\n")
    one_line(say("screen", path, "--out", tmp_path / "run"), "did you mean EGFR")
    path.write_text(f"name: x\ntarget: {{uniprot: Q99999}}\nscreen: {{library: {library}}}\n")
    one_line(say("screen", path, "--out", tmp_path / "run"), "t.yaml:2: target 'Q99999' is not one the model knows")
    path.write_text(f"name: x\ntarget: {{sequence: {'MKV' * 20}}}\nscreen: {{library: {library}}}\n")
    one_line(say("screen", path, "--out", tmp_path / "run"), "scoring from a sequence alone is not supported yet")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smiles,name\nCCO,a\nC1CC,b\n", "known.csv:3: the SMILES of 'b': RDKit cannot parse it"),
        ("structur,name\nCCO,a\n", "the columns are structur, name"),
        ("", "known.csv"),
    ],
)
def test_bad_measurements(say, target, tmp_path: Path, text: str, expected: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "known.csv").write_text(text)
    path = target("known:\n  actives: {file: known.csv, id: name}\n")
    one_line(say("screen", path, "--out", tmp_path / "run", "--executor", "serial"), expected)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("missing.smi", None, "missing.smi: no such file"),
        ("empty.smi", "", "empty.smi: holds no rows"),
        ("bad.csv", "a,b\n1,2\n", "bad.csv:1: no column is named like SMILES"),
        ("bad.smi", "C1CC x\nCC y\n", "1 of 2 rows are rejected"),
        ("what.xyz", "3\n", "no reader for this kind of file"),
        ("bad.smi.gz", "this is not gzip", "the file is damaged"),
    ],
)
def test_bad_libraries(say, target, tmp_path: Path, name: str, text: str | None, expected: str) -> None:  # type: ignore[no-untyped-def]
    if text is not None:
        (tmp_path / name).write_text(text)
    one_line(say("screen", target(where=tmp_path / name), "--out", tmp_path / "run", "--executor", "serial"), expected)
    one_line(say("library", "build", tmp_path / name, "--out", tmp_path / "lib", "--executor", "serial"), expected)
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "lib").exists()


def test_only_what_is_new_is_screened(say, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.smi").write_text("CCO ethanol\nCCN amine\n")
    (tmp_path / "b.smi").write_text("c1ccccc1O phenol\nOCC again\n")
    (tmp_path / "t.yaml").write_text(TARGET.format(library=tmp_path / "lib", more=""))
    build = ("library", "build", "--out", tmp_path / "lib", "--executor", "serial")
    assert say(*build, tmp_path / "a.smi")[0] == 0
    since = ("screen", tmp_path / "t.yaml", "--out", tmp_path / "run", "--executor", "serial", "--since", "1")
    one_line(say(*since), "has no version after 1, so there is nothing new to screen")
    assert say(*build, "--add", tmp_path / "b.smi")[0] == 0
    assert say(*since)[0] == 0
    with open(tmp_path / "run" / "hits.csv") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["phenol"]


def test_folder_that_cannot_be_written(say, target, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "file").write_text("")
    one_line(say("screen", target(), "--out", tmp_path / "file" / "run"), "cannot be written")
    one_line(say("screen", target(), "--out", tmp_path / "file"), "is a file, and a folder is to be written there")


def test_executor_that_is_not_there(say, target, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    one_line(
        say("screen", target(), "--out", tmp_path / "r", "--executor", "gpu"),
        "choose one of auto, serial, processes, dask",
    )
    one_line(
        say("screen", target(), "--out", tmp_path / "r", "--executor", "serial", "--address", "tcp://x:1"),
        "use --executor dask",
    )
