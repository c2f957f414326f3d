"""After a drift has been told, the rows behind it become the reference, so that the next change of a file is told too.

A monitor of live traffic keeps its baseline until a person activates another one. A file is a finished experiment: who
asks what changed in it wants every change. Rows after an alert are gathered; once there are enough of them, and they
are one regime (their first half looks like their second), they are the new reference from the next pane on. The panes
up to the alert are left out: they were selected by it and would bias the new null. While a change still goes on, the
older half is given up and gathering goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from stream_monitor.core.alerts.event import decode
from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import (
    Baseline,
    BaselineError,
    build_baseline,
    with_free_constants,
)
from stream_monitor.core.batch import Batch, Group
from stream_monitor.core.plan import ConditionName, Plan
from stream_monitor.core.study.regime import as_dependent_as, is_settled
from stream_monitor.core.study.survey import Key
from stream_monitor.core.time import pane_start
from stream_monitor.formats.tables.reference import ReferenceRows
from stream_monitor.runtimes.backtest.slices import rows_at
from stream_monitor.runtimes.local import LocalAlert


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
        made = with_free_constants(as_dependent_as(made, self._first.get(key)))
        length = self._plan.detection.pane_ms
        since_ms, regime.since_ms = regime.since_ms, None
        regime.open.clear()
        return Renewed(made, since_ms, pane_start(int(times.max()), length) + length)
