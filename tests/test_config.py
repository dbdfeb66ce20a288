"""target.yaml: what is read, what is refused, and on which line."""

import json
import math
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drylab.config import Range, Target, load_target, target_from, template, to_dict
from drylab.config.checks import SECTIONS, known_keys
from drylab.config.presets import LATER, PRESETS, Later
from drylab.errors import ConfigError

DOCS = Path(__file__).resolve().parents[1] / "docs" / "target-yaml.md"
DOC_BLOCKS = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
BASE = "name: A\ntarget: EGFR\n"
# The kinase domain's first residues are enough: only letters are read.
RESIDUES = "MGLPGSWKWVFLLLLGLLQHAVGESTQSF"


def load(folder: Path, text: str | bytes) -> Target:
    path = folder / "t.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_target(path)


def message(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError, match=r"t\.yaml:\d+: ") as caught:
        load(folder, text)
    line = str(caught.value)
    assert line.isprintable(), "one line"
    return line.removeprefix(f"{folder}/")


def nested(dotted: str, value: object) -> dict[str, object]:
    """{"a": {"b": [{"c": value}]}} for a.b[].c"""
    for part in reversed(dotted.split(".")):
        value = {part[:-2]: [value]} if part.endswith("[]") else {part: value}
    assert isinstance(value, dict)
    return value


# ---- what is read

KEYS = {
    "description": "free text",
    "target.panel": "EGFR",
    "target.uniprot": "P00533",
    "target.sequence": RESIDUES,
    "target.organism": "Homo sapiens",
    "target.family": "nuclear_receptor",
    "known.actives.file": "a.csv",
    "known.exclude.file": "b.smi",
    "objective.mode": "bind",
    "objective.min_pactivity": 6.5,
    "objective.rank_by": "mean",
    "alerts.catalogs": ["nih"],
    "alerts.action": "reject",
    "substructure.must_have_any": ["c1ccccc1", "[OH]"],
    "substructure.must_not_have": ["C(=O)Cl"],
    "screen.library": "lib/*.parquet",
    "screen.columns.smiles": "s",
    "screen.columns.id": "i",
    "screen.top_k": 10_000_000,
    "screen.report_n": 7,
    "screen.mode": "exact",
    "screen.stereo": "as_given",
    "screen.batch_size": 65_536,
    "model.affinity": "m.safetensors",
    "model.precision": "float64",
    "model.allow_orphan": False,
    "report.title": "T",
    "report.contact": "c@d",
    "report.explain_top": 0,
    "provenance.data_license": "internal",
    "provenance.confidential": True,
    "properties.preset": "cns",
    **{f"properties.{name}": [-1.5, 3.0] for name in known_keys(SECTIONS["properties"]) if name != "preset"},
}


@pytest.mark.parametrize("key", KEYS)
def test_supported_key_round_trips(tmp_path: Path, key: str) -> None:
    data = {"name": "A", "target": "EGFR"} | nested(key, KEYS[key])
    if key.startswith("target."):
        data["target"]["uniprot"] = data["target"].get("uniprot", "P00533")  # type: ignore[index,attr-defined]
    target = load(tmp_path, yaml.safe_dump(data))
    found: object = to_dict(target)
    for part in key.split("."):
        assert isinstance(found, dict)
        found = found[part]
    assert found == KEYS[key]


def test_keys_table_covers_the_schema() -> None:
    """A key added to the models without a round trip fails here."""
    tested = {key.rsplit(".", 1)[-1] for key in KEYS}
    elsewhere = {"schema", "name", *known_keys(SECTIONS["known.actives"]), *known_keys(SECTIONS["known.exclude"])}
    elsewhere |= {*known_keys(SECTIONS["anti_targets[]"]), *known_keys(SECTIONS["toxicity.*"])}
    sections = {name.split(".")[-1].removesuffix("[]") for name in SECTIONS} | {"toxicity"}
    assert {key for model in SECTIONS.values() for key in known_keys(model)} <= tested | elsewhere | sections


