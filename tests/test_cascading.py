"""A cascade's hits are the full model's best of what passes, the same however it is run, with a threshold that its sample earns."""

from __future__ import annotations

import html
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drylab import execute, terminal
from drylab.asking import together
from drylab.cascading import staged
from drylab.certifying import certified
from drylab.checking import check
from drylab.config import target_from
from drylab.errors import ConfigError, ModelError
from drylab.featurize import graphs
from drylab.featurize.rules import place_of
from drylab.library import pruning
from drylab.library.reading import read_shard
from drylab.library.store import open_library
from drylab.progress import SILENT
from drylab.question import ask
from drylab.report import write
from drylab.score import cascade, panel
from drylab.score.engine import GineEncoder
from drylab.score.first import load_first
from drylab.score.model import Model, load_model
from drylab.screening import screen, screen_many
from drylab.stages import Stages
from drylab.types import Hits

K, SAMPLE = 60, 0.5
CASCADE = {"recall": 0.6, "confidence": 0.6, "sample": SAMPLE}


def asked(library: Path, **more: Any) -> dict[str, Any]:
    part = {"library": str(library), "top_k": K, "report_n": 5, "mode": "cascade", "cascade": CASCADE}
    return {"name": "EGFR test", "target": "EGFR", "screen": part | more.pop("screen", {}), **more}


@pytest.fixture(scope="module")
def hits(library: Path) -> Hits:
    return screen(asked(library))


@pytest.fixture(scope="module")
def truth(library: Path) -> dict[str, np.ndarray]:
    """Keys, and the reference values of all probes by both stages, of every row."""
    model = load_model()
    keys, smiles = [], []
    for shard in open_library(library).shards():
        for batch in read_shard(shard, 100):
            keys.append(batch.keys)
            smiles += batch.strings()
    parsed = graphs(smiles)

    def values(of: Model) -> np.ndarray:
        return panel.values(of.probes, GineEncoder(of.encoder)(parsed).z)

    return {"keys": np.concatenate(keys), "full": values(model), "first": values(load_first(model))}


def names(keys: np.ndarray) -> list[str]:
    return [f"{int(high):016x}{int(low):016x}" for high, low in keys]


def best(truth: dict[str, np.ndarray], among: np.ndarray, probe: int, k: int) -> np.ndarray:
    """Rows of the k best by the full model, best first, ties by key."""
    rows = np.flatnonzero(among)
    keys = truth["keys"][rows]
    return rows[np.lexsort((keys[:, 1], keys[:, 0], -truth["full"][rows, probe]))][:k]


def keys_of(hits: Hits) -> list[str]:
    found: list[str] = hits.table.column("key").to_pylist()
    return found


def test_hits_are_the_best_of_what_the_first_stage_lets_through(hits: Hits, truth: dict[str, np.ndarray]) -> None:
    probe = load_model().probes.names().index("EGFR")
    passes = truth["first"][:, probe] >= hits.run["cascade"]["threshold"]
    want = best(truth, passes, probe, K)
    assert keys_of(hits) == names(truth["keys"][want])
    assert hits.table.column("score").to_pylist() == truth["full"][want, probe].tolist()
    assert K < passes.sum() < len(passes), "the threshold is of use"


def test_the_threshold_is_what_the_calibration_half_earns(hits: Hits, truth: dict[str, np.ndarray]) -> None:
    probe = load_model().probes.names().index("EGFR")
    place, run = place_of(truth["keys"]), hits.run["cascade"]
    claim = cascade.plan(K, 0.6, 0.6, SAMPLE, "here")
    calibration = best(truth, place < SAMPLE / 2, probe, len(place))
    test = best(truth, (place >= SAMPLE / 2) & (place < SAMPLE), probe, len(place))
    first = truth["first"][:, probe]
    assert run["threshold"] == cascade.threshold(first[calibration].tolist(), claim)
    measured = cascade.measure((first[test] >= run["threshold"]).tolist(), claim)
    want = {"found": measured.found, "of": measured.positives, "low": measured.low, "high": measured.high}
    assert run["recall"] == want | {"confidence": 0.6}
    assert run["sample"] == {"share": SAMPLE, "rows": int((place < SAMPLE).sum()), "positives": list(claim.positives())}


