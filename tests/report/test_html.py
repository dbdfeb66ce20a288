"""What is not markup never becomes markup."""

import base64
import hashlib
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.report.html import Html, count, figure, fill, json_block, safe, safe_svg, source_hash, tag

ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"))


class Seen(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@given(ANY, ANY)
def test_any_text_stays_text_and_any_attribute_stays_one(words: str, title: str) -> None:
    seen = Seen(tag("td", words, title=title))
    assert seen.tags == [("td", {"title": title})]
    assert "".join(seen.texts) == words


@given(st.recursive(st.none() | st.booleans() | ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner)))
def test_json_in_a_script_cannot_end_it(value: object) -> None:
    block = json_block(value)
    assert json.loads(block) == value
    assert not set(block) & set("<>&")


def test_json_refuses_what_browsers_refuse() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_block({"score": float("nan")})


def test_markup_passes_and_nothing_else_does() -> None:
    assert safe(Html("<b>")) == "<b>"
    assert safe("<b>") == "&lt;b&gt;"
    assert safe(None) == ""
    assert tag("p", tag("b", "x"), hidden=True, title=None, data_rows=3) == '<p hidden data-rows="3"><b>x</b></p>'


def test_a_value_with_a_dollar_is_not_a_template() -> None:
    assert fill("<p>$one</p>", one="$two") == "<p>$two</p>"
    with pytest.raises(KeyError, match="one"):
        fill("$one")


def test_source_hash_is_the_policys() -> None:
    digest = base64.b64encode(hashlib.sha256(b"let a = 1").digest()).decode()
    assert source_hash("let a = 1") == f"'sha256-{digest}'"


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{}</svg>'


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '<path d="M0 0" onload="alert(1)"/>',
        '<image href="http://x/y.png"/>',
        "<foreignObject><b>x</b></foreignObject>",
        '<path fill="url(http://x#y)"/>',
        '<path style="fill:url(http://x)"/>',
        "<style>*{display:none}</style>",
        '<a href="javascript:alert(1)"><text>x</text></a>',
        "<!-- <script> -->",
    ],
)
def test_a_drawing_keeps_only_shapes(evil: str) -> None:
    cleaned = safe_svg(SVG.format(evil + '<path d="M1 1L0 0"/>'))
    assert 'd="M1 1L0 0"' in cleaned
    for never in ("script", "alert", "http://x", "style", "href", "foreign"):
        assert never not in cleaned


@pytest.mark.parametrize(
    "broken", ["", "<svg", "<html></html>", '<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("&a;")]
)
def test_what_is_no_drawing_is_dropped(broken: str) -> None:
    assert safe_svg(broken) == ""


def test_numbers_for_people() -> None:
    assert count(126431) == "126,431"
    assert [figure(v) for v in (None, float("nan"), True, 4000, 0.61, "x")] == [
        "\u2013",
        "\u2013",
        "yes",
        "4,000",
        "0.610",
        "x",
    ]
