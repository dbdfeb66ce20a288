"""The toxicity panel at run time: calibrated probabilities and values, their spread, and prediction sets.

MODEL-tox.safetensors lies beside MODEL.safetensors and belongs to its encoder. For t endpoints, m members, embedding d,
c columns of counts, u hidden units, k descriptors, s knots:

    z.weight (t, m, d)   z.bias (t, m)   z.descriptors (t, m, k)       heads on z; descriptors for small sets alone
    scale.centre (k,)    scale.width (k,)
    net.columns (m, c, u) int8   net.step (m, u): their unit   net.descriptors (m, k, u)   net.bias (m, u)
    net.out (m, u, t)    net.last (m, t)
    near.*               of drylab.score.neighbours: what is measured of molecules like this one, where they are at hand
    blend (t, 4)         one member's logit or value is blend . (z head, network, neighbours, 1)
    alone (t, 3, 2)      slope and intercept of each of the three branches alone
    curve.x, curve.y (t, s)   curve.on (t,)   logits before and after an isotonic curve, where on
    set.threshold (t, 2)      least P(no) and P(yes) of a class in the 90 % set     set.floor, set.width (t,) of a value

What a molecule is: its flat parent. A prediction is the mean of the members' logits (values), its sd theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.errors import ModelError
from drylab.featurize.curation import flat_parent
from drylab.score import conformal
from drylab.score.counts import COLUMNS, DESCRIPTORS, RECIPE, Described, describe
from drylab.score.embedding import embed
from drylab.score.endpoint_table import ENDPOINTS, Endpoint
from drylab.score.first import encoder_sha256
from drylab.score.model import TOXICITY, Model, beside, check_tensors, read_file
from drylab.score.neighbours import check_near, near

Array = NDArray[np.float64]
SCHEMA = "drylab.endpoints/2"
CUT = 5.0  # scaled descriptors beyond this are as far out as anything seen
AXES = {
    **{"z.weight": "tmd", "z.bias": "tm", "z.descriptors": "tmk", "scale.centre": "k", "scale.width": "k"},
    **{"net.columns": "mcu", "net.step": "mu", "net.descriptors": "mku", "net.bias": "mu"},
    **{"net.out": "mut", "net.last": "mt"},
    **{"near.weight": "eml", "near.middle": "em", "near.endpoint": "e", "near.size": "l", "near.code": "n"},
    **{"near.z": "lq", "near.centre": "d", "near.turn": "dq"},
    **{"blend": "t4", "alone": "t32", "curve.x": "ts", "curve.y": "ts", "curve.on": "t"},
    **{"set.threshold": "t2", "set.floor": "t", "set.width": "t"},
}
# Stored in less than float32: nearly all of the file.
SMALL: Mapping[str, type[np.generic]] = {
    **{"net.columns": np.int8, "near.z": np.int8, "near.weight": np.float16},
    **{"near.size": np.uint16, "near.code": np.uint16},
}
WHOLE, Z_ALONE, COUNTS_ALONE, NEAR_ALONE = "whole", "z", "counts", "near"
BRANCHES = (Z_ALONE, COUNTS_ALONE, NEAR_ALONE)  # in the order of the blend


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A checked endpoints file. ``tensors``: float64 arrays by the names above; ``info``: the JSON of its header."""

    path: str
    sha256: str
    endpoints: tuple[Endpoint, ...]
    tensors: Mapping[str, Array]
    info: Mapping[str, Any]

    def names(self) -> list[str]:
        """Endpoint names, in the order of the columns."""
        return [endpoint.name for endpoint in self.endpoints]


@dataclass(frozen=True, slots=True)
class Predicted:
    """n molecules by t endpoints; NaN and UNKNOWN where a molecule could not be read.

    value  (n, t) float64: P(yes), or a value in the endpoint's unit      sd (n, t): of the members
    low, high  (n, t): 90 % interval of a value, NaN for a class          code (n, t) int8: conformal.sets, for a class
    """

    endpoints: tuple[Endpoint, ...]
    value: Array
    sd: Array
    low: Array
    high: Array
    code: NDArray[np.int8]


def assess(model: Model, smiles: Sequence[str], endpoints: Endpoints | None = None) -> Predicted:
    """The panel's predictions for n SMILES, as they come; ModelError where the model has no endpoints file."""
    endpoints = endpoints or load_endpoints(model)
    parents = [flat_parent(text) for text in smiles]
    found = embed(model, parents)
    described = describe(parents)
    return predict(endpoints, found.z, Described(described.counts, described.descriptors, described.ok & found.ok))


def predict(endpoints: Endpoints, z: Array, described: Described, branch: str = WHOLE) -> Predicted:
    """From z (n, d) and what else is read of flat parents. ``branch``: "whole", or one of BRANCHES alone (ablation)."""
    return judged(endpoints, said(endpoints.tensors, z, described), described.ok, branch)


def judged(endpoints: Endpoints, branches: Array, ok: NDArray[np.bool_], branch: str = WHOLE) -> Predicted:
    """From what the branches say (3, m, n, t); ``ok`` (n,): which molecules could be read."""
    t = endpoints.tensors
    members = blended(t, branches, branch)
    classes = np.array([one.kind == "class" for one in endpoints.endpoints])
    middle, members = curved(t, members.mean(axis=0)), curved(t, members)
    value = np.where(classes, sigmoid(middle), middle)
    sd = np.where(classes, sigmoid(members), members).std(axis=0, ddof=1)
    value[~ok], sd[~ok] = np.nan, np.nan
    low, high = conformal.intervals(value, sd, t["set.floor"], t["set.width"])
    low[:, classes], high[:, classes] = np.nan, np.nan
    code = conformal.sets(np.where(classes, value, np.nan), t["set.threshold"])
    return Predicted(endpoints.endpoints, value, sd, low, high, code)


