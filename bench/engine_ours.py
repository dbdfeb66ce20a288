"""What bench_engine.py measures of drylab, each function a step in a process of its own; the clock starts when all is loaded."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from processes import Seconds, cpu, timed

TARGET = "EGFR"
BATCH = 1024  # molecules a batch of the fold, as a screen has it


def build(sources: str, out: str, recipe: str, workers: str) -> dict[str, Any]:
    """A library of files, one a line, before any clock."""
    from drylab.build import BuildOptions, build_library
    from drylab.execute import processes, serial

    options = BuildOptions(recipe=recipe)
    executor = serial() if workers == "1" else processes(int(workers))
    return {"rows": build_library(sources.split("\n"), out, options=options, executor=executor).rows}


def texts_of(library: str) -> list[str]:
    """The SMILES of a library, in its order."""
    from drylab.library.reading import scan
    from drylab.library.store import open_library

    return [text for table in scan(open_library(library), ["smiles"]) for text in table.column("smiles").to_pylist()]


def atoms_of(texts: Sequence[str]) -> float:
    """Heavy atoms a molecule, on average."""
    from drylab.featurize import graphs

    return len(graphs(texts).element) / len(texts)


def target(k: int, screen: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A target file's dict: EGFR, no filters."""
    return {"name": "bench", "target": {"panel": TARGET}, "screen": {"top_k": k, **(screen or {})}}


def screen(library: str, k: str) -> dict[str, Any]:
    """From opening the library to the exact k best: "cold" has seen 64 molecules of another library, "warm" has seen this one.

    "described" is the whole call, hits described and drawn as well.
    """
    load()
    cold, first, hits = _screened(library, target(int(k)))
    warm, _, _ = _screened(library, target(int(k)))
    tally = hits.run["tally"]
    assert tally["read"] == tally["scored"], tally
    return {"rows": tally["scored"], "cold": pair(cold), "warm": pair(warm), "described": pair(first)}


def cascade(library: str, k: str) -> dict[str, Any]:
    """The same in full and as a cascade, both cold, with what the cascade certifies."""
    load()
    full, _, exact = _screened(library, target(int(k)))
    taken, _, hits = _screened(library, target(int(k), {"mode": "cascade"}))
    found = set(hits.table.column("key").to_pylist()) & set(exact.table.column("key").to_pylist())
    return {
        "rows": exact.run["tally"]["read"],
        "full": pair(full),
        "cascade": pair(taken),
        "certified": hits.run["cascade"]["asked"]["recall"],
        "sentence": hits.run["cascade"]["sentence"],
        "found": len(found) / int(k),
    }


def workers(library: str, count: str) -> dict[str, Any]:
    """Wall seconds of a fold with so many workers, their start included; one worker is the serial executor."""
    from drylab.execute import processes, serial

    load()
    taken, _, hits = _screened(library, target(100), serial() if count == "1" else processes(int(count)))
    return {"rows": hits.run["tally"]["scored"], **pair(taken)}


def network(library: str) -> dict[str, Any]:
    """The network alone, on graphs already made: cold, warm, and the operations that it stands for."""
    from drylab.featurize import graphs
    from drylab.score.engine import fold_engine
    from drylab.score.model import load_model

    load()
    texts, model = texts_of(library), load_model()
    fold = fold_engine(model, [row_of(model)])
    parsed = [graphs(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]
    cold = timed(lambda: [fold.values(part) for part in parsed])[1]
    warm = timed(lambda: [fold.values(part) for part in parsed])[1]
    layers, width, hidden = model.encoder.w1.shape
    atoms = sum(len(part.element) for part in parsed)
    each = layers * 4 * width * hidden  # of an atom; the read-out is a hundredth of it
    return {"rows": len(texts), "cold": pair(cold), "warm": pair(warm), "atoms": atoms, "flop": atoms * each}


def equal(library: str, k: str) -> dict[str, Any]:
    """The hits are the float64 reference's k best of all, and the engine is within its bounds of PyG in float64."""
    from peers import pyg

    import drylab
    from drylab.featurize import graphs
    from drylab.score import panel
    from drylab.score.engine import GineEncoder, fold_engine
    from drylab.score.model import load_model

    texts, model = texts_of(library), load_model()
    row = row_of(model)
    z = np.concatenate([GineEncoder(model.encoder)(graphs(texts[i : i + 256])).z for i in range(0, len(texts), 256)])
    reference = panel.values(model.probes, z)[:, row]
    hits = drylab.screen(target(int(k)), library).table
    best = np.sort(reference)[::-1][: int(k)]
    assert np.array_equal(hits.column("score").to_numpy(), best), "not the k best of the reference"
    by_text = dict(zip(texts, reference, strict=True))
    assert [by_text[text] for text in hits.column("smiles").to_pylist()] == best.tolist(), "scores of other molecules"
    rows = range(len(model.probes.probes))
    fold = fold_engine(model, rows)
    ours = np.concatenate([fold.values(graphs(texts[i : i + BATCH])) for i in range(0, len(texts), BATCH)])
    off = np.abs(ours - pyg.reference_values(texts, rows)).max(axis=0)
    assert (off <= fold.bounds).all(), f"beyond the bound by {(off / fold.bounds).max():.1f} times"
    return {"rows": len(texts), "k": len(best), "probes": len(off), "share_of_bound": float((off / fold.bounds).max())}


def row_of(model: Any) -> int:
    """The target's row of the bank."""
    return next(i for i, probe in enumerate(model.probes.probes) if probe.name == TARGET)


def load() -> None:
    """All that is imported and compiled, by a screen of some molecules of drylab's own demonstration."""
    import drylab
    from drylab.library.embedded import products

    drylab.screen(target(5), [text for _, text in islice(products(), 64)])


def _screened(library: str, asked: Mapping[str, Any], executor: Any = None) -> tuple[Seconds, Seconds, Any]:
    """Until the k best are known, and until they are described; the hits."""
    import drylab

    clock = Clock()
    hits = drylab.screen(asked, library, executor=executor, progress=clock.progress())
    assert clock.known, "a screen told of no stage in which hits are described"
    return clock.known[0], clock.now(), hits


class Clock:
    """Runs from when it is made; ``known`` holds when each target's hits began to be described, the first of all being the fold's end."""

    def __init__(self) -> None:
        self._begun = Seconds(cpu(), time.perf_counter())
        self.known: list[Seconds] = []

    def now(self) -> Seconds:
        """Since it was made."""
        return Seconds(cpu() - self._begun.cpu, time.perf_counter() - self._begun.wall)

    def progress(self) -> Any:
        """What a screen tells its progress to."""
        from drylab.progress import Progress

        def stage(name: str, rows: int | None) -> None:
            if name.startswith("describing hits"):
                self.known.append(self.now())

        return Progress(stage=stage, rows=lambda rows: None)


def pair(taken: Seconds) -> dict[str, float]:
    """As a step gives it."""
    return {"cpu": taken.cpu, "wall": taken.wall}
