"""``python -m drylab.train.support --data DIR --model FILE``: the support of a panel model's targets, some minutes on one core.

Molecules of TRAIN and VALID scaffolds: TEST, and all that benchmarks keep out, are not in it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from drylab.errors import DrylabError
from drylab.score import gaussian, support
from drylab.score.censored import fill
from drylab.score.embedding import embed
from drylab.score.features import RECIPE
from drylab.score.first import encoder_sha256
from drylab.score.gaussian import Posterior
from drylab.score.model import Model, load_model
from drylab.score.support import Looked, kernel, look, spread_of
from drylab.train.batches import scaffolds_of
from drylab.train.data import Labels, read_labels
from drylab.train.keepout import demo_skeletons
from drylab.train.split import TEST, TRAIN, folds

Array = NDArray[np.float64]
FEWEST = 16  # measured molecules of a target that has support
MIXES = (0.0, 0.15, 0.3, 0.5)
LOOSER = (1.0, 1.5, 2.0)  # times the likeliest noise: literature values scatter more between series than within


@dataclass(frozen=True, slots=True)
class Measured:
    """One target: molecules (n,) rows of what is looked at, value, relation, and whether the encoder was trained on it."""

    name: str
    row: NDArray[np.int64]
    value: Array
    relation: NDArray[np.int8]
    seen: NDArray[np.bool_]


def train(model: Model, labels: Labels, log: Callable[[str], Any] = print) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """Names of the targets and tensors of the file."""
    molecules, targets = _read(model, labels)
    scores = dict.fromkeys(product(MIXES, LOOSER), 0.0)
    for target in targets:
        for choice, error in _errors(molecules, target).items():
            scores[choice] += error
    mix, looser = min(scores, key=scores.__getitem__)
    log(f"share of z {mix:g}, noise times {looser:g}, of {len(targets)} targets")
    fitted = [_fit(molecules, target, mix, looser) for target in targets]
    return [target.name for target in targets], _joined(molecules, targets, fitted) | {
        "mix": np.array([mix], np.float32)
    }


def _read(model: Model, labels: Labels) -> tuple[Looked, list[Measured]]:
    """The molecules with a value on a shipped target, none of a TEST scaffold, and the targets that have enough of them."""
    wanted = np.array([task.shipped and task.kind == "affinity" for task in labels.tasks])
    chosen = np.unique(labels.mol[wanted[labels.task]]).astype(np.int64)
    texts = [labels.parents[i] for i in chosen]
    fold, found = folds(scaffolds_of(texts), texts), embed(model, texts)
    scale = np.abs(found.z).max(axis=0) / 127.0 + 1e-12
    molecules = look(np.rint(found.z / scale) * scale, texts)
    place = np.full(len(labels.parents), -1)
    usable = found.ok & (fold != TEST)
    place[chosen[usable]] = np.flatnonzero(usable)
    targets = []
    for number, task in enumerate(labels.tasks):
        at = np.flatnonzero((labels.task == number) & (place[labels.mol] >= 0))
        row = place[labels.mol[at]]
        if wanted[number] and len(at) >= FEWEST:
            value, relation = labels.value[at].astype(np.float64), labels.relation[at]
            targets.append(Measured(task.name, row, value, relation, fold[row] == TRAIN))
    return molecules, targets


def _errors(molecules: Looked, target: Measured) -> dict[tuple[float, float], float]:
    """Each choice's mean squared error on scaffolds that the encoder did not see, times the root of how many they are."""
    held = ~target.seen & (target.relation == 0)
    if held.sum() < 5 or target.seen.sum() < FEWEST:
        return {}
    found, truth, x = {}, target.value[held], molecules.take(target.row[held])
    own = molecules.take(target.row[target.seen])
    alike, across = _parts(own, own), _parts(x, own)
    theta = gaussian.hyperparameters(alike[:1], target.value[target.seen], np.ones(len(own.z)))
    for mix, looser in product(MIXES, LOOSER):
        said = target.value[target.seen], target.relation[target.seen]
        one = _solved(_mixed(alike, mix), said, theta, looser)
        guess, _ = one.predict([_mixed(across, mix)])
        found[mix, looser] = float(np.mean((guess - truth) ** 2) / np.var(target.value) * np.sqrt(held.sum()))
    return found


