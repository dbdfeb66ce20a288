"""What `check` says of a library: what need not be read, and what a vendor's own writing means."""

from __future__ import annotations

from pathlib import Path

from drylab.build import BuildOptions, build_library
from drylab.checking import check


def _target(folder: Path, more: str) -> Path:
    (folder / "known.csv").write_text("name,smiles\nethanol,CCO\n")
    file = folder / "target.yaml"
    file.write_text(f"name: x\ntarget: EGFR\nscreen: {{library: library}}\n{more}")
    return file


def test_rows_that_no_shard_is_read_for_are_said(tmp_path: Path, library: Path) -> None:
    file = _target(tmp_path, "properties: {mw: {hard: [420, 425]}}\n")
    said = dict(check(file, library).lines)["library"]
    assert "are filtered without being read" in said
    assert "without being read" not in dict(check(_target(tmp_path, ""), library).lines)["library"]


def test_a_vendors_writing_is_said_where_molecules_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("OCC a\nCCN b\nc1ccccc1CCO c\n")
    build_library(tmp_path / "a.smi", tmp_path / "library", options=BuildOptions("none"))
    known = "known: {exclude: {file: known.csv, smiles: smiles, id: name}}\n"
    said = dict(check(_target(tmp_path, known)).lines)["known"]
    assert "only where RDKit writes them alike: 1 of 3 rows that were compared" in said
    assert "vendor" not in dict(check(_target(tmp_path, "")).lines)["known"]
