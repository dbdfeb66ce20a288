"""The table of DAVIS and KIBA on made-up pairs: splits that hold, baselines that are what they say, figures that add up."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drylab.score.align import AMINO_ACIDS
from drylab.score.model import load_model
from drylab.train.concordance import concordance_few
from drylab.train.metrics import concordance
from drylab.train.pairs import Pairs
from drylab.train.recipes import Chosen, Recipe, Sides, choose, draws, fit, semidefinite, target_kernel
from drylab.train.suites import dta
from drylab.train.suites.dta_figures import Guess, figures
from drylab.train.suites.table import Budget
from tests.train.suites.conftest import molecules, write

BUDGET = Budget(draws=50)


def families() -> list[str]:
    """Sixteen sequences: four families of three, of which one has a copy, and three alone."""
    rng = np.random.default_rng(2)
    letters = list(AMINO_ACIDS)
    found = []
    for _ in range(4):
        first = rng.choice(letters, 120)
        for _ in range(3):
            member = first.copy()
            at = rng.random(120) < 0.15
            member[at] = rng.choice(letters, at.sum())
            found.append("".join(member))
    return [*found, found[0], *("".join(rng.choice(letters, 120)) for _ in range(3))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Affinity is a drug's level and, by family, its nitrogens."""
    path, rng = tmp_path_factory.mktemp("dta"), np.random.default_rng(3)
    sequences, smiles = families(), molecules()[::2]
    rows = []
    for (i, text), j in itertools.product(enumerate(smiles), range(len(sequences))):
        sign = (j // 3) % 2 * 2 - 1 if j < 12 else -1
        value = 7 + 0.05 * i % 1 + sign * 0.6 * text.upper().count("N") + rng.normal(0, 0.1)
        rows.append(
            (f"d{i}", text, f"t{j}", value, rng.choice(["test", "train0", "train1", "train2", "train3", "train4"]))
        )
    for name, column in (("davis", "p_value"), ("kiba", "kiba_score")):
        kept = rows if name == "davis" else [row for row in rows if rng.random() < 0.6]
        lines = [f"{d},{s},{t},0,{v:.3f},{f}" for d, s, t, v, f in kept]
        write(path / f"affinity/{name}.csv.gz", [f"drug_id,smiles,target,value,{column},fold", *lines])
        lines = [f"t{j},{text}" for j, text in enumerate(sequences)]
        write(path / f"affinity/{name}_sequences.csv.gz", ["target,sequence", *lines])
    return path


def test_the_table_has_every_task_method_and_figure_with_an_interval(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dta, "SETS", ("kiba",))
    monkeypatch.setattr(dta, "TRIES", 2)
    found = dta.run(folder, load_model("panel-2"), BUDGET, lambda text: None)
    tasks = {row.task for row in found.rows}
    assert tasks == {f"KIBA {split}" for split in ("warm", "cold target", "cold family")}
    by = {(row.task, row.method): row.metrics for row in found.rows}
    for task in tasks:
        drug, ours = by[task, "drug mean"], by[task, dta.OURS]
        assert drug["CI per drug"].value == 0.5  # one value for all targets of a drug
        assert ours["MSE"].value < drug["MSE"].value
        known = [figure for figure in ours.values() if figure.n]  # of few pairs a target there is no figure of its own
        assert len(known) >= 3
        assert all(figure.low <= figure.value <= figure.high for figure in known)
    assert by["KIBA cold target", dta.OURS]["CI per drug"].value > 0.6
    assert any("16 targets, 15 distinct sequences" in note for note in found.notes)
    assert sum(note.startswith("Goals, ") for note in found.notes) == 3


def test_cold_folds_share_no_sequence_and_families_stay_together(folder: Path) -> None:
    known = dta.read_set(folder, "davis")
    tasks = {task: (splits, held) for task, splits, held in dta._tasks(known)}
    for task, least in (("DAVIS cold target", 0.9999), ("DAVIS cold family", 0.3)):
        splits, held = tasks[task]
        tested = np.concatenate([np.unique(test.target) for _, test in splits])
        assert sorted(tested.tolist()) == list(range(16))
        for train, test in splits:
            like = known.sides.alignment[np.ix_(np.unique(train.target), np.unique(test.target))]
            assert like.max() < least
            inner = held(train, 1)
            like = known.sides.alignment[
                np.ix_(np.unique(train.take(inner).target), np.unique(train.take(~inner).target))
            ]
            assert like.max() < least


def test_without_ours_there_are_baselines_alone(folder: Path) -> None:
    found = dta.run(folder, load_model("panel-2"), replace(BUDGET, ours=False), lambda text: None)
    assert not any(row.ours for row in found.rows)
    assert "KronRR (ECFP4 x SW)" in {row.method for row in found.rows}


def test_concordance_of_few_is_that_of_many() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 3, 10, 40):
        truth, said = rng.integers(0, 6, n).astype(float), rng.integers(0, 6, n).astype(float)
        pairs = list(itertools.combinations(range(n), 2))
        ordered = [(i, j) if truth[i] > truth[j] else (j, i) for i, j in pairs if truth[i] != truth[j]]
        if ordered:
            wins = [1.0 if said[i] > said[j] else 0.5 if said[i] == said[j] else 0.0 for i, j in ordered]
            assert concordance_few(truth, said) == pytest.approx(np.mean(wins))
            assert concordance(truth, said) == pytest.approx(np.mean(wins))


