"""What a small screen loads: counted in modules, since what it takes depends on the machine."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, sys
from drylab.cli import app
try:
    app(sys.argv[1:])
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
# Each takes a tenth of a second or more, and a screen on this machine needs none of them.
IDLE = ("torch", "torch_geometric", "sklearn", "pandas", "dask", "distributed", "cupy", "pyarrow.dataset", "IPython")


def loaded(*arguments: str) -> set[str]:
    """The modules in memory when a command has ended."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, timeout=600, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_a_screen_loads_what_it_needs(library: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    target.write_text(
        "schema: drylab.target/1\nname: start\ntarget: {panel: EGFR}\nproperties: {mw: {hard: [0, 900]}}\n"
    )
    modules = loaded("screen", str(target), "--library", str(library), "--out", str(tmp_path / "run"))
    assert (tmp_path / "run" / "hits.parquet").is_file()
    assert "drylab.finish" in modules
    assert not modules & set(IDLE)


def test_help_loads_no_chemistry_and_no_arrays() -> None:
    assert not loaded("--help") & {*IDLE, "numpy", "rdkit", "numba", "pyarrow", "pydantic"}
