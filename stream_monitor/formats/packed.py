r"""Open a file whatever it is packed in: gzip, bzip2, xz, zstd, LZ4 and zip, told by content, not by the ending.

Mail, browsers and warehouses rename files, and unpack them without saying so: only the first bytes are right.

>>> packing_of(b"\x1f\x8b\x08\x00")
'gzip'
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

_PACKINGS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_FIRST_BYTES = 8
_LEFTOVERS = ("__MACOSX/", ".DS_Store")
"""What macOS adds to every archive."""

DAMAGE = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    pa.ArrowException,
    NotImplementedError,
    RuntimeError,
)
"""What a packed file raises that is cut, damaged or locked."""


class PackedError(ValueError):
    """An archive holds no single file of rows; the message says what it holds and what to do."""


def packing_of(start: bytes) -> str | None:
    """Return how a file is packed from its first bytes, None if it is not."""
    return next((name for mark, name in _PACKINGS if start.startswith(mark)), None)


def packing(path: Path) -> str | None:
    """Return how a file is packed, None if it is not.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return packing_of(file.read(_FIRST_BYTES))


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked.

    Raises:
        PackedError: an archive that does not hold exactly one file.
        OSError: the file cannot be read; other classes of `DAMAGE` if it is damaged.
    """
    match packing(path):
        case "gzip":
            with gzip.open(path, "rb") as stream:
                yield cast("BinaryIO", stream)
        case "bzip2":
            with bz2.open(path, "rb") as stream:
                yield cast("BinaryIO", stream)
        case "xz":
            with lzma.open(path, "rb") as stream:
                yield cast("BinaryIO", stream)
        case "zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only_member(path, archive)) as member:
                yield cast("BinaryIO", member)
        case None:
            with path.open("rb") as file:
                yield file
        case codec:
            with pa.CompressedInputStream(pa.OSFile(str(path)), codec) as packed:
                yield cast("BinaryIO", io.BufferedReader(packed))


def _only_member(path: Path, archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith(_LEFTOVERS[0])]
    names = [name for name in names if not name.endswith(_LEFTOVERS[1])]
    if "[Content_Types].xml" in names:
        raise PackedError(f"{path}: is a workbook or document of an office program: save the sheet as CSV")
    if len(names) != 1:
        some = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
        what = "holds no file" if not names else f"holds {len(names)} files ({some}): unpack the one to be read"
        raise PackedError(f"{path}: is a zip archive that {what}")
    return names[0]
