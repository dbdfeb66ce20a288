"""``drylab library`` as a chemist meets it: what the commands print, write and refuse."""

import gzip
import json
from pathlib import Path

import pytest

from drylab.config.options import read_bounds, read_size
from drylab.errors import ConfigError
from drylab.library.store import open_library
from drylab.quantities import size
from drylab.terminal_library import BARS, bars, trimmed
from tests.test_cli import one_line


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    path = tmp_path / "a.smi"
    path.write_text("CCO ethanol\nOCC again\nC1CC broken\n" + "".join(f"{'C' * i}N n{i}\n" for i in range(2, 40)))
    return path


@pytest.fixture
def built(say, vendor: Path, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    assert say("library", "build", vendor, "--out", tmp_path / "lib", "--executor", "serial")[0] == 0
    return tmp_path / "lib"


def test_build_says_what_info_says(say, vendor: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, err = say("library", "build", vendor, "--out", tmp_path / "lib", "--executor", "serial")
    assert (code, err) == (0, "")
    assert "39 molecules, version 1, recipe standard" in out
    assert "RDKit cannot parse it: 1" in out
    assert say("library", "info", tmp_path / "lib") == (0, out, "")


def test_build_with_every_option(say, vendor: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "b.csv").write_text("name,structure,more\nn1,CCO,x\nn2,CCN,y\nn3,CCC,z\nn4,C1CC,z\n")
    options = [
        "--smiles",
        "structure",
        "--id",
        "name",
        "--recipe",
        "none",
        "--memory",
        "2GB",
        "--scratch",
        tmp_path / "s",
    ]
    options += ["--max-rejected", "0.5", "--limit", "4", "--executor", "processes", "--workers", "1"]
    (tmp_path / "s").mkdir()
    code, out, _ = say("library", "build", tmp_path / "b.csv", "--out", tmp_path / "lib", *options)
    assert code == 0
    assert "3 molecules, version 1, recipe none" in out
    assert not list((tmp_path / "s").iterdir())


def test_add_makes_a_version(say, built: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "b.smi").write_text("CCO spirit\nCCCCO butanol\n")
    code, out, _ = say("library", "build", tmp_path / "b.smi", "--out", built, "--add", "--executor", "serial")
    assert code == 0
    assert "40 molecules, version 2" in out
    code, out, _ = say(
        "library", "export", built, "--out", tmp_path / "new.smi", "--since", "1", "--executor", "serial"
    )
    assert (tmp_path / "new.smi").read_text() == "CCCCO\tbutanol\n"


def test_dry_run_makes_nothing(say, vendor: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = say("library", "build", vendor, "--out", tmp_path / "lib", "--dry-run")
    assert code == 0
    assert "41 rows" in out
    assert not (tmp_path / "lib").exists()


def test_a_library_is_replaced_only_by_force(say, built: Path, vendor: Path) -> None:  # type: ignore[no-untyped-def]
    again = ("library", "build", vendor, "--out", built, "--executor", "serial")
    one_line(say(*again), "exists already")
    assert say(*again, "--force")[0] == 0


def test_info_for_programs(say, built: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = say("library", "info", built, "--json")
    said = json.loads(out)
    assert code == 0
    assert said["rows"] == 39
    assert said["sources"][0]["duplicates"] == 1
    assert set(said["properties"]) >= {"mw", "clogp", "tpsa", "heavy_atoms"}


def test_verify_ends_with_1_where_something_is_wrong(say, built: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = say("library", "verify", built, "--executor", "serial", "--deep")
    assert code == 0
    assert out.endswith("39 rows in 3 files, 39 of them written again by RDKit: whole\n")
    shard = Path(open_library(built).entries()[0]["path"])
    data = bytearray(shard.read_bytes())
    data[len(data) // 3] ^= 1
    shard.write_bytes(data)
    code, out, _ = say("library", "verify", built, "--executor", "serial")
    assert code == 1
    assert "shards/v1-00000.parquet: the bytes are not those that were written (SHA-256 " in out
    assert "damaged" in out


def test_a_sample_is_lines_or_a_file(say, built: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = say("library", "sample", built, "-n", "5")
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert len(rows) == 5
    assert all(ident == f"n{len(smiles) - 1}" or smiles == "CCO" for smiles, ident in rows)
    assert say("library", "sample", built, "-n", "5")[1] == out
    assert say("library", "sample", built, "-n", "5", "--seed", "2")[1] != out
    code, told, _ = say("library", "sample", built, "-n", "5", "--out", tmp_path / "a.smi.gz")
    assert told == f"{tmp_path / 'a.smi.gz'}: 5 rows\n"
    assert gzip.decompress((tmp_path / "a.smi.gz").read_bytes()).decode() == out


def test_export_keeps_to_ranges(say, built: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ranges = ("--range", "heavy_atoms:10:20", "--range", "mw::200")
    code, out, _ = say("library", "export", built, "--out", tmp_path / "a.csv", *ranges, "--executor", "serial")
    assert code == 0
    assert out == f"{tmp_path / 'a.csv'}: 5 rows\n"
    assert [line.split(",")[0] for line in (tmp_path / "a.csv").read_text().splitlines()] == ["id", '"n9"', '"n10"', '"n11"', '"n12"', '"n13"']  # fmt: skip
    again = ("library", "export", built, "--out", tmp_path / "a.csv", "--limit", "2", "--executor", "serial")
    one_line(say(*again), "exists already")
    assert say(*again, "--force")[1].endswith(": 2 rows\n")


def test_ids_that_had_to_change_are_told(say, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.csv").write_text('id,smiles\n"a\tb",CCO\n"c",CCN\n')
    assert say("library", "build", tmp_path / "a.csv", "--out", tmp_path / "lib", "--executor", "serial")[0] == 0
    out = say("library", "export", tmp_path / "lib", "--out", tmp_path / "b.smi", "--executor", "serial")[1]
    assert "1 ids hold tabs or line breaks" in out
    assert "CCO\ta b\n" in (tmp_path / "b.smi").read_text()


def test_find_names_duplicates_and_what_is_not_there(say, built: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = say("library", "find", built, "again", "n5")
    assert code == 0
    assert [line.split("\t")[:2] for line in out.splitlines()] == [["asked", "id"], ["again", "ethanol"], ["n5", "n5"]]
    assert out.splitlines()[1].split("\t")[3:] == ["CCO", str(tmp_path / "a.smi"), "2"]
    code, out, _ = say("library", "find", built, "nobody")
    assert code == 1
    assert out.splitlines()[1] == "nobody\t\tnot there\t\t\t"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["info", "nowhere"], "nowhere: not a drylab library"),
        (["verify", "nowhere"], "nowhere: not a drylab library"),
        (["sample", "nowhere"], "nowhere: not a drylab library"),
        (["find", "nowhere", "a"], "nowhere: not a drylab library"),
        (["export", "nowhere", "--out", "a.csv"], "nowhere: not a drylab library"),
        (["export", "LIB", "--out", "a.doc"], "no such kind of file can be written"),
        (["export", "LIB", "--out", "a.csv", "--range", "mw:300"], "--range mw:300: expected PROPERTY:LOW:HIGH"),
        (["export", "LIB", "--out", "a.csv", "--range", "weight:1:2"], "'weight' is no property of a library"),
        (["export", "LIB", "--out", "a.csv", "--since", "4"], "has no version 4"),
        (["build", "a.smi", "--out", "lib2", "--memory", "lots"], "--memory lots: expected a size such as 4GB"),
        (["build", "a.smi", "--out", "lib2", "--memory", "1MB"], "too little to build a library"),
        (["build", "a.smi", "--out", "lib2", "--memory", f"{'9' * 400}GB"], "expected a size such as 4GB"),
        (["export", "LIB", "--out", "nowhere/a.csv"], "nowhere/a.csv: its folder is not there; make it"),
        (["build", "a.smi", "--out", "lib2", "--recipe", "strict"], "recipe 'strict' is not known"),
        (["build", "a.smi", "--out", "lib2", "--add"], "lib2: not a drylab library"),
    ],
)
def test_what_cannot_be_is_one_line(  # type: ignore[no-untyped-def]
    say, built: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], expected: str
) -> None:
    monkeypatch.chdir(built.parent)
    executor = ["--executor", "serial"] if command[0] in ("export", "verify") else []
    executor = ["--executor", "processes"] if command[0] == "build" else executor
    one_line(say("library", *(str(built) if part == "LIB" else part for part in command), *executor), expected)
    assert sorted(path.name for path in built.parent.iterdir()) == ["a.smi", "lib"]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GB", 4 * 10**9),
        ("1.5gb", 15 * 10**8),
        ("800 MB", 8 * 10**8),
        ("2GiB", 2 << 30),
        ("512kib", 512 << 10),
        ("7", 7),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert read_size(text, "--memory") == size


@pytest.mark.parametrize("text", ["", "GB", "4 gigs", "-1GB", "1e9", "0", "4iB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ConfigError, match="--memory"):
        read_size(text, "--memory")


def test_bounds() -> None:
    assert read_bounds("mw:300:400.5", "--range") == ("mw", 300.0, 400.5)
    assert read_bounds("clogp:-1:", "--range") == ("clogp", -1.0, float("inf"))
    assert read_bounds("charge::0", "--range") == ("charge", float("-inf"), 0.0)


def test_histograms_fit_a_line() -> None:
    edges, counts = trimmed(range(101), [0] * 10 + [1] * 80 + [0] * 10)
    assert (edges[0], edges[-1], sum(counts), len(counts)) == (10, 90, 80, 27)
    assert len(counts) <= BARS
    assert trimmed([0, 1, 2], [0, 0]) == ([0], [])
    assert bars([]) == ""
    assert bars([0, 1, 50, 100]) == " ▁▅█"
    assert [size(n) for n in (5, 1500, 2_000_000, 3_100_000_000)] == ["5 bytes", "1.5 kB", "2.0 MB", "3.1 GB"]