def said(t: Mapping[str, Array], z: Array, described: Described) -> Array:
    """(3, m, n, t) what each branch's members say, before any calibration."""
    return np.stack([z_heads(t, z, described), network(t, described), near(t, z, described, len(t["z.weight"]))])


def z_heads(t: Mapping[str, Array], z: Array, described: Described) -> Array:
    """(m, n, t) what each member's head on z says, before any calibration."""
    scaled = _scaled(t, described)
    linear = np.einsum("nd,tmd->mnt", z, t["z.weight"], optimize=True) + t["z.bias"].T[:, None, :]
    return linear + np.einsum("nk,tmk->mnt", scaled, t["z.descriptors"], optimize=True)


def network(t: Mapping[str, Array], described: Described) -> Array:
    """(m, n, t) what each member's network of counts says: one hidden layer, ReLU."""
    scaled, out = _scaled(t, described), []
    for member, columns in enumerate(t["net.columns"]):
        hidden = described.counts @ (columns * t["net.step"][member]) + t["net.bias"][member]
        hidden += scaled @ t["net.descriptors"][member]
        out.append(np.maximum(hidden, 0.0) @ t["net.out"][member] + t["net.last"][member])
    return np.stack(out)


def blended(t: Mapping[str, Array], branches: Array, branch: str = WHOLE) -> Array:
    """(m, n, t) calibrated logits or values of each member, of the whole or of one branch (3, m, n, t) alone."""
    if branch != WHOLE:
        number = BRANCHES.index(branch)
        alone: Array = branches[number] * t["alone"][:, number, 0] + t["alone"][:, number, 1]
        return alone
    whole: Array = np.einsum("bmnt,tb->mnt", branches, t["blend"][:, :-1]) + t["blend"][:, -1]
    return whole


def curved(t: Mapping[str, Array], values: Array) -> Array:
    """(..., t) after the isotonic curves of those endpoints that have one."""
    out = values.copy()
    for column in np.flatnonzero(t["curve.on"] > 0):
        out[..., column] = np.interp(values[..., column], t["curve.x"][column], t["curve.y"][column])
    return out


def sigmoid(logit: Array) -> Array:
    """1 / (1 + exp(-logit)), without overflow."""
    found: Array = 0.5 * (1.0 + np.tanh(0.5 * logit))
    return found


def _scaled(t: Mapping[str, Array], described: Described) -> Array:
    found: Array = np.clip((described.descriptors - t["scale.centre"]) / t["scale.width"], -CUT, CUT)
    return found


def fold_probes(endpoints: Endpoints) -> tuple[Array, Array]:
    """(t, d) weights and (t,) bias: the mean of the calibrated heads on z, a linear probe that the fold can use."""
    t = endpoints.tensors
    slope, shift = t["alone"][:, 0, 0], t["alone"][:, 0, 1]
    return t["z.weight"].mean(axis=1) * slope[:, None], t["z.bias"].mean(axis=1) * slope + shift


# -- the file --------------------------------------------------------------------------------------------------------------


def endpoints_path(model: Model) -> Path:
    """Where a model's endpoints file lies."""
    return beside(model, TOXICITY)


def load_endpoints(model: Model, path: Path | None = None) -> Endpoints:
    """The endpoints of a model; ModelError where there are none, they are damaged, or another encoder's."""
    path = path or endpoints_path(model)
    if not path.is_file():
        raise ModelError(
            f"model {model.name} has no toxicity panel ({path} does not exist); make one with python -m "
            "drylab.train.toxicity, or use a model that has one"
        )
    header, tensors = read_file(path, SCHEMA)
    missing = [name for name in AXES if name not in tensors]
    if missing:
        raise ModelError(f"{path}: tensors missing: {', '.join(missing)}; make the endpoints again")
    if header.get("counts") != RECIPE:
        raise ModelError(f"{path}: reads counts by {header.get('counts')}, this drylab by {RECIPE}; use its drylab")
    named, own = header.get("encoder_sha256"), encoder_sha256(model.encoder)
    if named != own:
        raise ModelError(
            f"{path}: belongs to an encoder with SHA-256 {str(named)[:12]}, and that of {model.name} has {own[:12]}; "
            "make the endpoints again with python -m drylab.train.toxicity"
        )
    found = _known(path, header)
    known = {"t": len(found), "d": model.probes.weights.shape[1], "c": COLUMNS, "k": len(DESCRIPTORS)}
    known |= {"2": 2, "3": 3, "4": 4}
    check_tensors(path, tensors, AXES, known)
    check_near(path, tensors)
    return Endpoints(str(path), _sha256(path), found, tensors, header)


def _known(path: Path, header: Mapping[str, Any]) -> tuple[Endpoint, ...]:
    names = header.get("endpoints")
    if not isinstance(names, list) or not names:
        raise ModelError(f"{path}: the header names no endpoints; make the file again")
    strange = [name for name in names if name not in ENDPOINTS]
    if strange:
        raise ModelError(f"{path}: endpoint {strange[0]!r} is not one this drylab knows; use the drylab that wrote it")
    return tuple(ENDPOINTS[name] for name in names)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
