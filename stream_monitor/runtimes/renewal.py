"""After a drift has been told, the rows behind it become the reference, so that the next change of a file is told too.

A monitor of live traffic keeps its baseline until a person activates another one. A file is a finished experiment: who
asks what changed in it wants every change. Rows after an alert are gathered; once there are enough of them, and they
are one regime (their first half looks like their second), they are the new reference from the next pane on. The panes
up to the alert are left out: they were selected by it and would bias the new null. While a change still goes on, the
older half is given up and gathering goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from stream_monitor.core.alerts.event import decode
from stream_monitor.core.arrays import Bool, Int64
from stream_monitor.core.baseline import (
    Baseline,
    BaselineError,
    ReferenceTable,
    SeriesBaseline,
    build_baseline,
    with_free_constants,
)
from stream_monitor.core.baseline.dependence import Dependence, DesignEffect, is_worth_a_promise
from stream_monitor.core.batch import Batch, Group
from stream_monitor.core.plan import ConditionName, Plan
from stream_monitor.core.time import pane_start
from stream_monitor.formats.tables.reference import ReferenceRows
from stream_monitor.runtimes.local import LocalAlert
from stream_monitor.runtimes.slices import rows_at

UNSETTLED = 0.1
"""Largest gap between the distributions of two halves of one regime, beyond what chance explains."""

CHANCE = 1.63
"""Kolmogorov's 99 % point: two equal halves of n rows differ by less than CHANCE * sqrt(2/n)."""

