"""The panel's training on made-up molecules: what can be learned is, the file fits its model, and runs agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from drylab.errors import ModelError
from drylab.featurize.curation import flat_parent
from drylab.score import endpoints as panel
from drylab.score import neighbours
from drylab.score.model import load_model
from drylab.train.heads import MEMBERS, Task, fitted, groups_of, heads, logistic, ridge
from drylab.train.metrics import auroc
from drylab.train.neighbours import CUT, near
from drylab.train.networks import Recipe
from drylab.train.probes import cross_entropy
from drylab.train.split import TEST, TRAIN, VALID
from drylab.train.toxicity import Prepared, prepare, save, train
from drylab.train.toxicity_labels import ToxLabels
from tests.train.conftest import molecules

MODEL = load_model()
RECIPE = Recipe(hidden=8, epochs=30, batch=32)


def task(mol: np.ndarray, value: np.ndarray, group: np.ndarray) -> Task:
    return Task(mol.astype(np.int64), value.astype(float), np.zeros(len(mol), np.int8), group[mol])


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """Oxygen makes a molecule mutagenic; the channel's potency follows the number of nitrogens."""
    parents = sorted({flat_parent(text) for text in molecules()})
    rng = np.random.default_rng(4)
    fold = rng.choice([TRAIN, VALID, TEST], len(parents), p=[0.6, 0.2, 0.2]).astype(np.uint8)
    group = groups_of(["" for _ in parents], parents)
    every = np.arange(len(parents))
    oxygen = np.array(["O" in text.upper() for text in parents])
    nitrogens = np.array([text.upper().count("N") for text in parents]) + rng.normal(0, 0.05, len(parents))
    tasks = {"ames": task(every, oxygen, group), "herg": task(every[::2], nitrogens[::2] + 4, group)}
    return prepare(MODEL, ToxLabels(parents, fold, group, every, tasks, {}, {}))


