"""The k best -> hits: scored again, described by RDKit, and drawn. A door to RDKit; works on k rows, never in the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from drylab import refining
from drylab.arrow import lists, numbers, texts
from drylab.config import Target
from drylab.errors import AccountingError
from drylab.execute import Executor, in_order
from drylab.featurize import reference
from drylab.featurize.alerts import names_found
from drylab.featurize.columns import graphs as graphs_of
from drylab.featurize.desirability import PARTS, qed
from drylab.featurize.reference import RDKIT_NAMES
from drylab.featurize.route import take
from drylab.featurize.table import describe
from drylab.question import Question
from drylab.reduce import TopK
from drylab.report.depict import picture
from drylab.score import panel
from drylab.score.engine import GineEncoder
from drylab.types import MolGraphs

CHUNK = 1000  # hits a task: about a second, as long as it takes to start a worker


@dataclass(frozen=True, slots=True)
class Finished:
    """table (k rows, rank order) and pictures (report_n SVG)."""

    table: pa.Table
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Describe:
    """The task of a worker: a slice of the top k -> columns and pictures."""

    question: Question
    target: Target

    def __call__(self, piece: tuple[int, TopK]) -> Finished:
        start, top = piece
        q = self.question
        smiles = [str(text) for text in top.smiles]
        mols = reference.parse(smiles)
        graphs = graphs_of(smiles)
        z = GineEncoder(q.model.encoder)(graphs).z
        values = panel.values(q.model.probes, z)
        _check_scores(values[:, q.probe], top)
        drawn = max(0, min(len(top), self.target.screen.report_n - start))
        maps = _atom_maps(q, graphs, max(0, min(drawn, self.target.report.explain_top - start)))
        columns: dict[str, Any] = {
            "rank": numbers(np.arange(start + 1, start + len(top) + 1)),
            "id": texts(top.ids),
            "smiles": texts(smiles),
            "key": texts([f"{int(high):016x}{int(low):016x}" for high, low in top.keys]),
            "inchikey": texts([Chem.MolToInchiKey(mol) for mol in mols]),
            "score": numbers(top.scores),
            **_known_as(q, top),
            **_anti_targets(self.target, q, values),
            **({} if refining.has_panel(q) else refining.by_probes(self.target, q, values)),
            **_domain(q, z),
            **_described(self.target, mols, graphs),
            **_novelty(q, mols),
            "library_row": numbers(top.rows),
            "atom_contributions": lists([*maps, *[None] * (len(top) - len(maps))]),
        }
        pictures = [picture(smiles[i], maps[i].tolist() if i < len(maps) else None) for i in range(drawn)]
        return Finished(pa.table(columns), tuple(pictures))


def finish(question: Question, target: Target, top: TopK, executor: Executor, done: Callable[[int], None]) -> Finished:
    """Describe the k best, in rank order, on the executor the fold ran on.

    Raises AccountingError if a molecule scores other than it did in the fold: a score belongs to the molecule.
    """
    tables: list[pa.Table] = []
    pictures: list[str] = []
    pieces = [(start, _slice(top, start, start + CHUNK)) for start in range(0, max(1, len(top)), CHUNK)]
    task = Describe(question, target)
    results = (task(piece) for piece in pieces) if len(pieces) < 3 else in_order(executor, task, pieces)
    for part in results:
        tables.append(part.table)
        pictures.extend(part.pictures)
        done(part.table.num_rows)
    table = pa.concat_tables(tables).combine_chunks()
    smiles = [str(text) for text in top.smiles]
    table = _inserted(table, "known_as", refining.refined(question, smiles))
    if refining.has_panel(question):
        table = _inserted(table, "embed_distance_pct", refining.by_panel(target, question, smiles))
    return Finished(table, tuple(pictures))


def _inserted(table: pa.Table, before: str, columns: dict[str, Any]) -> pa.Table:
    """The table with more columns, in their order, in front of one that it has."""
    for name, column in columns.items():
        table = table.add_column(table.column_names.index(before), name, column)
    return table


def _slice(top: TopK, start: int, stop: int) -> TopK:
    part = slice(start, stop)
    return TopK(top.k, top.scores[part], top.keys[part], top.rows[part], top.ids[part], top.smiles[part])


def _check_scores(scores: NDArray[np.float64], top: TopK) -> None:
    wrong = np.flatnonzero(scores != top.scores)
    if len(wrong):
        i = int(wrong[0])
        raise AccountingError(
            f"{top.ids[i]} scored {top.scores[i]!r} in the fold and {scores[i]!r} alone; "
            "this is a fault in drylab or in this machine's arithmetic, please report it"
        )


def _atom_maps(q: Question, graphs: MolGraphs, count: int) -> list[NDArray[np.float32]]:
    if count == 0:
        return []
    drawn = take(graphs, np.arange(count))
    contributions = GineEncoder(q.model.encoder).atom_contributions(drawn, q.model.probes.weights[q.probe])
    return [part.astype(np.float32) for part in np.split(contributions, drawn.atom_ptr[1:-1])]


def _known_as(q: Question, top: TopK) -> dict[str, pa.Array]:
    names = {key.tobytes(): ident for key, ident in zip(q.known.keys, q.known.ids, strict=True)}
    return {"known_as": texts([names.get(key.tobytes()) for key in top.keys])}


def _anti_targets(target: Target, q: Question, values: NDArray[np.float64]) -> dict[str, pa.Array]:
    columns = {}
    for anti in target.anti_targets:
        names = {key: said for key, said in (("panel", anti.panel), ("uniprot", anti.uniprot)) if said}
        value = values[:, panel.find(q.model.probes, names, anti.name)]
        columns[f"anti_{anti.name}"] = numbers(value)
        columns[f"delta_{anti.name}"] = numbers(values[:, q.probe] - value)
    return columns


def _domain(q: Question, z: NDArray[np.float64]) -> dict[str, pa.Array]:
    domain = q.model.domain
    percentile = panel.distance_percentile(z, domain.mean, domain.whiten, domain.percentiles)
    return {"embed_distance_pct": numbers(percentile), "in_domain": numbers(percentile <= 95.0)}


def _described(target: Target, mols: list[Any], graphs: MolGraphs) -> dict[str, pa.Array]:
    """Properties, what lies outside the target's ranges, alerts and scaffold: RDKit's values, most of them by kernels."""
    found = describe(graphs, mols.__getitem__, tuple({*RDKIT_NAMES.values(), *PARTS}))
    values = {name: found[rdkit].astype(np.float64) for name, rdkit in RDKIT_NAMES.items()}
    values["qed"] = qed(graphs, mols.__getitem__, found)
    ranges = [(name, r) for name, r in sorted(target.ranges().items()) if not r.hard]
    outside = [",".join(name for name, r in ranges if not r.low <= values[name][i] <= r.high) for i in range(len(mols))]
    columns = {name: numbers(value) for name, value in values.items()}
    columns["outside"] = texts(outside)
    for catalog, names in names_found(graphs, mols.__getitem__, target.alerts.catalogs).items():
        columns[f"alerts_{catalog}"] = texts(["; ".join(row) for row in names])
    columns["scaffold"] = texts([reference.scaffold(mol) for mol in mols])
    return columns


def _novelty(q: Question, mols: list[Any]) -> dict[str, pa.Array]:
    """Nearest known active by ECFP4 Tanimoto (Rogers and Hahn 2010, https://doi.org/10.1021/ci100050t)."""
    if not q.known.ids:
        return {}
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048).GetFingerprint
    known = [make(mol) for mol in reference.parse(q.known.smiles)]
    tables = [np.array(DataStructs.BulkTanimotoSimilarity(make(mol), known)) for mol in mols]
    nearest = [int(table.argmax()) for table in tables]
    values = q.known.values[nearest]
    return {
        "max_sim_known": numbers(np.array([float(table.max()) for table in tables], np.float64)),
        "nearest_known_id": texts([q.known.ids[i] for i in nearest]),
        "nearest_known_value": numbers(values, ~np.isnan(values)),
    }
