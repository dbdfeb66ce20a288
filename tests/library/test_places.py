"""Places on a disk and in a store: a library reads the same from both. The store is a real server that speaks S3."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from drylab.errors import InputError, LibraryError
from drylab.library import places
from drylab.library.pruning import plan
from drylab.library.reading import read_keys, read_shard, scan
from drylab.library.store import file_sha256, is_library, open_library, read_rejected, write_manifest
from drylab.types import Rejected
from tests.library.made_library import write
from tests.library.test_store import refused, sample


@pytest.fixture(scope="module")
def there(store: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a library of 50 + 10 rows."""
    home = write(
        tmp_path_factory.mktemp("there") / "lib",
        [sample(50), sample(10, 50)],
        rejected=[Rejected("f", 1, "i", "x", "read", "why")],
    )
    address = f"s3://lab/some folder/lib?{store}"
    for place, _ in places.files_below(str(home)):
        places.copy_in(place, places.join(address, str(Path(place).relative_to(home))))
    return address


def test_a_library_in_a_store(there: str) -> None:
    assert is_library(there)
    assert not is_library(places.join(there, "shards"))
    library = open_library(there)
    want = pa.concat_tables([sample(50), sample(10, 50)])
    assert pa.concat_tables(scan(library)).equals(want)
    assert pa.concat_tables(scan(library, ["mw"])).equals(want.select(["mw"]))
    shards = library.shards(groups=2)
    read = [text for shard in shards for batch in read_shard(shard, 5) for text in batch.strings()]
    assert read == want["smiles"].to_pylist()
    assert len(next(read_keys(shards[0]))) == 14
    found = plan(library, (("mw", 0, 110),))
    assert found.account() == {"all": 10, "read": 4, "skipped": 6, "keys_read": 0}
    assert [row.reason for row in read_rejected(library, 9)] == ["why", "why"]
    entry = library.entries()[0]
    assert file_sha256(entry["path"]) == entry["sha256"]


def test_addresses_without_a_key_show_none(there: str, store: str) -> None:
    library = open_library(there)
    assert library.shown.endswith("&access_key=***&secret_key=***")
    assert places.name(there) == "lib"
    for message in (
        refused(lambda: open_library(f"s3://lab/nothing?{store}")),
        refused(lambda: open_library(f"s3://no-bucket/lib?{store}")),
        refused(lambda: library.shards(7)),
        refused(lambda: list(read_shard(library.shards()[0].__class__("s3://lab/none?" + store, 0, 1, 0, "x"), 5))),
    ):
        assert "s%2F" not in message
        assert "s/+" not in message
        assert "reader" not in message
    with pytest.raises(InputError, match=r"s3://lab: no such store \(.*'fuel'") as caught:
        places.info(f"s3://lab/x?fuel=1&{store}")
    assert "s%2F" not in str(caught.value)
    assert places.shown("s3://me:secret@b/x?region=a&session_token=t") == "s3://***@b/x?region=a&session_token=***"
    assert places.shown("a/b?secret_key=c") == "a/b?secret_key=c"
    with pytest.raises(InputError, match=r"carrier://pigeon: no such store \(.*known are s3://, gs://"):
        places.info("carrier://pigeon/x")


def test_files_of_a_store(store: str) -> None:
    home = f"s3://lab/files/?{store}"
    assert places.info(home).kind == ""
    write_manifest(home, {"a": 1})
    places.write_bytes(places.join(home, "deep", "er"), b"xyz")
    below = [(places.shown(place).partition("?")[0], size) for place, size in places.files_below(home)]
    assert below == [("s3://lab/files/deep/er", 3), ("s3://lab/files/manifest.json", 12)]
    assert places.info(home).kind == "folder"
    assert places.info(places.join(home, "deep/er")) == places.Info("file", 3)
    with places.open_file(places.join(home, "deep/er")) as file:
        assert file.read_at(2, 1) == b"yz"
    with pytest.raises(FileNotFoundError, match="not exist"):
        places.open_stream(places.join(home, "nothing"))
    assert list(places.files_below(places.join(home, "nothing"))) == []


def test_what_is_missing_in_a_store(there: str, store: str) -> None:
    write_manifest(f"s3://lab/half?{store}", open_library(there).manifest)
    say = "4 shard files are missing, the first is shards/v1-00000.parquet"
    assert say in refused(lambda: open_library(f"s3://lab/half?{store}"))


def test_files_of_a_disk(tmp_path: Path) -> None:
    home = str(tmp_path)
    (tmp_path / "ü").mkdir()
    places.write_bytes(places.join(home, "ü", "a b"), b"xyz")
    assert list(places.files_below(home)) == [(f"{home}/ü/a b", 3)]
    assert places.read_bytes(f"file://{home}/ü/a b") == b"xyz"
    assert [places.info(place).kind for place in (home, f"{home}/ü/a b", f"{home}/no", "\0", "x" * 5000)] == [
        "folder", "file", "", "", ""
    ]  # fmt: skip
    assert places.absolute("a/../b") == str(Path.cwd() / "b")
    for name in ("\0", "\udcff"):
        with pytest.raises(OSError, match="not a path that pyarrow can open"):
            places.read_bytes(name)


@pytest.mark.slow  # it is asked again for some seconds
def test_a_store_that_does_not_answer() -> None:
    address = "s3://lab/lib?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1&access_key=a&secret_key=b"
    with pytest.raises(LibraryError, match=r"^s3://lab/lib.*secret_key=\*\*\*: cannot be read \("):
        is_library(address)
