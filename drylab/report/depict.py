"""Molecules as small pictures and as SD records: the only file of this room that uses RDKit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

WIDTH, HEIGHT = 240, 180
# Blue and orange stay apart for every common kind of colour blindness, and both read on white and on near-black.
LOWERS, RAISES = "#3d85d1", "#ee8419"
# Below this share of the largest contribution an atom is left plain: a picture where everything glows says nothing.
_QUIET = 0.08
_BOND_PX = 22.0

_PATH = re.compile(r"<path (?:class='[^']*' )?d='([^']*)' style='([^']*)'")
_TEXT = re.compile(r"<text x='([^']*)' y='([^']*)'[^>]*? style='([^']*)' >(.*?)</text>")
_LONG = re.compile(r"-?\d+\.\d\d+")
_IDLE = re.compile(r"\.0(?!\d)| +(?=[MLCQZ])|(?<=[MLCQZ]) +")


def picture(smiles: str, contributions: Sequence[float] | None = None) -> str:
    """Draw a molecule as an SVG element of 240 x 180 to set inside a page, in the colour of the text around it.

    ``contributions`` (a,), in the atom order of ``smiles``, shades the atoms: blue lowers the score, orange raises it,
    strength relative to the largest of this molecule. It has no ids, no style and no outside references, so a page can
    hold thousands. A SMILES that RDKit cannot read gives a picture that says so; a wrong number of contributions is a
    ValueError.
    """
    molecule = _read(smiles)
    if molecule is None or molecule.GetNumAtoms() == 0:
        return _frame(
            f'<text x="{WIDTH // 2}" y="{HEIGHT // 2}" text-anchor="middle" font-size="12" fill="currentColor">'
            "no picture: RDKit cannot read it</text>"
        )
    if contributions is not None and len(contributions) != molecule.GetNumAtoms():
        raise ValueError(
            f"picture: {len(contributions)} contributions for the {molecule.GetNumAtoms()} atoms of {smiles}"
        )
    drawer = _draw(molecule, 0.06 if contributions is None else 0.11)
    shades = "" if contributions is None else _shades(drawer, molecule, contributions)
    return _frame(shades + _compact(drawer.GetDrawingText()))


def sdf(rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as SD records with 2D coordinates: title = id, and a tag for every column that is not a list.

    A row needs ``id`` and ``smiles``. Nulls have no tag; line breaks in a value become spaces; a SMILES that RDKit
    cannot read gives a record without atoms, so that the number of records is the number of rows.
    """
    return "".join(_record(row) for row in rows)


@lru_cache(
    maxsize=256
)  # a hit is drawn for the report and written as a record: laid out once, where both are done here
def _read(smiles: str) -> Chem.Mol | None:
    """The molecule with its layout, not to be changed; None where RDKit cannot read it."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is not None:
        rdDepictor.Compute2DCoords(molecule, canonOrient=True)
        if molecule.GetNumBonds():
            rdDepictor.StraightenDepiction(molecule)
    return molecule


def _draw(molecule: Chem.Mol, padding: float) -> rdMolDraw2D.MolDraw2DSVG:
    # The last argument asks for text instead of outlines of letters: a tenth of the bytes.
    drawer = rdMolDraw2D.MolDraw2DSVG(WIDTH, HEIGHT, -1, -1, True)
    options: Any = drawer.drawOptions()
    options.clearBackground = False
    options.useBWAtomPalette()
    options.fixedBondLength = _BOND_PX
    options.bondLineWidth = 1.4
    options.minFontSize = 9
    options.scaleBondWidth = False
    options.padding = padding
    drawer.DrawMolecule(molecule)
    drawer.FinishDrawing()
    return drawer


def _frame(inside: str) -> str:
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif">{inside}</svg>'


def _shades(drawer: rdMolDraw2D.MolDraw2DSVG, molecule: Chem.Mol, contributions: Sequence[float]) -> str:
    values = [float(c) if math.isfinite(c) else 0.0 for c in contributions]
    largest = max(map(abs, values), default=0.0)
    if largest == 0.0:
        return ""
    spots = [drawer.GetDrawCoords(atom) for atom in range(molecule.GetNumAtoms())]
    radius = 0.62 * _bond_length(molecule, spots)
    circles: dict[str, list[str]] = {LOWERS: [], RAISES: []}
    for value, spot in zip(values, spots, strict=True):
        share = abs(value) / largest
        if share >= _QUIET:
            # Size and opacity both grow with the share, so the map survives a grey printer.
            r, opacity = radius * (0.45 + 0.55 * share), 0.15 + 0.6 * share
            circles[RAISES if value > 0 else LOWERS].append(
                f'<circle cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="{r:.1f}" opacity="{opacity:.2f}"/>'
            )
    return "".join(f'<g fill="{colour}">{"".join(group)}</g>' for colour, group in circles.items() if group)


def _bond_length(molecule: Chem.Mol, spots: Sequence[Any]) -> float:
    lengths = sorted(
        math.hypot(
            spots[b.GetBeginAtomIdx()].x - spots[b.GetEndAtomIdx()].x,
            spots[b.GetBeginAtomIdx()].y - spots[b.GetEndAtomIdx()].y,
        )
        for b in molecule.GetBonds()
    )
    return lengths[len(lengths) // 2] if lengths else _BOND_PX


def _compact(drawing: str) -> str:
    """RDKit's drawing with one path for each pen and no style attributes (a strict content policy forbids them)."""
    pens: dict[tuple[str, str, str], list[str]] = {}
    found = _PATH.findall(drawing)
    for shape, (_, style) in zip(_short([shape for shape, _ in found]), found, strict=True):
        css = _css(style)
        pen = (
            css.get("fill", "none"),
            css.get("stroke-width", "1px").removesuffix("px"),
            css.get("stroke-dasharray", ""),
        )
        pens.setdefault(pen, []).append(shape)
    return "".join(_path(pen, shapes) for pen, shapes in pens.items()) + _labels(drawing)


