"""``python -m drylab.featurize.precompile [FILE]``: compile RDKit's catalogues and QED's alerts into the file that drylab ships.

To be run after an upgrade of RDKit or a change of the compiler; tests/featurize/test_stored.py says when. Compiling goes
over sets, so the same file twice needs PYTHONHASHSEED=0.
"""

from __future__ import annotations

import sys
from pathlib import Path

from drylab.featurize import stored
from drylab.featurize.alerts import CATALOGS, compile_catalogs, compile_patterns
from drylab.featurize.desirability import STRUCTURAL_ALERTS


def main(file: Path) -> None:
    """Compile and write."""
    sets = {"catalogs": compile_catalogs(CATALOGS), "qed": compile_patterns(STRUCTURAL_ALERTS)}
    for key, alerts in sets.items():
        assert not alerts.inexact, f"{key}: {alerts.inexact} need RDKit, which the file cannot say"
    stored.write(
        {key: stored.Compiled(alerts.names, alerts.programs, alerts.catalogs) for key, alerts in sets.items()}, file
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else stored.FILE)
