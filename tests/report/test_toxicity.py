"""The marks of the toxicity panel: what each state is, what is said of it, and that all can be read."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from drylab.report.html import template
from drylab.report.page import page
from drylab.report.toxicity import STATES, legend, panel, state
from drylab.score.endpoint_table import ENDPOINTS, Endpoint
from tests.report import sample

HITS = sample.panelled()


def told(one: Endpoint, **changes: Any) -> dict[str, Any]:
    return {**asdict(one), "usual": {"amber": one.amber, "red": one.red}, "amber": None, **changes}


def of_class(name: str, said: str | None, probability: float | None, **changes: Any) -> str:
    return state(told(ENDPOINTS[name], **changes), {f"{name}_set": said, f"{name}_prob": probability})


@pytest.mark.parametrize(
    ("said", "probability", "code"),
    [
        ("{mutagenic}", 0.5, "R"),
        ("{mutagenic}", 0.49, "r"),
        ("{not mutagenic}", 0.9, "c"),
        ("{both}", 0.9, "u"),
        ("{both}", 0.0, "u"),
        ("{}", 0.5, "o"),
        (None, None, ""),
    ],
)
def test_a_class_is_what_its_set_says(said: str | None, probability: float | None, code: str) -> None:
    assert of_class("ames", said, probability) == code


def test_the_limit_of_the_target_file_comes_before_the_usual_one() -> None:
    assert of_class("ames", "{mutagenic}", 0.3, amber=0.3) == "R"
    herg = {"herg_low": 5.1, "herg_high": 6.0}
    assert state(told(ENDPOINTS["herg"]), herg) == "R"
    assert state(told(ENDPOINTS["herg"], amber=5.5), herg) == "u"
    assert state(told(ENDPOINTS["herg"], amber=6.5), herg) == "c"


def test_a_property_is_neither_good_nor_bad_and_an_end_belongs_to_the_flag() -> None:
    assert of_class("bbb", "{enters the brain}", 0.9) == "+"
    assert of_class("bbb", "{stays out}", 0.1) == "-"
    assert state(told(ENDPOINTS["herg"]), {"herg_low": 5.0, "herg_high": 6.0}) == "R"
    assert state(told(ENDPOINTS["herg"]), {"herg_low": 4.0, "herg_high": 5.0}) == "u"
    assert state(told(ENDPOINTS["herg"]), {"herg_low": float("nan"), "herg_high": 5.0}) == ""
    wanted = told(ENDPOINTS["herg"], bad="low")
    assert state(wanted, {"herg_low": 3.0, "herg_high": 4.9}) == "R"
    assert state(wanted, {"herg_low": 5.1, "herg_high": 6.9}) == "c"


def test_the_page_has_a_mark_an_endpoint_and_a_legend_that_is_honest() -> None:
    text = page(HITS)
    data = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[0])
    assert {len(marks) for marks in data["marks"]} == {len(sample.PANEL)}
    assert {one["name"] for one in data["panel"]} == set(sample.PANEL)
    assert set("".join(data["marks"])) == set("Rruoc+-"), "the sample has every state"
    assert set("".join(data["marks"])) <= set(data["states"])
    assert "no opinion</strong>: nothing is ruled out; this is not \u201csafe\u201d" in text
    assert "The ranking is by the score" in text
    assert "Probability that the molecule is mutagenic" in text[text.index('id="toxicity-title"') :]


def test_a_model_without_a_panel_has_no_marks() -> None:
    plain = sample.hits(3, 3)
    assert panel(plain.run) == []
    assert legend(plain.run, plain.table.column_names) == ""
    assert '"panel":[]' in page(plain)


def colours(style: str) -> Mapping[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", style))


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 (https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_mark_can_be_read_and_has_a_sign_of_its_own(scheme: str) -> None:
    style = template("style.css")
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    named = colours(light) | (colours(dark[: dark.index("* {")]) if scheme == "dark" else {})
    for each in STATES[:-1]:
        rule = re.findall(rf"^\.{each.kind} {{ (.*?) }}", style, re.MULTILINE)[0]
        ink = re.findall(r"(?<!-)color: var\(--([a-z-]+)\)", rule)[0]
        ground = re.findall(r"background: var\(--([a-z-]+)\)", rule) or ["paper"]
        assert contrast(named[ink], named[ground[0]]) >= 4.5, (scheme, each.name)
    signs = [each.sign for each in STATES]
    assert len(set(signs)) == len(signs)
