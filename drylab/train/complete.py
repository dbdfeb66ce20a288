"""``python -m drylab.train.complete --data DIR MODEL``: all that belongs to an encoder and is no network, in its order.

The toxicity panel and its rows of the bank, the measured precision and the card, the landmarks of targets from sequence, the
support of the panel's targets. A quarter of an hour on one core; `python -m drylab.train` ends with it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from drylab.errors import DrylabError
from drylab.score import landmarks
from drylab.score.model import Model, load_model
from drylab.score.support import support_path
from drylab.train import support, toxicity
from drylab.train.card import write_card
from drylab.train.certify import certify
from drylab.train.data import read_labels
from drylab.train.fold_probes import settle
from drylab.train.keepout import BENCHMARKS, demo_skeletons
from drylab.train.transfer_fit import fit_landmarks

Log = Callable[[str], None]


def complete(path: Path, data: Path, log: Log = print) -> Model:
    """Make everything for the model file at ``path``; returns it as read back."""
    model = load_model(path)
    endpoints, prepared = toxicity.make(model, toxicity.Order(data), log)
    settle(model, endpoints, prepared)
    log(f"{len(endpoints.endpoints)} endpoints; measuring precision")
    certify(path, data)
    landmarks.add(path, fit_landmarks(data, model, log=log))
    log("landmarks; support")
    demo = Path(str(resources.files("drylab"))) / "library" / "data" / "drugs.csv"
    model = load_model(path)
    judged, whole = (read_labels(data, demo_skeletons(demo), which) for which in (BENCHMARKS, ()))
    support.save(support_path(model), model, support.train(model, judged, whole, log))
    write_card(path.with_suffix(".md"), model)  # which names the file by its hash, and the landmarks changed that
    return model


def main(arguments: list[str] | None = None) -> int:
    """Parse, make, print; 2 after an error of drylab's own."""
    parser = argparse.ArgumentParser(prog="python -m drylab.train.complete", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with affinity/, tox/, benchmarks/, libraries/")
    parser.add_argument("model", type=Path, help="the model file, .safetensors")
    given = parser.parse_args(arguments)
    start = time.perf_counter()

    def log(line: str) -> None:
        print(f"[{time.perf_counter() - start:6.0f} s] {line}", flush=True)

    try:
        model = complete(given.model, given.data, log)
    except DrylabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    log(f"wrote {model.path}, sha256 {model.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
