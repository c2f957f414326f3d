"""Reads `drift-alerts`: every event of an alert, the alerts with their last event, and what comes from now on.

Events reach the topic exactly once; with `delivery: at_least_once` one may be there twice, with the same id and bytes.
(`alert_id`, `sequence`) only grows per fingerprint, so a repeat is recognised for certain and dropped here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
import orjson

from stream_monitor.core.time import parse_instant
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.readers.stored_record import StoredRecord
from stream_monitor.kafka.readers.topic import ALL, Span, follow_topics, read_topics


class _Data(msgspec.Struct, frozen=True):
    alert_id: str
    fingerprint: str
    status: str
    reason: str
    sequence: int
    labels: dict[str, str]
    starts: str = msgspec.field(name="startsAt")
    ends: str | None = msgspec.field(name="endsAt", default=None)
    annotations: dict[str, str] = {}


class _Event(msgspec.Struct, frozen=True):
    id: str
    time: str
    data: _Data


_DECODER = msgspec.json.Decoder(_Event)


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One event of an alert.

    Attributes:
        id: of the event, `<alert_id>-<sequence>`.
        time_ms: end of the pane that caused it.
        starts_ms: start of the pane that opened the alert.
        ends_ms: end of the first pane of the recovery, None while it is not resolved.
        event: the CloudEvent as it was published.
    """

    id: str
    alert_id: str
    fingerprint: str
    status: str
    reason: str
    sequence: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    time_ms: int
    starts_ms: int
    ends_ms: int | None
    event: bytes

    @property
    def summary(self) -> str:
        """What an operator reads first."""
        return self.annotations.get("summary", "")

    def document(self) -> object:
        """Return the CloudEvent as parsed JSON, with its evidence."""
        return orjson.loads(self.event)


def decode_alert(value: bytes) -> AlertRecord:
    """Return an event of `drift-alerts`.

    Raises:
        ValueError: it is not one of ours.
    """
    try:
        event = _DECODER.decode(value)
    except msgspec.DecodeError as error:
        raise ValueError(f"not an alert event: {error}") from error
    data = event.data
    return AlertRecord(
        event.id,
        data.alert_id,
        data.fingerprint,
        data.status,
        data.reason,
        data.sequence,
        data.labels,
        data.annotations,
        parse_instant(event.time),
        parse_instant(data.starts),
        None if data.ends is None else parse_instant(data.ends),
        value,
    )


def alert_events(settings: KafkaSettings, topic: str, *, span: Span = ALL) -> list[AlertRecord]:
    """Return every event up to the present end of the topic, by event time and id.

    Raises:
        Misconfigured: the topic does not exist.
        Stop: the cluster refuses us.
    """
    events = _without_repeats(read_topics(settings, [topic], span=span))
    return sorted(events, key=lambda e: (e.time_ms, e.fingerprint, e.sequence))


def alerts_of(events: Iterable[AlertRecord]) -> list[AlertRecord]:
    """Return the last event of each alert, newest alert first."""
    last: dict[str, AlertRecord] = {}
    for event in events:
        if event.alert_id not in last or event.sequence > last[event.alert_id].sequence:
            last[event.alert_id] = event
    return sorted(last.values(), key=lambda e: (-e.starts_ms, e.fingerprint))


def follow_alerts(
    settings: KafkaSettings, topic: str, *, from_beginning: bool = False, is_stopping: Callable[[], bool]
) -> Iterator[AlertRecord]:
    """Yield events as they are committed, until `is_stopping` says so.

    Raises:
        Misconfigured: the topic does not exist.
        Stop: the cluster refuses us.
    """
    records = follow_topics(settings, [topic], from_beginning=from_beginning, is_stopping=is_stopping)
    yield from _without_repeats(records)


def _without_repeats(records: Iterable[StoredRecord]) -> Iterator[AlertRecord]:
    newest: dict[str, tuple[int, int]] = {}
    for record in records:
        if record.value is None:
            continue
        try:
            alert = decode_alert(record.value)
        except ValueError:
            continue  # another producer's record: the topic is read by its content, not by trust
        position = (alert.starts_ms, alert.sequence)
        if position > newest.get(alert.fingerprint, (-1, -1)):
            newest[alert.fingerprint] = position
            yield alert
