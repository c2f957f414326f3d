"""Reconciling: a judge that was refolded to another state goes on with the alerts that were published.

Another version of the program, or of a library, may refold the log to alerts that differ from those that its
predecessor wrote. What was written is what people have seen, so it counts:

| published | refolded | what becomes of it |
|---|---|---|
| open | open | goes on under its published id, start and sequence |
| open | not open | ends with the reason `state_rebuilt` |
| not open | open | is quiet again, and fires when its rule holds on the panes that follow |

Everything else of the state is what the log says under this version. Reconciling twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.identity import SeriesName, alert_labels, fingerprint, storm_labels
from stream_monitor.core.alerts.lifecycle import AlertStatus, Life, Reason
from stream_monitor.core.alerts.wording import Facts
from stream_monitor.core.judge.conditions.condition_events import labels_of
from stream_monitor.core.judge.outputs import Output
from stream_monitor.core.judge.publishing import written_ends
from stream_monitor.core.judge.remembered import Remembered
from stream_monitor.core.judge.reporting.alert_events import Told, texts
from stream_monitor.core.judge.standing.standing import Held, Place, Standing
from stream_monitor.core.plan import Plan
from stream_monitor.core.rules import Pane
from stream_monitor.core.time import format_instant, parse_instant


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was done, and what is to be written before anything else.

    Attributes:
        outputs: ends of alerts that the judge does not know.
        kept: ids of published alerts that go on.
        ended: ids of those that end.
        quieted: fingerprints of alerts that the judge alone took for open.
    """

    outputs: tuple[Output, ...] = ()
    kept: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    quieted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A life of the judge: whose it is, and how another one is put in its place."""

    life: Life
    put: Callable[[Life], None]


def reconcile(judge: Remembered, published: Mapping[bytes, bytes]) -> Reconciled:
    """Let a judge go on with the alerts that were published.

    Args:
        judge: at the position up to which alerts were published; it is changed.
        published: the last event of every alert of its partition by fingerprint, as in `drift-alert-state`.

    Raises:
        msgspec.MsgspecError: something published is not an alert event.
    """
    last = {key.decode(): wire.decode(value) for key, value in sorted(published.items())}
    kept, quieted = _settle(judge, last)
    ends = [event for identity, event in last.items() if _is_open(event) and identity not in kept]
    for identity, event in last.items():
        judge.forgetting.told(identity, resolved=not _is_open(event), now_ms=parse_instant(event.time))
    newest_ms = max((parse_instant(event.time) for event in last.values()), default=0)
    now = judge.last_pane or Pane(newest_ms, newest_ms)
    outputs = written_ends(judge, {}, [_end(event, judge, now) for event in ends], now)
    judge.roll("rebuilt", outputs)
    return Reconciled(
        tuple(outputs),
        tuple(last[identity].data.alert_id for identity in sorted(kept)),
        tuple(event.data.alert_id for event in ends),
        tuple(sorted(quieted)),
    )


def _settle(judge: Remembered, last: Mapping[str, wire.AlertCloudEvent]) -> tuple[set[str], set[str]]:
    """Set every life to what was published of it; return the open ones that go on, and those that are quiet again."""
    shown = {AlertStatus.FIRING, *([AlertStatus.PENDING] if judge.plan.alerts.publish_pending else [])}
    kept: set[str] = set()
    quieted: set[str] = set()
    for identity, place in _places(judge):
        event, life = last.get(identity), place.life
        if event is not None and event.data.status in shown and life.open:
            place.put(_adopted(life, event))
            kept.add(identity)
        elif life.status in shown or (life.open and event is not None and _is_open(event)):
            resolved_ms = life.resolved_ms if event is None else parse_instant(event.time)
            place.put(Life(resolved_ms=resolved_ms))
            quieted.add(identity)
    return kept, quieted


def _is_open(event: wire.AlertCloudEvent) -> bool:
    return event.data.status != AlertStatus.RESOLVED


def _adopted(life: Life, event: wire.AlertCloudEvent) -> Life:
    """Return the life that goes on where the published one stands."""
    return replace(
        life,
        status=AlertStatus(event.data.status),
        starts_ms=parse_instant(event.data.starts_at),
        sequence=event.data.sequence,
        told_value=event.data.evidence.effect.value,
        told_ms=parse_instant(event.time),
    )


def _end(event: wire.AlertCloudEvent, judge: Remembered, now: Pane) -> Told:
    """Return the end of a published alert: its last event, with the reason and the words of the end."""
    data, labels = event.data, event.data.labels
    name = SeriesName(*(labels.get(part, "") for part in ("model", "version", "segment", "series")))
    facts = Facts(
        alertname=labels["alertname"],
        name=name,
        rule=labels["rule"],
        reason=Reason.STATE_REBUILT,
        evidence=data.evidence,
        starts_ms=parse_instant(data.starts_at),
        ends_ms=now.end_ms,
        now_ms=now.end_ms,
        alert_id=data.alert_id,
        runbook_url=judge.plan.alerts.runbook_url,
    )
    ended = msgspec.structs.replace(
        data,
        status=AlertStatus.RESOLVED.value,
        reason=Reason.STATE_REBUILT.value,
        sequence=data.sequence + 1,
        annotations=texts(facts),
        ends_at=format_instant(now.end_ms),
    )
    written = wire.cloud_event(ended, source=event.source, subject=event.subject, time_ms=now.end_ms)
    order = (name, labels["rule"])
    return Told(order, data.fingerprint, True, labels["severity"], Reason.STATE_REBUILT, wire.encode(written))


def _places(judge: Remembered) -> Iterator[tuple[str, _Place]]:
    """Yield every life of a judge by the fingerprint of its alert."""
    plan = judge.plan
    yield from _standing(judge.standing, plan, judge.partition)
    for name, model in sorted(judge.models.items()):
        yield fingerprint(storm_labels(name, plan.alerts.labels)), _Place(model.storm, partial(setattr, model, "storm"))
        yield from _standing(model.standing, plan, None)
        for watch in model.watches():
            for (series, rule), life in sorted(watch.lives.items()):
                severity = judge.rulebook.plans[rule].severity
                labels = alert_labels(watch.name(series), rule=rule, severity=severity, constants=plan.alerts.labels)
                yield fingerprint(labels), _Place(life, partial(watch.lives.__setitem__, (series, rule)))


def _standing(standing: Standing, plan: Plan, partition: int | None) -> Iterator[tuple[str, _Place]]:
    for place, held in sorted(standing.held.items(), key=lambda item: item[0]):

        def put(life: Life, place: Place = place, held: Held = held) -> None:
            standing.held[place] = Held(life, held.floor, held.summary)

        labels, _ = labels_of(*place, plan, partition)
        yield fingerprint(labels), _Place(held.life, put)
