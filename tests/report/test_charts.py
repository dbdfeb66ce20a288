"""The funnel adds up, says so when it does not, and the histogram shows every bin, the cut and the known actives."""

from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from drylab.report.charts import balanced, funnel, histogram, steps
from drylab.report.page import page
from tests.report import sample

RUN = sample.record(40, 30, [8.0, 7.5, 7.0])
COUNTS = st.integers(0, 10**10)
REASONS = st.dictionaries(st.text(max_size=9), COUNTS, max_size=4)


class Funnel(HTMLParser):
    """(is a loss, rows) of each line of the funnel in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines: list[tuple[bool, int]] = []
        self._loss = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "tr":
            self._loss = values.get("class") == "loss"
        if "data-rows" in values:
            self.lines.append((self._loss, int(values["data-rows"] or "")))


def add_up(lines: list[tuple[bool, int]]) -> bool:
    stages = [index for index, (loss, _) in enumerate(lines) if not loss]
    return all(
        lines[first][1] - sum(rows for _, rows in lines[first + 1 : second]) == lines[second][1]
        for first, second in pairwise(stages)
    )


def test_the_funnel_of_a_page_adds_up() -> None:
    hits = sample.hits(40, 30)
    lines = Funnel(page(hits)).lines
    assert add_up(lines)
    assert lines[0][1] == hits.run["library"]["build"]["read"]
    assert [rows for loss, rows in lines if not loss][-2:] == [40, 30]


def a_run(read: int, rejected: dict[str, int], filtered: dict[str, int], unused: int) -> dict[str, Any]:
    lost = sum(rejected.values()) + sum(filtered.values())
    build = {"read": read + lost + unused + 7, "kept": read + lost + unused, "duplicates": 5, "rejected": {"bad": 2}}
    tally = {"read": read + lost, "rejected": rejected, "filtered": filtered, "scored": read}
    return {"library": {"build": build}, "tally": tally}


@given(COUNTS, REASONS, REASONS, st.integers(0, 3), st.data())
def test_any_accounted_run_balances(
    read: int, rejected: dict[str, int], filtered: dict[str, int], unused: int, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, read))
    shown = data.draw(st.integers(0, kept))
    lines = steps(a_run(read, rejected, filtered, unused), kept, shown)
    assert balanced(lines)
    assert add_up(Funnel(funnel(lines)).lines)
    assert "do not add up" not in funnel(lines)


@given(st.integers(-5, 5).filter(bool))
def test_a_lost_row_is_said_aloud(lost: int) -> None:
    run = a_run(100, {"bad": 3}, {"mw": 4}, 0)
    run["tally"]["scored"] += lost
    assert not balanced(steps(run, 20, 10))
    assert "do not add up" in funnel(steps(run, 20, 10))


def test_the_histogram_has_every_bin_the_cut_and_the_names() -> None:
    drawing = histogram(RUN, 7.0)
    assert drawing.count('class="bin"') == sum(1 for rows in RUN["histogram"]["counts"] if rows)
    assert "kept from 7.00" in drawing
    assert "predicted pActivity (-log10 mol/l)" in drawing
    assert drawing.count("<line") >= len(RUN["known"])
    assert ">erlotinib<" in drawing
    assert "<b>" not in drawing


def test_many_known_actives_all_have_a_tick() -> None:
    known = [{"id": f"active-{n}", "score": 7.0 + n * 0.001} for n in range(60)]
    assert histogram({**RUN, "known": known}, None).count('class="known"') >= 60


def test_without_scores_there_is_a_sentence() -> None:
    assert "No molecule was scored" in histogram(sample.empty().run, None)
    assert "No molecule was scored" in histogram({}, None)


def test_one_molecule_is_enough() -> None:
    one = {"histogram": {"low": 0.0, "width": 0.1, "counts": [0, 1]}, "known": []}
    assert 'class="bin"' in histogram(one, 0.15)
