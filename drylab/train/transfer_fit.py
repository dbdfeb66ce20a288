"""Measurements of many targets -> landmarks: a kernel ridge over (molecule, target) pairs, linear in z, and what it is worth.

    python -m drylab.train.transfer_fit --model MODEL --data DATA --out MODEL

The ridge's dual weights a_i are one a measurement; V_l = sum of a_i z_i over a landmark's measurements is all that a new
target needs. Worth is measured by leaving targets out, one gene's and then one family's together: strengths are chosen on
the left-out targets' measurements of the training years, figures are of the later years' molecules. The encoder was trained
on the other molecules of the left-out targets, so what is judged is the transfer between targets, not the encoder.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.score.align import clean, similarities
from drylab.score.embedding import embed
from drylab.score.landmarks import Kernel, Landmarks, LeftOut, Protein, add, kernel_row
from drylab.score.model import Model, load_model
from drylab.score.pocket import likenesses, site
from drylab.train.metrics import interval, rmse, spearman
from drylab.train.pairs import conjugate_gradients
from drylab.train.panel import family
from drylab.train.parents import parent_table
from drylab.train.sources import read, table
from drylab.train.split import FAMILY, GENE, by_groups, linked

Array = NDArray[np.float64]
FOLDS = 5
LEAST = 10  # later molecules that a left-out target is judged on
OFFSET = 3.0  # of the constant beside z, so that a target's mean is free
EXACT = 0.3  # share of a probe that is the landmark's own and goes to no other target
EDGES = (0.6, 0.3, 0.15, 0.0)  # of similarity to the nearest landmark
Strength = tuple[Kernel, float]  # and the noise's variance
TOLERANCE = 5e-3
GRID: tuple[Strength, ...] = tuple(
    (Kernel(0.2, share, 2.0, 0.5, 0.0), noise) for share in (0.3, 0.6) for noise in (4.0, 16.0)
)


@dataclass(frozen=True, slots=True)
class Measured:
    """p measurements: x (m, d + 1) float32 scaled z and a constant, of m molecules; mol, target (p,) int64, by rising target;
    value (p,) float64; later (p,) bool: judged, never trained on. centre (d,) and scale undo the scaling of z.
    proteins (l,); alignment, sites (l, l)."""

    x: NDArray[np.float32]
    centre: Array
    scale: float
    mol: NDArray[np.int64]
    target: NDArray[np.int64]
    value: Array
    later: NDArray[np.bool_]
    proteins: tuple[Protein, ...]
    alignment: Array
    sites: Array


@dataclass(frozen=True, slots=True)
class Judged:
    """A left-out target: similarity of its nearest landmark, molecules, and rank correlations of ours and the baselines."""

    similarity: float
    n: int
    rho: float
    drug_mean: float
    copied: float
    rmse: float


def measured(data: Path, model: Model, cache: Path | None = None) -> Measured:
    """ChEMBL 22's targets with a sequence; replicates of a parent by their median. Raises InputError for a missing file."""
    known = table(data / "affinity/sequences.csv.gz", ["uniprot", "sequence"]).set_index("uniprot")["sequence"]
    named = table(data / "affinity/targets.csv.gz", ["target_chembl_id", "name", "uniprot"])
    named = named[named["uniprot"].isin(known.index)].drop_duplicates("target_chembl_id").set_index("target_chembl_id")
    rows = read(data, "chembl22")
    rows = rows.assign(parent=rows["smiles"].map(parent_table([rows["smiles"].tolist()], cache)["parent"]))
    rows = rows[rows["task"].isin(named.index)]
    rows = rows.assign(later=rows["part"] == "sparse_valid", uniprot=rows["task"].map(named["uniprot"]))
    keys = ["uniprot", "parent", "later"]
    rows = rows[rows["parent"] != ""].groupby(keys, as_index=False, sort=True).agg(value=("value", "median"))
    trained = set(rows.loc[~rows["later"], "uniprot"])
    rows = rows[rows["uniprot"].isin(trained)]
    parents, accessions = sorted(set(rows["parent"])), sorted(trained)
    names = named.reset_index().drop_duplicates("uniprot").set_index("uniprot")["name"]
    proteins = tuple(_protein(accession, str(names[accession]), str(known[accession])) for accession in accessions)
    z = embed(model, parents)
    place = {parent: number for number, parent in enumerate(parents)}
    rows = rows[rows["parent"].map(dict(zip(parents, z.ok, strict=True)))]
    centre = z.z[z.ok].mean(axis=0)
    scale = float(np.sqrt(((z.z[z.ok] - centre) ** 2).sum(axis=1).mean()))
    x = np.column_stack([(z.z - centre) / scale * 3.0, np.full(len(z.z), OFFSET)]).astype(np.float32)
    return Measured(
        x,
        centre,
        scale / 3.0,
        rows["parent"].map(place).to_numpy(np.int64),
        rows["uniprot"].map({name: i for i, name in enumerate(accessions)}).to_numpy(np.int64),
        rows["value"].clip(3.0, 11.0).to_numpy(np.float64),
        rows["later"].to_numpy(bool),
        proteins,
        similarities([protein.sequence for protein in proteins]),
        likenesses(*(2 * ([protein.site for protein in proteins],))),
    )


