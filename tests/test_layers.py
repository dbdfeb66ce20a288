"""Who may import whom (docs/decisions/0001 shows the picture), and which files are the doors to heavy packages."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "drylab"
LEVELS = {
    "device": 0, "errors": 0, "progress": 0, "quantities": 0, "energy": 0, "arrow": 0, "resources": 1, "types": 1, "config": 2,
    "kernels": 10,
    "featurize": 19, "library": 20, "score": 20, "reduce": 20, "execute": 20,
    "measured": 21, "predictions": 2, "measuring": 21, "probing": 22, "forecast": 23, "candidates": 21, "streaming": 21, "stages": 21, "rescoring": 22,
    "ingest": 25, "intake": 26, "assembling": 27, "publishing": 27, "resuming": 28,
    "report": 30, "train": 30,
    "build": 32, "question": 29, "asking": 30, "folding": 31, "certifying": 32, "cascading": 33,
    "planning": 33, "refining": 30, "finish": 33, "record": 33, "opening": 33,
    "rowchecks": 31, "verifying": 32, "exporting": 31,
    "fitting": 34, "predicting": 34, "evaluating": 34, "showing": 34,
    "screening": 34,
    "checking": 35, "demo": 35, "plans": 34, "describing": 35, "foreseeing": 36,
    "terminal": 37, "terminal_library": 38, "terminal_plan": 38, "terminal_models": 38, "cli_options": 38, "cli_library": 39, "cli_plan": 39, "cli_models": 39,
    "__init__": 37,
    "cli": 40,
}  # fmt: skip
DOORS = {
    "rdkit": ("library/canonical.py", "library/sdf.py", "featurize/reference.py", "featurize/curation.py", "featurize/smarts.py", "featurize/alerts.py", "finish.py", "report/depict.py"),
    "pyarrow": ("arrow.py", "types.py", "library/", "report/", "featurize/", "finish.py", "ingest.py"),
    "numba": ("kernels/", "device.py"),
    "llvmlite": ("kernels/",),
    "cupy": ("kernels/", "device.py"),
    "torch": ("train/", "score/encoder.py"),
    "torch_geometric": ("train/", "score/encoder.py"),
    "sklearn": ("train/",),
    "dask": ("execute.py",),
    "distributed": ("execute.py",),
    "dask_cuda": ("execute.py",),
    "typer": ("cli.py", "cli_library.py", "cli_options.py", "cli_plan.py", "cli_models.py", "terminal.py"),
    "rich": ("terminal.py", "terminal_library.py", "terminal_plan.py", "terminal_models.py"),
    "yaml": ("config/", "report/sections.py"),
    "pydantic": ("config/",),
    "pynvml": ("energy.py",),
    "parasail": ("score/align.py",),
    "safetensors": ("score/model.py", "score/fitted.py", "showing.py", "train/"),
    "scipy": ("score/", "train/"),
    "threadpoolctl": ("refining.py",),
    "pandas": ("types.py", "predictions.py", "train/"),
}  # fmt: skip
FILES = sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of every import anywhere in the file; ``from a import b`` counts as a.b."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; write the whole name"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    assert here in LEVELS, f"{path.name} is in no layer; give it one"
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] != "drylab":
            continue
        assert len(parts) > 1, f"{path}:{line}: imports the package root"
        there = parts[1]
        if there not in LEVELS:  # from drylab import name: a room or nothing
            pytest.fail(f"{path}:{line}: {name} is in no layer")
        assert there == here or LEVELS[there] < LEVELS[here], f"{path}:{line}: {here} may not import {there}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_packages_come_in_by_their_doors(path: Path) -> None:
    here = path.relative_to(ROOT).as_posix()
    for line, name in imports(path):
        doors = DOORS.get(name.split(".")[0])
        if doors is not None:
            assert here.startswith(doors), f"{path}:{line}: {name} may be imported in {', '.join(doors)} only"
    if here.startswith("train/"):
        return
    screening = {"torch", "torch_geometric", "sklearn"}
    if here != "score/encoder.py":
        names = {name.split(".")[0] for _, name in imports(path)} | {name for _, name in imports(path)}
        assert not names & (screening | {"drylab.score.encoder"}), f"{path}: a screen must not need torch"


def test_every_layer_exists() -> None:
    there = {room(path) for path in FILES}
    assert set(LEVELS) == there, "a layer without files, or a file without a layer"
