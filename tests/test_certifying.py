"""The certified fold: what it answers is what float64 alone would answer, also where its bounds are wrong, and it says so."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drylab import certifying, execute
from drylab.asking import Asked, together
from drylab.build import BuildOptions, write_library
from drylab.certifying import Found, certified
from drylab.config import target_from
from drylab.execute import processes, serial
from drylab.featurize import graphs as graphs_of
from drylab.library import embedded, layout, pruning
from drylab.library.embedded import drugs
from drylab.library.reading import scan
from drylab.library.store import open_library
from drylab.progress import SILENT, Progress
from drylab.question import ask
from drylab.record import certificate_record
from drylab.reduce import best
from drylab.reduce.audit import audited
from drylab.score import engine, panel
from drylab.screening import screen_to

K = 40


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of 5,000 demonstration products and all drugs, in small row groups."""
    folder = tmp_path_factory.mktemp("products") / "lib"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "GROUP_ROWS", 700)
        write_library(folder, "products", embedded.rows(5000), BuildOptions(), execute.serial(), SILENT)
    return folder


def target(folder: Path, **more: Any) -> dict[str, Any]:
    """A question with every kind of limit, and known actives to rank."""
    known = [drug for drug in drugs() if "EGFR" in drug.targets]
    (folder / "known.smi").write_text("".join(f"{drug.smiles} {drug.name}\n" for drug in known))
    return {
        "name": "EGFR limited",
        "target": "EGFR",
        "known": {"actives": {"file": str(folder / "known.smi")}},
        "objective": {"min_pactivity": 5.2},
        "toxicity": {"herg": {"red": 5.6, "unit": "pIC50", "report_only": False},
                     "ames": {"red": 0.7, "unit": "probability", "report_only": False}},
        "anti_targets": [{"name": "KDR", "panel": "KDR", "min_delta": -0.5, "max_pactivity": 7.0}],
        "screen": {"top_k": K, "report_n": 5},
        **more,
    }  # fmt: skip


def found(asked: Asked, library: Path, **how: Any) -> Found:
    """What a fold of a whole library finds for one question."""
    plan = pruning.plan(open_library(library), asked.questions[0].rules.ranges)
    return certified(asked, [plan], how.pop("executor", serial()), how.pop("progress", SILENT), **how)[0]


def exact(asked: Asked) -> Asked:
    """The same question, folded by the reference itself."""
    return together([replace(q, precision="float64") for q in asked.questions])


def content(done: Found) -> tuple[Any, ...]:
    """All that does not say how it was found: the reference's answer, bit for bit."""
    top, tally, ranks = done.top, done.tally, done.ranks
    return (
        (top.scores.tolist(), top.rows.tolist(), top.keys.tolist(), top.ids.tolist(), top.smiles.tolist()),
        (tally.read, tally.scored, tally.filtered, tally.rejected),
        (ranks.better.tolist(), ranks.found.tolist()),
    )


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return together([ask(target_from(target(tmp_path_factory.mktemp("known"))))])


@pytest.fixture(scope="module")
def reference(asked: Asked, products: Path) -> Found:
    return found(exact(asked), products)


def test_float64_is_brute_force(asked: Asked, reference: Found, products: Path) -> None:
    """One molecule's reference values after the other, limits in plain words, and a sort."""
    q = asked.questions[0]
    tables = list(scan(open_library(products)))
    smiles = [text for t in tables for text in t["smiles"].to_pylist()]
    keys = np.concatenate([layout.number_keys(t["key"]) for t in tables])
    values = panel.values(q.model.probes, engine.GineEncoder(q.model.encoder)(graphs_of(smiles)).z)
    names = q.model.probes.names()
    egfr, herg, ames, kdr = (values[:, names.index(name)] for name in ("EGFR", "herg", "ames", "KDR"))
    passing = (egfr >= 5.2) & (kdr <= 7.0) & (egfr - kdr >= -0.5) & (herg <= 5.6) & (ames <= 0.7)
    rows = np.flatnonzero(passing)
    order = sorted(rows, key=lambda i: (-egfr[i], int(keys[i, 0]), int(keys[i, 1])))
    assert reference.top.rows.tolist() == [int(i) for i in order[:K]]
    assert reference.top.scores.tolist() == [egfr[i] for i in order[:K]]
    assert reference.tally.scored == len(rows)
    assert sum(reference.tally.filtered.values()) == len(smiles) - len(rows)
    known = dict(zip([tuple(key) for key in q.known.keys.tolist()], q.known_scores, strict=True))
    want = [sum((-egfr[i], *keys[i].tolist()) < (-score, *key) for i in rows) for key, score in known.items()]
    assert reference.ranks.better.tolist() == want


@pytest.mark.parametrize("widen", [1.0, 1000.0, 1e-4])
def test_a_fold_in_float32_gives_the_answer_of_float64(
    asked: Asked, reference: Found, products: Path, widen: float
) -> None:
    """With the model's bounds; with bounds of a tenth, so that hundreds cannot be told apart; and with bounds too small."""
    done = found(asked, products, widen=widen)
    c = done.certificate
    assert content(done) == content(reference)
    assert (c.precision, c.device) == ("float32", "cpu")
    assert (c.repairs > 0) == (c.violations > 0) == (widen < 1)
    assert list(c.bounds) == ["EGFR", *(name for name in ("KDR", "herg", "ames") if name in c.bounds)]
    assert all(0 < c.errors[name] <= c.bounds[name] for name in c.bounds)
    assert c.rescored["kept"] <= c.kept
    assert c.margin is not None
    assert c.margin >= 0
    if widen == 1000:
        assert c.rescored["limits"] > 50
        assert c.rescored["ranks"] > 50
    if c.histogram:
        assert done.histogram.counts.tolist() == reference.histogram.counts.tolist()


