"""The fold from a library to hits: exact, the same however it is run, and every row accounted for."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab import execute
from drylab.asking import together
from drylab.build import build_library
from drylab.certifying import Found, certified
from drylab.config import target_from
from drylab.errors import AccountingError, ConfigError, InputError, LibraryError, ModelError, OutputError
from drylab.featurize import descriptors, reference
from drylab.featurize.reference import RDKIT_NAMES
from drylab.finish import finish
from drylab.folding import FoldShard
from drylab.library import layout, places, pruning
from drylab.library.embedded import drugs
from drylab.library.reading import read_shard, scan
from drylab.library.store import open_library
from drylab.progress import SILENT
from drylab.question import Question, ask
from drylab.reduce import Answer, TopK
from drylab.score import panel
from drylab.score.engine import GineEncoder
from drylab.screening import _marks, screen, screen_to
from drylab.types import Hits
from tests.library.made_library import in_order, rows, write


def asked(library: Path, **more: Any) -> dict[str, Any]:
    screen_part = {"library": str(library), "top_k": 40, "report_n": 12, **more.pop("screen", {})}
    return {"name": "EGFR test", "target": "EGFR", "screen": screen_part, **more}


@pytest.fixture(scope="module")
def hits(library: Path) -> Hits:
    return screen(asked(library))


def brute_force(library: Path) -> list[tuple[float, str, str]]:
    """(score, key, id) of every molecule that can be scored, best first, one molecule at a time."""
    opened = open_library(library)
    question = ask(target_from(asked(library)))
    found = []
    for shard in opened.shards():
        for batch in read_shard(shard, 1):
            graphs = reference.graphs(reference.parse(batch.strings()))
            if graphs.status[0]:
                continue
            value = panel.values(question.model.probes, GineEncoder(question.model.encoder)(graphs).z)
            key = f"{int(batch.keys[0, 0]):016x}{int(batch.keys[0, 1]):016x}"
            found.append((float(value[0, question.probe]), key, batch.ids[0].as_py()))
    return sorted(found, key=lambda row: (-row[0], row[1]))


def test_hits_are_the_brute_force_list(hits: Hits, library: Path) -> None:
    want = brute_force(library)[:40]
    got = [(hit["score"], hit["key"], hit["id"]) for hit in hits]
    assert got == want
    assert hits.table.column("rank").to_pylist() == list(range(1, 41))


def test_every_row_is_accounted_for(hits: Hits, library: Path) -> None:
    tally = hits.run["tally"]
    assert tally["read"] == open_library(library).rows
    assert tally["read"] == sum(tally["rejected"].values()) + sum(tally["filtered"].values()) + tally["scored"]
    assert tally["rejected"] == {}
    assert hits.rejected == ()
    histogram = hits.run["histogram"]
    assert sum(histogram["counts"]) + histogram["underflow"] + histogram["overflow"] == tally["scored"]
    build = hits.run["library"]["build"]
    assert build["rejected"] == {"RDKit cannot parse it": 1, "no carbon atom": 1, "more than 255 atoms": 1}
    assert build["read"] == build["kept"] + build["duplicates"] + 3


def written(folder: Path) -> tuple[bytes, bytes, bytes]:
    return tuple((folder / name).read_bytes() for name in ("hits.csv", "hits.parquet", "hits.sdf"))  # type: ignore[return-value]


def test_files_are_the_same_bytes_however_it_is_run(library: Path, tmp_path: Path) -> None:
    question = asked(library, properties={"mw": {"hard": [200, 600]}})
    ways = {
        "serial": {"executor": execute.serial()},
        "batch of 1": {"executor": execute.serial(), "batch_size": 1},
        "batch of 7": {"executor": execute.serial(), "batch_size": 7},
        "processes": {"executor": execute.processes(2), "batch_size": 333},
        "dask": {"executor": execute.dask(2), "batch_size": 64},
    }
    for name, how in ways.items():
        screen_to(question, tmp_path / name, **how)
    first = written(tmp_path / "serial")
    for name in ways:
        assert written(tmp_path / name) == first, name
    names = {path.name for path in (tmp_path / "serial").iterdir()}
    assert names == {"report.html", "hits.csv", "hits.parquet", "hits.sdf", "run.json"}


def test_shard_order_changes_nothing(library: Path) -> None:
    shards = open_library(library).shards()
    assert len(shards) > 3
    task, again = (FoldShard(together([ask(target_from(asked(library)))])) for _ in range(2))
    one = execute.fold(execute.serial(), task, shards, task.merge)
    other = execute.fold(execute.serial(), again, shards[::-1], again.merge)
    assert one is not None
    assert other is not None
    assert contents(one) == contents(other)


def contents(answer: Answer) -> tuple[Any, ...]:
    """All that an answer to one question says, its contenders as a set of bits."""
    (one,), c = answer.screened, answer.screened[0].contenders
    rows = zip(c.rows.tolist(), c.scores.tolist(), c.errs.tolist(), c.keys.tolist(), c.ids, c.smiles, strict=True)
    audit = answer.audit
    return (
        (sorted(rows), c.dropped, one.tally, one.histogram.counts.tolist(), one.ranks.better.tolist()),
        (one.ranks.found.tolist(), audit.errors.tolist(), audit.rescored, audit.audited, audit.outside),
    )


def test_known_actives_get_their_exact_ranks(library: Path, tmp_path: Path) -> None:
    known = [drug for drug in drugs() if "EGFR" in drug.targets]
    lines = [f"{drug.smiles},{drug.name},{10 * (i + 1)}" for i, drug in enumerate(known)]
    lines.append("CCCCCCCCCCCCCCCCN,not in the library,5")
    (tmp_path / "known.csv").write_text("smiles,name,ic50\n" + "\n".join(lines) + "\n")
    actives = {"file": str(tmp_path / "known.csv"), "id": "name", "value": "ic50", "units": "nM"}
    done = screen(asked(library, known={"actives": actives}))
    order = [ident for _, _, ident in brute_force(library)]
    for row in done.run["known"]:
        if row["in_library"]:
            assert row["rank"] == order.index(row["id"]) + 1
    outside = next(row for row in done.run["known"] if row["id"] == "not in the library")
    assert not outside["in_library"]
    assert outside["value"] == pytest.approx(9 - np.log10(5))
    in_hits = [hit for hit in done if hit["known_as"]]
    assert in_hits, "the model ranks at least one EGFR drug among the first 40 of 1,100"
    assert all(hit["max_sim_known"] == 1.0 and hit["nearest_known_id"] == hit["known_as"] for hit in in_hits)


def test_constraints_filter_and_are_counted(library: Path) -> None:
    free = screen(asked(library))
    limited = screen(
        asked(
            library,
            objective={"min_pactivity": 5.0},
            toxicity={"herg": {"amber": 4.5, "red": 5.0, "unit": "pIC50", "report_only": False}},
            anti_targets=[{"name": "KDR", "panel": "KDR", "min_delta": 0.0}],
        )
    )
    tally = limited.run["tally"]
    assert set(tally["filtered"]) == {"predicted pActivity below 5", "less than 0 above KDR", "herg above 5"}
    assert tally["scored"] == free.run["tally"]["scored"] - sum(tally["filtered"].values())
    for hit in limited:
        assert hit["score"] >= 5
        herg = hit.columns.get("herg_mean", hit.columns.get("herg_value"))  # by the panel, where the model has one
        assert "herg_mean" in hit.columns or herg <= 5
        assert hit["delta_KDR"] >= 0
        assert hit["herg_flag"] == ("red" if herg > 5 else "amber" if herg > 4.5 else "green")
    scores = {hit["key"]: hit["score"] for hit in free}
    assert all(scores.get(hit["key"], hit["score"]) == hit["score"] for hit in limited)


def test_known_actives_that_are_filtered_say_by_what(library: Path, tmp_path: Path) -> None:
    known = [drug for drug in drugs() if "EGFR" in drug.targets]
    (tmp_path / "known.smi").write_text("".join(f"{drug.smiles} {drug.name}\n" for drug in known))
    (tmp_path / "tested.smi").write_text(f"{known[0].smiles} x\n")
    files = {"actives": {"file": str(tmp_path / "known.smi")}, "exclude": str(tmp_path / "tested.smi")}
    done = screen(asked(library, known=files, objective={"min_pactivity": 7.0}, properties={"mw": {"hard": [0, 480]}}))
    reasons = {row["id"]: row["filtered_by"] for row in done.run["known"]}
    assert reasons[known[0].name] == "excluded by the target file"
    assert set(reasons.values()) >= {None, "mw outside [0, 480]", "excluded by the target file"}
    for row in done.run["known"]:
        below = row["score"] < 7.0
        assert row["filtered_by"] or not below
        assert row["filtered_by"] != "predicted pActivity below 7" or below
        assert 0 < row["percentile"] <= 100
    nothing = screen(asked(library, known=files, properties={"mw": {"hard": [5000, 6000]}}))
    assert {(row["rank"], row["percentile"]) for row in nothing.run["known"]} == {(1, 100.0)}


def test_the_worst_flag_is_of_the_endpoints_with_limits(library: Path) -> None:
    limits = {"herg": {"amber": 4.5, "red": 5.0, "unit": "pIC50"}, "ames": {}}
    for hit in screen(asked(library, toxicity=limits)):
        assert hit["ames_flag"] == "unknown"
        assert hit["tox_worst"] == hit["herg_flag"] != "unknown"
    assert {hit["tox_worst"] for hit in screen(asked(library))} == {"unknown"}


def test_excluded_molecules_do_not_come_back(library: Path, tmp_path: Path, hits: Hits) -> None:
    (tmp_path / "tested.smi").write_text(f"{hits[0]['smiles']}\n{hits[3]['smiles']}\n")
    done = screen(asked(library, known={"exclude": str(tmp_path / "tested.smi")}))
    assert done.run["tally"]["filtered"] == {"excluded by the target file": 2}
    kept = [hit["key"] for hit in hits if hit["rank"] not in (1, 4)]
    assert [hit["key"] for hit in done][: len(kept)] == kept


def test_fewer_molecules_than_k(library: Path) -> None:
    done = screen(asked(library, screen={"top_k": 5000, "report_n": 5}))
    assert len(done) == done.run["tally"]["scored"]
    assert len(done.pictures) == 5


def test_nothing_left_is_an_empty_list_not_a_crash(library: Path, tmp_path: Path) -> None:
    done, files = screen_to(asked(library, properties={"mw": {"hard": [5000, 6000]}}), tmp_path / "run")
    assert len(done) == 0
    assert done.run["tally"]["scored"] == 0
    with open(files["hits.csv"]) as file:
        assert len(list(csv.reader(file))) == 1
    assert pq.read_table(files["hits.parquet"]).num_rows == 0


def test_atom_contributions_explain_the_score(hits: Hits, library: Path) -> None:
    question = ask(target_from(asked(library)))
    weights = question.model.probes.weights[question.probe]
    constant = question.model.encoder.c @ weights + question.model.probes.bias[question.probe]
    for hit in list(hits)[:5]:
        assert sum(hit["atom_contributions"]) + constant == pytest.approx(hit["score"], abs=1e-3)


def test_hits_in_a_notebook(hits: Hits) -> None:
    assert hits[3]["rank"] == 4
    assert hits[-1]["rank"] == 40
    with pytest.raises(IndexError, match="rows are 0 to 39"):
        hits[40]
    assert hits[np.int64(3)]["rank"] == 4
    some = hits[2:30:3]
    assert some.table.column("rank").to_pylist() == list(range(3, 31, 3))
    assert some.pictures == hits.pictures[2:12:3]
    assert len(hits[:0]) == 0
    for odd in ("score", [0, 2], 1.0):
        with pytest.raises(TypeError, match=r"expected a row number or a slice; for columns use hits.to_pandas\(\)"):
            hits[odd]  # type: ignore[call-overload]
    frame = hits.to_pandas()
    assert list(frame["id"]) == [hit["id"] for hit in hits]
    html = hits._repr_html_()
    assert html.count("<svg") == 12
    assert "<svg" in hits[0]._repr_html_()
    evil = Hits(hits.table.set_column(1, "id", pa.array(["<img src=x onerror=alert(1)>"] * 40)), hits.run)
    assert "<img" not in evil[0]._repr_html_() + evil._repr_html_()
    assert json.dumps(hits.run)


def test_finish_refuses_a_score_that_is_not_the_molecules_own(library: Path) -> None:
    checked = target_from(asked(library))
    question = ask(checked)
    top = found(question, pruning.plan(open_library(library), ())).top
    wrong = TopK(top.k, np.nextafter(top.scores, 99), top.keys, top.rows, top.ids, top.smiles)
    with pytest.raises(AccountingError, match=r"in the fold and .* alone"):
        finish(question, checked, wrong, execute.serial(), lambda n: None)


def test_weights_that_are_not_numbers_are_refused(library: Path) -> None:
    question = ask(target_from(asked(library)))
    bias = np.full_like(question.model.probes.bias, np.nan)
    damaged = replace(question, model=replace(question.model, probes=replace(question.model.probes, bias=bias)))
    with pytest.raises(ModelError, match="is not finite; the weights are damaged"):
        FoldShard(together([damaged]))(open_library(library).shards()[0])


def test_a_run_folder_is_not_overwritten(library: Path, tmp_path: Path) -> None:
    screen_to(asked(library), tmp_path / "run")
    before = (tmp_path / "run" / "run.json").read_bytes()
    with pytest.raises(OutputError, match=r"exists already; .* --force"):
        screen_to(asked(library, screen={"top_k": 12}), tmp_path / "run")
    assert (tmp_path / "run" / "run.json").read_bytes() == before
    screen_to(asked(library, screen={"top_k": 12}), tmp_path / "run", force=True)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["tally"]["kept"] == 12


def test_force_does_not_touch_a_folder_of_somebody_else(library: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    with pytest.raises(OutputError, match="was not written by drylab"):
        screen_to(asked(library), tmp_path / "thesis", force=True)
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "years of work"


def test_a_failed_screen_leaves_nothing_behind(library: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not one the model knows"):
        screen_to({**asked(library), "target": "no such target"}, tmp_path / "out" / "run")
    assert not list((tmp_path / "out").iterdir())


def test_vendor_files_are_built_into_the_run(tmp_path: Path) -> None:
    (tmp_path / "vendor.csv").write_text("catalog,structure\n" + "".join(f"V{i},{'C' * (i + 1)}O\n" for i in range(30)))
    question = asked(tmp_path / "vendor.csv", screen={"columns": {"smiles": "structure", "id": "catalog"}})
    done, _ = screen_to(question, tmp_path / "run")
    assert done.run["tally"]["scored"] == 30
    assert {hit["id"] for hit in done} == {f"V{i}" for i in range(30)}
    assert open_library(tmp_path / "run" / "library").rows == 30
    assert done.run["library"]["path"] == str(tmp_path / "run" / "library")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["library"]["path"] == done.run["library"]["path"]


def test_a_list_of_smiles_in_a_notebook(library: Path) -> None:
    smiles = [drug.smiles for drug in drugs()[:20]]
    done = screen("EGFR", [*smiles, "C1CC"])
    assert done.run["tally"]["scored"] == 20
    assert done.run["library"]["build"]["rejected"] == {"RDKit cannot parse it": 1}
    in_library = {hit["key"]: hit["score"] for hit in screen(asked(library, screen={"top_k": 5000, "report_n": 1}))}
    assert all(in_library[hit["key"]] == hit["score"] for hit in done)
    with pytest.raises(InputError, match="no rows"):
        screen("EGFR", [])


def test_molecule_files_in_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("CCO ethanol\nCCN ethylamine\n")
    done = screen("EGFR", tmp_path / "a.smi")
    assert {hit["id"] for hit in done} == {"ethanol", "ethylamine"}
    assert done.run["library"]["path"] == str(tmp_path / "a.smi")


def test_no_library_and_not_a_library(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no library is named"):
        screen({"name": "x", "target": "EGFR"})
    with pytest.raises(LibraryError, match="not a drylab library"):
        screen("EGFR", tmp_path)


def test_a_row_that_cannot_be_parsed_is_rejected(tmp_path: Path) -> None:
    """A build keeps none such; a library of another hand may hold one."""
    table = rows(["a", "b", "c"], ["CCO", "C" * 300, "C1CC"])
    done, files = screen_to(asked(write(tmp_path / "lib", [table])), tmp_path / "run")
    assert done.run["tally"]["rejected"] == {"parse: more than 255 atoms": 1, "parse: a ring that is not closed": 1}
    assert [(row.id, row.row, row.reason) for row in done.rejected] == [
        ("b", 1, "more than 255 atoms"), ("c", 2, "a ring that is not closed")
    ]  # fmt: skip
    assert pq.read_table(files["rejected.parquet"]).num_rows == 2


def described(table: pa.Table) -> pa.Table:
    """Rows with the properties that their SMILES have."""
    found = descriptors(table["smiles"].to_pylist())
    values = {name: found[RDKIT_NAMES[name]].to_pylist() for name in layout.PROPERTIES}
    return rows(table["id"].to_pylist(), table["smiles"].to_pylist(), values)


@pytest.fixture(scope="module")
def molecules(library: Path) -> pa.Table:
    """Every fifth row of the library, with its properties."""
    table = pa.concat_tables(scan(open_library(library)))
    return described(table.take(pa.array(range(0, table.num_rows, 5))))


ENDS = {"mw": (150, 600), "clogp": (-2, 7), "hbd": (0, 5), "charge": (-1, 2), "fsp3": (0, 1)}


@settings(max_examples=12)
@given(data=st.data(), group=st.integers(1, 30), files=st.integers(1, 4), mixed=st.booleans())
def test_row_groups_that_are_not_read_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    molecules: pa.Table,
    data: st.DataObject,
    group: int,
    files: int,
    mixed: bool,
) -> None:
    """Any rows in row groups of any size, any ranges: the same hits, ranks and account as when everything is read."""
    chosen = molecules.take(pa.array(sorted(data.draw(st.sets(st.integers(0, molecules.num_rows - 1), min_size=1)))))
    folder = tmp_path_factory.getbasetemp() / "any"
    opened = open_library(write(folder, [chosen if mixed else in_order(chosen)], group, group * files))
    names = data.draw(st.lists(st.sampled_from([*ENDS]), min_size=1, max_size=3, unique=True))
    ranges = {name: {"hard": sorted(data.draw(st.tuples(*[st.floats(*ENDS[name])] * 2)))} for name in names}
    known = data.draw(st.lists(st.sampled_from(molecules["smiles"].to_pylist()), min_size=1, max_size=5))
    (folder.parent / "known.smi").write_text("".join(f"{smiles} k{i}\n" for i, smiles in enumerate(known)))
    (folder.parent / "tested.smi").write_text(f"{known[0]} x\n")
    files_said = {"actives": {"file": str(folder.parent / "known.smi")}, "exclude": str(folder.parent / "tested.smi")}
    question = ask(target_from(asked(folder, properties=ranges, known=files_said)))
    pruned = found(question, pruning.plan(opened, question.rules.ranges, marks=_marks(together([question]))))
    whole = found(question, pruning.plan(opened, ()))
    assert answer_of(pruned) == answer_of(whole)
    pruned.tally.check(opened.rows)


def found(question: Question, plan: pruning.Plan) -> Found:
    """What a screen finds for a question."""
    return certified(together([question]), [plan], execute.serial(), SILENT)[0]


def answer_of(answer: Found) -> tuple[Any, ...]:
    top, tally, ranks = answer.top, answer.tally, answer.ranks
    return (
        (top.scores.tolist(), top.rows.tolist(), top.ids.tolist(), top.smiles.tolist()),
        (tally.read, tally.scored, tally.filtered, tally.rejected),
        answer.histogram.counts.tolist(),
        (ranks.better.tolist(), ranks.found.tolist()),
    )


def test_a_range_of_weights_reads_a_part_of_the_library(library: Path, tmp_path: Path) -> None:
    known = [drug for drug in drugs() if "EGFR" in drug.targets]
    (tmp_path / "known.smi").write_text("".join(f"{drug.smiles} {drug.name}\n" for drug in known))
    asks = {"known": {"actives": {"file": str(tmp_path / "known.smi")}}, "properties": {"mw": {"hard": [0, 200]}}}
    done = screen(asked(library, **asks))
    groups = done.run["library"]["groups"]
    assert groups["all"] == len(open_library(library).shards()) == groups["read"] + groups["skipped"]
    assert 0 < groups["keys_read"] <= groups["skipped"] < groups["all"]
    assert done.run["tally"]["read"] == open_library(library).rows
    assert all(row["in_library"] for row in done.run["known"])
    assert {row["filtered_by"] for row in done.run["known"]} == {"mw outside [0, 200]"}


def test_ranges_of_what_a_library_is_sorted_by_are_counted_first(library: Path) -> None:
    hard = {name: {"hard": [0, 1]} for name in ("aromatic_rings", "clogp", "charge", "mw")}
    ranges = ask(target_from(asked(library, properties=hard))).rules.ranges
    assert [name for name, _, _ in ranges] == ["mw", "clogp", "aromatic_rings", "charge"]


def test_only_what_is_new(molecules: pa.Table, tmp_path: Path) -> None:
    one, two = molecules.slice(0, 100), molecules.slice(100)
    both = write(tmp_path / "both", [one, two, molecules.slice(0, 0)])
    done = screen(asked(both), since=1)
    alone = screen(asked(write(tmp_path / "two", [two])))
    assert done.table.drop_columns(["library_row"]).equals(alone.table.drop_columns(["library_row"]))
    assert done.run["tally"] == alone.run["tally"]
    assert (done.run["library"]["since"], done.run["library"]["version"]) == (1, 3)
    assert screen(asked(both), since=0).table.equals(screen(asked(both)).table)
    for since, say in {
        3: "has no version after 3, so there is nothing new to screen",
        2: "has no molecules after version 2, so there is nothing new",
        4: "has no version 4; its versions are 1, 2, 3",
        -1: "has no version -1; its versions are 1, 2, 3",
    }.items():
        with pytest.raises(LibraryError, match=say):
            screen_to(asked(both), tmp_path / "run", since=since)
    with pytest.raises(ConfigError, match="since is '1', expected the number of a version"):
        screen(asked(both), since="1")  # type: ignore[arg-type]


def test_since_needs_a_library(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("CCO ethanol\n")
    with pytest.raises(ConfigError, match=r"a\.smi: is not a library, so it has no version 1; leave out since"):
        screen("EGFR", tmp_path / "a.smi", since=1)
    with pytest.raises(ConfigError, match=r"a\.smi: is not a library, so it has no version 0"):
        screen_to(asked(tmp_path / "a.smi"), tmp_path / "run", since=0)
    with pytest.raises(ConfigError, match="SMILES in memory: is not a library"):
        screen("EGFR", ["CCO"], since=1)


def test_a_library_in_a_store(library: Path, store: str, tmp_path: Path, hits: Hits) -> None:
    address = f"s3://lab/screened?{store}"
    for place, _ in places.files_below(str(library)):
        places.copy_in(place, places.join(address, str(Path(place).relative_to(library))))
    done, files = screen_to(asked(library), tmp_path / "run", address, executor=execute.processes(2))
    assert done.table.equals(hits.table)
    assert done.run["library"]["name"] == "screened"
    for file in files.values():
        assert b"s%2F" not in file.read_bytes()
    pruned = screen({**asked(library), "properties": {"mw": {"hard": [0, 300]}}}, address)
    assert pruned.run["library"]["groups"]["skipped"] > 0


@pytest.mark.slow
def test_a_hundred_thousand_real_molecules(shared_data: Path, tmp_path: Path) -> None:
    build_library(shared_data / "libraries" / "zinc_a.smi.gz", tmp_path / "zinc", executor=execute.processes(2))
    question = asked(tmp_path / "zinc", properties={"mw": {"hard": [150, 600]}}, screen={"top_k": 1000})
    done, _ = screen_to(question, tmp_path / "serial")
    tally = done.run["tally"]
    assert tally["read"] == sum(tally["rejected"].values()) + sum(tally["filtered"].values()) + tally["scored"] > 99_000
    screen_to(question, tmp_path / "dask", executor=execute.dask(2), batch_size=333)
    assert written(tmp_path / "dask") == written(tmp_path / "serial")
