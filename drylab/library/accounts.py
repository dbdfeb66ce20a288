"""The manifest of a library, read without trust: whether what it says adds up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from drylab.errors import LibraryError
from drylab.library import layout, places
from drylab.library.checks import Finding

SUMS = "the manifest does not add up"

_SHAPE: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "library": {"rows": int, "version": int, "recipe": dict, "properties": list, "versions": list},
    "version": {
        "version": int,
        "rows": int,
        "sources": list,
        "shards": list,
        "duplicates": dict,
        "rejected": dict,
        "histograms": dict,
    },
    "source": {"path": str, "sha256": str, "read": int, "kept": int, "duplicates": int, "rejected": dict},
    "shard": {"file": str, "rows": int, "groups": list, "bytes": int, "sha256": str, "ranges": dict},
    "side file": {"file": str, "rows": int, "sha256": str},
    "histogram": {"edges": list, "counts": list},
}


def read_manifest(place: str) -> dict[str, Any]:
    """The manifest of a library, of which only the shape is known to be right. Raises LibraryError."""
    shown, where = places.shown(place), places.shown(places.join(place, layout.MANIFEST))
    try:
        manifest = json.loads(places.read_bytes(places.join(place, layout.MANIFEST)))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LibraryError(
            f"{shown}: not a drylab library (no {layout.MANIFEST}); make one with `drylab library build`"
        ) from error
    except OSError as error:
        raise LibraryError(
            f"{shown}: cannot be read ({places.said(error, place)}); check its name and permissions"
        ) from error
    except ValueError as error:
        raise LibraryError(f"{where}: not JSON ({places.said(error)}); build the library again") from error
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != layout.SCHEMA:
        raise LibraryError(f"{where}: schema is {schema!r}, expected {layout.SCHEMA!r}; build the library again")
    missing = next(_misshapen(manifest), None)
    if missing:
        raise LibraryError(f"{where}: {missing}; it was changed by hand, build the library again")
    return manifest


def _misshapen(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What is not there or of another kind than expected, outside in."""
    yield from _lacks("library", manifest)
    for version in manifest["versions"]:
        yield from _lacks("version", version)
        for kind, entries in (
            ("source", version["sources"]),
            ("shard", version["shards"]),
            ("side file", [version["duplicates"], version["rejected"]]),
            ("histogram", version["histograms"].values()),
        ):
            for entry in entries:
                yield from _lacks(kind, entry)


def _lacks(kind: str, entry: Any) -> Iterator[str]:
    for name, wanted in _SHAPE[kind].items():
        if not isinstance(entry, dict) or not isinstance(entry.get(name), wanted):
            yield f"{name!r} of a {kind} is missing or of another kind than expected"
            return


def account_troubles(manifest: Mapping[str, Any]) -> Iterator[Finding]:
    """Every sum of the manifest that is not the sum of its parts."""
    for what, said, parts in _sums(manifest):
        if said != parts:
            yield Finding(layout.MANIFEST, None, None, SUMS, f"{what}: it says {said}, the parts give {parts}")
    names = Counter(entry["file"] for version in manifest["versions"] for entry in version["shards"])
    for name, times in names.items():
        if times > 1:
            yield Finding(layout.MANIFEST, None, None, SUMS, f"{name} is named {times} times")


def _sums(manifest: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """(what, the number that is said, the number that its parts give)."""
    versions = manifest["versions"]
    yield "rows of the library", manifest["rows"], sum(version["rows"] for version in versions)
    yield "versions", manifest["version"], len(versions)
    for number, version in enumerate(versions, 1):
        at = f"version {number}"
        sources = version["sources"]
        rejected = sum(sum(source["rejected"].values()) for source in sources)
        yield f"the number of {at}", version["version"], number
        yield f"rows of {at}", version["rows"], sum(shard["rows"] for shard in version["shards"])
        yield f"rows kept of the sources of {at}", sum(source["kept"] for source in sources), version["rows"]
        yield f"duplicates of {at}", version["duplicates"]["rows"], sum(source["duplicates"] for source in sources)
        yield f"rejected of {at}", version["rejected"]["rows"], rejected
        for shard in version["shards"]:
            yield f"rows of {shard['file']}", shard["rows"], sum(shard["groups"])
        for source in sources:
            parts = source["kept"] + source["duplicates"] + sum(source["rejected"].values())
            yield f"rows read of {source['path']}", source["read"], parts
        for name, histogram in version["histograms"].items():
            yield f"histogram of {name} of {at}", sum(histogram["counts"]), version["rows"]
