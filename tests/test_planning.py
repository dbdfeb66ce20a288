"""A dry run says what a build would do, refuses what it would refuse, and writes nothing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from drylab.build import BuildOptions, build_library
from drylab.errors import InputError, LibraryError
from drylab.execute import processes
from drylab.planning import plan_build
from tests.test_build import alkanes, files_in, write


def test_small_sources_are_counted_and_large_ones_estimated(tmp_path: Path) -> None:
    small = write(tmp_path / "a.csv", [*alkanes(50), "C1CC"])
    large = tmp_path / "b.smi.gz"
    large.write_bytes(gzip.compress("".join(f"{'C' * (i % 40 + 1)}O id-{i}\n" for i in range(400_000)).encode(), 1))
    before = files_in(tmp_path)
    plan = plan_build([small, large], executor=processes(3))
    assert files_in(tmp_path) == before
    assert [(one.rows, one.exact) for one in plan.sources[:1]] == [(51, True)]
    assert plan.sources[0].rejected == {"RDKit cannot parse it": 1}
    assert not plan.sources[1].exact
    assert plan.sources[1].rows == pytest.approx(400_000, rel=0.2)
    assert plan.workers == 3
    assert "about" in str(plan)
    assert str(large) in str(plan)


def test_a_limit_ends_the_plan(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.smi", alkanes(30)) for name in "abc"]
    assert [one.rows for one in plan_build(paths, BuildOptions(limit=40)).sources] == [30, 10]


def test_what_is_added_takes_the_recipe_of_the_library(tmp_path: Path) -> None:
    path = write(tmp_path / "a.smi", alkanes(9))
    with pytest.raises(LibraryError, match="not a drylab library"):
        plan_build(path, onto=tmp_path / "lib")
    build_library(path, tmp_path / "lib", options=BuildOptions("none"))
    assert plan_build(path, onto=tmp_path / "lib").recipe == "none"
    with pytest.raises(LibraryError, match="was built with recipe name none"):
        plan_build(path, BuildOptions("standard"), onto=tmp_path / "lib")
    assert plan_build(path).recipe == "standard"


def test_what_a_build_refuses_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        plan_build(tmp_path / "a.smi")
    with pytest.raises(InputError, match="holds no rows"):
        plan_build(write(tmp_path / "a.smi", []))
