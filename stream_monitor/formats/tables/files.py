"""Open a CSV, Parquet or JSON lines file as a stream of column blocks; memory is bounded by a block.

CSV comes as text: what a column is, is decided from its values, not from the first megabyte of the file. Compressed
files (`.gz`, `.bz2`, `.zst`, `.lz4`) are read as they are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from stream_monitor.formats.tables.errors import TableError

Cells: TypeAlias = "pa.Array | list[object]"
"""One column of a block: typed (Parquet), text (CSV) or mixed (JSON lines)."""

Block: TypeAlias = Mapping[str, Cells]
"""Columns of equal length, by name."""

_CSV_BLOCK_BYTES = 1 << 20
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")
_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_COMMA_NUMBER = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")
_COMMA_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file of rows.

    Attributes:
        path: where it is.
        names: its columns, in order; of JSON lines those of the first block.
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
        match self.kind:
            case "csv":
                assert self.writing is not None, "a CSV file is opened with it"
                yield from _csv_blocks(self.path, self.names, self.writing, rows)
            case "parquet":
                yield from _parquet_blocks(self.path, rows)
            case _:
                yield from _json_blocks(self.path, rows)


def open_file(path: Path) -> TableFile:
    """Return a file of rows by its ending: `.csv`, `.tsv`, `.parquet`, `.jsonl`, `.ndjson`, `.json`.

    Raises:
        TableError: no such file, another ending, no columns, or a column name twice.
    """
    if not path.is_file():
        raise TableError(f"{path}: no such file")
    suffixes = [suffix for suffix in path.suffixes if suffix not in _COMPRESSED]
    match suffixes[-1].lower() if suffixes else "":
        case ".csv" | ".tsv" | ".txt":
            file = _csv_file(path)
        case ".parquet" | ".pq":
            with _readable(path), pq.ParquetFile(path) as parquet:
                file = TableFile(path, tuple(parquet.schema_arrow.names), parquet.metadata.num_rows, "parquet")
        case ".jsonl" | ".ndjson" | ".json":
            block = next(_json_blocks(path, 1000), {})
            file = TableFile(path, tuple(block), None, "json")
        case other:
            raise TableError(f"{path}: must end in .csv, .tsv, .parquet, .jsonl, .ndjson or .json, got {other!r}")
    if not file.names:
        raise TableError(f"{path}: holds no columns")
    twice = sorted({name for name in file.names if file.names.count(name) > 1})
    if twice:
        raise TableError(f"{path}: column names must differ, {twice[0]!r} is there twice")
    return file


def is_native_events(path: Path) -> bool:
    """Say whether a file holds native events as JSON lines: the first line has a `features` object."""
    if not path.is_file() or not {".jsonl", ".ndjson", ".json"} & set(path.suffixes):
        return False
    with pa.input_stream(str(path)) as stream:
        line = stream.read(1 << 20).split(b"\n", 1)[0]
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(first, dict) and isinstance(first.get("features"), dict)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise TableError(f"{path}: {str(error).splitlines()[0]}") from error


# --- CSV --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CsvWriting:
    """How a CSV file is written, as its first bytes say.

    Attributes:
        encoding: UTF-8, UTF-16 with its mark, or what Windows writes in western Europe.
        delimiter: between cells.
        headed: the first row names the columns; a row of numbers does not.
        commas: columns in which a comma stands before the decimals, and dots between thousands.
    """

    encoding: str
    delimiter: str
    headed: bool = True
    commas: frozenset[str] = frozenset()


def _csv_file(path: Path) -> TableFile:
    with _readable(path), pa.input_stream(str(path)) as stream:
        start = stream.read(_CSV_BLOCK_BYTES)
    encoding = _encoding(start)
    header = start.decode(encoding, "replace").lstrip("\ufeff").split("\n", 1)[0]
    writing = CsvWriting(encoding, max(_DELIMITERS, key=header.count))
    with _readable(path), _csv_reader(path, None, writing) as reader:
        names = tuple(reader.schema.names)
    if names and all(_NUMBER.fullmatch(name) for name in names) and names != tuple(map(str, range(len(names)))):
        writing = replace(writing, headed=False)
        names = tuple(f"column {place}" for place in range(1, len(names) + 1))
    if len(set(names)) == len(names):
        writing = replace(writing, commas=_decimal_commas(path, names, writing))
    return TableFile(path, names, None, "csv", writing)


def _csv_blocks(path: Path, names: tuple[str, ...], writing: CsvWriting, rows: int) -> Iterator[Block]:
    with _readable(path), _csv_reader(path, names, writing) as reader:
        for batch in reader:
            for start in range(0, batch.num_rows, rows):
                yield {
                    name: _with_points(cells) if name in writing.commas else cells
                    for name, cells in _columns(batch.slice(start, rows)).items()
                }


def _csv_reader(path: Path, names: tuple[str, ...] | None, writing: CsvWriting) -> pacsv.CSVStreamingReader:
    return pacsv.open_csv(
        pa.input_stream(str(path)),
        read_options=pacsv.ReadOptions(
            block_size=_CSV_BLOCK_BYTES, encoding=writing.encoding, column_names=None if writing.headed else names
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=writing.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=names is None or len(names) > 1,  # of one column, an empty line is a missing value
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names or (), pa.string()),
            null_values=[""],  # NA is a country; numbers take more texts for missing
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _encoding(start: bytes) -> str:
    """Return the encoding of a file from its first bytes, the last of which may be half a character."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        start[: max(0, len(start) - 4)].decode("utf-8")
    except UnicodeDecodeError as error:
        return "utf-8" if error.end >= len(start) - 4 else "cp1252"
    return "utf-8"


