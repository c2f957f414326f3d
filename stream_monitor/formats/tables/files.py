"""Open a file of rows, whatever its name: CSV, Parquet or JSON, told by content; memory is bounded by a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from stream_monitor.formats.packed import DAMAGE, PackedError, packing, unpacked
from stream_monitor.formats.tables.cells import Block
from stream_monitor.formats.tables.csv_file import csv_blocks, csv_writing
from stream_monitor.formats.tables.csv_writing import CsvWriting
from stream_monitor.formats.tables.errors import TableError
from stream_monitor.formats.tables.json_rows import json_blocks, json_names, json_rows, looks_like_json
from stream_monitor.formats.tables.parquet_file import MARK, parquet_blocks, parquet_shape
from stream_monitor.formats.tree import read_tree

_START_BYTES = 1 << 12
_LOOKED_AT = 20
_LARGEST_EVENT = 1 << 20
_BINARY = {
    b"ARROW1": "an Arrow file",
    b"\xd0\xcf\x11\xe0": "a workbook or document of an office program",
    b"SQLite f": "a database",
    b"%PDF": "a PDF",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"\x89HDF": "an HDF5 file",
}


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file of rows.

    Attributes:
        path: where it is.
        names: its columns, in order; of JSON those of all rows.
        rows: number of rows, None if only reading tells.
        kind: csv, parquet or json.
        writing: how a CSV file is written.
    """

    path: Path
    names: tuple[str, ...]
    rows: int | None
    kind: str
    writing: CsvWriting | None = None

    def blocks(self, rows: int) -> Iterator[Block]:
        """Yield the file in blocks of about that many rows, in order.

        Raises:
            TableError: the file is damaged.
        """
        with readable(self.path):
            match self.kind:
                case "csv":
                    assert self.writing is not None, "a CSV file is opened with it"
                    yield from csv_blocks(self.path, self.writing, rows)
                case "parquet":
                    yield from parquet_blocks(self.path, rows)
                case _:
                    yield from json_blocks(self.path, rows)


def open_file(path: Path) -> TableFile:
    """Return a file of rows; what it is follows from its content.

    Raises:
        TableError: no such file, none of the kinds that can be read, no columns, or a column name twice.
    """
    if not path.is_file():
        raise TableError(f"{path}: no such file")
    with readable(path):
        match kind_of(path):
            case "parquet":
                names, rows = parquet_shape(path)
                file = TableFile(path, names, rows, "parquet")
            case "json":
                file = TableFile(path, _json_names(path), None, "json")
            case _:
                writing = csv_writing(path)
                file = TableFile(path, writing.names, None, "csv", writing)
    if not file.names:
        raise TableError(f"{path}: holds no columns")
    twice = sorted({name for name in file.names if file.names.count(name) > 1})
    if twice:
        raise TableError(f"{path}: column names must differ, {twice[0]!r} is there twice")
    return file


def kind_of(path: Path) -> str:
    """Return csv, parquet or json.

    Raises:
        TableError: the file is empty, or of another kind.
    """
    with unpacked(path) as stream:
        start = stream.read(_START_BYTES)
    if not start.strip():
        raise TableError(f"{path}: is empty")
    if start.startswith(MARK):
        if packing(path) is not None:
            raise TableError(f"{path}: is Parquet in a packed file: unpack it first")
        return "parquet"
    for mark, what in _BINARY.items():
        if start.startswith(mark):
            raise TableError(f"{path}: is {what}: it must be CSV, Parquet or JSON")
    if looks_like_json(start):
        return "json"
    if _is_binary(start):
        raise TableError(f"{path}: is neither text nor Parquet: it must be CSV, Parquet or JSON")
    return "csv"


def is_native_events(path: Path) -> bool:
    """Say whether a file holds native events in JSON: one of the first values has a `features` object."""
    if not path.is_file():
        return False
    with readable(path):
        if kind_of(path) != "json":
            return False
        first = [read_tree(row.value, max_bytes=_LARGEST_EVENT) for row in islice(json_rows(path), _LOOKED_AT)]
    return any(isinstance(tree, dict) and isinstance(tree.get("features"), dict) for tree in first)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what a damaged file raises into the one error of tables."""
    try:
        yield
    except TableError:
        raise
    except PackedError as error:
        raise TableError(str(error)) from error
    except (*DAMAGE, UnicodeError) as error:
        raise TableError(f"{path}: cannot be read: {(str(error) or type(error).__name__).splitlines()[0]}") from error


def _json_names(path: Path) -> tuple[str, ...]:
    names = json_names(path)
    first = None if names else next(json_blocks(path, _LOOKED_AT), None)
    if first is not None and first.bad:
        raise TableError(f"{path}: holds no row: {first.bad[0].message}")
    return names


def _is_binary(start: bytes) -> bool:
    """Say whether bytes are no text; that of UTF-16 has zeros in every second place only."""
    if b"\x00" not in start or start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    return bool(start[0:512:2].count(0) and start[1:512:2].count(0))
