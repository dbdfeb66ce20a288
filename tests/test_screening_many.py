"""Many targets in one pass: each gets what it would have got alone, and what cannot go together says so."""

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drylab import execute
from drylab.asking import together
from drylab.config import target_from
from drylab.errors import ConfigError, OutputError
from drylab.folding import FoldShard
from drylab.library.embedded import drugs
from drylab.library.store import open_library
from drylab.question import ask
from drylab.screening import screen, screen_many, screen_many_to, screen_to


def targets(library: Path, folder: Path) -> list[dict[str, Any]]:
    """Questions that differ in everything: probe, k, rules, limits, known actives; and two that share their rules."""
    known = [drug for drug in drugs() if "EGFR" in drug.targets]
    (folder / "known.smi").write_text("".join(f"{drug.smiles} {drug.name}\n" for drug in known))
    (folder / "tested.smi").write_text(f"{known[0].smiles} x\n{known[1].smiles} y\n")
    actives = {"actives": {"file": str(folder / "known.smi")}}
    shared = {"properties": {"mw": {"hard": [200, 420]}}, "alerts": {"catalogs": ["pains"], "action": "reject"}}
    more: list[dict[str, Any]] = [
        {"name": "plain", "target": "EGFR"},
        {"name": "light", "target": "EGFR", "known": actives, "properties": {"mw": {"hard": [0, 250]}}},
        {"name": "shared", "target": "KDR", **shared},
        {"name": "as shared", "target": "SYK", "known": actives, **shared},
        {
            "name": "limited",
            "target": "KDR",
            "known": {**actives, "exclude": str(folder / "tested.smi")},
            "toxicity": {"herg": {"red": 5.0, "unit": "pIC50", "report_only": False}},
            "anti_targets": [{"name": "EGFR", "panel": "EGFR", "min_delta": 0.0}],
            "substructure": {"must_have_any": ["c1ccccc1"]},
        },
        {"name": "nothing", "target": "SYK", "properties": {"mw": {"hard": [5000, 6000]}}},
    ]
    each = [dict(one) for one in more]
    for number, one in enumerate(each):
        one["screen"] = {"library": str(library), "top_k": 15 + number, "report_n": 3}
    return each


FOLD = ("tally", "histogram", "known", "ranges", "toxicity")


@pytest.mark.parametrize("executor", [execute.serial(), execute.processes(2)], ids=["serial", "processes"])
def test_each_gets_what_it_would_have_got_alone(library: Path, tmp_path: Path, executor: execute.Executor) -> None:
    asked = targets(library, tmp_path)
    told: list[str] = []
    files = screen_many_to(
        asked, tmp_path / "many", executor=executor, done=lambda hits, files: told.append(hits.run["name"])
    )
    assert told == list(files) == [one["name"] for one in asked]
    for one in asked:
        hits, alone = screen_to(one, tmp_path / "alone" / one["name"])
        mine = files[one["name"]]
        assert mine["hits.parquet"] == tmp_path / "many" / one["name"] / "hits.parquet"
        for name in ("hits.parquet", "hits.csv", "hits.sdf"):
            assert mine[name].read_bytes() == alone[name].read_bytes(), (one["name"], name)
        run = json.loads(mine["run.json"].read_text())
        assert {key: run[key] for key in FOLD} == {key: json.loads(json.dumps(hits.run))[key] for key in FOLD}
        assert run["library"]["path"] == str(library)


def test_row_groups_are_skipped_that_no_target_needs(library: Path, tmp_path: Path) -> None:
    known = [drug for drug in drugs() if "EGFR" in drug.targets]
    (tmp_path / "known.smi").write_text("".join(f"{drug.smiles} {drug.name}\n" for drug in known))
    actives = {"actives": {"file": str(tmp_path / "known.smi")}}
    light = {"name": "light", "target": "EGFR", "properties": {"mw": {"hard": [0, 150]}}}
    lighter = {"name": "lighter", "target": "KDR", "known": actives, "properties": {"mw": {"hard": [0, 120]}}}
    one, two = screen_many([light, lighter], library)
    groups = one.run["library"]["groups"]
    assert groups == two.run["library"]["groups"]
    assert 0 < groups["read"] < groups["all"] == groups["read"] + groups["skipped"]
    assert groups["keys_read"] > 0
    for hits, asked in ((one, light), (two, lighter)):
        alone = screen(asked, library)
        assert hits.table.equals(alone.table)
        assert {key: hits.run[key] for key in FOLD} == {key: alone.run[key] for key in FOLD}
    assert all(row["in_library"] for row in two.run["known"])


def test_smiles_in_memory(library: Path) -> None:
    smiles = [drug.smiles for drug in drugs()[:30]]
    many = screen_many(["EGFR", "KDR"], [*smiles, "C1CC"])
    for hits, name in zip(many, ("EGFR", "KDR"), strict=True):
        alone = screen(name, [*smiles, "C1CC"])
        assert hits.table.equals(alone.table)
        assert [row.text for row in hits.rejected] == [row.text for row in alone.rejected] == ["C1CC"]


