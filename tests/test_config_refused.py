"""target.yaml: what is refused, with which words, and on which line."""

import re
from pathlib import Path

import pytest
import yaml

from drylab.config import Target, load_target, target_from
from drylab.config.checks import SECTIONS, known_keys
from drylab.config.presets import LATER, Later
from drylab.errors import ConfigError

BASE = "name: A\ntarget: EGFR\n"


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


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "No such file"),
        ("", "an empty file"),
        ("MGLPG", "starts with >"),
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


BAD = [
    ("", 1, "the file is empty"),
    ("# only a comment\n", 1, "the file is empty"),
    ("\n- a\n", 2, "got a list"),
    ("EGFR\n", 1, "got a single value"),
    ("target: EGFR\n", 1, "name is missing; add name:"),
    ("name: A\n", 1, "target is missing; add target:"),
    ("name: A\ntarget:\n", 2, "target: expected keys (panel, uniprot, sequence, probe, organism, family), got nothing"),
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
    (BASE + "screen: {mode: cascad}\n", 3, "did you mean cascade?"),
    (
        BASE + "screen: {cascade: {recall: 99}}\n",
        3,
        "expected a number from 0.5 to 0.9999, got 99; a share of the top_k",
    ),
    (BASE + "screen: {cascade: {confidence: 1}}\n", 3, "expected a number from 0.5 to 0.9999, got 1; 95 % is 0.95"),
    (BASE + "screen: {cascade: {sample: 5}}\n", 3, "expected auto or a share above 0 and up to 0.5, got 5; 5 % is"),
    (BASE + "screen: {cascade: {sample: all}}\n", 3, "expected auto or a number, got 'all'; write auto"),
    (BASE + "screen: {cascade: {sample: 0}}\n", 3, "got 0"),
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
    (
        BASE + "toxicity:\n  ames: {amber: 0.4}\n",
        4,
        "expected unit: pIC50 or unit: probability (-log10(mol/kg) for ld50) with amber",
    ),
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
