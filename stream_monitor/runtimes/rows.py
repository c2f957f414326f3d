"""A file of rows, backtested: reference from its first rows or another file, the rest judged by the local runtime.

Two passes before the run: one learns how many rows there are and when they happened, one gathers the reference. Sizes
are chosen by `sizing` when the user states none, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import orjson

from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import Baseline, BaselineError, build_baseline
from stream_monitor.core.batch import Group, NumericColumn, RawChunk
from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.core.time import pane_start, parse_instant
from stream_monitor.formats import build_decoder
from stream_monitor.formats.tables import Reference, TableBatch
from stream_monitor.formats.tables.reference import ReferenceRows
from stream_monitor.runtimes.local import LocalAlert, LocalPipeline
from stream_monitor.runtimes.renewal import Renewal, Renewed
from stream_monitor.runtimes.slices import rows_at, slices

Key = tuple[str, str]
"""Model and version."""

_SAMPLE_ROWS = 10_000
_GAPS = 5.0
_COARSE = 5
_NICE_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(s * 1_000 for s in (1, 2, 5, 10, 15, 30)),
    *(m * 60_000 for m in (1, 2, 5, 10, 15, 30)),
    *(h * 3_600_000 for h in (1, 2, 3, 6, 12)),
    *(d * 86_400_000 for d in (1, 2, 7, 14, 28, 56, 112, 364, 728, 3_640)),
)


class Rows(Protocol):
    """Rows in the order of a file, decoded; the offset of a row is its number."""

    def batches(self) -> Iterator[TableBatch]:
        """Yield all rows, from the beginning each time."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at the rows says.

    Attributes:
        times_ms: event time of every row that has one, in the order of the file, shape (n,).
        models: rows of each model and version.
        filled: share of values that are there, by series, in the first rows.
        gappy: series that lack a value, or hold one of another type, in any row.
        offsets: where each of the rows is in the file; None if no row was left out.
    """

    times_ms: Int64
    models: Mapping[Key, int]
    filled: Mapping[str, float]
    gappy: frozenset[str] = frozenset()
    offsets: Int64 | None = None

    @property
    def positions(self) -> Int64:
        """Where each row stands in the order of time: in the file, with the rows that are left out, if it is in that
        order.
        """
        return np.arange(self.rows) if self.offsets is None or self.disorder_ms else self.offsets

    @property
    def rows(self) -> int:
        """Rows that have a time."""
        return int(self.times_ms.size)

    @property
    def disorder_ms(self) -> int:
        """How far a row lies behind the newest one before it, at most."""
        if not self.rows:
            return 0
        return int((np.maximum.accumulate(self.times_ms) - self.times_ms).max())

    @property
    def span_ms(self) -> int:
        """From the oldest row to the newest."""
        return int(self.times_ms.max() - self.times_ms.min()) if self.rows else 0

    @property
    def step_ms(self) -> int | None:
        """From row to row, if they come evenly; None if they do not."""
        steps = np.diff(np.sort(self.times_ms))
        even = steps.size and (steps == steps[0]).all() and steps[0] > 0
        return int(steps[0]) if even else None

    def pane_ms(self, pane_rows: int) -> int:
        """Return the round span that holds about that many rows, if rows came evenly."""
        wanted = max(1.0, self.span_ms * pane_rows / max(self.rows - 1, 1))
        return min(_NICE_MS, key=lambda nice: abs(np.log(nice / wanted)))

    def has_gaps(self, pane_ms: int) -> bool:
        """Say whether most panes of that length would be empty."""
        filled = np.unique(self.times_ms // pane_ms).size
        return self.span_ms / pane_ms > _GAPS * max(filled, 1)

    def is_coarse(self, pane_rows: int) -> bool:
        """Say whether rows in order share so few time stamps that panes would hold far more rows than that."""
        return not self.disorder_ms and np.unique(self.times_ms).size * pane_rows * _COARSE < self.rows

    @property
    def is_monthly(self) -> bool:
        """Say whether rows come in order, one in every so many months: evenly by the calendar, unevenly in time."""
        months = self.times_ms.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
        steps = np.diff(months)
        return bool(steps.size and steps[0] > 0 and (steps == steps[0]).all())

    @property
    def least_filled(self) -> float:
        """Share of values in the emptiest series that is at least half filled."""
        return min((share for share in self.filled.values() if share >= 0.5), default=1.0)


def survey(rows: Rows) -> Survey:
    """Read all rows once and return what they are."""
    times: list[Int64] = []
    offsets: list[Int64] = []
    models: dict[Key, int] = {}
    filled: dict[str, int] = {}
    gappy: set[str] = set()
    sampled = 0
    for piece in rows.batches():
        times.append(piece.batch.event_ms)
        offsets.append(piece.batch.offsets)
        sampling = sampled < _SAMPLE_ROWS
        for group in piece.batch.groups:
            key = (group.model, group.version)
            models[key] = models.get(key, 0) + int(group.rows.size)
            values = _present(group)
            gappy |= {name for name, present in values.items() if present < group.rows.size}
            if sampling:
                sampled += int(group.rows.size)
                for name, present in values.items():
                    filled[name] = filled.get(name, 0) + present
    shares = {name: count / max(sampled, 1) for name, count in filled.items()}
    none = np.empty(0, np.int64)
    return Survey(
        np.concatenate([none, *times]), models, shares, frozenset(gappy), offsets=np.concatenate([none, *offsets])
    )


def _present(group: Group) -> dict[str, int]:
    """Return how many values of the type that most of them have there are, by series."""
    return {
        name: int(np.isfinite(column.values).sum())
        if isinstance(column, NumericColumn)
        else max(map([type(cell) for cell in column.cells()].count, (str, bool, float)))
        for name, column in group.columns.items()
    }


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the reference of a model and version ends: its rows before this instant are the reference."""

    model: str
    version: str
    until_ms: int
    rows: int


