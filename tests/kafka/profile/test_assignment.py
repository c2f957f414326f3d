"""What a committed state must be before a partition goes on from it."""

from __future__ import annotations

import pytest
from confluent_kafka import TopicPartition

from stream_monitor.core.chain import ChainState, ChunkName
from stream_monitor.kafka.errors import DataLoss
from stream_monitor.kafka.profile.assignment import _committed

PLACE = ("in", 0)
CHAIN = ChainState("old id", lease=3, last=ChunkName(7, 3))


def test_offsets_of_another_topic_of_the_same_name_are_refused() -> None:
    """A topic made anew has other records at the same offsets, whether it is longer by now or not."""
    answer = TopicPartition(*PLACE, 5, metadata=CHAIN.encode())

    assert _committed(PLACE, answer, "old id").chain == CHAIN
    with pytest.raises(DataLoss, match="the topic was made anew"):
        _committed(PLACE, answer, "new id")
