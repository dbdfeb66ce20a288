"""The last step of an export: how far a model's reduced precision is from its float64 reference, written into its file.

    python -m drylab.train.certify --data DATA MODEL.safetensors

The reference is first held to PyTorch Geometric's network in float64. Then every molecule of a sample is scored both ways, and the
largest difference of each probe, in the probe's own unit, is kept: ``engine`` in the header. A fold takes a multiple of it as
its bound (score/engine.py). The sample has the largest molecules of each file besides random ones, since sums grow with atoms.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drylab.errors import DrylabError, ModelError
from drylab.featurize import graphs
from drylab.score import landmarks, panel
from drylab.score.encoder import graph_tensors, unfold
from drylab.score.engine import GineEncoder
from drylab.score.engine_gpu import Bfloat16Values
from drylab.score.fold_cpu import CpuEncoder
from drylab.score.model import Model, load_model
from drylab.train.card import write_card
from drylab.train.export import write
from drylab.types import PARSED, MolGraphs

FILES = (
    ("libraries/zinc_b.smi.gz", " ", None),
    ("libraries/natural_products_50k.smi.gz", " ", None),
    ("libraries/pubchem_100k.csv.gz", "\t", None),
    ("libraries/quinazoline_1M.csv.gz", ",", "SMILES"),
    ("benchmarks/dude_decoys_by_id.tsv.gz", "\t", "smiles"),
    ("affinity/chembl22.csv.gz", ",", "smiles"),
)
EACH, LARGEST, CHUNK, PYG = 8_000, 500, 2_000, 2_000
TOLERANCE = 1e-10  # of the largest value: the reference and PyG differ by the order of sums alone
Values = Callable[[MolGraphs], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one precision: largest (t,) difference from the reference of each probe, in its unit, over ``molecules``, the
    largest of which has ``atoms`` atoms."""

    largest: NDArray[np.float64]
    molecules: int
    atoms: int

    def entry(self) -> dict[str, Any]:
        """As in the header of the model file."""
        return {"largest_error": self.largest.tolist(), "molecules": self.molecules, "most_atoms": self.atoms}


def sample(folder: Path, each: int = EACH, largest: int = LARGEST) -> list[str]:
    """Of each file that is there ``each`` random molecules (seed 5) and the ``largest`` longest texts. Raises ModelError."""
    chosen: list[str] = []
    found = [file for file in FILES if (folder / file[0]).is_file()]
    if not found:
        raise ModelError(
            f"{folder}: none of {', '.join(name for name, _, _ in FILES)} is there; name the folder of data"
        )
    for name, separator, column in found:
        frame = pd.read_csv(folder / name, sep=separator, header=None if column is None else 0)
        texts = frame[0 if column is None else column].dropna().astype(str)
        picked = texts.sample(min(each, len(texts)), random_state=5)
        longest = texts.iloc[texts.str.len().argsort(kind="stable")[-largest:]]
        chosen += [*picked, *longest]
    return list(dict.fromkeys(chosen))


def certified(model: Model, smiles: list[str]) -> dict[str, Measured]:
    """The errors of each precision. Raises ModelError if the reference is not the network that was trained."""
    check_reference(model, smiles[:PYG])
    fast = CpuEncoder(model.encoder, model.probes.weights, model.probes.bias)
    return {
        "float32": measure(model, smiles, lambda some: panel.curved(model.probes, fast(some))),
        "bfloat16": measure(model, smiles, Bfloat16Values.of(model)),  # as a GPU computes it, on this processor
    }


def check_reference(model: Model, smiles: list[str]) -> float:
    """Largest difference of the reference's z from PyG's in float64, as a share of the largest value."""
    network = unfold(model.encoder)
    parsed = graphs(smiles)
    with torch.no_grad():
        truth = network(graph_tensors(parsed)).numpy()
    worst = float(np.abs(GineEncoder(model.encoder)(parsed).z - truth).max() / np.abs(truth).max())
    if not worst < TOLERANCE:
        raise ModelError(
            f"{model.path}: the engine's reference differs from PyTorch Geometric by {worst:.1e} of the largest value, "
            f"expected less than {TOLERANCE:g}; the weights were not folded as they were trained"
        )
    return worst


def measure(model: Model, smiles: list[str], values: Values) -> Measured:
    """How far ``values`` (graphs -> (n, t), in the probes' units) is from the reference."""
    largest, molecules, atoms = np.zeros(len(model.probes)), 0, 0
    for some in _graphs(smiles):
        reference = panel.values(model.probes, GineEncoder(model.encoder)(some).z)
        largest = np.maximum(largest, np.abs(values(some) - reference).max(axis=0, initial=0.0))
        molecules += int((some.status == PARSED).sum())
        atoms = max(atoms, int(np.diff(some.atom_ptr).max(initial=0)))
    return Measured(largest, molecules, atoms)


def _graphs(smiles: list[str]) -> Iterator[MolGraphs]:
    for start in range(0, len(smiles), CHUNK):
        yield graphs(smiles[start : start + CHUNK])


def certify(path: Path, folder: Path) -> Model:
    """Measure and write into the model file and its card; the weights stay as they are."""
    model = load_model(path)
    known = landmarks.of(model)
    measured = certified(model, sample(folder))
    info = {**model.info, "engine": {name: found.entry() for name, found in measured.items()}}
    write(path, info, model.encoder, model.probes, model.domain)
    if known is not None:
        landmarks.add(path, known)
    written = load_model(path)
    if "auxiliary_tasks" in info.get("training", {}):  # a model of an older training keeps the card that it came with
        write_card(path.with_suffix(".md"), written)
    return written


def main(arguments: list[str] | None = None) -> int:
    """Parse, measure, print; 2 after an error of drylab's own."""
    parser = argparse.ArgumentParser(prog="python -m drylab.train.certify", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with affinity/, benchmarks/ and libraries/")
    parser.add_argument("model", type=Path, help="the model file, .safetensors")
    given = parser.parse_args(arguments)
    try:
        model = certify(given.model, given.data)
    except DrylabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, said in model.info["engine"].items():
        worst = max(said["largest_error"])
        print(
            f"{name}: largest error {worst:.2e} over {said['molecules']:,} molecules of up to {said['most_atoms']} atoms"
        )
    print(f"{model.path}: sha256 {model.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