def test_lists_and_tables_round_trip(tmp_path: Path) -> None:
    target = load(
        tmp_path,
        BASE
        + """
known:
  actives: {file: a.csv, smiles: S, id: I, value: V, units: pX}
  exclude: x.smi
anti_targets:
  - {name: JAK3, panel: JAK3, max_pactivity: 5, min_delta: -0.5}
  - {name: hERG, uniprot: Q12809, max_pactivity: 0}
toxicity:
  require_in_domain: false
  herg: {amber: 5.0, red: 5.0, unit: pIC50, report_only: false}
  ames: {red: 0.7, unit: probability}
  dili:
properties: {mw: {hard: [200, 500]}, clogp: [null, 5]}
""",
    )
    assert target.known.actives is not None
    assert target.known.actives.model_dump() == {
        "file": "a.csv",
        "smiles": "S",
        "id": "I",
        "value": "V",
        "units": "pX",
    }
    assert target.known.exclude is not None
    assert (target.known.exclude.file, target.known.exclude.smiles) == ("x.smi", "smiles")
    assert [(a.name, a.max_pactivity, a.min_delta) for a in target.anti_targets] == [
        ("JAK3", 5, -0.5),
        ("hERG", 0, None),
    ]
    assert list(target.toxicity) == ["herg", "ames", "dili"]
    assert not target.toxicity["herg"].report_only
    assert target.toxicity["dili"].report_only
    assert target.ranges() == {"mw": Range(200, 500, True), "clogp": Range(-math.inf, 5)}
    again = target_from(json.loads(json.dumps(to_dict(target), allow_nan=False)))
    assert to_dict(again) == to_dict(target)
    assert to_dict(pickle.loads(pickle.dumps(target))) == to_dict(target)


def test_defaults(tmp_path: Path) -> None:
    target = load(tmp_path, BASE)
    assert (target.schema_, target.target.panel, target.screen.library) == ("drylab.target/1", "EGFR", None)
    assert (target.screen.top_k, target.screen.report_n, target.screen.batch_size) == (1000, 200, 1024)
    assert (target.alerts.catalogs, target.alerts.action) == (("pains", "brenk", "nih"), "annotate")
    assert (target.objective.mode, target.objective.rank_by, target.ranges()) == ("inhibit", "mean", {})


def test_empty_sections_are_empty(tmp_path: Path) -> None:
    """All keys of a section commented out leaves null in YAML."""
    sections = [
        "known",
        "properties",
        "screen",
        "model",
        "alerts",
        "toxicity",
        "objective",
        "report",
        "provenance",
        "substructure",
    ]
    assert to_dict(load(tmp_path, BASE + "".join(f"{s}:\n" for s in sections))) == to_dict(load(tmp_path, BASE))


def test_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path, BASE).screen.top_k = 3  # type: ignore[misc]


@pytest.mark.parametrize("text", ["1000000", "1e6", "1E+6", "1.0e+6", "1_000_000"])
def test_numbers_as_people_write_them(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, BASE + f"screen: {{top_k: {text}}}\n").screen.top_k == 1_000_000


@pytest.mark.parametrize(
    ("given", "top_k", "report_n"),
    [("top_k: 50", 50, 50), ("report_n: 5000", 5000, 5000), ("top_k: 300", 300, 200), ("report_n: 3", 1000, 3)],
)
def test_one_of_top_k_and_report_n_follows_the_other(tmp_path: Path, given: str, top_k: int, report_n: int) -> None:
    screen = load(tmp_path, BASE + f"screen: {{{given}}}\n").screen
    assert (screen.top_k, screen.report_n) == (top_k, report_n)


def test_explicit_range_wins_over_preset(tmp_path: Path) -> None:
    target = load(tmp_path, BASE + "properties: {preset: druglike, mw: {hard: [0, 600]}, fsp3: [0.2, 1]}\n")
    assert target.ranges() == PRESETS["druglike"] | {"mw": Range(0, 600, True), "fsp3": Range(0.2, 1)}
    assert not PRESETS["druglike"]["mw"].hard, "the preset itself is untouched"


def test_presets_name_known_properties() -> None:
    known = set(known_keys(SECTIONS["properties"])) - {"preset"}
    assert all(set(ranges) <= known for ranges in PRESETS.values())


def test_dates_times_and_octals_stay_what_they_look_like(tmp_path: Path) -> None:
    assert load(tmp_path, "name: 2024-01-02\ntarget: EGFR\n").name == "2024-01-02"
    assert load(tmp_path, BASE + "description: 12:30\n").description == "12:30"
    assert load(tmp_path, BASE + "screen: {top_k: 010}\n").screen.top_k == 10


# ---- sequences and paths


