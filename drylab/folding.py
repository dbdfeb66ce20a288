"""The fold's step: shards in, answers out. What a fold value does not settle is settled by the reference, there and then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drylab.asking import Asked
from drylab.candidates import Candidates, Floors, Rows
from drylab.errors import ModelError
from drylab.featurize import sort_out
from drylab.featurize.route import take
from drylab.kernels import sift
from drylab.library.reading import read_keys, read_shard
from drylab.reduce import Answer, Audit, Contenders, Histogram, Ranks, Screened, Tally
from drylab.reduce.audit import audited
from drylab.rescoring import Rescore, settle
from drylab.types import MolGraphs, Rejected, Shard, SmilesBatch

if TYPE_CHECKING:
    from drylab.stages import Scorer

ROUNDING = 1e-12  # of sums and differences of values below 1000: far below any bound
EDGES = 2e-3  # the share of molecules near a bin's edge above which the histogram is of fold scores: each costs 0.15 ms
FOLD, EXACT = 0, 1  # levels: rows of slack
WHY = {sift.LIMITS: "limits", sift.RANKS: "ranks", sift.HISTOGRAM: "histogram"}


@dataclass(frozen=True, slots=True)
class Look:
    """A shard whose rows are all filtered: known actives are looked for among its keys, and no more is read."""

    shard: Shard


@dataclass(frozen=True, slots=True)
class FoldShard:
    """The task of a worker: a shard in, a small answer out. One object serves one fold of one library (see ``Floors``).

    precision, widen  as ``fold_engine`` takes them; "" is the precision that the questions ask for
    """

    asked: Asked
    precision: str = ""
    widen: float = 1.0
    floors: Floors = field(init=False)

    def __post_init__(self) -> None:
        k = np.array([q.top_k for q in self.asked.questions], np.int64)
        object.__setattr__(self, "floors", Floors(k))

    def __call__(self, item: Shard | Look) -> Answer:
        if isinstance(item, Look):
            return self._looked(item.shard)
        work = Work(self)
        first = item.first
        for batch in read_shard(item, self.asked.batch_size):
            work.add(self.asked.drawn(batch), first)
            first += len(batch)
        return work.answer((item.path, item.group))

    def engine(self) -> Scorer:
        """What scores."""
        return self.asked.stages.engine(
            self.asked.rows, self.asked.thresholds(), self.precision or self.asked.precision, self.widen
        )

    def nothing(self) -> Answer:
        """The answer before any row was read."""
        return Answer(self.asked.empty(), Audit(np.zeros(len(self.asked.rows))))

    def merge(self, one: Answer, other: Answer) -> Answer:
        """Two answers as one, its contenders bounded in number."""
        return bounded(self, one.merge(other))

    def settles_edges(self) -> bool:
        """Whether the histogram is that of reference scores: where bounds are small against its bins, and questions few."""
        bounds = self.engine().bounds[self.asked.flat.column]
        return bool(2 * bounds.sum() / sift.WIDTH <= EDGES)

    def _looked(self, shard: Shard) -> Answer:
        state = self.nothing()
        for keys in read_keys(shard):
            state = replace(state, screened=tuple(replace(s, ranks=s.ranks.saw(keys)) for s in state.screened))
        return state


def bounded(task: FoldShard, answer: Answer) -> Answer:
    """The same answer, where contenders that cannot be told apart are too many to keep: with their reference scores."""
    many = [j for j, screened in enumerate(answer.screened) if screened.contenders.overgrown()]
    if not many:
        return answer
    asked = task.asked
    columns = [int(asked.flat.column[j]) for j in many]
    rescore = Rescore(asked.stages, asked.rows)
    grown = [answer.screened[j].contenders for j in many]
    done, audit = settle(grown, columns, rescore, task.engine().bounds, "ties")
    screened = list(answer.screened)
    for j, contenders in zip(many, done, strict=True):
        screened[j] = replace(screened[j], contenders=contenders)
    return Answer(tuple(screened), answer.audit.merge(audit))


class Work:
    """One shard's work: batches are added to sums; ``answer`` makes text of the few rows that are kept."""

    def __init__(self, task: FoldShard) -> None:
        self.task, self.asked, self.engine = task, task.asked, task.engine()
        bounds = self.engine.bounds
        self.slack = np.stack([np.where(bounds > 0, bounds + ROUNDING, 0.0), np.zeros(len(bounds))])
        self.edges = task.settles_edges()
        self.counts = sift.no_counts(self.asked.flat)
        self.candidates = Candidates(task.floors.k, task.floors.floor)
        self.audit = Audit(np.zeros(len(bounds)))
        self.filtered: list[Counter[str]] = [Counter() for _ in self.asked.rules]
        self.shared = Tally()  # what is the same for all questions: rows read, rejected, declined
        self.batches: list[tuple[int, SmilesBatch]] = []
        self.known = np.unique(self.asked.flat.mark_key[:, 0])
        self.seen: list[NDArray[np.uint64]] = []

    def add(self, batch: SmilesBatch, first: int) -> None:
        """Fold a batch whose first row is library row ``first``."""
        done = sort_out(batch, self.asked.rules)
        values = self.engine.values(done.graphs)
        self._check(values, first, len(batch))
        keys = batch.keys[done.rows]
        level = self._settle(values, done.passes, keys, done.graphs)
        flat = self.asked.flat
        who, row = sift.sift(values, level, self.slack, done.passes, keys, flat, self.candidates.floor, self.counts)
        column = flat.column[who]
        self.candidates.add(
            Rows(who.astype(np.int64), first + done.rows[row], values[row, column], self.slack[level[row], column])
        )
        self._account(batch, first, done.rejected, done.declined)
        for counts, more in zip(self.filtered, done.filtered, strict=True):
            counts.update(more)
        if len(self.known):
            self.seen.append(batch.keys[np.isin(batch.keys[:, 0], self.known)])
        self.batches.append((first, batch))

    def _check(self, values: NDArray[np.float64], first: int, rows: int) -> None:
        if not np.isfinite(values[:, self.asked.always()]).all():
            raise ModelError(
                f"{self.asked.model.path}: a prediction for library rows {first} to {first + rows} is not finite; "
                "the weights are damaged"
            )

    def _settle(
        self, values: NDArray[np.float64], passes: NDArray[np.bool_], keys: NDArray[np.uint64], graphs: MolGraphs
    ) -> NDArray[np.uint8]:
        """(n,) uint8 levels; reference values are put into ``values`` where those of the fold leave something open."""
        level = np.zeros(len(values), np.uint8)
        if not self.slack.any():
            return level
        chosen, flat = audited(keys), self.asked.flat
        why = np.zeros(len(values), np.uint8)
        if self.edges or len(flat.left) or len(flat.mark_score):
            why = sift.unsure(values, self.slack[FOLD], passes, flat, self.edges)
        rows = np.flatnonzero((why > 0) | chosen)
        if len(rows):
            exact = self.asked.stages.reference(self.asked.rows, take(graphs, rows))
            reasons = Counter(_reason(code) for code in why[rows].tolist())
            errors = np.abs(values[rows] - exact)
            self.audit = self.audit.merge(Audit.of(errors, self.engine.bounds, reasons, int(chosen.sum())))
            values[rows], level[rows] = exact, EXACT
        return level

    def _account(
        self, batch: SmilesBatch, first: int, rejected: tuple[tuple[int, str], ...], declined: Mapping[str, int]
    ) -> None:
        rows = tuple(
            Rejected(
                "library",
                first + i,
                batch.ids[i].as_py(),
                batch.slice(i, i + 1).strings()[0][:200],
                *why.split(": ", 1),
            )
            for i, why in rejected
        )
        reasons = Counter(why for _, why in rejected)
        self.shared = self.shared.merge(Tally(read=len(batch), rejected=reasons, rows=rows, declined=declined))

    def answer(self, shard: object) -> Answer:
        """What the shard, known by ``shard``, says to each question."""
        rows, ends = self.candidates.rest()
        self.task.floors.learn(shard, rows, ends)
        contenders = self._contenders(rows, ends)
        seen = np.concatenate(self.seen) if self.seen else np.zeros((0, 2), np.uint64)
        screened = tuple(
            Screened(contenders[j], self._tally(j), Histogram(self.counts.bins[j]), self._ranks(j, seen))
            for j in range(len(self.asked.questions))
        )
        return bounded(self.task, Answer(screened, self.audit))

    def _contenders(self, rows: Rows, ends: NDArray[np.int64]) -> list[Contenders]:
        """Candidates with their text, which is made once for a row that several questions keep."""
        dropped = np.maximum(self.counts.dropped, self.candidates.dropped).tolist()
        at, place = np.unique(rows.at, return_inverse=True)
        keys, ids, smiles = self._texts(at)
        found = []
        for j, q in enumerate(self.asked.questions):
            part = slice(ends[j], ends[j + 1])
            if part.start == part.stop:
                found.append(Contenders.empty(q.top_k, dropped[j]))
                continue
            p = place[part]
            columns = (rows.scores[part], rows.errs[part], keys[p], rows.at[part], ids[p], smiles[p])
            found.append(Contenders(q.top_k, *columns, dropped[j]).pruned())
        return found

    def _texts(self, at: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.object_], NDArray[np.object_]]:
        """Keys (m, 2), ids and SMILES (m,) of library rows of this shard, rising."""
        keys = np.zeros((len(at), 2), np.uint64)
        ids, smiles = np.empty(len(at), object), np.empty(len(at), object)
        for first, batch in self.batches:
            i, j = np.searchsorted(at, [first, first + len(batch)])
            if i < j:
                keys[i:j] = batch.keys[at[i:j] - first]
                ids[i:j], smiles[i:j] = batch.texts(at[i:j] - first)
        return keys, ids, smiles

    def _tally(self, j: int) -> Tally:
        flat, q = self.asked.flat, self.asked.questions[j]
        taken = self.counts.taken[flat.limit[j] : flat.limit[j + 1]].tolist()
        filtered = Counter(self.filtered[flat.group[j]])
        filtered.update({limit.name: rows for limit, rows in zip(q.limits, taken, strict=True) if rows})
        return replace(self.shared, scored=int(self.counts.bins[j].sum()), filtered=dict(filtered))

    def _ranks(self, j: int, seen: NDArray[np.uint64]) -> Ranks:
        flat, q = self.asked.flat, self.asked.questions[j]
        better = np.zeros(len(q.known_scores), np.int64)
        better[self.asked.marks[j]] = np.cumsum(self.counts.before[flat.mark[j] : flat.mark[j + 1]])
        return replace(Ranks.empty(q.known_scores, q.known.keys), better=better).saw(seen)


def _reason(code: int) -> str:
    return next((name for bit, name in WHY.items() if code & bit), "audit")
