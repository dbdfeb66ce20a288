"""Hypothesis set for shared machines and repeatable runs, and fixtures that several rooms' tests use."""

from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the first call of a kernel compiles it. Derandomized: a failure can be run again.
settings.register_profile("drylab", deadline=None, derandomize=True)
settings.load_profile("drylab")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the public data sets (../shared/data) are not here")
    return folder
