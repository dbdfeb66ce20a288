"""The report in a real browser: it works, it is quiet, and data cannot run."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drylab.report import write
from drylab.report.tables import csv
from tests.report import browser, sample

PROGRAM = browser.chromium()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: apt-get install chromium"),
]

EVIL = ["<script>window.hacked = 1</script>", '"><img src=x onerror="window.hacked = 1">', "</script><script>window.hacked = 1</script>",
        '=HYPERLINK("http://x", "y")', "<b>bold</b>"]  # fmt: skip
IDS = EVIL + [name for name, _ in sample.molecules(40)[len(EVIL) :]]
HITS = sample.hits(40, 40, id=IDS)


@pytest.fixture(scope="module")
def tab() -> Iterator[browser.Page]:
    assert PROGRAM is not None
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        browser.browse(PROGRAM, Path(profile)) as page,
    ):
        yield page


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(HITS, tmp_path_factory.mktemp("report"))["report.html"]


@pytest.fixture
def page(tab: browser.Page, report: Path) -> browser.Page:
    tab.open(report)
    return tab


def cells(page: browser.Page, name: str) -> list[str]:
    """The text of one column, rows shown only, from top to bottom."""
    return page.run(
        f"[...document.querySelectorAll('#table tbody tr:not([hidden]) td[data-name={name}]')].map(cell => cell.innerText)"
    )


def click(page: browser.Page, selector: str) -> None:
    page.run(f"document.querySelector({selector!r}).click()")


def rows_shown(page: browser.Page) -> list[dict[str, Any]]:
    numbers = page.run(
        "[...document.querySelectorAll('#table tbody tr:not([hidden])')].map(row => Number(row.dataset.row))"
    )
    return [dict(HITS[number].columns) for number in numbers]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_quiet_and_asks_for_nothing(tab: browser.Page, report: Path, scheme: str) -> None:
    tab.scheme(scheme)
    tab.open(report)
    click(tab, "#view-cards")
    click(tab, ".card .picture")
    tab.wait("document.querySelector('dialog').open")
    assert tab.complaints() == []
    assert tab.requests() == []
    tab.scheme("light")


def test_the_policy_stops_a_script_that_wants_the_network(page: browser.Page) -> None:
    assert page.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    assert any("Content Security Policy" in complaint for complaint in page.complaints())


@pytest.mark.parametrize("name", ["clogp", "mw", "qed"])
def test_a_click_on_a_header_sorts_by_number(page: browser.Page, name: str) -> None:
    head = f"#table th[data-name={name}]"
    before = cells(page, name)
    orders = []
    for _ in range(2):
        click(page, f"{head} button")
        numbers = [float(text) for text in cells(page, name)]
        direction = page.run(f"document.querySelector('{head}').getAttribute('aria-sort')")
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert len(numbers) == len(before) == 40
        orders.append(direction)
    assert sorted(orders) == ["ascending", "descending"]
    assert page.run("document.querySelectorAll('#table th[aria-sort]').length") == 1


def test_text_sorts_as_people_count_and_missing_comes_last(page: browser.Page) -> None:
    click(page, "#table th[data-name=id] button")
    tails = [text for text in cells(page, "id") if text.startswith("Z")]
    assert tails == sorted(tails, key=lambda text: int(text[1:]))
    click(page, "#wide")
    click(page, "#table th[data-name=known_as] button")
    assert "" in cells(page, "known_as")
    shown = cells(page, "known_as")
    assert all(text == "" for text in shown[shown.index("") :])


def test_the_select_sorts_the_cards(page: browser.Page) -> None:
    click(page, "#view-cards")
    page.run(
        "(select => { select.value = 'score'; select.dispatchEvent(new Event('change')); })(document.querySelector('#sort'))"
    )
    click(page, "#direction")
    scores = page.run("[...document.querySelectorAll('.card .score')].map(node => Number(node.textContent))")
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


@pytest.mark.parametrize(
    ("toggle", "keeps"),
    [
        ("hide-red", lambda hit: hit["tox_worst"] != "red"),
        ("hide-alerts", lambda hit: not hit["alerts_pains"] and not hit["alerts_brenk"]),
        ("only-domain", lambda hit: hit["in_domain"]),
    ],
)
def test_toggles_filter_and_count(page: browser.Page, toggle: str, keeps: Any) -> None:
    expected = [hit["rank"] for hit in HITS if keeps(hit)]
    assert 0 < len(expected) < 40
    click(page, f"#{toggle}")
    assert [hit["rank"] for hit in rows_shown(page)] == expected
    assert page.run("document.querySelector('#count').textContent") == f"{len(expected)} of 40 shown"
    click(page, f"#{toggle}")
    assert len(rows_shown(page)) == 40


def test_the_text_filter_finds_and_says_when_it_does_not(page: browser.Page) -> None:
    type_in = (
        "(box => {{ box.value = {!r}; box.dispatchEvent(new Event('input')); }})(document.querySelector('#filter'))"
    )
    page.run(type_in.format("NITRO_group"))
    page.wait("document.querySelector('#count').textContent !== '40 of 40 shown'")
    shown = rows_shown(page)
    assert [hit["rank"] for hit in shown] == [hit["rank"] for hit in HITS if "nitro_group" in hit["alerts_brenk"]]
    page.run(type_in.format("no such thing"))
    page.wait("!document.querySelector('#nothing').hidden")
    assert rows_shown(page) == []


@pytest.mark.parametrize("view", ["table", "cards"])
def test_pictures_are_seen(page: browser.Page, view: str) -> None:
    click(page, f"#view-{view}")
    page.run("document.querySelector('#hits').scrollIntoView()")
    page.wait(f"document.querySelector('#{view} .picture svg') !== null")
    box = page.run(
        f"(b => [b.width, b.height])(document.querySelector('#{view} .picture svg').getBoundingClientRect())"
    )
    assert min(box) > 80
    ink = page.run(
        f"(b => [b.width, b.height])(document.querySelector('#{view} .picture svg path').getBoundingClientRect())"
    )
    assert min(ink) > 20


def test_pictures_far_below_wait(page: browser.Page) -> None:
    page.wait("document.querySelector('#table .picture svg') !== null || scrollY === 0")
    assert page.run("document.querySelectorAll('#table .picture svg').length") < 40
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.querySelectorAll('#table .picture svg').length") == 40


def test_evil_ids_are_shown_and_do_not_run(page: browser.Page) -> None:
    assert [text.split("\n")[0] for text in cells(page, "id")[:5]] == EVIL
    click(page, "#view-cards")
    assert page.run("[...document.querySelectorAll('.card .id')].slice(0, 5).map(node => node.textContent)") == EVIL
    click(page, ".card .picture")
    assert EVIL[0] in page.run("document.querySelector('dialog h2').textContent")
    assert page.run("typeof window.hacked") == "undefined"
    assert page.run("document.querySelectorAll('img, #hits b').length") == 0


def test_the_large_view_shows_every_column_and_steps_by_keys(page: browser.Page) -> None:
    click(page, "#table .picture")
    words = page.run("document.querySelector('dialog').textContent")
    assert "What the model used, not how it binds." in words
    hit = HITS[0]
    for wanted in (
        hit["inchikey"],
        hit["key"],
        hit["scaffold"],
        f"{hit['score']:.4f}",
        f"{hit['mw']:.3f}",
        str(hit["library_row"]),
    ):
        assert wanted in words
    page.key("ArrowRight")
    page.key("ArrowRight")
    assert page.run("document.querySelector('dialog h2').textContent").startswith("#3 ")
    page.key("ArrowLeft")
    assert page.run("document.querySelector('dialog h2').textContent").startswith("#2 ")
    page.key("Escape")
    page.wait("document.activeElement.className === 'picture'")
    assert page.run("document.activeElement.getAttribute('aria-label')") == f"Open rank 2, {HITS[1]['id']}"


def test_selection_copies_smiles_and_downloads_what_hits_csv_holds(page: browser.Page) -> None:
    assert page.run("document.querySelector('#copy').disabled")
    page.run("URL.createObjectURL = blob => { window.blob = blob; return '#'; }")
    page.run(
        "Object.defineProperty(navigator, 'clipboard', { value: { writeText: async text => { window.copied = text; } } })"
    )
    click(page, "#table tbody tr:nth-child(3) input")
    click(page, "#table tbody tr:nth-child(1) input")
    assert page.run("document.querySelector('#picked').textContent") == "2 selected"
    click(page, "#copy")
    assert page.run("window.copied") == f"{HITS[0]['smiles']}\n{HITS[2]['smiles']}"
    click(page, "#all")
    click(page, "#download")
    assert page.run("window.blob.text()") == csv(HITS)
    click(page, "#clear")
    assert page.run("document.querySelectorAll('#hits input:checked').length") == 0


@pytest.mark.parametrize("view", ["table", "cards"])
@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_window_has_no_sideways_scroll(tab: browser.Page, report: Path, width: int, view: str) -> None:
    tab.open(report, width, 700)
    assert tab.run("document.querySelector('#view-cards').getAttribute('aria-pressed')") == (
        "true" if width <= 720 else "false"
    )
    click(tab, f"#view-{view}")
    tab.run("document.querySelectorAll('details').forEach(node => { node.open = true; })")
    assert tab.run("document.documentElement.scrollWidth") <= width
    click(tab, f"#{view} .picture")
    assert tab.run("document.querySelector('dialog').scrollWidth") <= width


def test_no_hits_is_a_working_page(tab: browser.Page, tmp_path: Path) -> None:
    tab.open(write(sample.empty(), tmp_path)["report.html"])
    assert "No molecule passed the screen" in tab.run("document.querySelector('#nothing').textContent")
    assert tab.complaints() == []


def test_hits_without_optional_columns_work(tab: browser.Page, tmp_path: Path) -> None:
    bare = type(HITS)(
        HITS.table.select(["rank", "id", "smiles", "score"]), {"name": "X", "tally": {"read": 40, "scored": 40}}
    )
    tab.open(write(bare, tmp_path)["report.html"])
    click(tab, "#view-cards")
    click(tab, ".card .picture")
    assert tab.run("document.querySelector('#hide-red').closest('label').hidden")
    assert tab.complaints() == []


PANELLED = sample.panelled(20)


@pytest.fixture
def marked(tab: browser.Page, tmp_path: Path) -> browser.Page:
    tab.open(write(PANELLED, tmp_path)["report.html"])
    tab.run("document.querySelector('#hits').scrollIntoView()")
    tab.wait("document.querySelector('#table .mark') !== null")
    return tab


def test_each_endpoint_has_a_mark_with_its_words(marked: browser.Page) -> None:
    row = "#table tbody tr:nth-child({})"
    titles = marked.run(f"[...document.querySelectorAll('{row.format(3)} .mark')].map(mark => mark.title)")
    assert len(titles) == len(sample.PANEL)
    assert "Ames mutagenicity: no opinion: neither is ruled out; P(mutagenic) 0.41" in titles
    assert "hERG potency: no opinion: the interval holds 5; 5.0 (4.0 to 6.0) pIC50" in titles
    first = marked.run(f"[...document.querySelectorAll('{row.format(1)} .mark')].map(mark => mark.title)")
    assert "Blood-brain barrier: enters the brain; P(enters the brain) 0.83" in first
    assert "hERG potency: flagged: at least 5; 6.1 (5.1 to 7.1) pIC50" in first
    signs = marked.run(f"document.querySelector('{row.format(2)} .marks').innerText")
    assert "\u25b3" in signs
    summary = marked.run(f"document.querySelector('{row.format(5)} .marks').getAttribute('aria-label')")
    assert summary == "Toxicity panel: 6 clear"
    assert marked.run(f"document.querySelector('{row.format(1)} .refined').innerText") == "7.00 \u00b1 0.50"
    assert marked.complaints() == []


def test_marks_are_told_in_the_large_view_and_sort(marked: browser.Page) -> None:
    click(marked, "#table tbody tr:nth-child(4) .picture")
    words = marked.run("document.querySelector('dialog').innerText")
    assert "outside: unlike anything seen P(mutagenic) 0.30" in words
    assert "ames set" not in words
    marked.key("Escape")
    click(marked, "#table th[data-name=tox_worst] button")
    click(marked, "#table th[data-name=tox_worst] button")
    worst = marked.run("Number(document.querySelector('#table tbody tr').dataset.row)")
    assert worst == 0, "flagged in every endpoint that can be"
    click(marked, "#view-cards")
    marked.wait("document.querySelector('.card .mark') !== null")
    assert marked.run("document.querySelector('#hide-red').closest('label').hidden"), "no limits are set"
    assert marked.complaints() == []


@pytest.mark.parametrize("width", [320, 390, 800])
def test_marks_fit_a_narrow_window(marked: browser.Page, width: int) -> None:
    marked.size(width, 700)
    click(marked, "#view-cards")
    assert marked.run("document.documentElement.scrollWidth") <= width
    click(marked, ".card .picture")
    assert marked.run("document.querySelector('dialog').scrollWidth") <= width
