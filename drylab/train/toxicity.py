"""``python -m drylab.train.toxicity --data DIR --model FILE``: the toxicity panel of a model, a few minutes on one core.

TRAIN scaffolds fit the members, VALID scaffolds choose strengths, calibrate and set the 90 % thresholds, TEST scaffolds
are not looked at (drylab.train.suites.toxicity judges on them).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from drylab.errors import DrylabError
from drylab.score import endpoints as panel
from drylab.score.counts import DESCRIPTORS, RECIPE, Described, describe
from drylab.score.embedding import embed
from drylab.score.endpoint_table import ENDPOINTS
from drylab.score.endpoints import Endpoints
from drylab.score.features import RECIPE as GRAPHS
from drylab.score.first import encoder_sha256
from drylab.score.model import Model, load_model
from drylab.train import conformal_fit as fit
from drylab.train import neighbours
from drylab.train.heads import MEMBERS, SMALL, Task, heads
from drylab.train.keepout import BENCHMARKS, DEMO, demo_skeletons, origins
from drylab.train.networks import Recipe, Table, members
from drylab.train.split import TRAIN, VALID, split_hash
from drylab.train.toxicity_labels import FILES, ToxLabels, read_tox_labels

Array = NDArray[np.float64]
Log = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The molecules of the labels as a model reads them: z (n, d), described, ok (n,)."""

    labels: ToxLabels
    z: Array
    described: Described

    @property
    def ok(self) -> NDArray[np.bool_]:
        """(n,) whether the molecule has a z and descriptors."""
        return self.described.ok


@dataclass(slots=True)
class _Made:
    """Tensors by name, and what was chosen for each endpoint, as they come about."""

    tensors: dict[str, Array]
    chosen: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Tuning:
    """Measured labels of the VALID fold, and the scaffold of each (n,)."""

    task: Task
    scaffold: NDArray[np.int64]


def prepare(model: Model, labels: ToxLabels) -> Prepared:
    """z and counts of every molecule."""
    found, described = embed(model, labels.parents), describe(labels.parents)
    return Prepared(labels, found.z, Described(described.counts, described.descriptors, described.ok & found.ok))


def train(prepared: Prepared, recipe: Recipe, log: Log) -> tuple[list[str], dict[str, Array], dict[str, Any]]:
    """Names, tensors and facts of an endpoints file."""
    names = list(prepared.labels.tasks)
    made = _Made(_scale(prepared))
    scaled = np.clip(
        (prepared.described.descriptors - made.tensors["scale.centre"]) / made.tensors["scale.width"],
        -panel.CUT,
        panel.CUT,
    )
    made.tensors |= _z_heads(prepared, scaled, names)
    log(f"heads on z of {len(names)} endpoints are fitted")
    made.tensors |= _networks(prepared, scaled, names, recipe, log)
    made.tensors |= _near(prepared, names, log)
    _calibrated(prepared, names, made)
    log("calibrated")
    return names, made.tensors, {"chosen": made.chosen, "network": asdict(recipe)}


def _scale(prepared: Prepared) -> dict[str, Array]:
    rows = prepared.described.descriptors[(prepared.labels.fold == TRAIN) & prepared.ok]
    low, middle, high = np.percentile(rows, [16, 50, 84], axis=0)
    # As a reader of the file gets them: float32.
    return {"scale.centre": _stored(middle), "scale.width": _stored(np.maximum(0.5 * (high - low), 0.5))}


def _stored(values: Array) -> Array:
    return values.astype(np.float32).astype(np.float64)


def _z_heads(prepared: Prepared, scaled: Array, names: Sequence[str]) -> dict[str, Array]:
    labels, d, k = prepared.labels, prepared.z.shape[1], len(DESCRIPTORS)
    weight, bias = np.zeros((len(names), MEMBERS, d)), np.zeros((len(names), MEMBERS))
    beside = np.zeros((len(names), MEMBERS, k))
    both = np.column_stack([prepared.z, scaled])
    for column, name in enumerate(names):
        fitting, tuning = (labels.of(labels.tasks[name], fold, prepared.ok) for fold in (TRAIN, VALID))
        small = len(fitting.mol) + len(tuning.mol) < SMALL
        w, bias[column] = heads(both if small else prepared.z, fitting, tuning, ENDPOINTS[name].kind == "class")
        weight[column], beside[column, :, : w.shape[1] - d] = w[:, :d], w[:, d:]
    return {"z.weight": _stored(weight), "z.bias": _stored(bias), "z.descriptors": _stored(beside)}


