"""What a progress bar is told is what it shows."""

import io

from rich.console import Console
from rich.progress import Progress

from drylab.terminal import _telling


def bar() -> Progress:
    return Progress("{task.fields[done]}", console=Console(file=io.StringIO(), force_terminal=True), auto_refresh=False)


def test_rows_of_a_known_number_fill_the_bar() -> None:
    shown = bar()
    told = _telling(shown)
    told.stage("screening", 100)
    told.rows(30)
    told.part(0.9)  # of no account where the rows are known
    told.rows(20)
    assert (shown.tasks[0].completed, shown.tasks[0].total) == (50, 100)
    assert shown.tasks[0].fields["done"].startswith("50 rows")


def test_a_share_fills_the_bar_where_the_rows_are_not_known() -> None:
    shown = bar()
    told = _telling(shown)
    told.stage("reading", None)
    told.rows(4000)
    told.part(0.25)
    assert (shown.tasks[0].completed, shown.tasks[0].total) == (0.25, 1.0)
    assert shown.tasks[0].fields["done"].startswith("4,000 rows")


def test_every_stage_counts_for_itself() -> None:
    shown = bar()
    told = _telling(shown)
    told.stage("reading", None)
    told.rows(10)
    told.stage("merging", 8)
    told.rows(8)
    assert [task.description for task in shown.tasks] == ["reading", "merging"]
    assert shown.tasks[0].stop_time is not None
    assert shown.tasks[1].fields["done"].startswith("8 rows")
