"""A probe for a target of which nothing is known but its sequence, and what that probe is worth.

The nearest landmarks decide the tier: C, a homolog has been measured; D, only the family; E, an orphan, for which there is no
evidence. Each sentence quotes what was seen when targets as far from all others were left out of the training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.errors import ModelError
from drylab.score.align import clean
from drylab.score.landmarks import Landmarks, LeftOut, compared, kernel_row, of
from drylab.score.model import Model
from drylab.score.pocket import site

Array = NDArray[np.float64]
HOMOLOG, RELATED = 0.30, 0.15  # normalised Smith-Waterman similarity from which tier C, and tier D, is given
SHOWN = 3
LABELS = {"C": "homolog of measured targets", "D": "family only", "E": "orphan"}


@dataclass(frozen=True, slots=True)
class Near:
    """A landmark beside the new target: its name, UniProt accession and similarity, 0 to 1."""

    name: str
    uniprot: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Transferred:
    """A probe from a sequence: value = z @ weights + bias, in -log10 mol/l.

    weights (d,) float64     sigma  RMSE of left-out targets as far from the landmarks as this one, in log units
    tier "C", "D" or "E", with its label and a sentence for people     nearest  most similar landmark first
    """

    weights: Array
    bias: float
    sigma: float
    tier: str
    label: str
    sentence: str
    nearest: tuple[Near, ...]


def probe_for(model: Model, sequence: str, allow_orphan: bool = False, where: str = "sequence") -> Transferred:
    """The probe of a protein sequence (one-letter codes). The model is read once more, for its landmarks.

    Raises InputError for letters that are no amino acids, and ModelError for a model without landmarks, and for an orphan
    unless ``allow_orphan``; both start with ``where``.
    """
    landmarks = of(model)
    if landmarks is None:
        raise ModelError(
            f"{where}: model {model.name} has no landmarks to transfer from, so it cannot score from a sequence; use a model "
            "that has, a target of the panel (`drylab targets`), or fit measurements (`drylab fit`)"
        )
    return transfer(landmarks, sequence, allow_orphan, where)


def transfer(landmarks: Landmarks, sequence: str, allow_orphan: bool = False, where: str = "sequence") -> Transferred:
    """The same from landmarks at hand."""
    text = clean(sequence, where)
    own_site = site(text)
    aligned, sites = compared(landmarks, text, own_site)
    order = np.argsort(-aligned, kind="stable")[:SHOWN]
    nearest = tuple(
        Near(landmarks.proteins[i].name, landmarks.proteins[i].uniprot, float(aligned[i])) for i in order.tolist()
    )
    best, family = float(aligned[order[0]]), _family(landmarks, int(order[0]), sites)
    tier = "C" if best >= HOMOLOG else "D" if family and (best >= RELATED or sites.max() > 0.0) else "E"
    if tier == "E" and not allow_orphan:
        raise ModelError(
            f"{where}: no evidence for this target: its nearest measured relative is {nearest[0].name}, similarity "
            f"{best:.2f}, and {RELATED} with a known family is the least; give measurements (`drylab fit`) or known "
            "actives, name a target of the panel, or set model: allow_orphan: true and expect no better than chance"
        )
    row = kernel_row(landmarks.kernel, aligned, sites)
    seen = _seen(landmarks, best)
    return Transferred(
        weights=row @ landmarks.weight,
        bias=float(landmarks.kernel.mean + row @ landmarks.bias),
        sigma=seen.rmse,
        tier=tier,
        label=LABELS[tier],
        sentence=_sentence(tier, nearest, family, seen),
        nearest=nearest,
    )


def _family(landmarks: Landmarks, nearest: int, sites: Array) -> str:
    """The family that the new target is in, "" where that is not known: an ATP site says protein kinase."""
    return "protein kinase" if sites.max() > 0.0 else landmarks.proteins[nearest].family


def _seen(landmarks: Landmarks, similarity: float) -> LeftOut:
    """What was seen of left-out targets with a nearest landmark this similar."""
    return next((row for row in landmarks.left_out if similarity >= row.low), landmarks.left_out[-1])


def _sentence(tier: str, nearest: tuple[Near, ...], family: str, seen: LeftOut) -> str:
    names = ", ".join(f"{near.name} ({near.similarity:.2f})" for near in nearest)
    figures = (
        f"On {seen.n} left-out targets with a nearest relative as far ({seen.low:.2f} to {seen.high:.2f}), the rank correlation "
        f"within a target was {seen.rho:.2f} on average [{seen.rho_low:.2f}, {seen.rho_high:.2f}]; a molecule's mean over all "
        f"targets gave {seen.drug_mean:.2f}, the nearest target's own probe {seen.copied:.2f}."
    )
    if tier == "C":
        return f"Transferred from {names}; selectivity against them is not reliable. {figures}"
    if tier == "D":
        return f"Family-level prior only ({family}); the nearest measured targets are {names}. {figures}"
    return f"No evidence for this target: scores reflect general ligand-likeness. The nearest are {names}. {figures}"
