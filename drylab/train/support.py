"""``python -m drylab.train.support --data DIR --model FILE``: the support of a panel model's targets, some minutes on one core.

How much z counts is chosen without the molecules of any benchmark. What ships is then fitted to all there is of TRAIN and VALID scaffolds,
and judged by TEST.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from drylab.errors import DrylabError
from drylab.score import gaussian, packed, support
from drylab.score.censored import fill
from drylab.score.embedding import embed
from drylab.score.features import RECIPE
from drylab.score.first import encoder_sha256
from drylab.score.gaussian import Posterior
from drylab.score.model import Model, load_model
from drylab.score.packed import Grid
from drylab.score.support import Looked, kernel, look, spread_of
from drylab.train.batches import scaffolds_of
from drylab.train.data import Labels, read_labels
from drylab.train.keepout import BENCHMARKS, demo_skeletons
from drylab.train.metrics import REGRESSION
from drylab.train.split import TEST, TRAIN, VALID, folds

Array = NDArray[np.float64]
Log = Callable[[str], Any]
FEWEST = 16  # measured molecules of a target that has support
JUDGED = 20  # test molecules below which a figure says nothing
MIXES = (0.0, 0.15, 0.3, 0.5)
LOOSER = (1.0, 1.5, 2.0)  # times the likeliest noise: literature values scatter more between series than within


@dataclass(frozen=True, slots=True)
class Measured:
    """One target: molecules (n,) rows of what is looked at, value, relation, and fold of their scaffolds."""

    name: str
    row: NDArray[np.int64]
    value: Array
    relation: NDArray[np.int8]
    fold: NDArray[np.uint8]

    def take(self, which: NDArray[np.bool_]) -> Measured:
        """Some of the measurements."""
        return Measured(self.name, self.row[which], self.value[which], self.relation[which], self.fold[which])

    def exact(self, fold: int) -> Measured:
        """Those of a fold that are no bounds."""
        return self.take((self.fold == fold) & (self.relation == 0))


@dataclass(frozen=True, slots=True)
class Share:
    """How a support is fitted: share of z in the similarity, and what the likeliest noise is multiplied by."""

    mix: float
    looser: float


CHOICES = tuple(Share(mix, looser) for mix, looser in product(MIXES, LOOSER))


@dataclass(frozen=True, slots=True)
class Trained:
    """Names of the targets, tensors of the file, and each judged target's figures on TEST scaffolds."""

    names: list[str]
    tensors: dict[str, NDArray[Any]]
    figures: dict[str, dict[str, float]]


def train(model: Model, judged: Labels, whole: Labels, log: Log = print) -> Trained:
    """The support of a model: chosen by labels without benchmarks, fitted to the whole."""
    share = _chosen(model, judged, log)
    molecules, grid, targets = _read(model, whole)
    known = [target.take(target.fold != TEST) for target in targets]
    fitted = [fit(molecules.take(one.row), (one.value, one.relation), share) for one in known]
    log(f"{len(targets)} targets are fitted")
    figures = {}
    for target, own, one in zip(targets, known, fitted, strict=True):
        test = target.exact(TEST)
        if len(test.row) >= JUDGED:
            said = guess(one, molecules.take(own.row), molecules.take(test.row), share)
            figures[target.name] = {"n": float(len(said))} | {m: f(test.value, said) for m, f in REGRESSION.items()}
    tensors = _joined(molecules, grid, known, fitted)
    tensors |= {part: np.array([getattr(share, part)], np.float32) for part in ("mix", "looser")}
    return Trained([target.name for target in targets], tensors, figures)


def _chosen(model: Model, labels: Labels, log: Log) -> Share:
    molecules, _, targets = _read(model, labels)
    scores = dict.fromkeys(CHOICES, 0.0)
    for target in targets:
        for choice, error in _errors(molecules, target).items():
            scores[choice] += error
    best = min(scores, key=scores.__getitem__)
    log(f"share of z {best.mix:g}, noise times {best.looser:g}, by {len(targets)} targets")
    return best


def _read(model: Model, labels: Labels) -> tuple[Looked, Grid, list[Measured]]:
    """The molecules with a value on a shipped target, z as it is stored, and the targets with enough of them beside TEST."""
    wanted = np.array([task.shipped and task.kind == "affinity" for task in labels.tasks])
    chosen = np.unique(labels.mol[wanted[labels.task]]).astype(np.int64)
    texts = [labels.parents[i] for i in chosen]
    fold, found = folds(scaffolds_of(texts), texts), embed(model, texts)
    grid = packed.grid_of(found.z[found.ok & (fold != TEST)])
    place = np.full(len(labels.parents), -1)
    place[chosen[found.ok]] = np.flatnonzero(found.ok)
    targets = []
    for number, task in enumerate(labels.tasks):
        at = np.flatnonzero((labels.task == number) & (place[labels.mol] >= 0))
        row = place[labels.mol[at]]
        if wanted[number] and (fold[row] != TEST).sum() >= FEWEST:
            value, relation = labels.value[at].astype(np.float64), labels.relation[at]
            targets.append(Measured(task.name, row, value, relation, fold[row]))
    return look(grid.unpack(grid.pack(found.z)), texts), grid, targets