def test_molecule_files_are_built_once(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("CCO ethanol\nCCN ethylamine\n")
    files = screen_many_to(["EGFR", "KDR"], tmp_path / "runs", tmp_path / "a.smi")
    for name in ("EGFR", "KDR"):
        assert {path.name for path in (tmp_path / "runs" / name).iterdir()} == {*files[name]}
        run = json.loads(files[name]["run.json"].read_text())
        assert (run["library"]["path"], run["tally"]["scored"]) == (str(tmp_path / "a.smi"), 2)


def test_targets_of_two_models_are_screened_apart() -> None:
    one, two = (ask(target_from({"name": name, "target": "EGFR"})) for name in ("one", "two"))
    assert len(together([one, two]).questions) == 2
    changed = replace(two, model=replace(two.model, name="mine", path="other.safetensors", sha256="0" * 64))
    with pytest.raises(
        ConfigError, match=r"one is of model panel-2 \(.*\) and two of model mine \(.*other\.safetensors\)"
    ):
        together([one, changed], ["one", "two"])


def test_what_cannot_go_together_says_so(library: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no target is given; give one target file or more"):
        screen_many([], library)
    twice = [{"name": "A", "target": "EGFR"}, {"name": "a", "target": "KDR"}]
    with pytest.raises(
        ConfigError, match=r"is named 'a', as is .*; targets that are screened together need names of their"
    ):
        screen_many(twice, library)
    apart = [{"name": "A", "target": "EGFR", "screen": {"library": str(library)}},
             {"name": "B", "target": "KDR", "screen": {"library": str(tmp_path)}}]  # fmt: skip
    with pytest.raises(ConfigError, match=r"means the library .*, and A means .*share one.*give it with the call"):
        screen_many(apart)
    assert len(screen_many(apart, library)) == 2
    (tmp_path / "runs" / "B").mkdir(parents=True)
    (tmp_path / "runs" / "B" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="exists already"):
        screen_many_to(twice[:1] + apart[1:], tmp_path / "runs", library)
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"B"}


def test_what_questions_share_is_held_once(library: Path, tmp_path: Path) -> None:
    """A task for many targets travels with one model, and their equal rules are applied once."""
    questions = [ask(target_from(one)) for one in targets(library, tmp_path)]
    asked = together(questions)
    assert len(asked.rules) == 5
    assert asked.flat.group[2] == asked.flat.group[3]
    assert len({id(q.model) for q in asked.questions}) == 1
    one, many = (len(pickle.dumps(FoldShard(together(some)))) for some in (questions[:1], questions))
    assert many < 1.1 * one
    assert [asked.model.probes.names()[row] for row in asked.rows] == sorted(
        {"EGFR", "KDR", "SYK", "herg"}, key=asked.model.probes.names().index
    )


def test_a_row_below_a_workers_floor_is_dropped_for_good(library: Path) -> None:
    """Shards after the first give fewer candidates, and the answer is the one of shards that know nothing of each other."""
    asked = together([ask(target_from({"name": "x", "target": "EGFR", "screen": {"top_k": 10, "report_n": 5}}))])
    shards = open_library(library).shards()
    task = FoldShard(asked)
    kept = [task(shard) for shard in shards]
    apart = [FoldShard(asked)(shard) for shard in shards]
    assert sum(len(a.screened[0].contenders) for a in kept) < sum(len(a.screened[0].contenders) for a in apart)
    again = [task(shard) for shard in shards]  # as Dask does when an answer is lost
    answers = []
    for parts in (kept, apart, again):
        whole = parts[0]
        for part in parts[1:]:
            whole = task.merge(whole, part)
        c = whole.screened[0].contenders
        answers.append((sorted(c.rows.tolist()), c.dropped, np.sort(c.scores).tolist()))
    assert answers[0] == answers[1] == answers[2]


def test_several_target_files_on_the_command_line(say, library: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("EGFR", "KDR"):
        text = f"name: {name} round\ntarget: {name}\nscreen: {{library: {library}, top_k: 20, report_n: 5}}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    files = sorted(tmp_path.glob("*.yaml"))
    code, out, _ = say("screen", *files, "--out", tmp_path / "runs", "--executor", "serial")
    assert code == 0
    for name in ("EGFR", "KDR"):
        assert f"measured molecules for {name}." in out
        assert str(tmp_path / "runs" / f"{name} round" / "report.html") in out
        assert (tmp_path / "runs" / f"{name} round" / "run.json").is_file()
    assert out.count("molecules that could be among the best were scored again in float64") == 2
    code, _, err = say("screen", *files, "--out", tmp_path / "runs", "--executor", "serial")
    assert code == 2
    assert "EGFR round: exists already" in err
