"""What the log says of a partition's pace: one line when chunks get smaller, one when they have their size again."""

from __future__ import annotations

import logging

from stream_monitor.core.chain import CHUNK_LIMIT, ChainState
from stream_monitor.core.pace import is_deadly
from stream_monitor.kafka.profile.owned import InputPartition

_LOG = logging.getLogger("stream_monitor.kafka.profile")


def log_after_end(place: InputPartition, left: ChainState, now: ChainState) -> None:
    """Say what a new owner makes of the state that the last one left.

    Args:
        place: the partition.
        left: state as it was found.
        now: state with which the new owner begins.
    """
    if left.trying is None:
        return
    first, records = left.trying
    name = f"{place[0]}[{place[1]}]"
    if is_deadly(now):
        _LOG.warning(
            "%s: %d workers in a row ended on the record at offset %d: it goes to the dead letters unread",
            name,
            now.tries,
            first,
        )
    elif now.limit < CHUNK_LIMIT:
        _LOG.warning(
            "%s: a worker ended while it counted offsets %d to %d: the limit of a chunk is %d records until they are"
            " counted, then it grows again",
            name,
            first,
            first + records - 1,
            now.limit,
        )
    else:
        _LOG.info("%s: a worker ended while it counted offsets %d to %d", name, first, first + records - 1)


def log_after_chunk(place: InputPartition, before: ChainState, after: ChainState) -> None:
    """Say when a partition that was limited has its full pace again."""
    if before.limit < CHUNK_LIMIT and after.limit == CHUNK_LIMIT:
        _LOG.info("%s[%d]: chunks have their full size again", *place)
