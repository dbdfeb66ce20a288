"""target.yaml and dicts: what is read, and how paths and lines are found."""

import json
import math
import pickle
from pathlib import Path

import pytest
import yaml

from drylab.config import Range, Target, load_target, target_from, to_dict
from drylab.config.checks import SECTIONS, known_keys
from drylab.config.presets import PRESETS
from drylab.errors import ConfigError

BASE = "name: A\ntarget: EGFR\n"
# The kinase domain's first residues are enough: only letters are read.
RESIDUES = "MGLPGSWKWVFLLLLGLLQHAVGESTQSF"


def load(folder: Path, text: str | bytes) -> Target:
    path = folder / "t.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_target(path)


def nested(dotted: str, value: object) -> dict[str, object]:
    """{"a": {"b": [{"c": value}]}} for a.b[].c"""
    for part in reversed(dotted.split(".")):
        value = {part[:-2]: [value]} if part.endswith("[]") else {part: value}
    assert isinstance(value, dict)
    return value


KEYS = {
    "description": "free text",
    "target.panel": "EGFR",
    "target.uniprot": "P00533",
    "target.sequence": RESIDUES,
    "target.probe": "mine.safetensors",
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
    "screen.mode": "cascade",
    "screen.cascade.recall": 0.9,
    "screen.cascade.confidence": 0.99,
    "screen.cascade.sample": 0.05,
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
    assert (target.known.exclude.file, target.known.exclude.smiles) == ("x.smi", None)
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
        load(tmp_path, BASE).screen.top_k = 3


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


@pytest.mark.parametrize("spelling", [RESIDUES, RESIDUES.lower(), f"{RESIDUES[:9]} {RESIDUES[9:]}*"])
def test_sequence_inline(tmp_path: Path, spelling: str) -> None:
    assert load(tmp_path, f"name: A\ntarget: {{sequence: '{spelling}'}}\n").target.sequence == RESIDUES


def test_sequence_from_fasta_beside_the_yaml(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "two.fasta").write_text(f">one\n{RESIDUES[:10]}\n{RESIDUES[10:]}\n>two\nWWWWW\n")
    assert load(tmp_path, "name: A\ntarget: {sequence: f/two.fasta}\n").target.sequence == RESIDUES


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