def _protein(accession: str, name: str, sequence: str) -> Protein:
    text = clean(sequence, accession)
    found = site(text)
    return Protein(name, accession, text, found, "protein kinase" if found else family(name))


@dataclass(frozen=True, slots=True)
class Sums:
    """Of each target's training measurements: grams (l, D, D) sum of x x', moments (l, D) sum of y x, firsts (l, D) sum of x,
    all float32; mean of y weighs each measurement alike, from total (l,) and count (l,)."""

    grams: NDArray[np.float32]
    moments: NDArray[np.float32]
    firsts: NDArray[np.float32]
    total: Array
    count: Array


def sums(m: Measured) -> Sums:
    """All that a fit needs of the measurements of the training years."""
    n, d = len(m.proteins), m.x.shape[1]
    grams, moments = np.zeros((n, d, d), np.float32), np.zeros((n, d), np.float32)
    found = Sums(grams, moments, np.zeros_like(moments), np.zeros(n), np.zeros(n))
    for target in range(n):
        rows = np.flatnonzero((m.target == target) & ~m.later)
        x, y = m.x[m.mol[rows]], m.value[rows]
        grams[target], moments[target], found.firsts[target] = x.T @ x, y.astype(np.float32) @ x, x.sum(axis=0)
        found.total[target], found.count[target] = y.sum(), len(rows)
    return found


def dual(m: Measured, s: Sums, known: NDArray[np.intp], kernel: Kernel, noise: float) -> tuple[Array, float]:
    """(l, D) summed dual weights V of the ``known`` landmarks (others 0), and the mean of their measurements.

    With G a target's gram and c its moments, noise V + G W = c for the probes W = K V. Solved by W = L U, K = L L':
    (noise + L' G L) U = L' c, whose matrix is positive, well conditioned, and as small as the probes.
    """
    values, vectors = np.linalg.eigh(_kernel(m, known, known, kernel))
    spread = np.sqrt(np.maximum(values, 0.0) + EXACT)
    root = (vectors * spread).astype(np.float32)
    mean = float(s.total[known].sum() / s.count[known].sum())
    grams, moments = s.grams[known], s.moments[known] - np.float32(mean) * s.firsts[known]

    def apply(u: NDArray[np.float32]) -> NDArray[np.float32]:
        out: NDArray[np.float32] = root.T @ np.matmul(grams, (root @ u)[:, :, None])[:, :, 0] + np.float32(noise) * u
        return out

    scale = 1.0 / ((root**2).T @ np.diagonal(grams, axis1=1, axis2=2) + np.float32(noise))
    u, _, _ = conjugate_gradients(apply, root.T @ moments, lambda u: scale * u, tolerance=TOLERANCE)
    out = np.zeros((len(m.proteins), m.x.shape[1]))
    # Not as (c - G W) / noise, which is a small difference of large numbers.
    out[known] = vectors @ (u / spread[:, None])
    return out, mean


def _kernel(m: Measured, rows: NDArray[np.intp], columns: NDArray[np.intp], kernel: Kernel) -> Array:
    at = np.ix_(rows, columns)
    found = kernel_row(kernel, m.alignment[at], m.sites[at])
    # Without an ATP site a target is like itself alone in that part of the kernel.
    alone = (rows[:, None] == columns[None, :]) & (m.sites[at] <= 0.0)
    return found + kernel.site * alone