@pytest.mark.parametrize("spelling", [RESIDUES, RESIDUES.lower(), f"{RESIDUES[:9]} {RESIDUES[9:]}*"])
def test_sequence_inline(tmp_path: Path, spelling: str) -> None:
    assert load(tmp_path, f"name: A\ntarget: {{sequence: '{spelling}'}}\n").target.sequence == RESIDUES


def test_sequence_from_fasta_beside_the_yaml(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "two.fasta").write_text(f">one\n{RESIDUES[:10]}\n{RESIDUES[10:]}\n>two\nWWWWW\n")
    assert load(tmp_path, "name: A\ntarget: {sequence: f/two.fasta}\n").target.sequence == RESIDUES


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "No such file"),
        ("", "an empty file"),
        (RESIDUES, "starts with >"),
        (">x\n", "expected residues under '>x'"),
        (">x\nMGLPG1", "got '1' at position 6"),
        (b">x\n\xff", "not text"),
    ],
)
def test_bad_fasta_names_the_line(tmp_path: Path, content: str | bytes | None, what: str) -> None:
    if content is not None:
        (tmp_path / "x.fa").write_bytes(content.encode() if isinstance(content, str) else content)
    line = message(tmp_path, "name: A\ntarget:\n  sequence: x.fa\n")
    assert line.startswith("t.yaml:3: target.sequence: ")
    assert what in line


def test_resolve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.yaml").write_text(BASE)
    target = load_target("t.yaml")
    assert target.source == tmp_path / "t.yaml"
    assert target.resolve("lib/*.parquet") == str(tmp_path / "lib" / "*.parquet")
    assert target.resolve("s3://bucket/lib") == "s3://bucket/lib"
    assert target.resolve("/data/lib") == "/data/lib"
    assert target_from("EGFR").resolve("lib") == "lib"


def test_where(tmp_path: Path) -> None:
    text = "name: A\ntarget: EGFR\nsubstructure:\n  must_not_have:\n    - C\n    - '[X'\nanti_targets: []\n"
    target, path = load(tmp_path, text), ("substructure", "must_not_have", 1)
    assert target.line_of(path) == 6
    assert target.where(path) == f"{tmp_path / 't.yaml'}:6"
    assert target.line_of(("target", "panel")) == 2, "the shorthand's line"
    assert target.line_of(("screen", "library")) == 1, "not in the file: its innermost section that is"
    assert target.where(("anti_targets", 0)).endswith(":7")
    plain = target_from({"name": "A", "target": "EGFR"})
    assert plain.line_of(path) is None
    assert plain.where(path) == "<dict>: substructure.must_not_have[1]"
    assert plain.source is None


# ---- what is refused, and on which line

