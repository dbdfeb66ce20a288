"""What describing hits takes, and the files of a run: told from a few hits that are really described and written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from drylab.config import Target
from drylab.finish import CHUNK
from drylab.forecast import Hitwork
from drylab.screening import screen, write_run
from drylab.types import Hits

FEW = 16  # hits that are described


def hit_work(target: Target, few: Mapping[str, str], kept: int, start_s: float, workers: int, runs: int) -> Hitwork:
    """What hits of this target take, by those of ``few`` molecules (id -> SMILES): one at least, FEW at most.

    kept  hits of a run, which decides whether workers are started for them: that takes ``start_s``
    """
    _described(target, few, len(few), len(few))  # loads catalogs and compiled kernels
    explained, hits = _described(target, few, len(few), len(few))
    drawn, _ = _described(target, few, 0, len(few))
    plain, _ = _described(target, few, 0, 0)
    one, all_ = _written(hits[:1]), _written(hits)
    more = max(1, len(hits) - 1)
    many = kept >= 3 * CHUNK and workers > 1
    shown = (all_["report.html"] - one["report.html"] + all_["hits.csv"] - one["hits.csv"]) / more
    shown += (all_["hits.sdf"] - one["hits.sdf"]) / more
    each = (all_["hits.parquet"] - one["hits.parquet"]) / more
    return Hitwork(
        explained_s=explained,
        drawn_s=drawn,
        plain_s=plain,
        start_s=start_s if many else 0.0,
        workers=workers if many else 1,
        write_s=one["seconds"],
        write_hit_s=max(0.0, all_["seconds"] - one["seconds"]) / more,
        runs=runs,
        disk=round(sum(size for name, size in one.items() if name != "seconds")),
        disk_hit=each,
        disk_shown=shown,
    )


def _described(target: Target, few: Mapping[str, str], explained: int, shown: int) -> tuple[float, Hits]:
    """Seconds for a hit, and the hits, when so many are shaded and so many drawn."""
    asked = target.model_copy(
        update={
            "screen": target.screen.model_copy(update={"top_k": len(few), "report_n": shown}),
            "report": target.report.model_copy(update={"explain_top": explained}),
        }
    )
    hits = screen(asked, dict(few))
    return hits.run["seconds"]["finish"] / max(1, len(hits)), hits


def _written(hits: Hits) -> dict[str, float]:
    """Bytes of each file of a run, and under "seconds" what writing them took."""
    with TemporaryDirectory(prefix="drylab-") as folder:
        clock = time.perf_counter()
        files = write_run(hits, Path(folder))
        seconds = time.perf_counter() - clock
        return {"seconds": seconds, **{name: float(path.stat().st_size) for name, path in files.items()}}
