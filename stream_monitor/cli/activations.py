"""Activations on the topic of baselines: written, ended and listed, with the lead that every change needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import emit, note, say, table
from stream_monitor.cli.schedule import read_schedule
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.config import Settings
    from stream_monitor.core.baseline import Activation, Baseline, Schedule
    from stream_monitor.core.canonical import Json

_BEGINNING_MS = 24 * 3_600_000
"""An instant before the second of January 1970 is the beginning of everything."""

_MINUTE_MS = 60_000
_WRITING_MS = 10_000
"""Longer than a record takes to be written."""


def activate_baseline(settings: Settings, baseline: Baseline, *, from_ms: int | None) -> None:
    """Make a published baseline the reference of its model and version from a pane on, and say from when.

    Raises:
        CommandError: the instant is too soon, or another activation has it; nothing was written.
    """
    from stream_monitor.core.baseline import activation_lead_ms
    from stream_monitor.core.time import format_instant, pane_start
    from stream_monitor.kafka.baseline_log import is_void
    from stream_monitor.runtimes.connection import baseline_writer

    plan = settings.plan
    pane_ms = plan.detection.pane_ms
    schedule = read_schedule(settings)
    started = settings.group in schedule.starts
    if from_ms is not None and from_ms % pane_ms:
        from_ms = pane_start(from_ms, pane_ms) + pane_ms
    if from_ms is not None and any(own.from_ms == from_ms for own in _of(schedule, baseline)):
        raise CommandError(f"--from: {format_instant(from_ms)} has an activation already: give another pane")
    if started and from_ms is not None:
        _refuse_too_soon(settings, from_ms, _wall_ms())
    writer = baseline_writer(settings)
    now_ms = writer.document(baseline)  # broker time is what the rule is about: the document, written again, tells it
    if started and from_ms is not None:
        _refuse_too_soon(settings, from_ms, now_ms)
    if from_ms is None:
        from_ms = _earliest(settings, now_ms) if started else _beginning(schedule, baseline, pane_ms)
    written_ms = writer.activation(baseline, from_ms, lead_ms=activation_lead_ms(settings.plan.time))
    if started and is_void(plan.time, written_ms=written_ms, from_ms=from_ms):
        raise CommandError(
            f"the activation took too long to be written and is void for everybody: run"
            f" 'stream-monitor baseline activate {baseline.id}'",
            Exit.UNEXPECTED,
        )
    named = _named(baseline.model, baseline.version)
    if from_ms <= written_ms:
        since = "the beginning" if from_ms < _BEGINNING_MS else format_instant(from_ms)
        note(f"{baseline.id} is the reference of {named} from {since} on: no worker of the group has started yet")
        return
    note(
        f"{baseline.id} is the reference of {named} from {format_instant(from_ms)} on, in"
        f" {_minutes(from_ms - written_ms)}; {_until_then(schedule, baseline, written_ms)}"
    )


def end_activation(settings: Settings, beginning: str, *, scheduled: bool) -> None:
    """End an activation as soon as that can be known everywhere, and say what counts from then on.

    Raises:
        CommandError: no activation, or more than one, is meant; nothing was written.
    """
    from stream_monitor.core.baseline import activation_lead_ms, end_record
    from stream_monitor.core.time import format_instant
    from stream_monitor.kafka.baseline_log import is_void
    from stream_monitor.runtimes.connection import baseline_writer

    schedule = read_schedule(settings)
    started = settings.group in schedule.starts
    now_ms = _wall_ms()
    own = _meant(schedule, beginning, now_ms, scheduled=scheduled)
    in_time = not is_void(settings.plan.time, written_ms=now_ms + _WRITING_MS, from_ms=own.from_ms)
    until_ms = own.from_ms if in_time or not started else _earliest(settings, now_ms)
    written_ms = baseline_writer(settings).end(own, until_ms, lead_ms=activation_lead_ms(settings.plan.time))
    if started and is_void(settings.plan.time, written_ms=written_ms, from_ms=until_ms):
        raise CommandError(
            f"the end was written at {format_instant(written_ms)}, too late for {format_instant(until_ms)}, and is void"
            " for everybody: is this machine's clock right? run the command again",
            Exit.UNEXPECTED,
        )
    key, value = end_record(own, until_ms)
    schedule.apply(key, value, schedule.next_offset, now_ms)
    named = _named(own.model, own.version)
    if until_ms == own.from_ms:
        note(f"{own.baseline} will not count for {named}")
    else:
        why = " (workers may know it already)" if scheduled else ""
        note(f"{own.baseline} counts for {named} until {format_instant(until_ms)}{why}")
    following = schedule.activation_at(own.model, own.version, until_ms)
    if own.extends:
        note("from then on its series have no reference until one is made of live events")
    elif following is None:
        note(
            "from then on there is no baseline: the first events become one, unless models[].baseline.from is published"
        )
    else:
        note(f"from then on {following.baseline} counts")


def baseline_by_id(schedule: Schedule, beginning: str) -> Baseline:
    """Return the one document whose id begins like that.

    Raises:
        CommandError: there is none, or more than one.
    """
    found = [baseline for own, baseline in sorted(schedule.documents.items()) if own.startswith(_id(beginning))]
    if len(found) != 1:
        what = "no baseline" if not found else f"{len(found)} baselines"
        raise CommandError(f"{what} with an id that begins with {beginning}", Exit.UNEXPECTED)
    return found[0]


def show_activations(options: GlobalOptions, schedule: Schedule) -> None:
    """List every activation by model, version and first pane, void ones last."""
    from stream_monitor.core.time import format_instant

    now_ms = _wall_ms()
    rows: list[list[str]] = []
    for own, state in [
        *((own, _state(schedule, own, now_ms)) for own in (*schedule.activations, *schedule.supplements)),
        *((own, "void") for own in schedule.void),
    ]:
        end_ms = schedule.end_ms(own)
        since = "the beginning" if own.from_ms < _BEGINNING_MS else format_instant(own.from_ms)
        until = "" if end_ms is None else format_instant(end_ms)
        if options.json:
            emit(_json(own, state, end_ms))
        what = "supplement" if own.extends else "baseline"
        by = "judge" if own.automatic else "operator"
        rows.append([own.model, own.version, what, own.baseline[:19], by, since, until, state])
    if options.json:
        return
    if not rows:
        say("no activations")
        return
    table(("model", "version", "what", "id", "by", "from", "until", "state"), rows)
    if schedule.void:
        note("void: written too late to be the same for every worker; it never counts")


def _json(own: Activation, state: str, end_ms: int | None) -> dict[str, Json]:
    return {
        "model": own.model,
        "version": own.version,
        "baseline": own.baseline,
        "extends": own.extends or None,
        "automatic": own.automatic,
        "from_ms": own.from_ms,
        "until_ms": end_ms,
        "state": state,
    }


def _state(schedule: Schedule, own: Activation, now_ms: int) -> str:
    end_ms = schedule.end_ms(own)
    if end_ms is not None and end_ms <= max(now_ms, own.from_ms):
        return "cancelled" if end_ms <= own.from_ms else "ended"
    if own.from_ms > now_ms:
        return "scheduled"
    in_force = schedule.activation_at(own.model, own.version, now_ms)
    return "active" if own.extends or own == in_force else "replaced"


def _meant(schedule: Schedule, beginning: str, now_ms: int, *, scheduled: bool) -> Activation:
    wanted = ("scheduled",) if scheduled else ("active", "replaced")
    found = [
        own
        for own in (*schedule.activations, *schedule.supplements)
        if own.baseline.startswith(_id(beginning)) and _state(schedule, own, now_ms) in wanted
    ]
    if len(found) == 1:
        return found[0]
    what = "scheduled" if scheduled else "active"
    other = "retire" if scheduled else "cancel"
    count = "no" if not found else f"{len(found)}"
    raise CommandError(
        f"{count} {what} activations of a baseline that begins with {beginning}: see 'stream-monitor baseline list';"
        f" 'baseline {other}' is for {'active' if scheduled else 'scheduled'} ones",
        Exit.UNEXPECTED,
    )


def _refuse_too_soon(settings: Settings, from_ms: int, now_ms: int) -> None:
    from stream_monitor.core.baseline import activation_lead_ms
    from stream_monitor.core.time import format_instant
    from stream_monitor.kafka.baseline_log import is_void

    if is_void(settings.plan.time, written_ms=now_ms, from_ms=from_ms):
        raise CommandError(
            f"--from: {format_instant(from_ms)} is too soon: it must lie"
            f" {_minutes(activation_lead_ms(settings.plan.time))} ahead, because panes before may be counted already;"
            f" nothing was written: leave --from out for {format_instant(_earliest(settings, now_ms))}",
            Exit.UNEXPECTED,
        )


def _earliest(settings: Settings, now_ms: int) -> int:
    from stream_monitor.core.baseline import activation_lead_ms, proposed_activation_ms

    plan = settings.plan
    return proposed_activation_ms(now_ms, lead_ms=activation_lead_ms(plan.time), pane_ms=plan.detection.pane_ms)


def _beginning(schedule: Schedule, baseline: Baseline, pane_ms: int) -> int:
    """Return the first pane after those of earlier activations from the beginning on: the last one written counts."""
    taken = [own.from_ms for own in _of(schedule, baseline) if own.from_ms < _BEGINNING_MS]
    return max(taken) + pane_ms if taken else 0


def _until_then(schedule: Schedule, baseline: Baseline, now_ms: int) -> str:
    before = schedule.activation_at(baseline.model, baseline.version, now_ms)
    return "until then no baseline counts" if before is None else f"until then {before.baseline} counts"


def _of(schedule: Schedule, baseline: Baseline) -> list[Activation]:
    place = (baseline.model, baseline.version)
    return [own for own in schedule.activations if (own.model, own.version) == place]


def _id(beginning: str) -> str:
    return beginning if beginning.startswith("sha256:") else f"sha256:{beginning}"


def _named(model: str, version: str) -> str:
    return f"{model} {version}".strip()


def _minutes(span_ms: int) -> str:
    return f"{round(span_ms / _MINUTE_MS)} min"


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
