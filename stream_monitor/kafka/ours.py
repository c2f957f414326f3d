"""Whether a topic is ours: what stands in it must be what we write, before anybody deletes it by a name in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import orjson
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.profile import MalformedRecord, UnknownRecord, decode
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.clients import end_offsets
from stream_monitor.kafka.readers import Span, StoredRecord, read_partition
from stream_monitor.kafka.topics import TopicNames

LOOKED_AT = 50
"""Records of a partition that are looked at, from its first one on."""

_STATE = re.compile(rb"_(commit|plan/|snapshot/)")
_BASELINES = re.compile(rb"[a-z-]+/")


def stranger(
    settings: KafkaSettings, names: TopicNames, topic: str, *, partitions: int, admin: AdminClient
) -> StoredRecord | None:
    """Return a record that is not ours, None when all that were looked at are.

    Raises:
        Stop: the cluster refuses us.
    """
    is_ours = _recognisers(names)[topic]
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    starts = end_offsets(admin, places, earliest=True)
    for place in places:
        first = starts[topic, place.partition]
        span = Span(first, first + LOOKED_AT)
        for record in read_partition(settings, topic, place.partition, span=span, admin=admin):
            if not is_ours(record):
                return record
    return None


def _recognisers(names: TopicNames) -> Mapping[str, Callable[[StoredRecord], bool]]:
    return {
        names.profiles: _is_profile,
        names.baselines: _is_baseline,
        names.alerts: _is_alert,
        names.alert_state: _is_alert,
        names.judge_state: lambda record: record.key is not None and _STATE.match(record.key) is not None,
        names.dead_letters: lambda record: any(name == "stream_monitor.reason" for name, _ in record.headers),
    }


def _is_profile(record: StoredRecord) -> bool:
    try:
        decode(record.value or b"")
    except UnknownRecord:
        return True  # of a later version
    except MalformedRecord:
        return False
    return True


def _is_baseline(record: StoredRecord) -> bool:
    is_named = record.key is not None and _BASELINES.match(record.key) is not None
    return is_named and (record.value is None or _field(record.value, "schema_version") != "")


def _is_alert(record: StoredRecord) -> bool:
    if record.value is None:
        return record.key is not None
    return _field(record.value, "source").startswith("/stream-monitor/")


def _field(value: bytes, name: str) -> str:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return ""
    return str(found.get(name, "")) if isinstance(found, dict) else ""
