"""The losses by hand, and the loop: it learns, and goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drylab.errors import InputError  # noqa: E402
from drylab.score.encoder import GineNetwork  # noqa: E402
from drylab.train.batches import Entries  # noqa: E402
from drylab.train.corpus import Prepared, assemble  # noqa: E402
from drylab.train.data import read_labels  # noqa: E402
from drylab.train.fit import FitRecipe, Panel, Trainer, measured_loss, predict, presumed_loss  # noqa: E402

RECIPE = FitRecipe(epochs=3, batch=64, library=8)


@pytest.fixture(scope="module")
def prepared(data: Path) -> Prepared:
    return assemble(read_labels(data, frozenset()), frozenset())


def entries(task: list[int], value: list[float], relation: list[int]) -> Entries:
    n = len(task)
    signs = torch.tensor(relation, dtype=torch.int8)
    return Entries(torch.arange(n), torch.tensor(task), torch.tensor(value), signs, torch.full((n,), 1.0))


def test_a_bound_punishes_only_what_is_beyond_it() -> None:
    classes, said = torch.tensor([False]), torch.tensor([0.5, -0.5])
    wrong = [0.125, 0.125]  # of each, measured
    for relation, kept in (([0, 0], [1, 1]), ([-1, -1], [1, 0]), ([1, 1], [0, 1])):
        loss = measured_loss(said, entries([0, 0], [0.0, 0.0], relation), classes, 2).item()
        assert loss == pytest.approx(np.dot(wrong, kept) / 2)


def test_classes_take_cross_entropy() -> None:
    said = torch.tensor([0.0, 0.0])
    loss = measured_loss(said, entries([0, 1], [1.0, 0.0], [0, 0]), torch.tensor([True, True]), 2)
    assert loss.item() == pytest.approx(np.log(2))


def test_pairs_and_columns_say_the_same() -> None:
    panel, z = Panel(GineNetwork(8, 8, 1, 8), 5, 3, 0.0), torch.randn(4, 8)
    whole = panel.columns(z, torch.arange(5))
    rows, tasks = torch.tensor([0, 3, 3]), torch.tensor([4, 0, 2])
    torch.testing.assert_close(panel.pairs(z, rows, tasks), whole[rows, tasks])


def test_presumed_inactives_are_free_below_the_ceiling() -> None:
    out, ceiling = torch.tensor([[-3.0, 1.0]]), torch.tensor([0.0, 0.5])
    assert presumed_loss(out, torch.tensor([[True, False]]), ceiling).item() == 0.0
    assert presumed_loss(out, torch.tensor([[False, True]]), ceiling).item() == pytest.approx(0.25)
    assert presumed_loss(out, torch.tensor([[False, False]]), ceiling).item() == 0.0


def test_training_lowers_the_loss_and_logs_a_line_an_epoch(prepared: Prepared) -> None:
    lines: list[str] = []
    Trainer(prepared.corpus, FitRecipe(epochs=6, batch=64, library=8)).run(lines.append)
    losses = [float(line.split("loss ")[1].split()[0]) for line in lines]
    assert len(losses) == 6
    assert losses[-1] < 0.9 * losses[0]


def test_a_run_that_was_stopped_ends_where_a_whole_run_ends(prepared: Prepared, tmp_path: Path) -> None:
    whole = Trainer(prepared.corpus, RECIPE).run(lambda _: None)
    path = tmp_path / "checkpoint.pt"
    stopped = Trainer(prepared.corpus, RECIPE)

    def stop(line: str) -> None:
        if line.startswith("epoch 3/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        stopped.run(stop, path)
    lines: list[str] = []
    resumed = Trainer(prepared.corpus, RECIPE).run(lines.append, path)
    assert [line.split()[1] for line in lines] == ["3/3"]
    index = prepared.corpus.train[:20]
    a = predict(whole.encoder, prepared.corpus.molecules, index)
    np.testing.assert_allclose(predict(resumed.encoder, prepared.corpus.molecules, index), a, rtol=1e-4, atol=1e-5)


def test_a_checkpoint_of_other_options_is_refused(prepared: Prepared, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    Trainer(prepared.corpus, FitRecipe(epochs=1, batch=64, library=8)).run(lambda _: None, path)
    with pytest.raises(InputError, match=r"is of another recipe .* delete it"):
        Trainer(prepared.corpus, RECIPE).run(lambda _: None, path)
