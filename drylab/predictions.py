"""What ``drylab.predict`` gives: the rows as they came, with a column for everything that was predicted."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drylab.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd

REASON = "not_predicted"  # the column that says why a row has no predictions; empty where it has


@dataclass(frozen=True, slots=True)
class Predictions:
    """n rows in the order they came.

    columns  name -> n values: text, float (NaN: nothing), bool or None      own  how many of them are the input's
    notes    what was predicted -> a sentence that says what it is worth
    """

    columns: Mapping[str, Sequence[Any]]
    own: int
    notes: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.columns[REASON])

    def __repr__(self) -> str:
        names = ", ".join(list(self.columns)[self.own : -1])
        missing = sum(bool(why) for why in self.columns[REASON])
        return f"Predictions({len(self)} molecules, {missing} not predicted: {names})"

    def to_pandas(self) -> pd.DataFrame:
        """The columns as a pandas DataFrame."""
        import pandas as pd  # read by who asks for a frame

        return pd.DataFrame({name: list(values) for name, values in self.columns.items()})

    def write(self, path: str | Path) -> None:
        """As CSV: numbers with six digits, nothing where there is nothing. Raises OutputError."""
        cells = [[_cell(value) for value in values] for values in self.columns.values()]
        try:
            with open(path, "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(self.columns)
                writer.writerows(zip(*cells, strict=True))
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror}); give another --out") from error


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
