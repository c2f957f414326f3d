r"""A quote that nothing closes: to a reader of CSV the rest of the file is one cell. Here it costs its own row.

A cell in quotes may hold line ends, so what is open at the end of a line may be closed on a later one. It is taken for
closed when the lines together are one row of the file's width, with nothing behind its closing quotes. Else, or after a
hundred lines, the first of them is a bad row, and the next line is read as it stands. Lines stay lines: a bad one is
marked, not left out.

>>> lines = [b'1,"a\n', b'2,b\n', b'3,"c\n', b'd"\n']
>>> [line.startswith(UNCLOSED) for line in closed(iter(lines), b",", width=2)]
[True, False, False, False]
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

UNCLOSED = "\ue0ff".encode()
"""How a line begins whose quote is not closed; a character for private use, which no text has."""

_QUOTE = b'"'
_MOST_LINES = 100
_MOST_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 18


def closed(lines: Iterator[bytes], delimiter: bytes, width: int) -> Iterator[bytes]:
    """Yield the lines of a file, those that open a quote which nothing closes as rows that no file of the width has.

    Args:
        lines: with their ends; what holds no quote may be many of them at once.
        delimiter: between cells.
        width: cells of a row.
    """
    mark = re.escape(delimiter)
    bare = rb'(?!")[^%b\r\n]*+' % mark
    loose = rb'(?:"(?:[^"]|"")*+"[^%b\r\n]*+|%b)' % (mark, bare)
    strict = rb'(?:"(?:[^"]|"")*+"[ \t]*+|%b)' % bare
    line_row, row = (re.compile(rb"%b(?:%b%b)*+\r?\n?" % (cell, mark, cell)) for cell in (loose, strict))
    cells = re.compile(strict + mark)
    waiting: list[bytes] = []  # lines to be looked at again, the next one last

    def following() -> bytes | None:
        return waiting.pop() if waiting else next(lines, None)

    while (line := following()) is not None:
        if _QUOTE not in line or line_row.fullmatch(line):
            yield line
            continue
        held, whole, is_row, more = [line], line, False, following()
        while more is not None:
            held.append(more)
            whole += more
            is_row = _QUOTE in more and row.fullmatch(whole) is not None
            if is_row or len(held) > _MOST_LINES or len(whole) > _MOST_BYTES:
                break
            more = following()
        if is_row and len(cells.findall(whole)) + 1 == width:
            yield from held
            continue
        waiting += reversed(held[1:])
        yield UNCLOSED + line.rstrip(b"\r\n").replace(_QUOTE, b"") + delimiter * width + b"\n"


def _pieces(stream: io.BufferedIOBase) -> Iterator[bytes]:
    """Yield the lines of a stream; of a block without a quote, which most files have alone, all at once."""
    while block := stream.read(_BLOCK_BYTES):
        block += stream.readline()
        if _QUOTE in block:
            yield from io.BytesIO(block)
        else:
            yield block


class ClosedQuotes(io.RawIOBase):
    """A stream of CSV in UTF-8 whose every quote is closed, piece by piece."""

    def __init__(self, stream: io.BufferedIOBase, delimiter: str, width: int) -> None:
        self._lines = closed(_pieces(stream), delimiter.encode(), width)
        self._held = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as RawIOBase calls it
        """Fill a buffer; 0 at the end."""
        wanted, pieces, size = len(buffer), [self._held], len(self._held)
        while size < wanted and (line := next(self._lines, None)) is not None:
            pieces.append(line)
            size += len(line)
        whole = b"".join(pieces)
        count = min(wanted, len(whole))
        buffer[:count] = whole[:count]
        self._held = whole[count:]
        return count