def cuts(rows: Rows, seen: Survey, *, baseline_rows: int, pane_ms: int) -> list[Cut]:
    """Return the end of the reference for every model and version that has enough rows to be judged as well.

    The rows of the file are shared: a model with a tenth of them gives a tenth of its reference.
    """
    share = baseline_rows / max(seen.rows, 1)
    times: dict[Key, list[Int64]] = {}
    for piece in rows.batches():
        for group in piece.batch.groups:
            times.setdefault((group.model, group.version), []).append(piece.batch.event_ms[group.rows])
    found = []
    for (model, version), parts in sorted(times.items()):
        own = np.sort(np.concatenate(parts))
        wanted = max(round(own.size * share), 63)
        if own.size < 2 * wanted:
            continue
        end = pane_start(int(own[wanted - 1]), pane_ms) + pane_ms
        before = int(np.searchsorted(own, end))
        if before < own.size:
            found.append(Cut(model, version, end, before))
    return found


def first_rows(rows: Rows, found: list[Cut], *, timed: bool) -> list[Reference]:
    """Gather the reference rows: those before the cut of their model and version."""
    ends = {(cut.model, cut.version): cut.until_ms for cut in found}
    gathered = {key: ReferenceRows() for key in ends}
    for piece in rows.batches():
        for group in piece.batch.groups:
            key = (group.model, group.version)
            if key in ends:
                times = piece.batch.event_ms[group.rows]
                before = times < ends[key]
                if before.any():
                    gathered[key].add(rows_at(group, np.flatnonzero(before)), times[before])
    return [own.reference(*key, timed=timed, ordered=True) for key, own in sorted(gathered.items())]


def build_baselines(references: list[Reference], plan: Plan) -> tuple[list[Baseline], list[str]]:
    """Return a baseline for every reference that allows one, and why the others do not."""
    built, refused = [], []
    for own in references:
        try:
            built.append(
                build_baseline(
                    own.model,
                    own.version,
                    own.table,
                    origin=own.origin,
                    limits=plan.limits,
                    seasons=plan.seasons(own.model),
                )
            )
        except BaselineError as error:
            refused.append(f"{own.model} {own.version}".strip() + f": {error}")
    return built, refused


