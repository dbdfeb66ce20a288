"""``drylab.fit``: a chemist's measurements -> a fitted target, with what it is worth."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError, OutputError
from drylab.featurize import descriptors, reference
from drylab.featurize.curation import flat_parent
from drylab.library.standardize import recipe
from drylab.measured import ACTIVES, Fields, Measured, read_measured, together
from drylab.score import actives, applicability, panel
from drylab.score.actives import discriminant
from drylab.score.engine import GineEncoder, errors_of
from drylab.score.extended import foreseen
from drylab.score.figures import Evidence, controls, judged
from drylab.score.fitted import Fitted, save_fitted
from drylab.score.learning import Alike, Features, Learned, features, learn, whitened
from drylab.score.model import Model, load_model
from drylab.score.ridge import Prior, probe_of
from drylab.score.similarity import similarity
from drylab.score.transfer import probe_for

Array = NDArray[np.float64]
LEAST = 5  # measured molecules: with fewer, leaving one out says nothing
SHRINK = 5.0  # an assay's offset counts as if so many more of its molecules had none
OFFSET_ROUNDS = 3
# The part of a measurement's variance that repeating it does not take away: the molecule's own, in the model.
SHARED = 0.5


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What a fit starts from.

    fields    columns of the file           target  a panel target whose probe is the prior, by any of its names
    sequence  residues of a protein instead of a target       model   name or path      force  replace a file that is there
    """

    fields: Fields = field(default_factory=Fields)
    target: str = ""
    sequence: str = ""
    model: str = "default"
    force: bool = False


DEFAULTS = FitOptions()


@dataclass(frozen=True, slots=True)
class _Values:
    """One value a molecule: y, noise (n,) float64, relation (n,) int8, offsets of the assays."""

    y: Array
    relation: NDArray[np.int8]
    noise: Array
    offsets: Array


def fit(measurements: str | Path, name: str, out: str | Path | None = None, options: FitOptions = DEFAULTS) -> Fitted:
    """Fit a target to measurements; with ``out`` write its file, for ``drylab predict`` and ``target: probe:`` in target.yaml.

    measurements  a file of molecules with values, labels 0 and 1, or none (then all are actives): docs/fit.md
    name          what the target is called in columns: letters, digits, "_" and "-"

    Raises InputError, naming the line, for a row that cannot be used; ModelError for an unknown target or model.
    """
    _check_name(name)
    if out is not None and Path(out).exists() and not (options.force and Path(out).is_file()):
        raise OutputError(f"{out}: is there already; give another name, or force to replace it")
    measured = read_measured(str(measurements), options.fields)
    model = load_model(options.model)
    fitted = fit_measured(measured, name, model, options)
    fitted = replace(fitted, info={**fitted.info, "provenance": {**fitted.info["provenance"], **_source(measurements)}})
    if out is not None:
        save_fitted(fitted, out)
    return fitted


def fit_measured(measured: Measured, name: str, model: Model, options: FitOptions = DEFAULTS) -> Fitted:
    """The same from measurements in memory."""
    found = features(model, measured.smiles)
    if not found.ok.all():
        odd = measured.ids[int(np.flatnonzero(~found.ok)[0])]
        raise InputError(
            f"{odd}: has more than {reference.MAX_ATOMS} atoms, which the model does not read; remove the row"
        )
    if measured.units == ACTIVES:
        return _from_actives(measured, found, name, model, options)
    if len(found) < LEAST:
        raise InputError(f"{len(found)} molecules are too few to fit a model; expected {LEAST} or more")
    prior, tier = _prior(model, options)
    values, learned = _learned(measured, found, model, prior)
    exact = values.relation == 0
    close = similarity(found.prints[applicability.NEAR], found.prints[applicability.NEAR])
    evidence = Evidence(
        truth=values.y,
        exact=exact,
        white=whitened(found.z, model.domain),
        panel=_promiscuity(model, found.z),
        atoms=np.array(descriptors(list(measured.smiles)).column("HeavyAtomCount").to_pylist(), np.float64),
        similarity=close,
        classes=measured.units == "class",
    )
    figures = judged(evidence, learned.posterior.loo_mean + _base(learned))
    rho = figures["spearman"]["value"] if figures else None
    return Fitted(
        name=name,
        unit={"class": "class", "number": "number"}.get(measured.units, "pActivity"),
        learned=learned,
        relative=values.noise,
        ids=measured.ids,
        percentiles=applicability.held_out(close, _scaffolds(measured.smiles)),
        float_error=float_error(model, learned.probe.w, measured.smiles, found.z),
        info={
            "model": {"name": model.name, "sha256": model.sha256},
            "tier": applicability.tier(len(found), rho, False, tier),
            "figures": figures,
            "probe_figures": judged(evidence, learned.probe.loo),
            "controls": controls(evidence),
            "provenance": _account(measured, values, options),
        },
    )