def test_figures_of_a_perfect_guess() -> None:
    mol, target = np.repeat(np.arange(12), 12), np.tile(np.arange(12), 12)
    value = (mol + 2.0 * target) + 0.01 * np.arange(144)
    guess = Guess(Pairs(mol, target, value, (12, 12)), {"it": value.copy()})
    found = figures([guess, guess], "it", BUDGET)
    assert {name: figure.value for name, figure in found.items()} == {
        "MSE": 0.0, "CI": 1.0, "CI per target": 1.0, "Spearman per target": pytest.approx(1.0), "CI per drug": 1.0,
    }  # fmt: skip


def test_target_copy_is_the_weighted_mean_of_the_nearest() -> None:
    alignment = np.array([[1.0, 0.5, 0.25], [0.5, 1.0, 0.1], [0.25, 0.1, 1.0]])
    sides = Sides(np.eye(2), alignment, alignment, np.zeros((3, 3)))
    train = Pairs(np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([8.0, 5.0, 6.0]), (2, 3))
    apart = np.eye(7)  # four more targets that nothing was measured at
    apart[:3, :3] = alignment
    wide = replace(sides, alignment=apart, sites=np.zeros((7, 7)))
    found = dta.baselines(wide, replace(train, shape=(2, 7)))["5-NN target copy"]
    assert found[0, 0] == pytest.approx((0.5 * 8 + 0.25 * 5) / 0.75)
    assert found[1, 0] == pytest.approx(6.0)


def test_a_target_kernel_has_no_negative_eigenvalue_and_ones_on_its_diagonal(folder: Path) -> None:
    known = dta.read_set(folder, "kiba")
    for recipe in (Recipe(), Recipe(power=0.35, site=0.0), Recipe(site=0.7, width=4.0), Recipe(domain=1.0, power=1.5)):
        found = target_kernel(known.sides, recipe)
        assert np.linalg.eigvalsh(found).min() > -1e-9
        assert np.allclose(np.diag(found), 1.0)
    assert np.allclose(semidefinite(np.eye(3)), np.eye(3))


def test_a_recipe_is_chosen_on_what_was_held_out_and_the_fit_keeps_the_unit(folder: Path) -> None:
    known = dta.read_set(folder, "davis")
    found = choose(known.sides, known.pairs, dta._some_pairs, 1, Recipe(), tries=3)
    assert len(found) == 3
    assert [one.loss for one in found] == sorted(one.loss for one in found)
    assert all(0.0 < one.error < 1.0 for one in found)  # on a scale whose standard deviation is about one
    assert {one.recipe for one in found} == set(draws(1, 3, Recipe(), with_sites=False))
    shifted = replace(known.pairs, value=known.pairs.value * 100 + 3)
    plain, scaled = (fit(known.sides, pairs, found[:1]) for pairs in (known.pairs, shifted))
    assert np.allclose(plain * 100 + 3, scaled, atol=0.5)


def test_what_recipes_say_is_averaged(folder: Path) -> None:
    known = dta.read_set(folder, "kiba")
    two = [Chosen(0.0, Recipe(scores=share), 0.3) for share in (0.0, 1.0)]
    each = [fit(known.sides, known.pairs, [one]) for one in two]
    assert np.abs(fit(known.sides, known.pairs, two) - np.mean(each, axis=0)).mean() < 0.02 * known.pairs.value.std()