@dataclass(slots=True)
class RowRun:
    """A finished backtest of a file.

    Attributes:
        pipeline: in its last state.
        alerts: all alert events, in order.
    """

    pipeline: LocalPipeline
    alerts: list[LocalAlert] = field(default_factory=list)


def run_rows(
    rows: Rows,
    plan: Plan,
    *,
    topic: str,
    group: str,
    partitions: int,
    baselines: list[tuple[Baseline, int]],
    renewal: Renewal | None = None,
    piece_rows: int = 10_000,
    on_alert: Callable[[LocalAlert], None] = lambda _: None,
    on_renewed: Callable[[Renewed], None] = lambda _: None,
    on_judged: Callable[[LocalPipeline, int], None] = lambda _, __: None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> RowRun:
    """Count and judge all rows; every pane closes at the end.

    Args:
        rows: of the file.
        plan: what is watched; its inputs are replaced by the file.
        topic: name of the file, in positions and in the plan.
        group: of the source of alerts.
        partitions: judge partitions.
        baselines: each with the instant from which on it counts.
        renewal: makes new references after alerts; None keeps the baselines to the end.
        piece_rows: rows counted between two looks at the alerts.
        on_alert: told each alert as it comes.
        on_renewed: told each new reference.
        on_judged: shown the pipeline after each piece, and how many rows it has read.
        on_progress: told the rows read so far.
    """
    plan = replace(plan, inputs=(InputPlan(topic),))
    # One process knows every baseline at once: no activation comes too late for its pane, so no start is declared.
    run = RowRun(
        LocalPipeline(
            plan, group=group, partitions=partitions, sources={topic: 1}, baselines=baselines, declares_start=False
        )
    )

    def publish(alerts: list[LocalAlert]) -> None:
        run.alerts.extend(alerts)
        for alert in alerts:
            on_alert(alert)

    for whole in rows.batches():
        for piece in slices(whole, rows=piece_rows):
            alerts = run.pipeline.count(topic, 0, piece.batch, first=piece.first, next_offset=piece.next_offset)
            publish(alerts)
            if renewal is not None:
                renewal.take(piece.batch)
                renewal.note(alerts)
                for made in renewal.renewed():
                    run.pipeline.publish(made.baseline, from_ms=made.from_ms)
                    on_renewed(made)
            on_judged(run.pipeline, piece.next_offset)
            on_progress(piece.next_offset)
    publish(run.pipeline.close())
    return run


@dataclass(frozen=True, slots=True)
class NativeRows:
    """A file of native events, one a line; the record time of a line is its event time."""

    path: Path
    plan: Plan
    lines: int = 10_000

    def batches(self) -> Iterator[TableBatch]:
        """Yield all events; lines that are no event are rejects of their batch."""
        decoder = build_decoder(InputPlan(self.path.name), self.plan)
        with self.path.open("rb") as file:
            first, held = 0, []
            for line in file:
                held.append(line.rstrip(b"\r\n"))
                if len(held) == self.lines:
                    yield TableBatch(first, first + len(held), decoder.decode(self._chunk(first, held)))
                    first, held = first + len(held), []
            if held:
                yield TableBatch(first, first + len(held), decoder.decode(self._chunk(first, held)))

    def _chunk(self, first: int, held: list[bytes]) -> RawChunk:
        times, newest = [], 0
        for line in held:
            newest = _event_ms(line, newest)
            times.append(newest)
        return RawChunk(
            topic=self.path.name,
            partition=0,
            offsets=np.arange(first, first + len(held), dtype=np.int64),
            record_ms=np.array(times, dtype=np.int64),
            values=[line or None for line in held],
        )


def _event_ms(line: bytes, otherwise: int) -> int:
    try:
        event = orjson.loads(line)
        stamp = event["timestamp"]
        return stamp if isinstance(stamp, int) else parse_instant(stamp)
    except (ValueError, TypeError, KeyError, AttributeError):
        return otherwise  # the decoder says what is wrong with it