def _decimal_commas(path: Path, names: tuple[str, ...], writing: CsvWriting) -> frozenset[str]:
    """Return the columns of numbers with a decimal comma; where commas part the cells there are none."""
    if writing.delimiter == ",":
        return frozenset()
    with _readable(path), _csv_reader(path, names, writing) as reader:
        batch = next(iter(reader), None)
    found = set()
    for name, cells in () if batch is None else zip(batch.schema.names, batch.columns, strict=True):
        texts = [text.strip() for text in cells.slice(0, 1_000).to_pylist() if text]
        fitting = [text for text in texts if _COMMA_NUMBER.fullmatch(text)]
        if any("," in text for text in fitting) and len(fitting) >= _COMMA_SHARE * len(texts):
            found.add(name)
    return frozenset(found)


def _with_points(cells: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.replace_substring(cells, ".", ""), ",", ".")


# --- Parquet ----------------------------------------------------------------------------------------------------------


def _parquet_blocks(path: Path, rows: int) -> Iterator[Block]:
    with _readable(path), pq.ParquetFile(path) as parquet:
        for batch in parquet.iter_batches(batch_size=rows):
            yield _columns(batch)


def _columns(batch: pa.RecordBatch) -> Block:
    return dict(zip(batch.schema.names, batch.columns, strict=True))


# --- JSON lines -------------------------------------------------------------------------------------------------------


def _json_blocks(path: Path, rows: int) -> Iterator[Block]:
    """Yield blocks of lines as lists; a name that a row does not have is None there."""
    with _readable(path), io.BufferedReader(pa.input_stream(str(path))) as stream:
        lines = enumerate(stream, start=1)
        while chunk := list(islice(lines, rows)):
            objects = [_object(path, number, line) for number, line in chunk if line.strip()]
            names = dict.fromkeys(name for row in objects for name in row)
            if objects:
                yield {name: [row.get(name) for row in objects] for name in names}


def _object(path: Path, number: int, line: bytes) -> dict[str, object]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise TableError(f"{path}, line {number}: must be JSON, {error}") from error
    if not isinstance(row, dict):
        raise TableError(f"{path}, line {number}: must be an object, got {type(row).__name__}: one object a line")
    return row