def _fit(molecules: Looked, target: Measured, mix: float, looser: float) -> Posterior:
    """One target's process with the noise that its fingerprints alone make likeliest, times ``looser``."""
    own = molecules.take(target.row)
    alike = _parts(own, own)
    theta = gaussian.hyperparameters(alike[:1], target.value, np.ones(len(target.value)))
    return _solved(_mixed(alike, mix), (target.value, target.relation), theta, looser)


def _parts(x: Looked, y: Looked) -> list[Array]:
    """Similarity by fingerprints alone and by z alone, in the spread of y."""
    return [kernel(x, y, mix, spread_of(y.z)) for mix in (0.0, 1.0)]


def _mixed(parts: Sequence[Array], mix: float) -> Array:
    whole: Array = (1.0 - mix) * parts[0] + mix * parts[1]
    return whole


def _solved(alike: Array, said: tuple[Array, NDArray[np.int8]], theta: Array, looser: float) -> Posterior:
    even, settled = np.ones(len(alike)), theta + np.array([0.0, np.log(looser)])

    def left_out(filled: Array) -> tuple[Array, Array]:
        one = gaussian.solve([alike], filled, even, settled)
        return one.loo_mean, one.loo_variance

    return gaussian.solve([alike], fill(*said, left_out), even, settled)


def _joined(molecules: Looked, targets: Sequence[Measured], fitted: Sequence[Posterior]) -> dict[str, NDArray[Any]]:
    """All targets in one file; molecules that none has are left out."""
    used, row = np.unique(np.concatenate([target.row for target in targets]), return_inverse=True)
    kept = molecules.take(used)
    scale = np.abs(molecules.z).max(axis=0) / 127.0 + 1e-12
    tensors: dict[str, NDArray[Any]] = {
        "row": row,
        "ptr": np.concatenate([[0], np.cumsum([len(target.row) for target in targets])]),
        "alpha": np.concatenate([one.alpha for one in fitted]),
        "middle": np.array([one.middle for one in fitted]),
        "constant": np.array([one.constant for one in fitted]),
        "scale": np.array([one.scales[0] for one in fitted]),
        "noise": np.array([one.noise for one in fitted]),
        "z": np.rint(kept.z / scale),
        "z.scale": scale,
    }
    tensors |= {"ecfp4.ptr": kept.prints.ptr, "ecfp4.bit": kept.prints.bit, "ecfp4.count": kept.prints.count}
    return {name: support.stored(name, values) for name, values in tensors.items()}


def save(path: Path, model: Model, names: Sequence[str], tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write the file."""
    header = {"schema": support.SCHEMA, "recipe": RECIPE, "model": model.name, "targets": list(names)}
    header |= {"encoder_sha256": encoder_sha256(model.encoder), "licence": "from ChEMBL, CC BY-SA 3.0"}
    header |= {"command": f"python -m drylab.train.support --data DATA --model {model.name}"}
    part = path.with_name(f".{path.name}.part")  # so that no reader sees half a file
    save_file(dict(tensors), part, metadata={"drylab": json.dumps(header, sort_keys=True)})
    part.chmod(0o644)  # safetensors writes for the owner alone, and whoever installs drylab is to read it
    part.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Read, train, write; 2 after an error of drylab's own."""
    parser = argparse.ArgumentParser(prog="python -m drylab.train.support", description="The support of a panel model.")
    parser.add_argument("--data", type=Path, required=True, help="folder with affinity/, tox/ and libraries/")
    parser.add_argument("--model", default="default", help="name or path of the model; the file is written beside it")
    parser.add_argument("--out", type=Path, help="where to write instead")
    parser.add_argument("--cache", type=Path, help="folder of parents read before")
    given = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        model = load_model(given.model)
        banned = demo_skeletons(Path(str(resources.files("drylab"))) / "library" / "data" / "drugs.csv")
        names, tensors = train(model, read_labels(given.data, banned, cache=given.cache))
        path = given.out or support.support_path(model)
        save(path, model, names, tensors)
    except DrylabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = path.stat().st_size / 1e6
    print(f"[{time.perf_counter() - start:6.0f} s] wrote {path}: {len(names)} targets, {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
