"""Writes dead letters back to where they came from, without our headers: what was wrong has been mended meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.clients import open_admin, open_producer
from stream_monitor.kafka.deliveries import Deliveries, Outgoing
from stream_monitor.kafka.readers import DeadLetter
from stream_monitor.kafka.readers.topic import partition_counts

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Requeued:
    """What became of the letters.

    Attributes:
        written: acknowledged by the broker.
        cut: left alone, because only a part of the record is here.
        foreign: left alone, because no header says where they came from.
    """

    written: int
    cut: int
    foreign: int


def requeue(settings: KafkaSettings, letters: Sequence[DeadLetter], *, topic: str | None = None) -> Requeued:
    """Write the originals with their key, headers and record time; nothing is remembered of it.

    Args:
        settings: how to connect.
        letters: which.
        topic: where they go, None: each to the topic it came from, into its partition if that still exists.

    Raises:
        Misconfigured: a topic does not exist.
        UndeliveredRecords: the broker did not take all of them; those before may have been written.
        Stop: the cluster refuses us.
    """
    whole = [letter for letter in letters if letter.topic and not letter.is_cut]
    counts = partition_counts(open_admin(settings), sorted({topic or letter.topic for letter in whole}))
    producer = open_producer({**settings.producer_config(), "client.id": f"{settings.group}-requeue"}, lambda _: None)
    batch = Deliveries(producer)
    for letter in whole:
        target = topic or letter.topic
        batch.produce(
            Outgoing(
                target,
                letter.partition if topic is None and 0 <= letter.partition < counts[target] else -1,
                letter.record.key,
                letter.record.value,
                timestamp_ms=letter.original_ms,
                headers=letter.original_headers,
            ),
            timeout_s=_TIMEOUT_S,
        )
    batch.flush(_TIMEOUT_S)
    cut = sum(letter.is_cut for letter in letters)
    return Requeued(len(whole), cut, sum(not letter.topic for letter in letters))
