"""Where a partition without a committed offset begins: what the log, the group's start and the operator say of it.

| the log says | the group | begins |
|---|---|---|
| where its chain stands | | there |
| its chain, but of a topic of that name that was made anew | | loss of data, or the start of the topic if `continue` |
| nothing, from its first record on | young, or other partitions of the topic are counted | as `start` says |
| nothing, but its beginning is gone or far away | young, or the partition or its topic came later | as `start` says, \
in an epoch that nobody has used |
| nothing | has counted the topic for long | never: the operator decides |

In a new epoch the judge takes the partition up wherever it begins and notes a declared gap. So a chain is never begun
under names that the judge has folded already and would drop without a word. The lease is one that nobody has used: a
worker that died may have written part of a chunk where this search does not look, under a lease whose commit is lost.
Both come from broker time in seconds, which grows and is far above anything that was counted up.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass

from stream_monitor.core.chain import ChainState
from stream_monitor.core.profile import ChainTrace, Standing
from stream_monitor.kafka.errors import DataLoss, HistoryUnusable
from stream_monitor.kafka.profile.healing import Found, LogRange
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.profile.policy import OnDataLoss, ProfilePolicy, StartFrom


@dataclass(frozen=True, slots=True)
class Absent:
    """What is known of a partition without a committed offset.

    Attributes:
        topic_id: of its topic.
        log: its offsets.
        counted: partitions that the topic had when the group started; None: the group did not read it then.
        is_young: the group started so lately that partitions may never have been committed.
        has_siblings: another partition of the topic has a committed state.
        trace: what the log of profiles says of its chain.
        reached_start: the log of profiles was searched from offset 0 on.
        now_ms: broker time, or later.
    """

    topic_id: str
    log: LogRange
    counted: int | None
    is_young: bool
    has_siblings: bool
    trace: ChainTrace
    reached_start: bool
    now_ms: int


@dataclass(frozen=True, slots=True)
class Why:
    """Why a partition begins where it does, for the log."""

    level: int
    text: str


def begin(place: InputPartition, absent: Absent, policy: ProfilePolicy) -> tuple[Found, Why]:
    """Return where a partition without a committed offset begins, under an unused lease, and why there.

    Raises:
        DataLoss: its topic was made anew.
        HistoryUnusable: it was counted before and nothing says up to where.
    """
    standing = absent.trace.standing()
    if standing is not None:
        found, why = _continued(standing)
    elif absent.trace.epoch is not None:
        found, why = _remade(place, absent, absent.trace.epoch, policy=policy)
    else:
        found, why = _new(place, absent, policy)
    if absent.reached_start and absent.trace.is_empty:
        return found, why
    lease = max(found.chain.lease, absent.now_ms // 1_000)
    return dataclasses.replace(found, chain=dataclasses.replace(found.chain, lease=lease)), why


def made_anew(place: InputPartition, topic_id: str, counted_id: str | None = None) -> str:
    """Return the message about a topic that is not the one that was counted."""
    was = "" if counted_id is None else f", counted was {counted_id}"
    return (
        f"{place[0]}[{place[1]}]: the topic was made anew: its id is {topic_id}{was}; run"
        " 'stream-monitor recover offsets --to earliest' to count the new one"
    )


def _continued(standing: Standing) -> tuple[Found, Why]:
    chain, last = standing.chain, standing.chain.last
    if standing.is_whole:
        text = f"goes on at offset {standing.next}, behind chunk {last.seq}/{last.lease} that the log names"
        return Found(standing.next, chain), Why(logging.WARNING, text)
    # The running maximum of event time is in no record: the judge is told not to expect the chain to join.
    chain = dataclasses.replace(chain, epoch=chain.epoch + 1)
    text = (
        f"goes on at offset {standing.next} in epoch {chain.epoch}: the log names chunk {last.seq}/{last.lease} and"
        " does not hold it, so the watermark begins anew"
    )
    return Found(standing.next, chain), Why(logging.WARNING, text)


def _new(place: InputPartition, absent: Absent, policy: ProfilePolicy) -> tuple[Found, Why]:
    name = f"{place[0]}[{place[1]}]"
    is_added = absent.counted is not None and place[1] >= absent.counted
    if absent.reached_start:
        is_explained = absent.counted is None or absent.is_young or absent.has_siblings
    else:
        is_explained = absent.counted is None or absent.is_young or is_added
    if not is_explained:
        raise HistoryUnusable(
            f"{name}: the group has counted this topic before, but the committed offset is gone (expired?) and the log"
            " of profiles does not say how far: run 'stream-monitor recover offsets --to OFFSET', or '--to earliest'"
        )
    first = 0 if is_added else _start(name, absent.log, policy)
    epoch = 0 if absent.reached_start else absent.now_ms // 1_000
    text = f"new, begins at offset {first}" + (f" in epoch {epoch}" if epoch else "")
    return Found(first, ChainState(topic=absent.topic_id, epoch=epoch)), Why(logging.INFO, text)


def _remade(place: InputPartition, absent: Absent, epoch: int, *, policy: ProfilePolicy) -> tuple[Found, Why]:
    if policy.on_data_loss is OnDataLoss.FAIL:
        raise DataLoss(made_anew(place, absent.topic_id))
    chain = ChainState(topic=absent.topic_id, epoch=epoch + 1)
    text = f"the topic was made anew: begins at offset {absent.log.start} in epoch {chain.epoch}"
    return Found(absent.log.start, chain), Why(logging.WARNING, text)


def _start(name: str, log: LogRange, policy: ProfilePolicy) -> int:
    match policy.start:
        case StartFrom.EARLIEST:
            return log.start
        case StartFrom.LATEST:
            return log.end
        case StartFrom.FAIL:
            raise HistoryUnusable(f"{name}: no committed offset, and start is 'fail'")
