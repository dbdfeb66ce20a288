"""The verb before a long screen: what it would take on the hardware that is here, from a probe of the real library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from drylab.asking import ask_together
from drylab.build import BuildOptions, build_library
from drylab.config import Target, target_from
from drylab.describing import FEW, hit_work
from drylab.device import gpus, processor
from drylab.execute import Executor, by_name, cores
from drylab.folding import FoldShard
from drylab.forecast import Work, forecast
from drylab.library import places, pruning
from drylab.library.store import Library
from drylab.library.weighing import checking_speed, weigh
from drylab.measuring import peak_memory
from drylab.opening import columns_of, located
from drylab.planning import BuildPlan, plan_build
from drylab.plans import Plan
from drylab.probing import Probed, probe
from drylab.reduce import Answer
from drylab.score.fold_cpu import MEMORY

Asking = Target | Mapping[str, Any] | str | Path
SAMPLE = 2_000  # rows of vendor files that are built into a library to be probed


def plan(
    target: Asking | Sequence[Asking],
    library: str | Path | Library | None = None,
    *,
    executor: Executor | str | None = None,
    batch_size: int | None = None,
    since: int | None = None,
    seconds: float = 5.0,
) -> Plan:
    """Screen a few row groups from all over a library, and say what the whole would take: time, memory, disk, energy.

    target    one, or several that are screened together, as ``screen`` and ``screen_many`` take them
    executor  as of ``screen``: "serial" (the default), "processes", "dask", or one made by ``drylab.execute``
    seconds   that the probe takes, about, after the workers have started

    The library is read, and nothing is written. Vendor files are planned from a library of their first rows.
    Raises what ``screen`` does.
    """
    several: Sequence[Any] = target if isinstance(target, list | tuple) else [target]
    asked = [target_from(each) for each in several]
    chosen = executor if isinstance(executor, Executor) else by_name(executor or "serial")
    found = library if isinstance(library, Library) else located(asked, library)
    with ExitStack() as stack:
        build = None
        if not isinstance(found, Library):
            build = plan_build(found, BuildOptions(columns=columns_of(asked[0])), chosen)
            folder = stack.enter_context(TemporaryDirectory(prefix="drylab-"))
            options = BuildOptions(columns=columns_of(asked[0]), max_rejected=1.0, limit=SAMPLE)
            found = build_library(found, Path(folder) / "library", options=options)
        return _plan(asked, found, build, _How(chosen, batch_size, since, seconds))


@dataclass(frozen=True, slots=True)
class _How:
    executor: Executor
    batch_size: int | None
    since: int | None
    seconds: float


def _plan(targets: Sequence[Target], library: Library, build: BuildPlan | None, how: _How) -> Plan:
    asked = ask_together([exact(target) for target in targets], how.batch_size)
    task = FoldShard(asked)
    screened = pruning.plans(library, [q.rules.ranges for q in asked.questions], how.since or 0)[0]
    # Where all is skipped a shard is folded all the same: workers start in any case. Whole files are not read for this.
    shards = [replace(shard, sha256="") for shard in screened.read or library.shards(how.since or 0)[:1]]
    answer, probed = probe(task, task.merge, shards, how.executor, how.seconds)
    scale = 1.0 if build is None else build.rows * _kept_share(library) / library.rows
    work = _work(targets, library, screened, answer, scale, how)
    hits = hit_work(exact(targets[0]), _few(answer), work.kept, probed.start_s, probed.workers, len(targets))
    probed = replace(probed, here_bytes=peak_memory())  # hits are described here
    return Plan(
        targets=tuple(target.name for target in targets),
        library=library.shown if build is None else ", ".join(source.source.path for source in build.sources),
        molecules=round(library.rows * scale),
        build=build,
        work=work,
        probed=probed,
        hits=hits,
        forecast=forecast(work, probed, hits),
        hardware=f"{probed.workers} worker(s), {how.executor.kind}, on {processor()} with {cores()} cores",
        no_gpu=_no_gpu(probed),
        cascade=any(target.screen.mode == "cascade" for target in targets),
    )


def exact(target: Target) -> Target:
    """The same target in mode: exact."""
    return target.model_copy(update={"screen": target.screen.model_copy(update={"mode": "exact"})})


def _no_gpu(probed: Probed) -> str:
    names, why = gpus()
    return "" if probed.gpus else why or f"the fold ran on the CPU, though there is {', '.join(names)}"


def _work(
    targets: Sequence[Target], library: Library, screened: pruning.Plan, answer: Answer, scale: float, how: _How
) -> Work:
    entries = library.entries(how.since or 0)
    weight = weigh(entries, screened.read)
    rows = round(sum(shard.rows for shard in screened.read) * scale)
    kept = _hits(targets, answer, rows)
    shown = [min(k, target.screen.report_n) for k, target in zip(kept, targets, strict=True)]
    return Work(
        rows=rows,
        groups=max(len(screened.read), round(len(screened.read) * scale)),
        skipped=sum(screened.skipped.values()),
        checked=round(weight.checked * scale),
        check_speed=checking_speed(screened.read[0].path) if screened.read else 1.0,
        columns=-1 if places.is_address(library.path) else round(weight.columns * scale),
        kept=sum(kept),
        shown=sum(shown),
        explained=sum(min(k, target.report.explain_top) for k, target in zip(shown, targets, strict=True)),
        grows=MEMORY,
    )


def _hits(targets: Sequence[Target], answer: Answer, rows: int) -> list[int]:
    """Hits of each target, if the rest of the library passes its filters as often as what was probed."""
    found = []
    for target, screened in zip(targets, answer.screened, strict=True):
        share = screened.tally.scored / max(1, screened.tally.read)
        found.append(min(target.screen.top_k, round(share * rows)))
    return found


def _few(answer: Answer) -> dict[str, str]:
    """Some of the molecules that did best for the first target: id -> SMILES."""
    best = answer.screened[0].contenders
    at = best.scores.argsort()[::-1][:FEW]
    return {str(best.ids[i]): str(best.smiles[i]) for i in at} or {"ethanol": "CCO"}


def _kept_share(library: Library) -> float:
    """Molecules of a library for each row that was read to make it."""
    return library.rows / max(1, sum(source["read"] for source in library.sources()))
