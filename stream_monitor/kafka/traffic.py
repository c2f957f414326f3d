"""How many records a second reach a topic now: offsets over broker time, without reading a record.

The offset at an instant is asked of the broker; the difference to the end, over the span, is the rate. A topic whose
records all carry older time stamps (a replay, a pause) has no rate that could be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # the package has no __all__

from stream_monitor.kafka.clients import end_offsets, patiently
from stream_monitor.kafka.topics import describe_topics

SPANS_MS = (600_000, 60_000, 10_000)
"""Tried from the longest on: a topic that began within a span had no traffic in its first part."""


def records_per_second(
    admin: AdminClient, topics: Sequence[str], *, now_ms: int, timeout_s: float = 20.0
) -> Mapping[str, float]:
    """Return the records a second of each topic; one that is missing or without recent records is left out.

    Args:
        admin: the client.
        topics: names.
        now_ms: the present, epoch milliseconds.
        timeout_s: of each question.

    Raises:
        Stop: the cluster refuses us.
        KafkaException: no answer.
    """
    rates: dict[str, float] = {}
    for name, state in describe_topics(admin, topics).items():
        partitions = [TopicPartition(name, number) for number in range(state.partitions)]
        ends = end_offsets(admin, partitions, uncommitted=True, timeout_s=timeout_s)
        starts = end_offsets(admin, partitions, uncommitted=True, earliest=True, timeout_s=timeout_s)
        for span_ms in SPANS_MS:
            since = _offsets_at(admin, partitions, now_ms - span_ms, timeout_s=timeout_s)
            records = sum(ends[place] - offset for place, offset in since.items() if offset >= 0)
            whole = all(0 <= offset <= starts[place] for place, offset in since.items() if ends[place] > starts[place])
            if records and (not whole or span_ms == SPANS_MS[-1]):
                rates[name] = records * 1_000.0 / span_ms
                break
    return rates


def _offsets_at(
    admin: AdminClient, partitions: Sequence[TopicPartition], instant_ms: int, *, timeout_s: float
) -> dict[tuple[str, int], int]:
    """Return the offset of the first record of that instant or later, -1 where there is none."""
    spec = OffsetSpec.for_timestamp(instant_ms)

    def ask(left_s: float) -> dict[tuple[str, int], int]:
        futures = admin.list_offsets(
            {TopicPartition(p.topic, p.partition): spec for p in partitions}, request_timeout=left_s
        )
        return {(place.topic, place.partition): future.result().offset for place, future in futures.items()}

    return patiently(ask, "offsets by time", timeout_s=timeout_s)