def _path(pen: tuple[str, str, str], shapes: list[str]) -> str:
    fill, width, dashes = pen
    dash = f' stroke-dasharray="{dashes}"' if dashes and dashes != "none" else ""
    ink = "none" if fill == "none" else "currentColor"
    # Consecutive strokes of one bond chain share an end; the second "move" is then left out.
    path = "".join(_joined(shapes))
    return f'<path d="{path}" fill="{ink}" stroke="currentColor" stroke-width="{width}" stroke-linecap="round"{dash}/>'


def _joined(shapes: list[str]) -> Iterable[str]:
    yield shapes[0]
    for before, after in pairwise(shapes):
        start, _, rest = after[1:].partition("L")
        yield f"L{rest}" if before.endswith(f"L{start}") and rest else after


def _labels(drawing: str) -> str:
    sizes: dict[str, list[str]] = {}
    for x, y, style, letter in _TEXT.findall(drawing):
        size = _css(style).get("font-size", "12px").removesuffix("px")
        sizes.setdefault(size, []).append(f'<text x="{x}" y="{y}">{letter}</text>')
    return "".join(
        f'<g fill="currentColor" font-size="{size}">{"".join(letters)}</g>' for size, letters in sizes.items()
    )


@lru_cache(maxsize=512)  # a drawing has a few pens and hundreds of strokes
def _css(style: str) -> Mapping[str, str]:
    return dict(part.split(":", 1) for part in style.split(";") if ":" in part)


def _short(shapes: Sequence[str]) -> list[str]:
    """Path data with at most one decimal a number, which is what RDKit writes, and without idle zeros and spaces."""
    whole = _LONG.sub(lambda number: f"{float(number[0]):.1f}", "\n".join(shapes))
    return _IDLE.sub("", whole).split("\n") if shapes else []


def _record(row: Mapping[str, Any]) -> str:
    molecule = Chem.Mol(_read(str(row["smiles"])) or Chem.Mol())
    title = one_line(row["id"])
    molecule.SetProp("_Name", title)
    tags = [
        f">  <{_tag_name(name)}>\n{one_line(value)}\n\n"
        for name, value in row.items()
        if value is not None and not isinstance(value, (list, dict))
    ]
    return f"{Chem.MolToMolBlock(molecule)}{''.join(tags)}$$$$\n"


def _tag_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def one_line(value: Any) -> str:
    """A value on one line that no SD reader takes for a tag or for the end of the record."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(round(value, 4)) if isinstance(value, float) else str(value)
    text = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text).strip()
    return f"'{text}" if text.startswith(("$$$$", ">")) else text