BAD = [
    ("", 1, "the file is empty"),
    ("# only a comment\n", 1, "the file is empty"),
    ("\n- a\n", 2, "got a list"),
    ("EGFR\n", 1, "got a single value"),
    ("target: EGFR\n", 1, "name is missing; add name:"),
    ("name: A\n", 1, "target is missing; add target:"),
    ("name: A\ntarget:\n", 2, "target: expected keys (panel, uniprot, sequence, organism, family), got nothing"),
    ("name: A\ntarget: {organism: x}\n", 2, "expected at least one of panel, uniprot, sequence"),
    ("name: A\ntarget: {panel: ''}\n", 2, "target.panel: expected text, got ''"),
    ("name: A\n\ttarget: EGFR\n", 2, "got a tab; YAML indents with spaces"),
    ("name: A\ntarget:\n\tpanel: EGFR\n", 3, "got a tab; YAML indents with spaces"),
    ("name: A\n  target: EGFR\n", 2, "expected YAML, got: mapping values are not allowed here"),
    ("name: [A\ntarget: EGFR\n", 2, "expected YAML"),
    (BASE + "description: a\x07b\n", 3, "got the character U+0007"),
    (BASE + 'description: "\\UFFFFFFFF"\n', 3, "a bad escape"),
    (BASE + 'description: "\\uD800"\n', 3, "description: expected text"),
    (BASE + "description: " + "[" * 5000, 3, "brackets hundreds deep"),
    (BASE.encode() + b"description: caf\xe9\n", 3, "got byte 0xe9; save the file as UTF-8"),
    (BASE.encode("utf-16"), 1, "save the file as UTF-8"),
    ("x" * 1_000_001, 1, "is it the library?"),
    (BASE + "screen:\n  top_k: 1\n  mode: exact\n  top_k: 2\n", 6, "screen.top_k is given twice (first on line 4)"),
    (BASE + "name: B\n", 3, "name is given twice (first on line 1)"),
    (BASE + "---\nname: B\n", 3, "got a second document"),
    (BASE + "description: &a x\n", 3, "got an anchor"),
    (BASE + "description: *a\n", 3, "got an alias"),
    (BASE + "description: !!python/object:os.system x\n", 3, "write it plainly"),
    (BASE + "? [a, b]\n: c\n", 3, "expected a word as key"),
    (BASE + "screen:\n  top-k: 3\n", 4, "unknown key 'top-k' in screen; did you mean 'top_k'? (known: library, "),
    (BASE + "library: x\n", 3, "unknown key 'library' in the file; it belongs in screen (known: schema, "),
    (BASE + "toxicity:\n  ames: {ambr: 1}\n", 4, "unknown key 'ambr' in toxicity.ames; did you mean 'amber'?"),
    (
        BASE + "anti_targets:\n- name: X\n  pannel: Y\n",
        5,
        "unknown key 'pannel' in anti_targets[0]; did you mean 'panel'",
    ),
    ("nmae: A\ntarget: EGFR\n", 1, "unknown key 'nmae' in the file; did you mean 'name'?"),
    ("schema: drylab.target/2\n" + BASE, 1, "schema: expected drylab.target/1"),
    ("name: NO\ntarget: EGFR\n", 1, 'name: expected text, got false; write "NO", in quotes'),
    ("name: on\ntarget: EGFR\n", 1, 'got true; write "on", in quotes'),
    ("name: 007\ntarget: EGFR\n", 1, 'name: expected text, got 7; write "007", in quotes'),
    ("name:\ntarget: EGFR\n", 1, "name: expected text, got nothing"),
    ("name: a/b\ntarget: EGFR\n", 1, "name: expected letters, digits"),
    ("name: ../b\ntarget: EGFR\n", 1, "name: expected letters, digits"),
    ("name: A\ntarget: {sequence: EGFR}\n", 2, "a name goes under panel"),
    ("name: A\ntarget: {sequence: MGLPGSWKWVFLLLLGLLQ1}\n", 2, "got '1' at position 20"),
    ("name: A\ntarget: {panel: A, family: kinases}\n", 2, "did you mean kinase?"),
    (BASE + "screen:\n  top_k: many\n", 4, "expected a whole number from 1 to 10000000, got 'many'"),
    (BASE + "screen: {top_k: 0}\n", 3, "got 0"),
    (BASE + "screen: {top_k: 1e8}\n", 3, "got '1e8'"),
    (BASE + "screen: {top_k: 1.5}\n", 3, "got 1.5"),
    (BASE + "screen: {top_k: yes}\n", 3, "got true"),
    (BASE + "screen: {top_k: .inf}\n", 3, "got inf"),
    (BASE + "screen: {top_k: " + "9" * 400 + "}\n", 3, "expected text, a plain number"),
    (BASE + "screen: {report_n: 0}\n", 3, "from 1 to 10000000, got 0"),
    (BASE + "screen: {batch_size: 65537}\n", 3, "from 1 to 65536"),
    (BASE + "screen:\n  top_k: 10\n  report_n: 11\n", 5, "screen.report_n: expected report_n <= top_k, got 11 > 10"),
    (BASE + "screen: {library: ''}\n", 3, "expected the path of a file"),
    (BASE + "screen: x\n", 3, "screen: expected keys (library, "),
    (BASE + "objective: {min_pactivity: 100}\n", 3, "1 uM is 6"),
    (BASE + "objective: {min_pactivity: .nan}\n", 3, "expected a finite number, got nan"),
    (BASE + "objective: {min_pactivity: 1e999}\n", 3, "expected a finite number"),
    (BASE + "objective: {min_pactivity: '6'}\n", 3, "write it without quotes"),
    (BASE + "objective: {mode: inhibt}\n", 3, "expected 'inhibit' or 'bind', got 'inhibt'; did you mean inhibit?"),
    (BASE + "known: {actives: {smiles: s}}\n", 3, "known.actives.file is missing"),
    (
        BASE + "known:\n  actives:\n    file: x\n    value: v\n",
        6,
        "expected units (nM, uM, M or pX) for the column 'v'",
    ),
    (BASE + "known: {actives: {file: x, units: nM}}\n", 3, "add value:"),
    (BASE + "known: {actives: {file: x, value: v, units: nm}}\n", 3, "did you mean nM?"),
    (BASE + "known: {exclude: 3}\n", 3, "known.exclude: expected keys (file, smiles, id)"),
    (BASE + "anti_targets: {name: X}\n", 3, "anti_targets: expected a list, got a mapping"),
    (BASE + "anti_targets:\n- {name: X, min_delta: 1}\n", 4, "expected panel or uniprot for 'X'"),
    (BASE + "anti_targets:\n- {name: X, panel: X}\n", 4, "expected max_pactivity or min_delta for 'X'"),
    (BASE + "toxicity:\n  ames: {amber: 0.4}\n", 4, "expected unit: pIC50 or unit: probability with amber"),
    (BASE + "toxicity:\n  ames: {amber: 40, unit: probability}\n", 4, "50 % is 0.5"),
    (BASE + "toxicity:\n  herg: {red: 16, unit: pIC50}\n", 4, "10 uM is 5"),
    (BASE + "toxicity:\n  a: {amber: 0.6, red: 0.5, unit: probability}\n", 4, "toxicity.a.red: expected red >= amber"),
    (BASE + "toxicity: {require_in_domain: 3}\n", 3, "toxicity.require_in_domain: expected false, got 3"),
    (BASE + "toxicity: [ames]\n", 3, "toxicity: expected keys"),
    (BASE + "properties: {mw: [3, 1]}\n", 3, "expected [min, max] with min <= max, got [3, 1]"),
    (BASE + "properties: {mw: [1, 2, 3]}\n", 3, "expected [min, max] or {hard: [min, max]}, got a list of 3"),
    (BASE + "properties: {mw: {soft: [1, 2]}}\n", 3, "expected [min, max] or {hard: [min, max]}"),
    (BASE + "properties: {mw: 500}\n", 3, "expected [min, max] or {hard: [min, max]}, got 500"),
    (BASE + "properties: {mw: [1, x]}\n", 3, "expected a number, got 'x'"),
    (BASE + "properties: {preset: leadlik}\n", 3, "did you mean leadlike?"),
    (BASE + "substructure: {must_have_any: C}\n", 3, "expected a list, got 'C'"),
    (
        BASE + "substructure:\n  must_not_have:\n  - C\n  - [OH]\n",
        6,
        "must_not_have[1]: expected text, got a list of 1",
    ),
    (BASE + "alerts: {catalogs: [pain]}\n", 3, "did you mean pains?"),
    (BASE + "model: {allow_orphan: maybe}\n", 3, "expected false, got 'maybe'"),
    (BASE + "provenance: {confidential: 'yes'}\n", 3, "expected true or false, got 'yes'"),
    (BASE + "report: {title: 12}\n", 3, 'report.title: expected text, got 12; write "12", in quotes'),
]


