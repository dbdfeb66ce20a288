"""The template and docs/target-yaml.md say what the models do; any text gives a target or one error."""

import json
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
from drylab.config.presets import LATER
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


def test_later_keys_are_in_the_documentation() -> None:
    section = DOCS.read_text(encoding="utf-8").split("## Not supported yet")[1].split("## Errors")[0]
    assert [row.path for row in LATER if row.path.rsplit(".", 1)[-1] not in section] == []


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