def test_every_row_is_accounted_for(hits: Hits, truth: dict[str, np.ndarray]) -> None:
    tally, run = hits.run["tally"], hits.run["cascade"]
    ((name, below),) = tally["filtered"].items()
    assert name == f"first stage below {run['threshold']:.4g}"
    assert below + tally["scored"] == tally["read"] == len(truth["keys"])
    assert run["passed"] == {"rows": tally["scored"], "share": tally["scored"] / tally["read"]}
    histogram = hits.run["histogram"]
    assert sum(histogram["counts"]) + histogram["underflow"] + histogram["overflow"] == tally["scored"]


def test_the_run_says_so_in_a_sentence(hits: Hits) -> None:
    run = hits.run["cascade"]
    said = run["sentence"]
    assert said.startswith(
        f"A cascade: panel-2-first let {100 * run['passed']['share']:.4g} % of the molecules through"
    )
    assert "at least 60 % of the 60 that the full model likes best in the whole library, with 60 % confidence" in said
    assert f"it held {run['recall']['found']} of {run['recall']['of']} (60 % interval " in said
    assert hits.run["certificate"]["sentence"].startswith("Of what passed: ")


def test_terminal_report_and_check_say_it_too(
    hits: Hits, library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.summary(hits.run)
    assert hits.run["cascade"]["sentence"] in " ".join(capsys.readouterr().out.split())
    page = write(hits, tmp_path)["report.html"].read_text()
    assert hits.run["cascade"]["sentence"] in html.unescape(page)
    lines = dict(check(asked(library)).lines)
    assert lines["cascade"].startswith(
        "both stages score 50 % of the library first, to certify 60 % of the best 60 with 60 %"
    )


@pytest.mark.parametrize("batch_size", [1, 7, 4096])
def test_no_batch_size_changes_a_hit(hits: Hits, library: Path, batch_size: int) -> None:
    again = screen(asked(library), batch_size=batch_size)
    assert again.table.equals(hits.table)
    assert again.run["cascade"] == hits.run["cascade"]


def test_no_executor_changes_a_hit(hits: Hits, library: Path) -> None:
    again = screen(asked(library), executor=execute.processes(2))
    assert again.table.equals(hits.table)
    assert again.run["cascade"] == hits.run["cascade"]


@pytest.mark.parametrize("widen", [1e-6, 1.0, 1e4])
def test_bounds_may_be_wide_or_wrong(hits: Hits, library: Path, widen: float) -> None:
    """Rows at the threshold that float32 leaves open are settled by the first stage's reference; planted errors are repaired."""
    question = ask(target_from(asked(library)))
    plan = [pruning.plan(open_library(library), ())]
    ready, cascades = staged(together([question]), plan, execute.serial(), SILENT, widen)
    found = certified(ready, plan, execute.serial(), SILENT, widen)[0]
    assert names(found.top.keys) == keys_of(hits)
    assert cascades[0] is not None
    assert cascades[0].record(ready.questions[0], found.tally) == hits.run["cascade"]
    assert (found.certificate.repairs > 0) == (widen < 1)


def test_limits_hold_exactly_in_both_passes(library: Path, truth: dict[str, np.ndarray]) -> None:
    target = asked(library, anti_targets=[{"name": "KDR", "panel": "KDR", "max_pactivity": 5.5}])
    target["screen"]["top_k"] = 40
    run = screen(target)
    bank = load_model().probes.names()
    probe, kdr = bank.index("EGFR"), bank.index("KDR")
    allowed = truth["full"][:, kdr] <= 5.5
    passes = truth["first"][:, probe] >= run.run["cascade"]["threshold"]
    assert keys_of(run) == names(truth["keys"][best(truth, allowed & passes, probe, 40)])
    tally = run.run["tally"]
    assert tally["filtered"]["KDR above 5.5"] == int((passes & ~allowed).sum())
    assert run.run["cascade"]["passed"]["rows"] == int(passes.sum())
    place = place_of(truth["keys"])
    assert run.run["cascade"]["sample"]["rows"] == int((allowed & (place < SAMPLE)).sum())


def test_cascades_and_exact_screens_together_are_as_alone(hits: Hits, library: Path) -> None:
    other = {**asked(library), "name": "DRD2", "target": "DRD2"}
    exact = {**asked(library, screen={"mode": "exact"}), "name": "KDR", "target": "KDR"}
    together_ = screen_many([asked(library), other, exact])
    assert keys_of(together_[0]) == keys_of(hits)
    assert together_[0].run["cascade"] == hits.run["cascade"]
    assert keys_of(together_[1]) == keys_of(screen(other))
    alone = screen(exact)
    assert keys_of(together_[2]) == keys_of(alone)
    assert together_[2].run["tally"] == alone.run["tally"]
    assert "cascade" not in together_[2].run


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ({"top_k": 60, "cascade": {}}, r"no sample of at most half the library holds enough of the 60 best"),
        ({"top_k": 20, "report_n": 5, "cascade": {**CASCADE, "recall": 0.9}}, r"raise top_k to at least \d+"),
        ({"top_k": 3000}, r"the library has too few for a cascade; lower top_k, or use mode: exact"),
    ],
)
def test_what_cannot_be_certified_is_refused(library: Path, part: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        screen(asked(library, screen=part))


def test_a_model_without_a_first_stage_is_refused_by_its_line(library: Path, tmp_path: Path) -> None:
    shutil.copy(load_model().path, tmp_path / "mine.safetensors")
    target = asked(library, model={"affinity": str(tmp_path / "mine.safetensors")})
    with pytest.raises(ModelError, match=r"<dict>: screen\.mode: model panel-2 has no first stage"):
        screen(target)


def test_a_row_below_every_threshold_costs_the_full_model_nothing() -> None:
    model, some = load_model(), graphs(["CCO", "c1ccccc1", "C[C@H](N)C(=O)O", "not one"])
    stages = Stages(model, load_first(model))
    t = len(model.probes)
    rows = [0, 3, t, t + 3]
    first = stages.reference([t, t + 3], some)
    fold = stages.engine(rows, [float(first[1, 0]), np.inf], "auto", 1.0)
    values = fold.values(some)
    passes = (first >= [first[1, 0], np.inf]).any(axis=1)
    assert passes[1]
    assert not passes.all()
    assert np.isnan(values[~passes, :2]).all()
    assert np.isfinite(values[passes]).all()
    assert np.isfinite(values[:, 2:]).all()
    exact = stages.reference(rows, some)
    assert np.array_equal(stages.scores(rows, some)[:, :2], exact[:, :2])
    assert np.isnan(stages.scores(rows, some)[:, 2:]).all()
    assert (np.abs(values - exact)[passes] <= fold.bounds).all()
    assert [stages.name(row) for row in (0, t)] == ["EGFR", "EGFR, first stage"]


def test_damaged_weights_of_either_stage_are_told() -> None:
    model, some = load_model(), graphs(["CCO"])
    first = load_first(model)
    t = len(model.probes)
    for broken in ("full", "first"):
        pair = {"full": model, "first": first}
        bad = replace(pair[broken], sha256="damaged", encoder=replace(model.encoder, c=np.full(128, np.nan)))
        stages = Stages(**(pair | {broken: bad}))
        with pytest.raises(ModelError, match="not finite; the weights are damaged"):
            stages.engine([0, t], [-np.inf], "auto", 1.0).values(some)
        with pytest.raises(ModelError, match="not finite; the weights are damaged"):
            stages.reference([0, t], some)
