"""Hypothesis set for shared machines and repeatable runs, and fixtures that several rooms' tests use."""

import sys
from collections.abc import Iterator
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
    from drylab.library import layout
    from drylab.library.embedded import drugs, products

    folder = tmp_path_factory.mktemp("library")
    rows = [*islice(products(), 900), *((drug.name, drug.smiles) for drug in drugs())]
    text = [f"{smiles}\t{ident}" for ident, smiles in rows]
    text[5:5] = ["C1CC broken", "[Na+].[Cl-] salt", f"{'C' * 300} paraffin"]
    (folder / "molecules.smi").write_text("\n".join(text) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "GROUP_ROWS", 300)
        build_library(folder / "molecules.smi", folder / "lib")
    return folder / "lib"


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """A server that speaks S3, with a bucket "lab": what stands behind the ``?`` of an address there."""
    from moto.server import ThreadedMotoServer
    from pyarrow import fs

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = f"endpoint_override={host}:{port}&scheme=http&region=us-east-1&access_key=reader&secret_key=s%2F%2B+t"
    fs.S3FileSystem(
        access_key="reader", secret_key="s/+ t", endpoint_override=f"http://{host}:{port}", allow_bucket_creation=True
    ).create_dir("lab")
    yield options
    server.stop()


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Run ``drylab ARGS`` in this process: (exit code, what it printed, what it said on the error stream)."""
    from drylab import cli

    def run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["drylab", *map(str, args)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return run