def _from_actives(measured: Measured, found: Features, name: str, model: Model, options: FitOptions) -> Fitted:
    """Likeness to actives, and a discriminant for the fold; there is nothing to judge them by."""
    prior, tier = _prior(model, options)
    w, b = discriminant(found.z, model.domain, prior)
    close = similarity(found.prints[applicability.NEAR], found.prints[applicability.NEAR])
    kept = Features(found.z, found.ok, {each: found.prints[each] for each in actives.FINGERPRINTS})
    left = actives.left_out(kept, model.domain) if len(found) > 1 else np.zeros(0)
    nothing = np.zeros(len(found))
    account = _account(
        measured, _Values(nothing, nothing.astype(np.int8), nothing, np.zeros(len(measured.assays))), options
    )
    return Fitted(
        name=name,
        unit="likeness",
        learned=Alike(probe_of(w, b), kept),
        relative=nothing + 1.0,
        ids=measured.ids,
        percentiles=applicability.held_out(close, _scaffolds(measured.smiles)),
        float_error=float_error(model, w, measured.smiles, found.z),
        info={
            "model": {"name": model.name, "sha256": model.sha256},
            "tier": applicability.tier(len(found), None, True, tier),
            "figures": {},
            "probe_figures": {},
            "controls": {},
            "provenance": account | {"likeness_to_the_others": [round(value, 3) for value in sorted(left.tolist())]},
        },
    )


def _learned(measured: Measured, found: Features, model: Model, prior: Prior | None) -> tuple[_Values, Learned]:
    """One value a molecule and what is learned from them, an offset an assay settled in turns with it."""
    offsets = np.zeros(len(measured.assays))
    values = _values(measured, offsets)
    learned = learn(found, values.y, model.domain, values.noise, values.relation, prior)
    for _ in range(OFFSET_ROUNDS if len(offsets) > 1 and measured.units != "class" else 0):
        foretold = learned.posterior.loo_mean + _base(learned)
        offsets = _offsets(measured, values, foretold)
        values = _values(measured, offsets)
        learned = learn(found, values.y, model.domain, values.noise, values.relation, prior)
    return values, learned


def _base(learned: Learned) -> Array:
    """What the prior says of the fitted molecules."""
    z = learned.support.z
    return np.zeros(len(z)) if learned.prior is None else z @ learned.prior[0] + learned.prior[1]


def _values(measured: Measured, offsets: Array) -> _Values:
    """The measurements of each molecule together, less the offsets of their assays."""
    pairs: list[list[tuple[float, int]]] = [[] for _ in measured.smiles]
    level = measured.value - offsets[measured.assay]
    for place, value, sign in zip(measured.molecule.tolist(), level.tolist(), measured.relation.tolist(), strict=True):
        pairs[place].append((value, sign))
    merged = [together(some) for some in pairs]
    count = np.array([max(1, sum(sign == 0 for _, sign in some)) for some in pairs], np.float64)
    return _Values(
        y=np.array([value for value, _ in merged], np.float64),
        relation=np.array([sign for _, sign in merged], np.int8),
        noise=SHARED + (1 - SHARED) / count,
        offsets=offsets,
    )


