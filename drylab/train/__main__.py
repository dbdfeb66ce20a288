"""``python -m drylab.train --data DIR --out FILE``: make the shipped model again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from importlib import resources
from pathlib import Path

# Before torch is loaded: threads that spin while they wait make a training ten times slower on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from drylab.errors import DrylabError
from drylab.train.complete import complete
from drylab.train.fit import FitRecipe
from drylab.train.panel_model import Order, make


def main(arguments: list[str] | None = None) -> int:
    """Parse, train, print; 2 after an error of drylab's own."""
    parser = argparse.ArgumentParser(
        prog="python -m drylab.train", description="Train the panel model from public data."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with affinity/, tox/ and libraries/")
    parser.add_argument(
        "--out", type=Path, required=True, help="model file to write, .safetensors; the card goes beside it"
    )
    parser.add_argument("--epochs", type=int, default=FitRecipe().epochs)
    parser.add_argument("--seed", type=int, default=FitRecipe().seed)
    parser.add_argument("--checkpoint", type=Path, help="go on from this file if it is there; written each epoch")
    given = parser.parse_args(arguments)
    demo = Path(str(resources.files("drylab"))) / "library" / "data" / "drugs.csv"
    start = time.perf_counter()

    def log(line: str) -> None:
        print(f"[{time.perf_counter() - start:6.0f} s] {line}", flush=True)

    try:
        recipe = FitRecipe(epochs=given.epochs, seed=given.seed)
        make(Order(given.data, given.out, demo, recipe, given.checkpoint), log)
        model = complete(given.out, given.data, log)
    except DrylabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    log(f"wrote {model.path}, sha256 {model.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
