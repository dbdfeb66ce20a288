"""Every code block of README and docs runs, in order, in one folder a page.

bash and python blocks are run; a yaml block whose first line is a comment with a file name becomes that file. The set-up
(sh blocks) makes the environment itself: `.ci/run` runs those commands, which is checked here.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page: Path, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for kind, text in blocks(page):
        if kind == "yaml":
            name = re.match(r"# (\S+\.ya?ml)\b", text)
            if name:
                (tmp_path / name[1]).write_text(text)
        elif kind in ("bash", "python"):
            command = ["bash", "-euo", "pipefail", "-c", text] if kind == "bash" else [sys.executable, "-c", text]
            done = subprocess.run(
                command,
                cwd=tmp_path,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, f"{page.name}:\n{text}\n{done.stdout}{done.stderr}"
        else:
            assert kind in ("sh", "text"), f"{page.name}: a block of kind {kind!r} is run by nothing"


def test_set_up_is_what_ci_runs() -> None:
    setup = [line.split("#")[0].strip() for kind, text in blocks(PAGES[0])[:1] for line in text.splitlines()]
    assert setup == ["make demo", "make test"]
    script = (ROOT / ".ci" / "run").read_text()
    assert all(re.search(rf"^time {command}$", script, re.MULTILINE) for command in setup)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", page.read_text()))
    for link in re.findall(r"\]\(([^)#:]+)\)", prose):
        assert (page.parent / link).exists(), f"{page.name}: {link}"