@pytest.mark.parametrize(("text", "line", "what"), BAD)
def test_bad_file(tmp_path: Path, text: str | bytes, line: int, what: str) -> None:
    found = message(tmp_path, text)
    assert found.startswith(f"t.yaml:{line}: ")
    assert what in found


def complete(path: str, value: object) -> dict[str, object]:
    """A file without other faults that holds the value at the dotted path."""
    data: dict[str, object] = {"name": "A", "target": {"panel": "EGFR"}, **nested(path, value)}
    section = path.split(".", maxsplit=1)[0]
    around = {"target": {"panel": "EGFR"}, "anti_targets[]": [{"name": "X", "panel": "X", "min_delta": 1}]}.get(section)
    if isinstance(around, dict):
        data["target"] = around | data["target"]  # type: ignore[operator]
    if isinstance(around, list):
        data["anti_targets"] = [around[0] | data["anti_targets"][0]]  # type: ignore[index]
    if path.startswith("known.actives."):
        data["known"]["actives"]["file"] = "a.csv"  # type: ignore[index]
    return data


@pytest.mark.parametrize(
    ("row", "value"),
    [(row, value) for row in LATER for value in row.values or ([1], None)],
    ids=lambda part: str(part)[:40],
)
def test_later_key_is_refused(tmp_path: Path, row: Later, value: object) -> None:
    data = complete(row.path, value)
    text = yaml.safe_dump(data, sort_keys=False)
    key = row.path.rsplit(".", 1)[-1]
    (line,) = (i for i, got in enumerate(text.splitlines(), start=1) if re.match(rf"[ -]*{key}:", got))
    found = message(tmp_path, text)
    assert found.startswith(f"t.yaml:{line}: {row.path.replace('[]', '[0]')}")
    assert found.endswith(f" is not supported yet by this version; {row.advice}"), "and no other fault"
    with pytest.raises(ConfigError, match=r"^<dict>: .* is not supported yet by this version"):
        target_from(data)