def _networks(prepared: Prepared, scaled: Array, names: Sequence[str], recipe: Recipe, log: Log) -> dict[str, Array]:
    """Values are learnt less their mean and in units of their spread; both go back into the last layer."""
    labels, n = prepared.labels, len(prepared.labels.parents)
    value, relation = np.full((n, len(names)), np.nan), np.zeros((n, len(names)), np.int8)
    classes = np.array([ENDPOINTS[name].kind == "class" for name in names])
    centre, width = np.zeros(len(names)), np.ones(len(names))
    for column, name in enumerate(names):
        task = labels.of(labels.tasks[name], TRAIN, prepared.ok)
        if not classes[column]:
            centre[column], width[column] = task.value.mean(), task.value.std() + 1e-9
        value[task.mol, column] = (task.value - centre[column]) / width[column]
        relation[task.mol, column] = task.relation
    rows = np.flatnonzero(~np.isnan(value).all(axis=1))
    table = Table(prepared.described.counts, scaled, value, relation, classes)
    found = members(table, rows, labels.group, recipe, log)
    found["net.out"] = _stored(found["net.out"] * width)
    found["net.last"] = _stored(found["net.last"] * width + centre)
    return found


def _near(prepared: Prepared, names: Sequence[str], log: Log) -> dict[str, Array]:
    labels = prepared.labels
    both = neighbours.NAMES if set(neighbours.NAMES) <= set(names) else ()
    tasks = [labels.of(labels.tasks[name], TRAIN, prepared.ok) for name in both]
    return neighbours.near(prepared.z, prepared.described, tasks, [names.index(name) for name in both], log)


def _calibrated(prepared: Prepared, names: Sequence[str], made: _Made) -> None:
    """Blend, curve and thresholds of every endpoint from the VALID fold, into ``made``."""
    t, count = made.tensors, len(names)
    rows = np.flatnonzero((prepared.labels.fold == VALID) & prepared.ok)
    described = prepared.described.take(rows)
    branches = panel.said(t, prepared.z[rows], described)
    t |= {"blend": np.zeros((count, 4)), "alone": np.zeros((count, 3, 2)), "curve.on": np.zeros(count)}
    t |= {
        "curve.x": np.tile(np.arange(fit.KNOTS, dtype=np.float64), (count, 1)),
        "curve.y": np.zeros((count, fit.KNOTS)),
    }
    t |= {"set.threshold": np.zeros((count, 2)), "set.floor": np.ones(count), "set.width": np.zeros(count)}
    for column, name in enumerate(names):
        task = prepared.labels.of(prepared.labels.tasks[name], VALID, prepared.ok).measured()
        at = np.searchsorted(rows, task.mol)
        there = 3 if column in t["near.endpoint"] else 2
        said = np.moveaxis(branches[:there, :, at, column], 0, 2)  # (m, n, b)
        settle = _settle_class if ENDPOINTS[name].kind == "class" else _settle_value
        settle(t, column, said, _Tuning(task, prepared.labels.scaffold[task.mol]), made.chosen.setdefault(name, {}))
        made.chosen[name] |= {"n_tuned": len(task.mol)}


def _settle_class(t: dict[str, Array], column: int, said: Array, tuning: _Tuning, chosen: dict[str, Any]) -> None:
    middle, task = said.mean(axis=0), tuning.task
    found = fit.calibrate(middle, task.value, task.group)
    t["blend"][column] = _widened(found.blend)
    for branch in range(middle.shape[1]):
        t["alone"][column, branch] = fit.scaled(middle[:, branch], task.value)
    if found.curve is not None:
        t["curve.x"][column], t["curve.y"][column] = found.curve
        t["curve.on"][column] = 1.0
    probability = fit.probability(found.logits(middle))
    t["set.threshold"][column] = fit.thresholds(probability, task.value, tuning.scaffold)
    chosen["calibration"] = found.method


