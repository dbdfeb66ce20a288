"""The answer of a shard, and of a library: what one fold says to each of the questions it was asked."""

from __future__ import annotations

from dataclasses import dataclass

from drylab.reduce.accounts import Histogram, Ranks, Tally
from drylab.reduce.audit import Audit
from drylab.reduce.best import Contenders


@dataclass(frozen=True, slots=True)
class Screened:
    """The answer to one question."""

    contenders: Contenders
    tally: Tally
    histogram: Histogram
    ranks: Ranks

    @staticmethod
    def empty(k: int, ranks: Ranks) -> Screened:
        """Nothing seen yet; ``ranks`` are those of the marked molecules, with no row seen."""
        return Screened(Contenders.empty(k), Tally(), Histogram(), ranks)

    def merge(self, other: Screened) -> Screened:
        """Each part merged."""
        return Screened(
            self.contenders.merge(other.contenders),
            self.tally.merge(other.tally),
            self.histogram.merge(other.histogram),
            self.ranks.merge(other.ranks),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The answers to all questions, in their order, and the audit of the values they rest on."""

    screened: tuple[Screened, ...]
    audit: Audit

    def merge(self, other: Answer) -> Answer:
        """Each answer merged."""
        pairs = zip(self.screened, other.screened, strict=True)
        return Answer(tuple(one.merge(two) for one, two in pairs), self.audit.merge(other.audit))