def _offsets(measured: Measured, values: _Values, foretold: Array) -> Array:
    """(assays,) how far an assay's values lie above what is expected of its molecules, shrunk to 0 and of mean 0.

    Expected is the molecule's value in other assays where there is one, otherwise what the model says without it.
    """
    level = measured.value - values.offsets[measured.assay]
    times = np.bincount(measured.molecule, minlength=len(values.y))[measured.molecule]
    others = (times * values.y[measured.molecule] - level) / np.maximum(times - 1, 1)
    expected = np.where(times > 1, others, foretold[measured.molecule])
    exact = measured.relation == 0
    n = len(measured.assays)
    rest = np.bincount(measured.assay[exact], (measured.value - expected)[exact], minlength=n)
    count = np.bincount(measured.assay[exact], minlength=n)
    found = rest / (count + SHRINK)
    centred: Array = found - float(np.average(found, weights=np.maximum(count, 1e-9)))
    return centred


def _prior(model: Model, options: FitOptions) -> tuple[Prior | None, dict[str, Any] | None]:
    """The probe that a fit starts from and its tier; None without a target."""
    if not options.target and not options.sequence:
        return None, None
    if options.sequence and options.target:
        raise InputError("a fit starts from a target or from a sequence, not both; leave one out")
    if options.sequence:
        found = probe_for(model, options.sequence, allow_orphan=True, where="--sequence")
        tier = {"tier": found.tier, "label": found.label, "sentence": found.sentence}
        return (found.weights, found.bias), tier
    bank, row = model.probes, panel.find(model.probes, {"panel": options.target}, "--target")
    return (bank.weights[row], float(bank.bias[row])), panel.tier(bank.probes[row])


def _promiscuity(model: Model, z: Array) -> Array:
    """(n,) the mean over the panel's targets."""
    rows = [row for row, probe in enumerate(model.probes.probes) if probe.kind == "affinity"]
    mean: Array = z @ model.probes.weights[rows].mean(axis=0)
    return mean


def _scaffolds(smiles: tuple[str, ...]) -> list[str]:
    return [reference.scaffold(mol) if mol is not None else "" for mol in reference.parse(smiles)]


def float_error(model: Model, w: Array, smiles: tuple[str, ...], z: Array, most: int = 300) -> float:
    """How far the float32 engine may be from the reference in z @ w: the largest error of the fitted molecules, or what the
    panel's errors make of |w| if that is more. The panel's were measured when the model was exported, on many thousands."""
    measured = errors_of(model).get("float32")
    expected = 0.0 if measured is None else foreseen(model, measured, w)
    rows = np.linspace(0, len(z) - 1, min(most, len(z))).astype(int)
    flat = [flat_parent(smiles[row]) for row in rows]
    exact = GineEncoder(model.encoder)(reference.graphs(reference.parse(flat))).z
    return max(expected, float(np.abs((exact - z[rows]) @ w).max(initial=0.0)))


def _account(measured: Measured, values: _Values, options: FitOptions) -> dict[str, Any]:
    """What went in, for the record: counts, offsets, the recipe of standardisation."""
    return {
        "rows": measured.rows,
        "measurements": len(measured.value),
        "molecules": len(measured.smiles),
        "bounds": int((values.relation != 0).sum()),
        "units": measured.units,
        "assay_offsets": {
            name: round(float(offset), 4) for name, offset in zip(measured.assays, values.offsets, strict=True) if name
        },
        "standardised": recipe("standard"),
        "prior": options.target or ("a sequence" if options.sequence else ""),
    }


def _source(file: str | Path) -> dict[str, str]:
    path = Path(file)
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return {"file": os.path.basename(str(file)), "file_sha256": digest}


def _check_name(name: str) -> None:
    if not name or not all(letter.isalnum() or letter in "_-." for letter in name):
        raise InputError(f"name {name!r}: expected letters, digits, _ . and -; it becomes part of column names")
