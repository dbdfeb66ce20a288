"""Every suite on made-up benchmarks, by the code that judges the real ones."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from hypothesis import assume, given
from hypothesis import strategies as st

from drylab.errors import InputError
from drylab.featurize.curation import flat_parent
from drylab.score.actives import likeness
from drylab.score.embedding import embed
from drylab.score.model import Model, load_model
from drylab.train.suites import SUITES, Suite, actives, affinity, fewshot, ours, run, screening
from drylab.train.suites.molecules import flat
from drylab.train.suites.nulls import NULLS
from drylab.train.suites.page import evaluation, evaluation_file, keep, page, read
from drylab.train.suites.table import markdown
from tests.train.suites.conftest import BUDGET, molecules

MINE = ("affinity", "activity_cliffs", "fewshot", "screening")


@pytest.fixture(scope="module")
def suites(benchmarks: Path, model: Model) -> dict[str, Suite]:
    return {suite.name: suite for suite in run([*MINE, "ablation"], benchmarks, model, BUDGET, lambda line: None)}


@pytest.mark.parametrize("name", MINE)
def test_baselines_and_nulls_stand_beside_ours(suites: dict[str, Suite], name: str) -> None:
    suite = suites[name]
    assert suite.seconds > 0
    assert suite.notes
    for task in {row.task for row in suite.rows}:
        methods = [row.method for row in suite.rows if row.task == task]
        assert len(set(methods)) == len(methods)
        assert {"random", "MW", "MW + logP", ours.OURS, ours.PRINTS, ours.GNN, *NULLS} <= set(methods)
    found = [figure for row in suite.rows if row.ours for figure in row.metrics.values()]
    assert all(math.isfinite(figure.value) and figure.low <= figure.high for figure in found)
    own = {ours.OURS, affinity.SUPPORT} if suite.name == affinity.NAME else {ours.OURS}
    assert {row.method for row in suite.rows if row.ours} == own
    assert len(markdown(suite).splitlines()) > len(suite.rows)


def test_what_can_be_learned_is(suites: dict[str, Suite]) -> None:
    """Activity here is a count of atoms: ours must find it, and labels of other molecules must not."""
    figures = {
        (row.method, name): figure.value for row in suites["affinity"].rows for name, figure in row.metrics.items()
    }
    assert figures[ours.OURS, "RMSE"] < 0.8 * figures["mean", "RMSE"]
    assert figures[ours.OURS, "Spearman"] > figures["null: shuffled labels", "Spearman"] + 0.2
    ranked = {
        row.method: row.metrics["AUROC"].value
        for row in suites["screening"].rows
        if "MUV" in row.task and "AUROC" in row.metrics
    }
    assert ranked[ours.OURS] > 0.8 > ranked["random"]


def test_published_figures_are_of_the_sets_at_hand(suites: dict[str, Suite]) -> None:
    row = next(row for row in suites["activity_cliffs"].rows if row.method == "published: SVM-ECFP")
    assert (row.metrics["RMSE"].value, row.metrics["RMSE"].n) == (pytest.approx(0.7), 2)


def test_the_ablation_says_what_the_suites_said(suites: dict[str, Suite]) -> None:
    mine = next(row for row in suites["affinity"].rows if row.method == ours.PRINTS).metrics["Spearman"]
    again = next(row for row in suites["ablation"].rows if row.method == ours.PRINTS and "affinity" in row.task)
    assert again.metrics["Spearman"] == mine
    assert sum("GNN" in note for note in suites["ablation"].notes) >= 5


def test_baselines_need_no_model_of_ours(benchmarks: Path, model: Model) -> None:
    for suite in run(["affinity", "screening"], benchmarks, model, replace(BUDGET, ours=False), lambda line: None):
        assert not any(row.ours or row.method in (*ours.ALL, *NULLS) for row in suite.rows)
        assert any("random" in row.method for row in suite.rows)


def test_a_suite_or_a_folder_that_is_not_there(tmp_path: Path, model: Model) -> None:
    with pytest.raises(InputError, match="'nonsense': no such suite; there are affinity"):
        run(["nonsense"], tmp_path, model, BUDGET)
    for name in MINE:
        with pytest.raises(InputError, match="--data"):
            run([name], tmp_path, model, BUDGET, lambda line: None)


def test_every_suite_named_is_there() -> None:
    root = Path(screening.__file__).parents[3]
    there = [name for name, module in SUITES.items() if (root / (module.replace(".", "/") + ".py")).is_file()]
    assert set(MINE) <= set(there)


def test_supports_hold_the_share_of_actives_and_leave_the_rest() -> None:
    label = np.repeat([1.0, 0.0], [40, 80])
    pairs = list(fewshot.supports(label, 30, 7))
    assert len(pairs) == fewshot.DRAWS
    for support, query in pairs:
        assert sorted([*support, *query]) == list(range(120))
        assert label[support].sum() == 10
    again = list(fewshot.supports(label, 30, 7))
    assert all((a[0] == b[0]).all() for a, b in zip(pairs, again, strict=True))
    assert not list(fewshot.supports(label, 110, 7))  # too few would be left


def test_queries_never_rank_themselves_and_order_of_lists_is_theirs(benchmarks: Path) -> None:
    smiles, targets = screening.read(benchmarks, "MUV", BUDGET)
    assert [target.name for target in targets] == ["MUV 466", "MUV 548"]
    for target in targets:
        assert [smiles[row].startswith("c1ccc2") for row in target.rows] == [bool(hit) for hit in target.label]
        assert all(len(queries) == 5 for queries in target.lists)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=2, max_size=150))
def test_figures_of_a_ranking_are_the_metrics(pairs: list[tuple[int, int]]) -> None:
    truth, score = np.array(pairs, dtype=np.float64).T
    assume(0 < truth.sum() < len(truth))
    wanted = [metric(truth, score) for metric in screening.METRICS.values()]
    np.testing.assert_allclose(screening.figures(truth, score), wanted, atol=1e-9)


def test_z_of_what_needs_no_parent_is_that_of_the_parent(model: Model) -> None:
    texts = ["C[C@H](N)C(=O)O", "C/C=C/C", "[Na+].CC(=O)[O-]", "[2H]C([2H])Cl", "c1ccccc1-c1ccccc1", *molecules()[:10]]
    wanted = embed(model, [flat_parent(text) for text in texts]).z
    np.testing.assert_allclose(embed(model, flat(texts)).z, wanted, atol=1e-4)


def test_the_ranking_judged_is_the_products(model: Model) -> None:
    found = actives.known(model, molecules()).features
    queries, picked = np.array([3, 30, 50, 70]), np.array([0, 2, 3])
    ranking = actives.ours_of(found, queries, model.domain)[ours.OURS](picked)
    np.testing.assert_allclose(ranking, likeness(found, found.take(queries[picked]), model.domain), atol=1e-9)


def test_what_cannot_be_read_is_like_nothing(model: Model) -> None:
    """DUD's factor Xa actives are no molecules to RDKit: alike to each other in nothing but that, they once came first."""
    found = actives.known(model, ["N=[CH+](N)c1ccccc1", "N=[CH+](N)c1cccnc1", *molecules()[:4]]).features
    assert not found.ok[:2].any()
    assert likeness(found, found.take(np.array([0])), model.domain).max() == pytest.approx(0.0, abs=1e-12)


def test_the_page_is_made_of_the_json(suites: dict[str, Suite], model: Model, tmp_path: Path) -> None:
    file, text = tmp_path / "m-evaluation.json", tmp_path / "models.md"
    keep(evaluation(list(suites.values()), model, BUDGET), file, text)
    said = text.read_text()
    assert said == page(read(file))
    assert said.startswith("# What the models are worth")
    assert model.sha256 in said
    for suite in read(file).suites:
        assert markdown(suite) in said
        assert [row.method for row in suite.rows] == [row.method for row in suites[suite.name].rows]


def test_docs_models_is_the_shipped_evaluation() -> None:
    docs = Path(screening.__file__).parents[3] / "docs" / "models.md"
    model = load_model("default").name
    if not evaluation_file(model).is_file():
        pytest.skip(f"{model} has no evaluation yet: make it with `drylab evaluate --all`")
    found = read(evaluation_file(model))
    assert docs.read_text() == page(found)
    assert found.made["model sha256"] == load_model("default").sha256
