"""One network of counts for all endpoints together, five times: what a molecule's fragments say, beside z.

One hidden layer on folded count fingerprints and descriptors, one output an endpoint, trained on whatever is measured of
each molecule: endpoints with few labels share the hidden layer of those with many. Every member leaves out the same
fifth of the training scaffolds as the heads on z do, and has a seed of its own. (After Mayr 2016, DeepTox,
10.3389/fenvs.2015.00080.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a member is trained: all that is random follows from ``seed`` and the member's number."""

    hidden: int = 64
    epochs: int = 20
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-5
    drop_columns: float = 0.2
    drop_hidden: float = 0.3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """What members are trained on, n molecules by t endpoints.

    counts (n, c) sparse   descriptors (n, k) float64, scaled
    value (n, t) float64, NaN where not measured: 0/1, or a number of mean about 0 and spread about 1
    relation (n, t) int8 as in heads.Task     classes (t,) bool
    """

    counts: Any
    descriptors: Array
    value: Array
    relation: NDArray[np.int8]
    classes: NDArray[np.bool_]


class CountNetwork(nn.Module):
    """Counts as indices, offsets and weights of an embedding bag, and descriptors -> (n, t)."""

    def __init__(self, columns: int, descriptors: int, tasks: int, recipe: Recipe) -> None:
        super().__init__()
        self.columns = nn.EmbeddingBag(columns, recipe.hidden, mode="sum")
        nn.init.normal_(self.columns.weight, 0.0, 0.03)
        self.descriptors = nn.Linear(descriptors, recipe.hidden)
        self.out = nn.Linear(recipe.hidden, tasks)
        self.recipe = recipe

    def forward(self, counts: tuple[Tensor, Tensor, Tensor], descriptors: Tensor) -> Tensor:
        index, start, weight = counts
        if self.training:  # a fragment less here and there: none may be leant on alone
            weight = functional.dropout(weight, self.recipe.drop_columns)
        hidden = torch.relu(self.columns(index, start, per_sample_weights=weight) + self.descriptors(descriptors))
        return self.out(functional.dropout(hidden, self.recipe.drop_hidden, self.training))


def members(
    table: Table, rows: NDArray[np.int64], group: NDArray[np.int64], recipe: Recipe, log: Callable[[str], Any]
) -> dict[str, Array]:
    """The tensors net.* of an endpoints file from the training molecules ``rows`` (r,) and the group of each (n,)."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so that sums are always in one order
    try:
        with torch.random.fork_rng(devices=[]):
            found = []
            for member in range(int(group.max()) + 1):
                found.append(_arrays(_trained(table, rows[group[rows] != member], member, recipe)))
                log(f"network {member + 1} is trained")
    finally:
        torch.set_num_threads(threads)
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


def _trained(table: Table, rows: NDArray[np.int64], member: int, recipe: Recipe) -> CountNetwork:
    seed = 1000 * recipe.seed + member
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = CountNetwork(table.counts.shape[1], table.descriptors.shape[1], table.value.shape[1], recipe)
    batches = max(1, len(rows) // recipe.batch)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.epochs * batches, pct_start=0.1
    )
    net.train()
    for _ in range(recipe.epochs):
        for some in np.array_split(rng.permutation(rows), batches):
            optimiser.zero_grad()
            _loss(net(_bag(table.counts[some]), _tensor(table.descriptors[some])), table, some).backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def _loss(said: Tensor, table: Table, rows: NDArray[np.int64]) -> Tensor:
    """Summed over endpoints, a mean over the molecules of the batch; a bound costs only where it is broken."""
    wanted = _tensor(np.nan_to_num(table.value[rows]))
    known = _tensor(~np.isnan(table.value[rows]))
    relation, classes = _tensor(table.relation[rows]), torch.from_numpy(table.classes)
    error = said - wanted
    error = torch.where(relation < 0, error.clamp(min=0), torch.where(relation > 0, error.clamp(max=0), error))
    cross = functional.binary_cross_entropy_with_logits(said, wanted.clamp(0, 1), reduction="none")
    return (torch.where(classes, cross, error**2) * known).sum() / len(rows)


def _bag(counts: Any) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(counts.indices.astype(np.int64)),
        torch.from_numpy(counts.indptr[:-1].astype(np.int64)),
        _tensor(counts.data),
    )


def _tensor(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _arrays(net: CountNetwork) -> dict[str, Array]:
    """The weights as a reader of the file gets them: the columns in whole steps of a hidden unit, the rest in float32."""
    columns = _array(net.columns.weight)
    step = (np.abs(columns).max(axis=0) / 127).astype(np.float32).astype(np.float64) + 1e-30
    return {
        "net.columns": np.clip(np.round(columns / step), -127, 127),
        "net.step": step,
        "net.descriptors": _array(net.descriptors.weight.T),
        "net.bias": _array(net.descriptors.bias),
        "net.out": _array(net.out.weight.T),
        "net.last": _array(net.out.bias),
    }


def _array(tensor: Tensor) -> Array:
    return tensor.detach().numpy().astype(np.float64)