def test_the_histogram_is_exact_where_bounds_are_small_against_its_bins(products: Path) -> None:
    plain = together([ask(target_from({"name": "x", "target": "EGFR"}))])
    done = found(plain, products, widen=0.25)
    assert done.certificate.histogram
    assert done.certificate.repairs == 0
    assert done.histogram.counts.tolist() == found(exact(plain), products).histogram.counts.tolist()
    wide = found(plain, products, widen=100.0)
    assert wide.certificate.kept > len(wide.top)
    assert not wide.certificate.histogram
    assert "histogram" not in wide.certificate.rescored
    assert certificate_record(wide.certificate)["histogram"] == "fold scores"


def test_a_library_that_is_kept_whole_is_folded_by_the_reference(library: Path) -> None:
    """Its molecules would all be scored again: the reference scores them once."""
    asked = together([ask(target_from({"name": "x", "target": "EGFR"}))])
    done = found(asked, library)
    assert (done.certificate.precision, done.certificate.rescored) == ("float64", {})
    faster = together([replace(q, precision="float32") for q in asked.questions])
    assert content(found(faster, library)) == content(done)
    assert found(faster, library).certificate.precision == "float32"


def test_an_audit_is_of_the_molecules_that_their_keys_choose(products: Path) -> None:
    plain = together([ask(target_from({"name": "x", "target": "EGFR"}))])
    keys = np.concatenate([layout.number_keys(t["key"]) for t in scan(open_library(products))])
    c = found(plain, products).certificate
    assert c.audited == audited(keys).sum() > 0
    assert c.failure_rate_below() == pytest.approx(1 - 0.05 ** (1 / c.audited))


def test_bounds_that_no_widening_mends_end_in_float64(
    asked: Asked, reference: Found, products: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifying, "LEAST", 1.0)
    monkeypatch.setattr(certifying, "SAFETY", 0.0)
    stages: list[str] = []
    told = Progress(stage=lambda name, rows: stages.append(name), rows=lambda n: None)
    done = found(asked, products, widen=1e-4, progress=told)
    assert content(done) == content(reference)
    c = certificate_record(done.certificate)
    assert (c["precision"], c["repairs"], c["error_bound"], c["rescored"]) == ("float64", 3, 0.0, {})
    assert c["violations"] >= 3
    assert c["failure_rate_below"] is None
    assert c["sentence"].endswith("The bound was too small at first, and the fold was repeated 3 times.")
    assert [name.partition(": ")[2] for name in stages[1:]] == [
        "screening again, with wider bounds", "screening again, with wider bounds", "screening again, in float64"
    ]  # fmt: skip


@pytest.mark.parametrize("executor", [serial(), processes(2)], ids=["serial", "processes"])
def test_rows_that_cannot_be_told_apart_are_settled_before_they_fill_memory(
    products: Path, monkeypatch: pytest.MonkeyPatch, executor: execute.Executor
) -> None:
    question = {"name": "x", "target": "EGFR", "screen": {"top_k": 3, "report_n": 3}}
    plain = together([ask(target_from(question))])
    want = found(exact(plain), products)
    monkeypatch.setattr(best, "ROOM", 8)
    done = found(plain, products, widen=30000.0, executor=executor)
    assert content(done) == content(want)
    assert done.certificate.rescored["ties"] > 8
    assert done.certificate.kept <= 4 * 3 + 8


def test_run_json_says_that_a_fold_was_repeated(
    products: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = {"name": "x", "target": "EGFR", "screen": {"top_k": K, "report_n": 5}}
    screen_to(question, tmp_path / "right", products)
    monkeypatch.setattr(engine, "SAFETY", 1e-4)
    hits, files = screen_to(question, tmp_path / "wrong", products)
    assert files["hits.parquet"].read_bytes() == (tmp_path / "right" / "hits.parquet").read_bytes()
    c = json.loads(files["run.json"].read_text())["certificate"]
    assert c == json.loads(json.dumps(hits.run["certificate"]))
    assert c["repairs"] >= 1
    assert c["violations"] >= 1
    assert c["largest_error"] <= c["error_bound"]
    assert "The bound was too small at first" in c["sentence"]
    assert c["sentence"] in files["report.html"].read_text()
    right = json.loads((tmp_path / "right" / "run.json").read_text())["certificate"]
    assert (right["repairs"], right["violations"], right["bounds"]) == (0, 0, {})


def test_the_target_file_sets_the_precision(products: Path, tmp_path: Path) -> None:
    question = {"name": "x", "target": "EGFR", "screen": {"top_k": K, "report_n": 5}}
    certificates, written = {}, set()
    for precision in ("auto", "float32", "float64"):
        _, files = screen_to({**question, "model": {"precision": precision}}, tmp_path / precision, products)
        certificates[precision] = json.loads(files["run.json"].read_text())["certificate"]
        written.add(files["hits.csv"].read_bytes())
    assert {name: c["precision"] for name, c in certificates.items()} == {
        "auto": "float32", "float32": "float32", "float64": "float64"
    }  # fmt: skip
    assert len(written) == 1
    assert certificates["float64"]["sentence"] == "Every molecule was scored in float64, so this list is exact."
