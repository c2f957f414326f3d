"""What a backtest of rows told, by row: the alerts that fired, for scores and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.formats.tables import TableLayout
    from stream_monitor.runtimes.local import LocalAlert, LocalPipeline

RowOf = Callable[[int], int]
"""Returns how many rows happened before an instant: a place in the order of time."""


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that began to fire.

    Attributes:
        seen: rows seen when it was told.
        name: of the feature, or of the series of the model; several models of a file share their names.
        words: its summary.
        began: rows between which the change began, None if the alert does not say.
    """

    seen: int
    name: str
    words: str
    began: tuple[int, int] | None


class ToldAlerts:
    """Gathers alerts as they are told."""

    def __init__(self, row_of: RowOf) -> None:
        self._row_of = row_of
        self.fired: list[Fired] = []

    def take(self, alert: LocalAlert) -> None:
        """Take an alert event; only those that begin to fire are kept."""
        from stream_monitor.core.alerts.event import decode
        from stream_monitor.core.time import parse_instant

        data = decode(alert.event.value).data
        if data.reason != "fired":
            return
        change = data.evidence.change
        ends = () if change is None else tuple(self._row_of(parse_instant(at)) for at in (change.from_, change.to))
        name = series_name(data.labels.get("series", data.labels["alertname"]))
        seen = self._row_of(alert.event.timestamp_ms)
        self.fired.append(Fired(seen, name, data.annotations.summary, (ends[0], ends[1]) if ends else None))


def series_name(series: str) -> str:
    """Return the feature that a series is about; other series keep their name."""
    from stream_monitor.core.names import feature_of

    return feature_of(series) or series


def watched_names(pipeline: LocalPipeline) -> list[str]:
    """Return what was watched, features and series of the model, sorted."""
    return sorted({series_name(series.series) for view in pipeline.views for series in view.series})


def column_names(layout: TableLayout | None) -> Mapping[str, str]:
    """Return the series of columns that are no features, by the name of the column; native events have no layout."""
    from stream_monitor.formats.tables.layout import SERIES_OF_ROLE

    if layout is None:
        return {}
    return {layout.roles[role]: series for role, series in SERIES_OF_ROLE.items() if role in layout.roles}


def known_names(layout: TableLayout | None, baselines: Iterable[Baseline]) -> set[str]:
    """Return under what names alerts about a file may be told, and the features in it that are not watched."""
    names = {series_name(series) for baseline in baselines for series in baseline.series}
    if layout is not None:
        names |= {*layout.kinds, *layout.dropped, *column_names(layout).values()}
    return names
