"""A file of rows, backtested: reference from its first rows or another file, the rest judged by the local runtime.

Two passes before the run: one learns how many rows there are and when they happened, one gathers the reference. Sizes
are chosen by `sizing` when the user states none, and said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import Baseline, BaselineError, build_baseline
from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.core.study.survey import Key, Survey
from stream_monitor.core.time import pane_start
from stream_monitor.formats.tables import Reference
from stream_monitor.formats.tables.reference import ReferenceRows
from stream_monitor.runtimes.backtest.renewal import Renewal, Renewed
from stream_monitor.runtimes.backtest.slices import rows_at, slices
from stream_monitor.runtimes.backtest.surveying import Rows
from stream_monitor.runtimes.local import LocalAlert, LocalPipeline


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
