"""The first record of a FASTA file."""

from __future__ import annotations

from drylab.config.fields import fault
from drylab.config.places import shown

# Titin, the longest human protein, has 34 350 residues.
MAX_CHARACTERS = 1_000_000


def read_fasta(path: str) -> str:
    """Residues of the first record, as written."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.strip() for line in file.read(MAX_CHARACTERS).splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise fault(f"expected a FASTA file at {path}, got: {reason}; check the path") from None
    if not lines or not lines[0].startswith(">"):
        got = shown(lines[0]) if lines else "an empty file"
        raise fault(f"expected a FASTA file that starts with >, got {got} in {path}; give a FASTA file")
    ends = [i for i, line in enumerate(lines) if line.startswith(">")]
    record = lines[1 : ends[1] if len(ends) > 1 else None]
    if not record:
        raise fault(f"expected residues under {shown(lines[0])} in {path}, got none; give a FASTA file with residues")
    return "".join(record)
