"""Files of rows (CSV, Parquet, JSON lines) without configuration: batches to count, reference rows for a baseline.

`files` reads blocks of columns, `layout` says which column is what, `values` turns cells into columns of the core,
`table` joins them, `reference` gathers rows for a baseline. A new kind of file is a branch in `files`.
"""

from stream_monitor.formats.tables.errors import TableError
from stream_monitor.formats.tables.files import is_native_events
from stream_monitor.formats.tables.layout import Role, TableLayout, TableOptions, kinds_of
from stream_monitor.formats.tables.reference import Reference
from stream_monitor.formats.tables.table import Table, TableBatch, open_table

__all__ = [
    "Reference",
    "Role",
    "Table",
    "TableBatch",
    "TableError",
    "TableLayout",
    "TableOptions",
    "is_native_events",
    "kinds_of",
    "open_table",
]
