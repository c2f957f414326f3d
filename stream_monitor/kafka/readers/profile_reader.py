"""Reads a range of `drift-profiles`: what a backtest with another configuration judges again."""

from __future__ import annotations

from collections.abc import Iterator

from stream_monitor.core.judge import StoredEntry
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.readers.topic import ALL, Span, read_partition


def read_profiles(settings: KafkaSettings, topic: str, partition: int, *, span: Span = ALL) -> Iterator[StoredEntry]:
    """Yield the entries of one partition of the log up to its present end, as the judge folds them.

    Raises:
        HistoryUnusable: a wanted offset is not in the log any more.
        Stop: the cluster refuses us.
    """
    for record in read_partition(settings, topic, partition, span=span):
        yield StoredEntry(record.offset, record.timestamp_ms, record.key, record.value or b"")