@pytest.fixture(scope="module")
def path(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tox") / "m-tox.safetensors"
    names, tensors, info = train(prepared, RECIPE, lambda line: None)
    save(out, MODEL, names, tensors, info)
    return out


def test_what_can_be_learned_is(prepared: Prepared, path: Path) -> None:
    found = panel.load_endpoints(MODEL, path)
    said = panel.predict(found, prepared.z, prepared.described)
    mutagenic, potency = (prepared.labels.of(prepared.labels.tasks[name], TEST) for name in ("ames", "herg"))
    assert auroc(mutagenic.value, said.value[mutagenic.mol, 0]) > 0.9
    error = np.abs(said.value[potency.mol, 1] - potency.value).mean()
    assert error < 0.6 * np.abs(potency.value - potency.value.mean()).mean()
    assert (said.sd[:, 0] > 0).any(), "members differ"


def test_the_file_says_how_it_was_made(path: Path) -> None:
    info = panel.load_endpoints(MODEL, path).info
    assert info["network"]["seed"] == RECIPE.seed
    assert info["chosen"]["ames"]["n_tuned"] > 0
    assert info["chosen"]["ames"]["calibration"]
    assert path.stat().st_mode & 0o044 == 0o044


def test_it_is_of_one_encoder(path: Path) -> None:
    other = replace(MODEL, encoder=replace(MODEL.encoder, c=MODEL.encoder.c + 1))
    with pytest.raises(ModelError, match="belongs to an encoder"):
        panel.load_endpoints(other, path)


def test_neighbours_know_what_they_were_shown_and_a_member_leaves_its_group_out(prepared: Prepared) -> None:
    """Without noise to speak of kernel ridge gives back what it was fitted on, and more so than of what it was not."""
    every, group = np.arange(len(prepared.ok)), prepared.labels.group
    potency = 5.0 + np.random.default_rng(3).normal(0, 1, len(every))
    block = task(every, potency > CUT, group)
    found = near(prepared.z, prepared.described, [block, task(every, potency, group)], [0, 1], lambda line: None)
    found |= {name: values.astype(panel.SMALL.get(name, np.float32)).astype(float) for name, values in found.items()}
    said = neighbours.near(found, prepared.z, prepared.described, 2)
    error = np.abs(said[:, :, 1] - potency)
    own = group[None, :] == np.arange(MEMBERS)[:, None]
    assert error[~own].mean() < 0.5 * error[own].mean()
    assert (found["near.weight"][:, own] == 0).all()
    assert auroc(block.value, said.mean(axis=0)[:, 0]) > 0.95


def test_a_panel_without_those_endpoints_has_no_neighbours(prepared: Prepared, path: Path) -> None:
    found = panel.load_endpoints(MODEL, path)
    assert found.tensors["near.weight"].shape == (0, MEMBERS, 0)
    assert not panel.said(found.tensors, prepared.z, prepared.described)[2].any()


def test_two_runs_agree_to_the_bit_and_two_seeds_do_not(prepared: Prepared) -> None:
    brief = replace(RECIPE, epochs=2)
    first, second = (train(prepared, brief, lambda line: None)[1] for _ in range(2))
    other = train(prepared, replace(brief, seed=2), lambda line: None)[1]
    for name in panel.AXES:
        np.testing.assert_array_equal(first[name], second[name])
    assert not np.array_equal(first["net.out"], other["net.out"])


def test_test_molecules_are_not_looked_at(prepared: Prepared) -> None:
    """Labels of the TEST fold may be anything."""
    brief = replace(RECIPE, epochs=2)
    lies = {
        name: replace(one, value=np.where(prepared.labels.fold[one.mol] == TEST, 1.0 - one.value, one.value))
        for name, one in prepared.labels.tasks.items()
    }
    first = train(prepared, brief, lambda line: None)[1]
    second = train(replace(prepared, labels=replace(prepared.labels, tasks=lies)), brief, lambda line: None)[1]
    for name in panel.AXES:
        np.testing.assert_array_equal(first[name], second[name])


def test_a_member_leaves_its_group_out_and_whole_scaffolds_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drylab.train.heads.STRENGTHS", (30.0,))  # else the lies choose another one
    rng = np.random.default_rng(2)
    group = groups_of(["a", "a", "b", "", ""], ["1", "2", "3", "4", "5"])
    assert group[0] == group[1]
    assert group.max() < MEMBERS
    x, y = rng.normal(size=(200, 4)), rng.integers(0, 2, 200).astype(float)
    groups = rng.integers(0, MEMBERS, 200)
    whole = task(np.arange(200), y, groups)
    weights, _ = heads(x, whole, whole, classes=True)
    lies = replace(whole, value=np.where(groups == 3, 1.0 - y, y))
    others, _ = heads(x, lies, whole, classes=True)
    assert weights.shape == (MEMBERS, 4)
    np.testing.assert_array_equal(weights[3], others[3])
    assert not np.array_equal(weights[2], others[2])


def test_a_logistic_head_is_where_the_slope_is_nought() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(300, 5))
    y = (x[:, 0] + rng.normal(size=300) > 0).astype(float)
    w, b = logistic(x, y, 8.0)

    def objective(v: np.ndarray) -> float:
        return cross_entropy(y, x @ v[:-1] + v[-1]) * len(y) + 0.5 * 0.25 * 8.0 * float(v[:-1] @ v[:-1])

    best = objective(np.append(w, b))
    for _ in range(50):
        assert objective(np.append(w, b) + rng.normal(0, 0.01, 6)) >= best


def test_a_bound_pulls_only_from_one_side() -> None:
    """Values of "at most 5" where the truth is lower: read as measured they would flatten the line."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(400, 1))
    truth = 5 + x[:, 0]
    bound = truth < 5
    value = np.where(bound, 5.0, truth)
    censored = Task(np.arange(400), value, np.where(bound, -1, 0).astype(np.int8), np.zeros(400, np.int64))
    slope = fitted(x, censored, False, 1.0)[0][0]
    flattened = ridge(x, value, 1.0)[0][0]
    assert flattened < 0.6 < slope <= 1.0