Key = tuple[str, str]
"""Model and version."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """A new reference, the rows it is made of, and the pane from which it counts."""

    baseline: Baseline
    since_ms: int
    from_ms: int


@dataclass(slots=True)
class _Regime:
    """What is known of one model and version since its last alert."""

    held: deque[tuple[Group, Int64]] = field(default_factory=deque)
    rows: int = 0
    open: set[str] = field(default_factory=set)
    since_ms: int | None = None

    def add(self, group: Group, event_ms: Int64, *, most: int) -> None:
        self.held.append((group, event_ms))
        self.rows += event_ms.size
        while self.rows - self.held[0][1].size >= most:
            self.rows -= self.held.popleft()[1].size

    def since(self, at_ms: int) -> tuple[list[tuple[Group, Int64]], Int64]:
        """Return the rows from an instant on, and their times."""
        pieces = []
        for group, event_ms in self.held:
            places = np.flatnonzero(event_ms >= at_ms)
            if places.size:
                pieces.append((rows_at(group, places), event_ms[places]))
        return pieces, np.concatenate([np.empty(0, np.int64), *(times for _, times in pieces)])


class Renewal:
    """Watches the alerts of a file and makes new references.

    Args:
        plan: of the backtest.
        rows: of a reference.
        timed: rows have time stamps of their own.
        baselines: the first references. Dependence is a property of the stream, not of a regime: what was measured on
            the whole file, or at least on more rows, is not measured again.
    """

    def __init__(self, plan: Plan, *, rows: int, timed: bool, baselines: Iterable[Baseline] = ()) -> None:
        self._plan = plan
        self._rows = rows
        self._timed = timed
        self._first = {(baseline.model, baseline.version): baseline for baseline in baselines}
        self._regimes: dict[Key, _Regime] = {}

    def take(self, batch: Batch) -> None:
        """Keep the rows of a piece that has been counted."""
        for group in batch.groups:
            regime = self._regimes.setdefault((group.model, group.version), _Regime())
            regime.add(group, batch.event_ms[group.rows], most=4 * self._rows)

    def note(self, alerts: list[LocalAlert]) -> None:
        """Hear of alerts: a new one starts the gathering anew, the end of all of them ends it.

        Values that are frozen are no reference for what comes when they thaw.
        """
        for alert in alerts:
            data = decode(alert.event.value).data
            if data.labels["rule"] == ConditionName.FROZEN_VALUES:
                continue
            key = (data.labels["model"], data.labels.get("version", ""))
            regime = self._regimes.setdefault(key, _Regime())
            if data.reason == "fired":
                regime.open.add(data.alert_id)
                regime.since_ms = alert.event.timestamp_ms
            elif data.status == "resolved":
                regime.open.discard(data.alert_id)
                if not regime.open:
                    regime.since_ms = None

    def renewed(self) -> list[Renewed]:
        """Return the references that can be made now, by model and version."""
        return [made for key in sorted(self._regimes) if (made := self._renew(key, self._regimes[key])) is not None]

    def _renew(self, key: Key, regime: _Regime) -> Renewed | None:
        if regime.since_ms is None:
            return None
        pieces, times = regime.since(regime.since_ms)
        if times.size < self._rows:
            return None
        gathered = ReferenceRows()
        for group, event_ms in pieces:
            gathered.add(group, event_ms)
        reference = gathered.reference(*key, timed=self._timed, ordered=True)
        middle = int(np.median(times))
        if not is_settled(reference.table, times <= middle):
            regime.since_ms = middle
            return None
        try:
            made = build_baseline(
                *key,
                reference.table,
                origin=reference.origin,
                limits=self._plan.limits,
                seasons=self._plan.seasons(key[0]),
            )
        except BaselineError:
            return None  # too few values of anything yet: gathering goes on
        made = with_free_constants(_as_dependent_as(made, self._first.get(key)))
        length = self._plan.detection.pane_ms
        since_ms, regime.since_ms = regime.since_ms, None
        regime.open.clear()
        return Renewed(made, since_ms, pane_start(int(times.max()), length) + length)


def _as_dependent_as(made: Baseline, first: Baseline | None) -> Baseline:
    """Return a baseline whose series are as dependent as the whole file; only what is new in it speaks for itself."""
    if first is None:
        return made
    segments = {
        label: replace(own, series=_series_as_dependent_as(own.series, first.segments[label].series))
        if label in first.segments
        else own
        for label, own in made.segments.items()
    }
    return replace(made, series=_series_as_dependent_as(made.series, first.series), segments=segments, id="")


def _series_as_dependent_as(
    made: Mapping[str, SeriesBaseline], first: Mapping[str, SeriesBaseline]
) -> dict[str, SeriesBaseline]:
    series: dict[str, SeriesBaseline] = {}
    for name, own in made.items():
        before = first[name].dependence if name in first else None
        if before is None:
            series[name] = own
        else:
            values = _over(before.values, own.observed)
            series[name] = replace(own, dependence=Dependence(values, _over(before.absent, own.observed + own.missing)))
    return series


def _over(known: DesignEffect, rows: int) -> DesignEffect:
    """Return a design effect beside a reference of that many rows."""
    return known._replace(settled=known.settled and is_worth_a_promise(rows, known.value))


def is_settled(table: ReferenceTable, first: Bool) -> bool:
    """Say whether two parts of the rows look like one regime in every column.

    Args:
        table: the rows.
        first: which rows are the first part, shape (rows,).
    """
    return all(_gap(column, first) < UNSETTLED for column in table.columns.values())


def _gap(column: object, first: Bool) -> float:
    """Return the largest gap of the two distribution functions, less what chance explains; categories in any order."""
    cells = np.asarray(column, dtype=object)
    numbers = np.array([cell if isinstance(cell, float | int) else np.nan for cell in cells], dtype=np.float64)
    if np.isnan(numbers).all():
        names, codes = np.unique([str(cell) for cell in cells], return_inverse=True)
        del names
        shares = [np.bincount(codes[part], minlength=codes.max() + 1) / max(part.sum(), 1) for part in (first, ~first)]
        gap, least = 0.5 * np.abs(shares[0] - shares[1]).sum(), min(first.sum(), (~first).sum())
    else:
        parts = [np.sort(numbers[part & np.isfinite(numbers)]) for part in (first, ~first)]
        least = min(part.size for part in parts)
        if not least:
            return 0.0
        at = np.concatenate(parts)
        below = [np.searchsorted(part, at, side="right") / part.size for part in parts]
        gap = np.abs(below[0] - below[1]).max()
    return float(gap - CHANCE * np.sqrt(2.0 / max(int(least), 1)))
