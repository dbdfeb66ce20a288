"""Reference values of the few molecules whose fold values do not settle what has to be settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drylab.execute import Executor, in_order
from drylab.featurize import graphs as graphs_of
from drylab.reduce import Audit, Contenders
from drylab.stages import Stages

CHUNK = 1000  # molecules a task: about half a second
WORKERS = 8  # tasks from which on workers are worth their start


@dataclass(frozen=True, slots=True)
class Rescore:
    """The task of a worker: SMILES of a library in, (n, t) reference values out; NaN for what a first stage says."""

    stages: Stages
    rows: tuple[int, ...]

    def __call__(self, smiles: Sequence[str]) -> NDArray[np.float64]:
        return self.stages.scores(self.rows, graphs_of(smiles))


def settle(
    contenders: Sequence[Contenders],
    columns: Sequence[int],
    rescore: Rescore,
    bounds: NDArray[np.float64],
    why: str,
    executor: Executor | None = None,
) -> tuple[list[Contenders], Audit]:
    """Contenders of several questions with the reference scores of all, and how far the fold's scores were from them.

    columns  of each question, the column of its score among the fold's, whose bounds are (t,)
    why      what they are rescored for, in the audit       executor  for many; None: in this process
    A molecule that several questions keep is rescored once.
    """
    smiles: dict[int, str] = {}
    for each in contenders:
        at = each.open()
        smiles.update(zip(each.rows[at].tolist(), each.smiles[at].tolist(), strict=True))
    values = _values(rescore, list(smiles.values()), executor)
    place = {row: number for number, row in enumerate(smiles)}
    errors = np.full(values.shape, np.nan)
    settled = []
    for each, column in zip(contenders, columns, strict=True):
        at = each.open()
        numbers = [place[row] for row in each.rows[at].tolist()]
        exact = values[numbers, column]
        errors[numbers, column] = np.abs(each.scores[at] - exact)
        settled.append(each.settled(exact))
    return settled, Audit.of(errors, bounds, _counted(why, len(smiles)))


def _values(rescore: Rescore, smiles: list[str], executor: Executor | None) -> NDArray[np.float64]:
    pieces = [smiles[start : start + CHUNK] for start in range(0, len(smiles), CHUNK)]
    if executor is None or len(pieces) < WORKERS:
        done = [rescore(piece) for piece in pieces]
    else:
        done = list(in_order(executor, rescore, pieces))
    return np.concatenate(done) if done else np.zeros((0, len(rescore.rows)))


def _counted(why: str, count: int) -> Mapping[str, int]:
    return {why: count} if count else {}