def _errors(molecules: Looked, target: Measured) -> dict[Share, float]:
    """Each choice's mean squared error on scaffolds that the encoder did not see, times the root of how many they are."""
    held, seen = target.exact(VALID), target.take(target.fold == TRAIN)
    if len(held.row) < 5 or len(seen.row) < FEWEST:
        return {}
    found, x, own = {}, molecules.take(held.row), molecules.take(seen.row)
    alike, across = _parts(own, own), _parts(x, own)
    said = seen.value, seen.relation
    theta = gaussian.hyperparameters(alike[:1], said[0], np.ones(len(own.z)))
    for share in CHOICES:
        one = _solved(_mixed(alike, share), said, theta, share)
        error = np.mean((one.predict([_mixed(across, share)])[0] - held.value) ** 2)
        found[share] = float(error / np.var(seen.value) * np.sqrt(len(held.row)))
    return found


def fit(own: Looked, said: tuple[Array, NDArray[np.int8]], share: Share) -> Posterior:
    """One target's process, values and relations (n,), with the noise that its fingerprints alone make likeliest, times ``looser``."""
    alike = _parts(own, own)
    theta = gaussian.hyperparameters(alike[:1], said[0], np.ones(len(said[0])))
    return _solved(_mixed(alike, share), said, theta, share)


def guess(one: Posterior, own: Looked, x: Looked, share: Share) -> Array:
    """(n,) what a fitted process says of other molecules."""
    return one.predict([kernel(x, own, share.mix, spread_of(own.z))])[0]


def _parts(x: Looked, y: Looked) -> list[Array]:
    """Similarity by fingerprints alone and by z alone, in the spread of y."""
    return [kernel(x, y, mix, spread_of(y.z)) for mix in (0.0, 1.0)]


def _mixed(parts: Sequence[Array], share: Share) -> Array:
    whole: Array = (1.0 - share.mix) * parts[0] + share.mix * parts[1]
    return whole


def _solved(alike: Array, said: tuple[Array, NDArray[np.int8]], theta: Array, share: Share) -> Posterior:
    even, settled = np.ones(len(alike)), theta + np.array([0.0, np.log(share.looser)])

    def left_out(filled: Array) -> tuple[Array, Array]:
        one = gaussian.solve([alike], filled, even, settled)
        return one.loo_mean, one.loo_variance

    return gaussian.solve([alike], fill(*said, left_out), even, settled)


def _joined(
    molecules: Looked, grid: Grid, targets: Sequence[Measured], fitted: Sequence[Posterior]
) -> dict[str, NDArray[Any]]:
    """All targets in one file; molecules that none has are left out."""
    used, row = np.unique(np.concatenate([target.row for target in targets]), return_inverse=True)
    kept = molecules.take(used)
    tensors: dict[str, NDArray[Any]] = {
        "row": row,
        "ptr": np.concatenate([[0], np.cumsum([len(target.row) for target in targets])]),
        "alpha": np.concatenate([one.alpha for one in fitted]),
        "middle": np.array([one.middle for one in fitted]),
        "constant": np.array([one.constant for one in fitted]),
        "scale": np.array([one.scales[0] for one in fitted]),
        "noise": np.array([one.noise for one in fitted]),
        "z": grid.pack(kept.z),
        "z.low": grid.low,
        "z.step": grid.step,
        "ecfp4.ptr": kept.prints.ptr,
        "ecfp4": packed.pack_prints(kept.prints),
    }
    return {name: support.stored(name, values) for name, values in tensors.items()}


def save(path: Path, model: Model, trained: Trained) -> None:
    """Write the file."""
    header = {"schema": support.SCHEMA, "recipe": RECIPE, "model": model.name, "targets": trained.names}
    header |= {"encoder_sha256": encoder_sha256(model.encoder), "licence": "from ChEMBL, CC BY-SA 3.0"}
    header |= {"command": f"python -m drylab.train.support --data DATA --model {model.name}"}
    header |= {"figures": trained.figures}
    part = path.with_name(f".{path.name}.part")  # so that no reader sees half a file
    save_file(trained.tensors, part, metadata={"drylab": json.dumps(header, sort_keys=True)})
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
        judged, whole = (read_labels(given.data, banned, which, given.cache) for which in (BENCHMARKS, ()))
        trained = train(model, judged, whole)
        path = given.out or support.support_path(model)
        save(path, model, trained)
    except DrylabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = path.stat().st_size / 1e6
    print(f"[{time.perf_counter() - start:6.0f} s] wrote {path}: {len(trained.names)} targets, {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
