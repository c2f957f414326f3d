"""`backtest --plot FILE`: series, evidence, alerts and true changes as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.notes.fired_alerts import Fired, RowOf, series_name

if TYPE_CHECKING:
    from stream_monitor.core.arrays import Int64
    from stream_monitor.core.batch import Column
    from stream_monitor.lab.labelled import Truth
    from stream_monitor.lab.plot import EvidenceCourse, Panel, Reduction
    from stream_monitor.runtimes.backtest.surveying import Rows
    from stream_monitor.runtimes.local import LocalPipeline

MOST_PANELS = 12


def check_plot(path: Path) -> None:
    """Refuse a picture that cannot be written, before hours of work.

    Raises:
        CommandError: no SVG file, or no folder for it.
    """
    if path.suffix.lower() != ".svg":
        raise CommandError(f"--plot: must be an .svg file, which every browser shows, got {path.name}")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"--plot: there is no folder {path.absolute().parent}")


@dataclass(slots=True)
class Plotting:
    """Gathers what a picture needs while a backtest runs.

    Attributes:
        path: of the picture.
        row_of: rows before an instant.
        references: spans of rows that were references, in order.
    """

    path: Path
    row_of: RowOf
    references: list[tuple[int, int]]
    _course: EvidenceCourse = field(init=False)

    def __post_init__(self) -> None:
        from stream_monitor.lab.plot import EvidenceCourse

        self._course = EvidenceCourse()

    def look(self, pipeline: LocalPipeline, seen: int) -> None:
        """Note the evidence after that many rows."""
        self._course.look(seen, pipeline.views)

    def write(self, rows: Rows, *, count: int, title: str, fired: Sequence[Fired], truth: Truth | None) -> int:
        """Write the picture and return how many series it shows.

        Args:
            rows: of the file, read once more.
            count: how many.
            title: of the picture.
            fired: alerts, in order.
            truth: known changes, None when nobody knows.
        """
        from stream_monitor.lab.plot import picture

        changed = [] if truth is None else [name for name in truth.changes if name]
        spoken = dict.fromkeys([alert.name for alert in fired] + changed)
        names = list(dict.fromkeys([*spoken, *self._course.names]))
        shown = names[:MOST_PANELS]
        columns = _reduced(rows, shown, count, self.row_of)
        panels = [self._panel(name, columns, fired, truth) for name in shown]
        self.path.write_text(picture(title, count, panels, left_out=len(names) - len(shown)), encoding="utf-8")
        return len(shown)

    def _panel(self, name: str, columns: Mapping[str, Reduction], fired: Sequence[Fired], truth: Truth | None) -> Panel:
        from stream_monitor.lab.plot import AlertMark, Panel

        evidence = self._course.of(name)
        return Panel(
            name=name,
            values=columns.get(name),
            looks=self._course.rows if evidence else [],
            evidence=evidence,
            alerts=[AlertMark(own.seen, own.words, own.began) for own in fired if own.name == name],
            changes=() if truth is None else truth.of(name),
            references=self.references,
        )


def _reduced(rows: Rows, names: Sequence[str], count: int, row_of: RowOf) -> dict[str, Reduction]:
    import numpy as np

    from stream_monitor.lab.plot import PLOT_WIDTH, Reduction

    found: dict[str, Reduction] = {}
    for piece in rows.batches():
        for group in piece.batch.groups:
            places = np.array([row_of(at) for at in piece.batch.event_ms[group.rows].tolist()], dtype=np.int64)
            for series, column in group.columns.items():
                name = series_name(series)
                if name in names:
                    _add(found.setdefault(name, Reduction(rows=count, buckets=PLOT_WIDTH)), places, column)
    return found


def _add(reduction: Reduction, places: Int64, column: Column) -> None:
    from stream_monitor.core.batch import NumericColumn, Sentinel

    if isinstance(column, NumericColumn):
        reduction.add(places, column.values)
    else:
        reduction.add(places, [None if isinstance(cell, Sentinel) else cell for cell in column.cells()])
