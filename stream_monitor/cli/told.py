"""What a backtest of rows told, by row: the alerts that fired, for scores and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.runtimes.local import LocalAlert, LocalPipeline
    from stream_monitor.runtimes.rows import Rows

RowOf = Callable[[int], int]
"""Returns how many rows happened before an instant."""


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


def names_in(rows: Rows, baselines: Iterable[Baseline]) -> Mapping[str, str]:
    """Return under what name a column or a series is told, by every name that it goes by: a feature by that of its
    column, whether its values are meant or how many are missing.
    """
    from stream_monitor.core.names import (
        FEATURE_PREFIX,
        INVALID_PREFIX,
        MISSING_PREFIX,
        UNSEEN_PREFIX,
        feature_series,
    )
    from stream_monitor.formats.tables import Table
    from stream_monitor.formats.tables.layout import SERIES_OF_ROLE

    told = {series: series_name(series) for baseline in baselines for series in baseline.series}
    if isinstance(rows, Table):
        layout = rows.layout
        roles = {layout.roles[role]: series for role, series in SERIES_OF_ROLE.items() if role in layout.roles}
        told |= {feature_series(name): name for name in (*layout.kinds, *layout.dropped)}
        told |= roles | {series: series for series in roles.values()}
    features = {name for series, name in told.items() if series.startswith(FEATURE_PREFIX)}
    told |= {f"{prefix}{name}": name for name in features for prefix in (MISSING_PREFIX, INVALID_PREFIX, UNSEEN_PREFIX)}
    return {**{name: name for name in features}, **told}
