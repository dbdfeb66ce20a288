"""What a library is, in numbers: rows, files, sources, and how its properties are spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa

from drylab.library import layout, places
from drylab.library.store import Library, open_library

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def library_info(library: str | Path | Library) -> dict[str, Any]:
    """What a library holds and where it came from, ready for JSON. Reads its manifest and sizes of files, no rows.

    rows, version, recipe, bytes   of all of it; bytes on disk, by kind and in total
    versions    version, drylab, rows, read, duplicates, rejected (reason -> rows), files, bytes of each
    sources     version, path, sha256, bytes, read, kept, duplicates, rejected (reason -> rows) of each
    properties  edges and counts of the histogram of each property, whose outermost bins also count what lies beyond them,
                and quantiles ("0.05": value) read off it, to within a bin

    Raises LibraryError where there is no library.
    """
    opened = library if isinstance(library, Library) else open_library(library)
    manifest = opened.manifest
    versions = [_version(opened.path, version) for version in manifest["versions"]]
    sizes: Counter[str] = Counter()
    for version in versions:
        sizes.update(version["bytes"])
    sizes["manifest"] = places.info(places.join(opened.path, layout.MANIFEST)).size
    return {
        "path": opened.shown,
        "schema": manifest["schema"],
        "rows": manifest["rows"],
        "version": manifest["version"],
        "recipe": dict(manifest["recipe"]),
        "bytes": {**sizes, "total": sizes.total()},
        "versions": versions,
        "sources": [
            {"version": version["version"], **source}
            for version in manifest["versions"]
            for source in version["sources"]
        ],
        "properties": _properties(manifest["versions"]),
    }


def _version(path: str, version: Mapping[str, Any]) -> dict[str, Any]:
    rejected: Counter[str] = Counter()
    for source in version["sources"]:
        rejected.update(source["rejected"])
    sizes = {name: places.info(places.join(path, version[name]["file"])).size for name in ("duplicates", "rejected")}
    return {
        "version": version["version"],
        "drylab": version.get("drylab", ""),
        "rows": version["rows"],
        "read": sum(source["read"] for source in version["sources"]),
        "duplicates": sum(source["duplicates"] for source in version["sources"]),
        "rejected": dict(rejected.most_common()),
        "files": len(version["shards"]),
        "bytes": {"shards": sum(shard["bytes"] for shard in version["shards"]), **sizes},
    }


def _properties(versions: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Histograms of all versions together; a property whose bins are not alike in all of them is left out."""
    found = {}
    for name in layout.PROPERTIES:
        parts = [version["histograms"][name] for version in versions if name in version["histograms"]]
        if not parts or any(part["edges"] != parts[0]["edges"] for part in parts):
            continue
        counts = [sum(column) for column in zip(*(part["counts"] for part in parts), strict=True)]
        whole = pa.types.is_integer(layout.PROPERTIES[name])
        quantiles = {f"{share:g}": quantile(parts[0]["edges"], counts, share, whole) for share in QUANTILES}
        found[name] = {"edges": parts[0]["edges"], "counts": counts, "quantiles": quantiles}
    return found


def quantile(edges: Sequence[float], counts: Sequence[int], share: float, whole: bool = False) -> float | None:
    """The value that ``share`` of the rows do not pass, from a histogram: within its bin as if rows were spread evenly.

    edges  m + 1 rising      counts  m      whole  values are whole numbers, and so is the answer
    None where there are no rows.
    """
    total = sum(counts)
    if not total:
        return None
    wanted = share * total
    for at, sofar in enumerate(accumulate(counts)):
        if sofar >= wanted and counts[at]:
            if whole:
                return edges[at]
            inside = (wanted - (sofar - counts[at])) / counts[at]
            return edges[at] + inside * (edges[at + 1] - edges[at])
    return edges[-1]