def test_later_keys_are_in_the_documentation() -> None:
    section = DOCS.read_text(encoding="utf-8").split("## Not supported yet")[1].split("## Errors")[0]
    assert [row.path for row in LATER if row.path.rsplit(".", 1)[-1] not in section] == []


def test_later_and_known_keys_do_not_overlap() -> None:
    known = {f"{name}.{key}".lstrip(".") for name, model in SECTIONS.items() for key in known_keys(model)}
    whole_keys = {row.path for row in LATER if not row.values}
    assert not whole_keys & known
    assert {row.path for row in LATER if row.values} - {"toxicity.require_in_domain"} <= known


def test_first_fault_in_file_order_and_a_count(tmp_path: Path) -> None:
    text = "name: A\nscreen: {top_k: many, novelty: 1}\ntarget: EGFR\ndiversity: 1\nname: B\n"
    found = message(tmp_path, text)
    assert found.startswith("t.yaml:2: screen.top_k: ")
    assert found.endswith(" (and 3 more)")


def test_missing_file_folder_and_odd_paths(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml:1: expected a target file, there is none"):
        load_target(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r":1: expected a target file, got a folder"):
        load_target(tmp_path)
    with pytest.raises(ConfigError, match=r"^a\\x00b:1: expected a readable target file"):
        load_target("a\0b")


# ---- notebooks


def test_target_from_name() -> None:
    target = target_from("EGFR")
    assert (target.name, target.target.panel) == ("EGFR", "EGFR")
    assert target.where(("target",)) == "target 'EGFR': target"
    assert target_from(target) is target
    mutant = target_from("ABL1(E255K)")
    assert (mutant.name, mutant.target.panel) == ("ABL1_E255K", "ABL1(E255K)")


def test_target_from_files_and_dicts(tmp_path: Path) -> None:
    load(tmp_path, BASE)
    (tmp_path / "plain").write_text(BASE)
    expected = to_dict(load_target(tmp_path / "t.yaml"))
    for value in (
        str(tmp_path / "t.yaml"),
        tmp_path / "t.yaml",
        str(tmp_path / "plain"),
        {"name": "A", "target": "EGFR"},
    ):
        assert to_dict(target_from(value)) == expected
    assert target_from({"name": "A", "target": "E", "screen": {"library": Path("x")}}).screen.library == "x"


def test_target_from_refuses() -> None:
    looping: dict[str, object] = {"name": "A"}
    looping["target"] = looping
    bad: list[tuple[object, str]] = [
        ("a/b", r"^'a/b': expected a \.yaml file, a dict or a target's name"),
        ("", "expected a .yaml file"),
        ("none.yaml", r"^none\.yaml:1: "),
        (None, "^<dict>: expected a path, a dict or a target's name, got nothing"),
        ({}, "^<dict>: name is missing"),
        ({"name": "A", "target": "E", 3: 4}, "^<dict>: expected text as key in the dict, got 3"),
        ({"name": "A", "target": "E", "screen": {"top_k": "many"}}, "^<dict>: screen.top_k: expected a whole number"),
        ({"name": "A", "target": "E", "screen": {"top-k": 3}}, "^<dict>: unknown key 'top-k' in screen"),
        (looping, "^<dict>: .*holds itself"),
    ]
    for value, what in bad:
        with pytest.raises(ConfigError, match=what):
            target_from(value)  # type: ignore[arg-type]


def test_numpy_numbers_are_numbers() -> None:
    np = pytest.importorskip("numpy")
    target = target_from(
        {"name": "A", "target": "E", "screen": {"top_k": np.int64(5)}, "objective": {"min_pactivity": np.float32(6)}}
    )
    assert (target.screen.top_k, target.objective.min_pactivity) == (5, 6.0)


# ---- template, documentation, cost, laws


@pytest.mark.parametrize("target", ["EGFR", "NO", "007", "ABL1(E255K)", 'a "b": #c', "β2"])
def test_template_loads(tmp_path: Path, target: str) -> None:
    text = template("NO", target, "libs/x: y/*.parquet")
    read = load(tmp_path, text)
    assert (read.name, read.target.panel, read.screen.library) == ("NO", target, "libs/x: y/*.parquet")
    assert len(text.splitlines()) < 40


def test_template_uncommented_loads(tmp_path: Path) -> None:
    """The lines in comments are right too: each loads once its # is taken away."""
    text = template("A", "EGFR", "lib")
    live = re.sub(r"^# ?((?:  )?(?:[a-z_0-9]+:|- ).*)$", r"\1", text, flags=re.MULTILINE)
    live = re.sub(r"^(uniprot|top_k|report_n):", r"  \1:", live, flags=re.MULTILINE)
    target = load(tmp_path, live)
    assert target.target.uniprot == "P00533"
    assert target.known.actives is not None
    assert target.known.actives.units == "nM"
    assert list(target.toxicity) == ["herg", "ames"]
    assert target.properties.clogp == Range(-1, 5, True)
    assert target.anti_targets[0].min_delta == 1
    assert target.provenance.confidential


def test_template_refuses_a_name_that_cannot_name_files() -> None:
    with pytest.raises(ConfigError, match="name: expected letters, digits"):
        template("a/b", "EGFR", "lib")


def test_documentation_has_examples() -> None:
    assert len(DOC_BLOCKS) >= 2


@pytest.mark.parametrize("block", DOC_BLOCKS)
def test_documentation_block_loads(tmp_path: Path, block: str) -> None:
    (tmp_path / "fasta").mkdir()
    (tmp_path / "fasta" / "jak2.fa").write_text(f">sp|O60674\n{RESIDUES}\n")
    assert load(tmp_path, block).screen.library


def test_documentation_shows_every_key() -> None:
    text = "\n".join(DOC_BLOCKS)
    keys = {key for model in SECTIONS.values() for key in known_keys(model)}
    assert {key for key in keys if not re.search(rf"\b{key}: ?", text)} == set()


def test_import_is_cheap() -> None:
    code = (
        "import sys, drylab.config; print(sorted({'numpy', 'pandas', 'pyarrow', 'rdkit', 'torch'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


KEY = st.sampled_from(sorted({key for model in SECTIONS.values() for key in known_keys(model)} | {"hard", "x", "NO"}))
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["nM", "EGFR"])
TREE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4))
SNIPPET = st.sampled_from(
    [*"\t\n -:?[]{}&*!|>'\"%@`#,\\~=<", "\n  ", ": ", "- ", "0x", "0b_", "1:2", "!!int ", "!!timestamp "]
)
YAML_TEXT = st.one_of(
    st.text(max_size=80),
    st.lists(
        SNIPPET | KEY | st.sampled_from(["2024-99-99", "%YAML 1.1\n", "\\U99999999", "...", "---\n"]), max_size=25
    ).map("".join),
    st.dictionaries(KEY, TREE, max_size=6).map(lambda data: yaml.safe_dump({"name": "A", "target": "E"} | data)),
)


def target_or_message(value: object) -> Target | str:
    try:
        return target_from(value)  # type: ignore[arg-type]
    except ConfigError as error:
        return str(error)


@settings(max_examples=400, deadline=None)
@given(YAML_TEXT)
@example("a: !!timestamp x")
@example("a: !!int x")
@example("0b_: 0b_")
@example("a: &b [*b]")
def test_any_text_is_a_target_or_one_config_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    got = target_or_message(path)
    if isinstance(got, str):
        assert re.match(rf"{re.escape(str(path))}:\d+: .", got)
        assert got.isprintable()
    else:
        assert to_dict(target_from(to_dict(got))) == to_dict(got)
        json.dumps(to_dict(got), allow_nan=False, ensure_ascii=False).encode()


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEY | st.integers(), TREE, max_size=6))
def test_any_dict_is_a_target_or_one_config_error(data: dict[object, object]) -> None:
    got = target_or_message({"name": "A", "target": "E"} | data)
    if isinstance(got, str):
        assert got.startswith("<dict>: ")
        assert got.isprintable()
    else:
        assert to_dict(target_from(to_dict(got))) == to_dict(got)
