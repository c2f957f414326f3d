"""Columns that hold texts in the reference and numbers in the file, or the other way round: they cannot be compared."""

from __future__ import annotations

from pathlib import Path

from stream_monitor.core.names import SeriesKind
from stream_monitor.formats.tables import is_native_events
from stream_monitor.formats.tables.files import open_file
from stream_monitor.formats.tables.numbers import number_form
from stream_monitor.formats.tables.values import infer_kind, plain_cells
from stream_monitor.runtimes.replay import is_export

_ROWS = 10_000
_WORDS = {SeriesKind.NUMERIC: "numbers", SeriesKind.CATEGORICAL: "texts", SeriesKind.BINARY: "yes/no"}


def other_types(path: Path, reference: Path) -> dict[str, str]:
    """Return the columns of two tables whose values are of other types, and which.

    Numbers and yes/no may stand for each other, as 1 and true do.

    Raises:
        TableError: a file cannot be read as rows.
    """
    if any(is_export(own) or is_native_events(own) for own in (path, reference)):
        return {}
    here, there = _kinds(path), _kinds(reference)
    return {
        name: f"{_WORDS[there[name]]} in the reference, {_WORDS[kind]} in the file"
        for name, kind in here.items()
        if name in there and (kind is SeriesKind.CATEGORICAL) != (there[name] is SeriesKind.CATEGORICAL)
    }


def _kinds(path: Path) -> dict[str, SeriesKind]:
    file = open_file(path)
    block = next(file.blocks(_ROWS), None)
    found: dict[str, SeriesKind] = {}
    for name, cells in () if block is None else block.columns.items():
        kind = infer_kind(cells, text=file.kind == "csv")
        if kind is SeriesKind.CATEGORICAL and number_form(plain_cells(cells)) is not None:
            kind = SeriesKind.NUMERIC
        if kind is not None and kind in _WORDS:
            found[name] = kind
    return found
