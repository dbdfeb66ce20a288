"""What a fold keeps: commutative monoids. Each has an empty value and ``merge`` for two answers.

merge is associative and commutative: so neither the order of the shards, nor the number of workers, nor the batch size
can change an answer.
"""

from drylab.reduce.accounts import REJECTED_KEPT, Histogram, Ranks, Tally
from drylab.reduce.answer import Answer, Screened
from drylab.reduce.audit import Audit, Certificate
from drylab.reduce.best import Contenders, TopK

__all__ = [
    "REJECTED_KEPT",
    "Answer",
    "Audit",
    "Certificate",
    "Contenders",
    "Histogram",
    "Ranks",
    "Screened",
    "Tally",
    "TopK",
]
