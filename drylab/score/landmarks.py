"""Landmarks: the targets that a probe for a new sequence is made from, kept in the model file.

    w0(new) = sum_l k(new, l) weight_l        b0(new) = mean + sum_l k(new, l) bias_l
    k(new, l) = shared + (1 - site) SW(new, l)^power + site exp(-width (1 - likeness of ATP sites))

This is the prediction of a kernel ridge over (molecule, target) pairs whose molecule kernel is linear in z: the dual weights
of a landmark's molecules are summed into one vector a landmark when it is trained (drylab/train/transfer_fit.py), so a new
target costs its alignments and one product of a row with a matrix.

In a model file: the header's entry "landmarks" (names, sequences, kernel, what left-out targets said) and the tensors
``landmark.weight`` (l, d) and ``landmark.bias`` (l,). A file without them has no landmarks. Sequences are UniProt's (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.errors import ModelError
from drylab.score.align import similarities
from drylab.score.model import SCHEMA, Model, read_file, write_file
from drylab.score.pocket import POSITIONS, likenesses

Array = NDArray[np.float64]
ENTRY, WEIGHT, BIAS = "landmarks", "landmark.weight", "landmark.bias"


@dataclass(frozen=True, slots=True)
class Protein:
    """A landmark: how people call it, its UniProt accession, cleaned sequence, ATP site ("" for none) and family ("")."""

    name: str
    uniprot: str
    sequence: str
    site: str
    family: str


@dataclass(frozen=True, slots=True)
class Kernel:
    """The numbers of the formula at the top of this file, and the mean of all measurements."""

    shared: float
    site: float
    width: float
    power: float
    mean: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was seen when targets whose nearest landmark is from ``low`` to ``high`` similar were left out.

    n     targets        rmse  of their molecules, in log units
    rho   mean rank correlation within a target     drug_mean, copied  the same of the two baselines: what all landmarks say
          of a molecule on average, and what the nearest landmark's own probe says
    """

    low: float
    high: float
    n: int
    rho: float
    rho_low: float
    rho_high: float
    drug_mean: float
    copied: float
    rmse: float


@dataclass(frozen=True, slots=True)
class Landmarks:
    """proteins (l,); weight (l, d), bias (l,) float64; left_out: one entry a range of similarity, highest first."""

    proteins: tuple[Protein, ...]
    weight: Array
    bias: Array
    kernel: Kernel
    left_out: tuple[LeftOut, ...]

    def __post_init__(self) -> None:
        n = len(self.proteins)
        if self.weight.ndim != 2 or len(self.weight) != n or self.bias.shape != (n,) or n == 0:
            raise ValueError(f"Landmarks: {n} proteins, weight {self.weight.shape}, bias {self.bias.shape}")


def kernel_row(kernel: Kernel, alignment: Array, site: Array) -> Array:
    """k of the formula at the top, elementwise; ``site`` is 0 where one of the two has no ATP site."""
    near = np.where(site > 0.0, np.exp(-kernel.width * (1.0 - site)), 0.0)
    out: Array = kernel.shared + (1.0 - kernel.site) * alignment**kernel.power + kernel.site * near
    return out


def compared(landmarks: Landmarks, sequence: str, site: str) -> tuple[Array, Array]:
    """(l,) similarity of a cleaned sequence to each landmark, and likeness of its ATP site."""
    proteins = landmarks.proteins
    aligned = similarities([sequence], [protein.sequence for protein in proteins])[0]
    return aligned, likenesses([site], [protein.site for protein in proteins])[0]


def entries(landmarks: Landmarks) -> tuple[dict[str, Any], dict[str, Array]]:
    """What a model file needs to hold: additions to its header and to its tensors."""
    said = {
        "proteins": [asdict(protein) for protein in landmarks.proteins],
        "kernel": asdict(landmarks.kernel),
        "left_out": [asdict(row) for row in landmarks.left_out],
        "source": "sequences: UniProt (CC BY 4.0); measurements: ChEMBL 22 (CC BY-SA 3.0)",
    }
    return {ENTRY: said}, {WEIGHT: landmarks.weight, BIAS: landmarks.bias}


def parse(header: Mapping[str, Any], tensors: Mapping[str, Array], width: int, where: str) -> Landmarks | None:
    """The landmarks of a model file's header and tensors, None where it has none. Raises ModelError, starting with ``where``."""
    said = header.get(ENTRY)
    if said is None:
        return None
    try:
        found = Landmarks(
            tuple(Protein(**fields) for fields in said["proteins"]),
            tensors[WEIGHT],
            tensors[BIAS],
            Kernel(**said["kernel"]),
            tuple(LeftOut(**fields) for fields in said["left_out"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{where}: its landmarks are not whole ({error!r}); export the model again") from error
    sites = {len(protein.site) for protein in found.proteins}
    numbers = np.concatenate([found.weight.ravel(), found.bias, list(asdict(found.kernel).values())])
    if found.weight.shape[1] != width or not np.isfinite(numbers).all() or not sites <= {0, POSITIONS}:
        raise ModelError(
            f"{where}: its landmarks do not fit: weights {found.weight.shape}, expected ({len(found.proteins)}, {width}), all "
            f"finite, and sites of {POSITIONS} residues; export the model again"
        )
    return found


def of(model: Model) -> Landmarks | None:
    """The landmarks of a loaded model, read from its file; None where it has none. Raises ModelError if they are damaged."""
    if ENTRY not in model.info:
        return None
    header, tensors = read_file(Path(model.path), SCHEMA)
    return parse(header, tensors, model.probes.weights.shape[1], model.path)


def add(path: Path, landmarks: Landmarks) -> None:
    """Write landmarks into a model file that is there, in place of any it has."""
    header, tensors = read_file(path, SCHEMA)
    extra, arrays = entries(landmarks)
    part = path.with_name(f".{path.name}.part")  # so that no reader sees half a file
    write_file(part, {**header, **extra}, {**tensors, **arrays})
    part.chmod(0o644)  # safetensors writes for the owner alone, and whoever installs drylab is to read it
    part.replace(path)