def judge(m: Measured, s: Sums, strength: Strength, similar: float, later: bool) -> list[Judged]:
    """Every target left out once, with all that are ``similar``; judged on the later years' molecules, or on the others."""
    keys = [protein.uniprot for protein in m.proteins]
    fold = by_groups(keys, linked(m.alignment, similar), FOLDS).fold
    found = []
    for number in range(FOLDS):
        known = np.flatnonzero(fold != number)
        fitted = dual(m, s, known, *strength)
        for target in np.flatnonzero(fold == number).tolist():
            held = np.flatnonzero((m.target == target) & (m.later == later))
            if len(held) >= LEAST and np.ptp(m.value[held]) > 0:
                found.append(_judged(m, held, target, known, strength[0], fitted))
    return found


def _judged(
    m: Measured,
    held: NDArray[np.intp],
    target: int,
    known: NDArray[np.intp],
    kernel: Kernel,
    fitted: tuple[Array, float],
) -> Judged:
    v, mean = fitted
    x, truth = m.x[m.mol[held]].astype(np.float64), m.value[held]
    own = _kernel(m, np.array([target]), known, kernel)[0]
    nearest = known[int(np.argmax(m.alignment[target, known]))]
    copy = _kernel(m, np.array([nearest]), known, kernel)[0] @ v[known] + EXACT * v[nearest]
    guess = x @ (own @ v[known]) + mean
    everyone = _kernel(m, known, known, kernel).mean(axis=0) @ v[known]
    return Judged(
        float(m.alignment[target, nearest]),
        len(held),
        _rho(truth, guess),
        _rho(truth, x @ everyone),
        _rho(truth, x @ copy),
        float(rmse(truth, guess)),
    )


def _rho(truth: Array, guess: Array) -> float:
    return float(np.nan_to_num(spearman(truth, guess)))


def fit_landmarks(data: Path, model: Model, cache: Path | None = None, log: Callable[[str], Any] = print) -> Landmarks:
    """Choose strengths, say what left-out targets were worth, and fit all landmarks on the training years."""
    m = measured(data, model, cache)
    log(f"{len(m.proteins)} landmarks, {(~m.later).sum():,} measurements, {m.later.sum():,} of later years to judge by")
    scores, known = [], sums(m)
    for strength in GRID:
        left = [one for similar in (GENE, FAMILY) for one in judge(m, known, strength, similar, later=False)]
        scores.append(float(np.mean([one.rho for one in left])))
        log(f"{strength}: mean rank correlation {scores[-1]:.4f}")
    kernel, noise = GRID[int(np.argmax(scores))]
    left = [one for similar in (GENE, FAMILY) for one in judge(m, known, (kernel, noise), similar, later=True)]
    v, mean = dual(m, known, np.arange(len(m.proteins)), kernel, noise)
    weight = v[:, :-1] / m.scale
    bias = v[:, -1] * OFFSET - weight @ m.centre
    found = Kernel(kernel.shared, kernel.site, kernel.width, kernel.power, mean)
    return Landmarks(m.proteins, weight, bias, found, tuple(_binned(left)))


def _binned(left: list[Judged]) -> Iterator[LeftOut]:
    """One entry a range of similarity that has targets, highest first."""
    rng = np.random.default_rng(1)
    for low, high in zip(EDGES, (1.0, *EDGES), strict=False):
        here = [one for one in left if low <= one.similarity < high or (high == 1.0 and one.similarity >= low)]
        if not here:
            continue
        rho = np.array([one.rho for one in here])
        edges = interval(rho[rng.integers(0, len(rho), (2000, len(rho)))].mean(axis=1))
        means = [float(np.mean([getattr(one, name) for one in here])) for name in ("drug_mean", "copied", "rmse")]
        yield LeftOut(low, high, len(here), float(rho.mean()), *edges, *means)


def main() -> None:
    """Fit landmarks and write them into a model file."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--model", "--data", "--out"):
        parser.add_argument(name, required=True, type=Path)
    said = parser.parse_args()
    landmarks = fit_landmarks(said.data, load_model(said.model))
    said.out.write_bytes(Path(load_model(said.model).path).read_bytes())
    add(said.out, landmarks)
    for row in landmarks.left_out:
        print(row)


if __name__ == "__main__":
    main()