def _settle_value(t: dict[str, Array], column: int, said: Array, tuning: _Tuning, chosen: dict[str, Any]) -> None:
    middle, task = said.mean(axis=0), tuning.task
    blend = fit.least_squares(middle, task.value)
    t["blend"][column] = _widened(blend)
    t["alone"][column, : middle.shape[1]] = [1.0, 0.0]
    members_said = said @ blend[:-1] + blend[-1]
    t["set.floor"][column], t["set.width"][column] = fit.floor_and_width(
        members_said.mean(axis=0), members_said.std(axis=0, ddof=1), task.value, tuning.scaffold
    )
    chosen["calibration"] = "least squares"


def _widened(blend: Array) -> Array:
    """(4,) with nothing for the neighbours where there are none."""
    return _stored(np.concatenate([blend[:-1], np.zeros(4 - len(blend)), blend[-1:]]))


def save(path: Path, model: Model, names: Sequence[str], tensors: Mapping[str, Array], info: Mapping[str, Any]) -> None:
    """Write an endpoints file; ``info`` holds anything JSON about training."""
    types = dict.fromkeys(panel.AXES, np.float32) | dict(panel.SMALL)
    arrays = {name: np.ascontiguousarray(tensors[name], dtype=types[name]) for name in panel.AXES}
    header = {**info, "schema": panel.SCHEMA, "recipe": GRAPHS, "counts": RECIPE, "endpoints": list(names)}
    header |= {"model": model.name, "encoder_sha256": encoder_sha256(model.encoder)}
    part = path.with_name(f".{path.name}.part")  # so that no reader sees half a file
    save_file(arrays, part, metadata={"drylab": json.dumps(header, sort_keys=True)})
    part.chmod(0o644)  # safetensors writes for the owner alone, and whoever installs drylab is to read it
    part.replace(path)


def facts(labels: ToxLabels, ok: NDArray[np.bool_], command: str) -> dict[str, Any]:
    """What the header says of the data: sizes, licences, split, and how to make the file again."""
    sizes = {
        name: {fold: len(labels.of(task, number, ok).mol) for fold, number in (("train", TRAIN), ("tune", VALID))}
        for name, task in labels.tasks.items()
    }
    return {
        "command": command,
        "files": [f"tox/{name}.csv.gz" for name in FILES],
        "licences": {name: ENDPOINTS[name].data for name in labels.tasks},
        "sizes": sizes,
        "split_sha256": split_hash(labels.parents, labels.fold),
    }


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: data folder, the file or None for the one beside the model, folder of parents read before, seed."""

    data: Path
    out: Path | None = None
    cache: Path | None = None
    seed: int = Recipe().seed


def make(model: Model, order: Order, log: Log) -> tuple[Endpoints, Prepared]:
    """Train, write, and give the file as read back, with the molecules that it was made from."""
    demo = Path(str(resources.files("drylab"))) / "library" / "data" / "drugs.csv"
    kept_for = {DEMO: demo_skeletons(demo)} | origins(order.data, BENCHMARKS, order.cache)
    prepared = prepare(model, read_tox_labels(order.data, kept_for, order.cache))
    log(f"{len(prepared.labels.parents)} molecules are read")
    names, tensors, info = train(prepared, Recipe(seed=order.seed), log)
    path = order.out or panel.endpoints_path(model)
    command = f"python -m drylab.train.toxicity --data DATA --model {model.name} --seed {order.seed}"
    save(path, model, names, tensors, info | facts(prepared.labels, prepared.ok, command))
    return panel.load_endpoints(model, path), prepared


def main(arguments: list[str] | None = None) -> int:
    """Read, train, write; 2 after an error of drylab's own."""
    parser = argparse.ArgumentParser(
        prog="python -m drylab.train.toxicity", description="The toxicity panel of a model."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with tox/, affinity/ and benchmarks/")
    parser.add_argument("--model", default="default", help="name or path of the model; the file is written beside it")
    parser.add_argument("--out", type=Path, help="where to write instead")
    parser.add_argument("--cache", type=Path, help="folder of parents read before")
    parser.add_argument("--seed", type=int, default=Recipe().seed)
    given = parser.parse_args(arguments)
    start = time.perf_counter()

    def log(line: str) -> None:
        print(f"[{time.perf_counter() - start:6.0f} s] {line}", flush=True)

    try:
        model = load_model(given.model)
        found, _ = make(model, Order(given.data, given.out, given.cache, given.seed), log)
        log(f"wrote {found.path}, sha256 {found.sha256}")
    except DrylabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
