"""Hypothesis set for shared machines and repeatable runs, and fixtures that several rooms' tests use."""

from itertools import islice
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


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of 900 demonstration products and all drugs, built from a .smi file with three rows that are no good.

    Row groups are made small, so that it has several shards.
    """
    from drylab.build import build_library
    from drylab.library import store
    from drylab.library.embedded import drugs, products

    folder = tmp_path_factory.mktemp("library")
    rows = [*islice(products(), 900), *((drug.name, drug.smiles) for drug in drugs())]
    text = [f"{smiles}\t{ident}" for ident, smiles in rows]
    text[5:5] = ["C1CC broken", "[Na+].[Cl-] salt", f"{'C' * 300} paraffin"]
    (folder / "molecules.smi").write_text("\n".join(text) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "GROUP_ROWS", 300)
        build_library(folder / "molecules.smi", folder / "lib")
    return folder / "lib"
