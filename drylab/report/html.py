"""Safe HTML from strings: what is not Html is escaped, so a value from the data can never become markup."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from html import escape
from importlib.resources import files
from string import Template
from typing import Any
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = {"svg", "g", "path", "circle", "ellipse", "line", "polyline", "polygon", "rect", "text", "tspan", "title"}
_ATTRIBUTES = frozenset(
    [
        "width",
        "height",
        "viewBox",
        "role",
        "x",
        "y",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "d",
        "points",
        "transform",
        "opacity",
        "fill",
        "fill-opacity",
        "fill-rule",
        "stroke",
        "stroke-width",
        "stroke-opacity",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-dasharray",
        "font-size",
        "font-family",
        "font-weight",
        "text-anchor",
        "dominant-baseline",
    ]
)


class Html(str):
    """Markup that is already safe to set inside a page."""

    __slots__ = ()


def safe(value: Any) -> Html:
    """A value as markup: Html as it is, everything else escaped, for text and for quoted attributes; None is empty."""
    if isinstance(value, Html):
        return value
    return Html("" if value is None else escape(str(value), quote=True))


def tag(name: str, *children: Any, **attributes: Any) -> Html:
    """One element; ``class_`` is class, ``data_count`` is data-count; None and False leave an attribute out."""
    inside = "".join(safe(child) for child in children)
    return Html(f"<{name}{''.join(_attribute(*pair) for pair in attributes.items())}>{inside}</{name}>")


def join(parts: Any, between: str = "") -> Html:
    """Parts in a row, each made safe."""
    return Html(safe(between).join(safe(part) for part in parts))


def fill(page: str, /, **parts: Any) -> Html:
    """A template with its ``$names`` filled; a name without a value is a KeyError, as a template is not data."""
    return Html(Template(page).substitute({name: safe(part) for name, part in parts.items()}))


def template(*names: str) -> str:
    """Files of the template folder, one after the other."""
    folder = files("drylab.report") / "template"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def json_block(value: Any) -> Html:
    """JSON to set inside a script element of type application/json; nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Html(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def source_hash(source: str) -> str:
    """What a content security policy calls an inline script or style by: 'sha256-...'."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def safe_svg(drawing: str) -> str:
    """A drawing with only shapes, text and plain colours left; "" if it is not well-formed XML or not an SVG."""
    # A document type could define entities that grow without end; a drawing needs none.
    if "<!DOCTYPE" in drawing.upper():
        return ""
    try:
        root = ElementTree.fromstring(drawing)
    except ElementTree.ParseError:
        return ""
    if root.tag.removeprefix(_SVG) != "svg":
        return ""
    return _shape(root).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)


def count(number: int | float) -> str:
    """A count with thousands apart: 126,431."""
    return f"{int(number):,}"


def figure(value: Any, digits: int = 3) -> str:
    """A number for people: integers whole, others with at most ``digits`` decimals, an en dash where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) >= 1000):
        return count(value)
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{safe(value)}"'


def _shape(element: ElementTree.Element) -> str:
    name = element.tag.removeprefix(_SVG)
    kept = "".join(
        f' {key}="{escape(value)}"'
        for key, value in element.attrib.items()
        if key in _ATTRIBUTES and "url(" not in value
    )
    inside = escape(element.text or "") + "".join(
        _shape(child) + escape(child.tail or "") for child in element if child.tag.removeprefix(_SVG) in _SHAPES
    )
    return f"<{name}{kept}>{inside}</{name}>" if inside else f"<{name}{kept}/>"
