"""The file of alert programs: up to date, what would be compiled, and left alone where it does not fit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from drylab.featurize import alerts, stored
from drylab.featurize.desirability import STRUCTURAL_ALERTS


def test_the_file_is_of_this_rdkit_and_of_this_compiler() -> None:
    again = "make it again: PYTHONHASHSEED=0 python -m drylab.featurize.precompile"
    catalogs, qed = stored.read("catalogs"), stored.read("qed")
    assert catalogs is not None, again
    assert qed is not None, again
    assert qed.names == STRUCTURAL_ALERTS
    assert sorted({*catalogs.catalogs}) == sorted(alerts.CATALOGS)
    assert alerts.compiled(alerts.CATALOGS).names == catalogs.names


def test_the_file_is_what_compiling_gives(tmp_path: Path) -> None:
    made = tmp_path / "alerts.npz"
    # Another process, since compiling goes over sets, and their order is drawn when Python starts.
    subprocess.run(
        [sys.executable, "-m", "drylab.featurize.precompile", str(made)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=True,
    )
    with np.load(made) as ours, np.load(stored.FILE) as shipped:
        assert sorted(ours) == sorted(shipped)
        for name in ours:
            assert np.array_equal(ours[name], shipped[name]), name


@pytest.mark.parametrize("said", ["RDKit 1999.09.1, compiler 0", ""])
def test_a_file_made_with_something_else_is_not_read(tmp_path: Path, said: str) -> None:
    other = tmp_path / "alerts.npz"
    with np.load(stored.FILE) as shipped:
        np.savez(other, allow_pickle=False, **{**shipped, "made with": np.array(said)})
    assert stored.read("qed", other) is None
    assert stored.read("qed", tmp_path / "none.npz") is None


def test_without_the_file_alerts_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = alerts.compiled(("brenk",))
    monkeypatch.setattr(stored, "read", lambda key: None)
    compiled = alerts.compile_catalogs(("brenk",))
    assert (compiled.names, compiled.catalogs) == (kept.names, kept.catalogs)
    assert set(compiled.catalogs) == {"brenk"}
