"""Parquet in blocks of typed columns; a struct becomes a column for each of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stream_monitor.formats.tables.cells import Block, whole_block

MARK = b"PAR1"
"""First bytes of every file."""


def parquet_shape(path: Path) -> tuple[tuple[str, ...], int]:
    """Return the columns of a file and its number of rows.

    Raises:
        pa.ArrowException or OSError: the file is damaged.
    """
    with pq.ParquetFile(path) as parquet:
        flat = _flat(parquet.schema_arrow.empty_table())
        return tuple(flat.schema.names), parquet.metadata.num_rows


def parquet_blocks(path: Path, rows: int) -> Iterator[Block]:
    """Yield blocks of that many rows.

    Raises:
        pa.ArrowException or OSError: the file is damaged.
    """
    first = 0
    with pq.ParquetFile(path) as parquet:
        for batch in parquet.iter_batches(batch_size=rows):
            flat = _flat(pa.Table.from_batches([batch])).combine_chunks()
            columns = {
                name: column.chunk(0) if column.num_chunks else pa.array([], column.type)
                for name, column in zip(flat.schema.names, flat.columns, strict=True)
            }
            block = whole_block(columns, first)
            yield block
            first = block.next


def _flat(table: pa.Table) -> pa.Table:
    while any(pa.types.is_struct(column.type) for column in table.schema):
        table = table.flatten()
    return table
