"""Bytes of a file as text: UTF-8, UTF-16 or what Windows writes in western Europe, told by the first bytes.

Later bytes that do not fit are read as Windows writes them: one letter of a name must not cost the file.
"""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO

_LOOKED_AT = 1 << 20
_HALF_A_CHARACTER = 4
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_AS_WINDOWS = "stream_monitor_as_windows"


def _as_windows(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_AS_WINDOWS, _as_windows)


def encoding_of(start: bytes) -> str:
    """Return the encoding of a file from its first bytes, the last of which may be half a character."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    even, odd = start[0:512:2], start[1:512:2]
    if start and odd.count(0) > len(odd) // 2 > 0 and not even.count(0):
        return "utf-16-le"
    if start and even.count(0) > len(even) // 2 > 0 and not odd.count(0):
        return "utf-16-be"
    start = start[:_LOOKED_AT]
    try:
        start[: max(0, len(start) - _HALF_A_CHARACTER)].decode("utf-8")
    except UnicodeDecodeError as error:
        # One odd byte in a megabyte is an accident; texts of another encoding have one in every name.
        if error.end < len(start) - _HALF_A_CHARACTER and not _is_nearly_utf8(start):
            return "cp1252"
    return "utf-8"


def _is_nearly_utf8(start: bytes) -> bool:
    """Say whether far more characters beyond ASCII are well-formed UTF-8 than not."""
    text = start.decode("utf-8", "surrogateescape")
    odd = sum("\udc80" <= character <= "\udcff" for character in text)
    good = sum(character > "\x7f" for character in text) - odd
    return good > 2 * odd


def decoder_of(encoding: str) -> codecs.IncrementalDecoder:
    """Return a decoder of pieces of a file that never fails."""
    return codecs.getincrementaldecoder(encoding)(errors=_AS_WINDOWS if encoding.startswith("utf-8") else "replace")


class Utf8(io.RawIOBase):
    """A stream of text in any encoding as UTF-8 without a mark, piece by piece."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = decoder_of(encoding)
        self._held = b""
        self._ended = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as RawIOBase calls it
        """Fill a buffer; 0 at the end."""
        while not self._held and not self._ended:
            piece = self._stream.read(max(len(buffer), 1 << 16))
            self._ended = not piece
            self._held = self._decoder.decode(piece, self._ended).encode("utf-8", "replace")
        count = min(len(buffer), len(self._held))
        buffer[:count] = self._held[:count]
        self._held = self._held[count:]
        return count
