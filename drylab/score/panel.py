"""From what a target file asks to rows of the probe bank: the target's probe, its tier, and limits on other probes."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.errors import ModelError
from drylab.kernels import probe as kernel
from drylab.types import Probe, ProbeBank

WEAK = 0.3  # a rank correlation below this is said to be a weak hint


@dataclass(frozen=True, slots=True)
class Limit:
    """One constraint on probe values: value[probe] (less value[minus], where given) must lie in [low, high].

    A molecule outside is filtered, and counted under ``name``.
    """

    name: str
    probe: int
    minus: int | None = None
    low: float = -np.inf
    high: float = np.inf

    def broken(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) bool from values (n, t)."""
        value = values[:, self.probe]
        if self.minus is not None:
            value = value - values[:, self.minus]
        return (value < self.low) | (value > self.high)


def values(bank: ProbeBank, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, t) float64: every probe's value of every molecule, in the probe's own unit."""
    return kernel.probe_values(z, bank.weights, bank.bias, _logistic(bank))


def curved(
    bank: ProbeBank, linear: NDArray[np.float64], rows: Sequence[int] | NDArray[np.int64] | slice = slice(None)
) -> NDArray[np.float64]:
    """(n, t) linear values of the probes at ``rows`` -> in each probe's own unit."""
    logistic = _logistic(bank)[rows]
    if not logistic.any():
        return linear
    out = linear.copy()
    out[:, logistic] = 1.0 / (1.0 + np.exp(-linear[:, logistic]))
    return out


def _logistic(bank: ProbeBank) -> NDArray[np.bool_]:
    return np.array([probe.unit == "probability" for probe in bank.probes], dtype=np.bool_)


def find(bank: ProbeBank, names: Mapping[str, str], where: str) -> int:
    """The row of the probe that all of ``names`` (how it is said -> what is said) mean, a value in -log10 mol/l.

    names has any of "panel", "uniprot" and "sequence". Raises ModelError, starting with ``where``, for an unknown
    target (with the nearest known names), if the names do not all mean one target, and for a probability.
    """
    found = {key: _lookup(bank, key, said) for key, said in names.items()}
    rows = {row for row in found.values() if row is not None}
    if not rows:
        raise ModelError(f"{where}: {_unknown(bank, names)}")
    if len(rows) > 1 or None in found.values():
        said = ", ".join(f"{key} {names[key][:20]!r} is {_called(bank, row)}" for key, row in found.items())
        raise ModelError(f"{where}: these are not one target: {said}; leave out the wrong one")
    row = rows.pop()
    probe = bank.probes[row]
    if probe.unit == "probability":
        raise ModelError(
            f"{where}: {probe.name} is predicted as a probability, and a target needs an activity; "
            "limit it under toxicity"
        )
    return row


def _called(bank: ProbeBank, row: int | None) -> str:
    return "none of the panel's (which are wild-type, full length)" if row is None else bank.probes[row].name


def _lookup(bank: ProbeBank, key: str, said: str) -> int | None:
    if key == "sequence":
        digest = hashlib.sha256(said.upper().encode()).hexdigest()
        return next((row for row, probe in enumerate(bank.probes) if probe.sequence_sha256 == digest), None)
    wanted = said.strip().lower()
    for row, probe in enumerate(bank.probes):
        if wanted in (name.lower() for name in (probe.name, *probe.aliases)):
            return row
    return None


def _unknown(bank: ProbeBank, names: Mapping[str, str]) -> str:
    affinity = [probe.name for probe in bank.probes if probe.kind == "affinity"]
    if set(names) == {"sequence"}:
        return (
            "this sequence is none of the panel's targets, and scoring from a sequence alone is not supported yet; "
            "`drylab targets` lists the panel"
        )
    said = names.get("panel") or names.get("uniprot") or ""
    pool = {name.lower(): name for probe in bank.probes for name in (probe.name, *probe.aliases)}
    near = [pool[name] for name in difflib.get_close_matches(said.lower(), pool, n=3, cutoff=0.6)]
    hint = (
        f"did you mean {' or '.join(near)}?"
        if near
        else f"the panel has {', '.join(affinity[:8])} and {max(0, len(affinity) - 8)} more"
    )
    return f"target {said!r} is not one the model knows; {hint} `drylab targets` lists them all"


def endpoint(bank: ProbeBank, name: str, unit: str | None, where: str) -> int:
    """The row of a toxicity endpoint, its unit checked. Raises ModelError with the names there are."""
    rows = {probe.name: row for row, probe in enumerate(bank.probes) if probe.kind == "toxicity"}
    if name not in rows:
        near = difflib.get_close_matches(name, rows, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ModelError(f"{where}: the model has no toxicity endpoint {name!r}; {hint}it has {', '.join(rows)}")
    probe = bank.probes[rows[name]]
    if unit is not None and unit != probe.unit:
        raise ModelError(
            f"{where}: {name} is predicted as {probe.unit}, the file says {unit}; give the limits as {probe.unit}"
        )
    return rows[name]


def tier(probe: Probe) -> dict[str, Any]:
    """How far the score of this target can be trusted, in words (tier B: a target of the training panel)."""
    rho, n_test, n_train = (
        probe.metrics.get("spearman"),
        probe.metrics.get("n_test", 0),
        probe.metrics.get("n_train", 0),
    )
    if rho is None:
        said = f"Only {n_test:.0f} molecules were held out, too few to say how well it ranks new scaffolds."
    else:
        said = f"On {n_test:.0f} held-out molecules of new scaffolds its rank correlation was {rho:.2f}."
        said += " That is close to chance: take the ranking as a weak hint." if rho < WEAK else ""
    return {
        "tier": "B",
        "label": "panel target",
        "sentence": f"Known target: the model was trained on {n_train:,.0f} measured molecules for {probe.name}. {said}",
    }


def distance_percentile(
    z: NDArray[np.float64], mean: NDArray[np.float64], whiten: NDArray[np.float64], percentiles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) 0..100: how far each z is from the training molecules, among held-out molecules (100: farther than all)."""
    distance = np.array([np.sqrt((((row - mean) @ whiten) ** 2).sum()) for row in z])
    return np.interp(distance, percentiles, np.linspace(0, 100, len(percentiles)))
