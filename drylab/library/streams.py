"""The bytes of a source: raw from a disk or a store -> decompressed, in steps -> blocks that end where a record ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pyarrow as pa

from drylab.errors import InputError
from drylab.kernels.fields import TRAILING, UNCLOSED, Cut
from drylab.library import places
from drylab.library.places import said, shown
from drylab.library.rows import Block, Source

# What pyarrow raises for a file that breaks: in the store, on the disk, or in what decompresses it.
FAILURES = (OSError, EOFError, pa.ArrowException)
STEP = 1 << 18  # bytes handed on at a time
READ = 1 << 15  # bytes decompressed at a time: where a file breaks is known to within these
READ_AHEAD = 1 << 22  # raw bytes asked for at a time: a store answers each request in tens of milliseconds
LONGEST_RECORD = 64 << 20
SAMPLE = 1 << 16  # bytes that an opener looks at
UTF8_BOM = b"\xef\xbb\xbf"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
# First bytes of what is no text, whatever the name of the file says. Long enough that no header of a table starts so.
BINARY = {
    ".gz": rb"\x1f\x8b\x08",
    ".bz2": rb"BZh[1-9]1AY&SY",
    ".zst": rb"\x28\xb5\x2f\xfd",
    ".xz": rb"\xfd7zXZ\x00",
    ".zip or .xlsx": rb"PK\x03\x04",
    ".xls": rb"\xd0\xcf\x11\xe0",
    ".parquet": rb"PAR1\x15",
}

Seen = Callable[[bytes], None]
Cutter = Callable[[bytes, bool, int], Cut]  # (data, whether the file ends with it, how many records at most)


def squeezed(error: BaseException | str) -> str:
    """Text from elsewhere (another package's error, a header), which may run over several lines, cut to 300 characters."""
    return " ".join(str(error).split())[:300]


def broken(path: str, last: int, error: BaseException | str) -> InputError:
    """The error for a file that breaks behind row ``last``."""
    hint = "fetch it again" if last else "or not what its suffix says: fetch it again, or rename it"
    return InputError(
        f"{shown(path)}: cannot be read past row {last} ({said(error, path)}); the file is damaged, {hint}"
    )


def no_rows(path: str) -> InputError:
    """The error for a file without rows."""
    return InputError(f"{shown(path)}: holds no rows; leave it out, or check that it was written to its end")


@contextmanager
def opened(path: str, opener: Callable[[str], Any]) -> Iterator[Any]:
    """A file of ``places`` for a while. Raises InputError where it cannot be opened."""
    try:
        file = opener(path)
    except PermissionError as error:
        raise InputError(
            f"{shown(path)}: cannot be read ({error.strerror}); change its permissions, or copy it"
        ) from error
    except FAILURES as error:
        raise InputError(
            f"{shown(path)}: cannot be read ({said(error, path)}); check the path and the store"
        ) from error
    with file:
        yield file


class _Counted:
    """A raw stream that tells what was read from it: pyarrow decompresses from anything with these methods."""

    def __init__(self, stream: Any, seen: Seen | None) -> None:
        self.stream, self.seen, self.count, self.closed = stream, seen, 0, False

    def read(self, size: int) -> bytes:
        data = bytes(self.stream.read(size))
        self.count += len(data)
        if self.seen is not None and data:
            self.seen(data)
        return data

    def close(self) -> None:
        self.closed = True


def chunks(
    path: str, compression: str, step: int, seen: Seen | None = None
) -> Generator[tuple[bytes, int], None, None]:
    """(``step`` decompressed bytes, fewer at the end; raw bytes read so far). Raises one of FAILURES where the file breaks.

    ``seen`` is given the raw bytes as they are read. Files of several members (bgzip, pbzip2, pzstd) are read whole.
    """
    with opened(path, places.open_stream) as raw:
        counted = _Counted(pa.BufferedInputStream(raw, READ_AHEAD), seen)
        stream: Any = counted
        if compression:
            stream = pa.CompressedInputStream(pa.PythonFile(counted, mode="r"), compression)
        error, size = None, step
        while error is None and size == step:
            parts, size, error = _step(stream, step)
            if size:
                yield parts[0] if len(parts) == 1 else b"".join(parts), counted.count
        if error is not None:
            raise error


def _step(stream: Any, step: int) -> tuple[list[bytes], int, Exception | None]:
    """(parts, their bytes, why there are fewer than ``step``): what was read before a file breaks is kept."""
    parts, size = [], 0
    try:
        while size < step and (part := stream.read(min(step - size, READ))):
            parts.append(part)
            size += len(part)
    except FAILURES as error:
        return parts, size, error
    return parts, size, None


def head(path: str, compression: str, size: int = SAMPLE) -> tuple[bytes, bool]:
    """The first ``size`` decompressed bytes at least, and whether these are all there are.

    Raises InputError for a file that breaks in its first line, and for one that is not written in bytes of ASCII.
    """
    data, final = b"", True
    with closing(chunks(path, compression, SAMPLE)) as reading:
        try:
            for part, _ in reading:
                data += part
                if len(data) >= size:
                    final = False
                    break
        except FAILURES as error:
            final = False
            if b"\n" not in data and b"\r" not in data:
                raise broken(path, 0, error) from error
    _check_kind(path, data)
    if data.startswith(WIDE_BOMS):
        raise InputError(
            f"{shown(path)}: is written in UTF-16 or UTF-32; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"
        )
    return data, final


def _check_kind(path: str, data: bytes) -> None:
    """Raises InputError for text that is none, by its first bytes."""
    kind = next((suffix for suffix, start in BINARY.items() if re.match(start, data)), None)
    if kind is not None:
        raise InputError(
            f"{shown(path)}: starts as a {kind} file does, expected text; give it its true suffix, or unpack it"
        )


def pieces(
    source: Source, start: tuple[int, int], cut: Cutter, size: int, limit: int | None, seen: Seen | None
) -> Iterator[Block]:
    """Blocks of about ``size`` bytes; a longer record has a block of its own.

    ``start``: how many bytes of the text to pass over, and the number of the line or record after them.
    """
    (skip, first), number, rows, left = start, 0, 0, (1 << 62 if limit is None else limit)
    data, consumed, final, error = b"", 0, False, None
    with closing(chunks(source.path, source.compression, min(size, STEP), seen)) as reading:
        while left and not final:
            data, consumed, final, error = _filled(reading, data, max(size, 2 * len(data)) + skip, consumed)
            if skip:
                data, skip = data[skip:], 0
            piece = cut(data, final, left)
            if error is not None and piece.records < left:
                raise broken(source.path, first + max(piece.lines, piece.records) - 1, error) from error
            _check(source.path, first, piece, final, len(data))
            if piece.records:
                yield Block(source.number, number, first, piece.records, data[: piece.end], consumed)
                number += 1
            rows, left = rows + piece.records, left - piece.records
            first += piece.lines or piece.records
            data = data[piece.end :]
    if not rows and limit != 0:
        raise no_rows(source.path)


def _filled(
    reading: Iterator[tuple[bytes, int]], data: bytes, want: int, consumed: int
) -> tuple[bytes, int, bool, BaseException | None]:
    """(at least ``want`` bytes that start with ``data``, raw bytes read, whether the file ended, why it broke)."""
    parts, have = [data], len(data)
    try:
        while have < want:
            part, consumed = next(reading)
            parts.append(part)
            have += len(part)
    except StopIteration:
        return b"".join(parts), consumed, True, None
    except FAILURES as error:
        return b"".join(parts), consumed, False, error
    return b"".join(parts), consumed, False, None


def _check(path: str, first: int, piece: Cut, final: bool, size: int) -> None:
    """Raises InputError for a quote that is wrong and for a record without an end."""
    hint = "look for a quote that is not closed there"
    where = f"{shown(path)}:{first + piece.line}"
    if piece.fault == TRAILING:
        raise InputError(f"{where}: not CSV (text between a closing quote and the next cell); {hint}")
    long = size - piece.end > LONGEST_RECORD
    if piece.fault == UNCLOSED and (final or long):
        raise InputError(
            f"{where}: not CSV ({'a cell of more than 64 MB' if long else 'unexpected end of data'}); {hint}"
        )
    if long and not final:
        where = f"{shown(path)}:{first + (piece.lines or piece.records)}"
        raise InputError(f"{where}: a row of more than 64 MB; check that the file is of the kind that its name says")
