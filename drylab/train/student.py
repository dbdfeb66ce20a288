"""``python -m drylab.train.student --data DIR --teacher MODEL --out FILE``: the first stage of a model's cascade, made again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Before torch is loaded: threads that spin while they wait make a training ten times slower on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from numpy.typing import NDArray

from drylab.errors import DrylabError
from drylab.featurize import graphs
from drylab.library.store import file_sha256
from drylab.score.first import load_first, save_first
from drylab.score.fold_cpu import CpuEncoder
from drylab.score.model import EncoderWeights, Model, load_model
from drylab.train.certify import certified, sample
from drylab.train.distil import Lesson, StudentRecipe, StudentTrainer
from drylab.train.fidelity import Fidelity, judge, typical
from drylab.train.metrics import spearman
from drylab.train.pruned import prune
from drylab.train.student_card import write_student_card
from drylab.train.unlabelled import CHUNK, HELD_OUT, SOURCES, judging_texts, taught, training_texts

THREADS = 1  # fixed: sums in another order are other weights
JUDGED = ("EGFR", "JAK2", "DRD2", "BACE1", "HDAC6", "CA2", "PPARG", "herg")


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: data folder, the teacher, the file, recipe, checkpoint file or None."""

    data: Path
    teacher: Model
    out: Path
    recipe: StudentRecipe
    checkpoint: Path | None = None


def make(order: Order, log: Callable[[str], None] = print) -> Model:
    """Cut, train, measure, judge, and write the file and its card; returns the first stage as read back."""
    torch.set_num_threads(THREADS)
    texts = training_texts(order.data)
    teacher = order.teacher.encoder
    d = len(teacher.c)
    molecules, z = taught(texts, CpuEncoder(teacher, np.eye(d), np.zeros(d)))
    log(f"{len(molecules)} molecules, and what {order.teacher.name} says of them")
    start = prune(teacher, order.recipe.width, order.recipe.layers, molecules, z, order.recipe.seed)
    log(f"cut to {order.recipe.width} channels and {order.recipe.layers} layers")
    lesson = Lesson(molecules, z, order.teacher.probes.weights)
    encoder = StudentTrainer(lesson, start, order.recipe).run(log, order.checkpoint)
    return finish(order, encoder, texts, len(molecules), log)


def finish(
    order: Order, encoder: EncoderWeights, texts: list[str], molecules: int, log: Callable[[str], None] = print
) -> Model:
    """From trained weights to the files; every figure is of the weights as stored."""
    info = describe(order, molecules)
    order.out.parent.mkdir(parents=True, exist_ok=True)
    part = order.out.with_name(f".{order.out.name}.part")
    save_first(part, info, encoder, order.teacher)
    student = load_first(order.teacher, part)
    log("measuring float32, and judging")
    info["engine"] = {name: found.entry() for name, found in certified(student, sample(order.data)).items()}
    info["fidelity"] = fidelity(order.teacher, student, judging_texts(order.data, texts))
    save_first(part, info, encoder, order.teacher)
    part.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(part, order.out)
    written = load_first(order.teacher, order.out)
    write_student_card(order.out.with_suffix(".md"), written)
    return written


def fidelity(teacher: Model, student: Model, libraries: Mapping[str, list[str]]) -> dict[str, Any]:
    """Figures of the judged probes on each library, and rank correlations of all probes."""
    names = list(teacher.probes.names())
    found: list[Fidelity] = []
    correlations: dict[str, float] = {}
    for library, texts in libraries.items():
        full, first = linear_values(teacher, texts), linear_values(student, texts)
        each = [spearman(full[:, row], first[:, row]) for row in range(len(names))]
        correlations |= {f"{library}/{name}": value for name, value in zip(names, each, strict=True)}
        for name in JUDGED:
            row = names.index(name)
            found.append(judge(name, library, full[:, row], first[:, row]))
    lowest = min(correlations, key=correlations.__getitem__)
    return {
        "judged": [asdict(one) for one in found],
        "typical": typical(found),
        "spearman": {
            "mean": float(np.mean(list(correlations.values()))),
            "lowest": correlations[lowest],
            "lowest_of": lowest,
            "probes": len(names),
        },
    }


def linear_values(model: Model, texts: list[str]) -> NDArray[np.float64]:
    """(n, t) what all probes say, before the logistic curve, by the engine that screens."""
    encoder = CpuEncoder(model.encoder, model.probes.weights, model.probes.bias)
    return np.concatenate([encoder(graphs(texts[i : i + CHUNK])) for i in range(0, len(texts), CHUNK)])


def describe(order: Order, molecules: int) -> dict[str, Any]:
    """The header's account of the training."""
    return {
        "name": order.out.stem,
        "training": {
            "molecules": molecules,
            "held_out_percent": HELD_OUT,
            "recipe": asdict(order.recipe),
            "files_sha256": {name: file_sha256(order.data / name) for name in SOURCES},
            "command": f"python -m drylab.train.student --data DATA --teacher {order.teacher.name} --out {order.out.name}",
            "versions": {name: version(name) for name in ("torch", "torch-geometric", "rdkit", "numpy")},
        },
    }


def main(arguments: list[str] | None = None) -> int:
    """Parse, train, print; 2 after an error of drylab's own."""
    parser = argparse.ArgumentParser(prog="python -m drylab.train.student", description="Make a cascade's first stage.")
    parser.add_argument("--data", type=Path, required=True, help="folder with affinity/, benchmarks/ and libraries/")
    parser.add_argument("--teacher", default="default", help="the model it is to stand in for: a name or a file")
    parser.add_argument("--out", type=Path, required=True, help="file to write; the card goes beside it")
    parser.add_argument("--width", type=int, default=StudentRecipe().width)
    parser.add_argument("--layers", type=int, default=StudentRecipe().layers)
    parser.add_argument("--epochs", type=int, default=StudentRecipe().epochs)
    parser.add_argument("--seed", type=int, default=StudentRecipe().seed)
    parser.add_argument("--checkpoint", type=Path, help="go on from this file if it is there; written each epoch")
    given = parser.parse_args(arguments)
    start = time.perf_counter()

    def log(line: str) -> None:
        print(f"[{time.perf_counter() - start:6.0f} s] {line}", flush=True)

    try:
        recipe = StudentRecipe(width=given.width, layers=given.layers, epochs=given.epochs, seed=given.seed)
        model = make(Order(given.data, load_model(given.teacher), given.out, recipe, given.checkpoint), log)
    except DrylabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    log(f"wrote {model.path}, sha256 {model.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
