"""chemprop in an environment of its own: made, a model trained for a checkpoint, and `chemprop predict` timed.

Its default network (D-MPNN, 300 wide, 3 deep), its C++ featuriser, no loader workers, one thread. Start-up is known from a
run on few molecules, so that it can be left out of the rate, which is better for chemprop.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from processes import Ended, ran

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-chemprop"
REQUIREMENTS = Path(__file__).with_name("chemprop-requirements.txt")
TRAINED_ON = 500  # molecules; what it has learnt does not change how fast it is
BATCHES = (64, 256)
EPOCHS = 3  # one more than its warm-up


def environment() -> Path:
    """The program, installed if it is not there."""
    program, installed = ENVIRONMENT / "bin" / "chemprop", ENVIRONMENT / "ready"
    if not installed.is_file() or installed.read_text() != REQUIREMENTS.read_text():
        print("installing chemprop into .venv-chemprop (a minute)", flush=True)
        pip = [str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True, stderr=subprocess.DEVNULL)
        installed.write_text(REQUIREMENTS.read_text())
    return program


def checkpoint(data: Path, folder: Path) -> Path:
    """A model trained for a moment on EGFR's measurements."""
    measured = folder / "measured.csv"
    with gzip.open(data / "affinity" / "egfr_chembl27.csv.gz", "rt", encoding="utf-8") as stream:
        measured.write_text("".join(itertools.islice(stream, TRAINED_ON + 1)), encoding="utf-8")
    said = ["--data-path", str(measured), "--smiles-columns", "smiles", "--target-columns", "pic50"]
    how = ["--epochs", str(EPOCHS), "--num-workers", "0", "--accelerator", "cpu", "--output-dir", str(folder / "model")]
    ran([str(environment()), "train", *said, *how], cores=1)
    return folder / "model" / "model_0" / "best.pt"


def predict(model: Path, texts: Sequence[str], batch: int, folder: Path) -> Ended:
    """One run of `chemprop predict` on one core; every molecule must have got a number."""
    asked, said = folder / "asked.csv", folder / "predicted.csv"
    with open(asked, "w", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([["smiles"], *([text] for text in texts)])
    files = ["--test-path", str(asked), "--model-paths", str(model), "--output", str(said)]
    how = ["--batch-size", str(batch), "--num-workers", "0", "--accelerator", "cpu", "--use-cuikmolmaker-featurization"]
    ended = ran([str(environment()), "predict", *files, *how], cores=1)
    with open(said, encoding="utf-8") as stream:
        numbers = [float(row["pic50"]) for row in csv.DictReader(stream)]
    assert len(numbers) == len(texts), f"chemprop predicted {len(numbers)} of {len(texts)}"
    return ended


class Predictor:
    """`chemprop predict` of all molecules and of a few of them, for each batch size, a round at a time."""

    def __init__(self, data: Path, folder: Path, texts: Sequence[str], few: int) -> None:
        self._texts, self._few, self._folder = texts, texts[:: len(texts) // few][:few], folder
        self._model = checkpoint(data, folder)
        self._runs: dict[int, list[dict[str, float]]] = {size: [] for size in BATCHES}

    def round(self) -> None:
        """One run of each. What the few take is start-up and their own share, so as many molecules fewer are left."""
        all_of_them = len(self._texts)
        for size, runs in self._runs.items():
            whole = predict(self._model, self._texts, size, self._folder)
            few = predict(self._model, self._few, size, self._folder)
            net = (whole.cpu - few.cpu) * all_of_them / (all_of_them - len(self._few))
            runs.append({"cpu": net, "gross": whole.cpu, "few": few.cpu})

    def best(self) -> list[dict[str, float]]:
        """The rounds of the better batch size, "cpu" being net of start-up; both sizes are printed, gross and net."""
        n = len(self._texts)
        for size, runs in self._runs.items():
            gross, net, few = (statistics.median(run[key] for run in runs) for key in ("gross", "cpu", "few"))
            print(
                f"  chemprop, batches of {size}: {gross:.1f} s CPU, {n / gross:,.0f}/s; {len(self._few)} molecules alone "
                f"{few:.1f} s; net of start-up {n / net:,.0f}/s"
            )
        return min(self._runs.values(), key=lambda runs: statistics.median(run["cpu"] for run in runs))
