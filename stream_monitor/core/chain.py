"""The chain: the little state that travels from chunk to chunk of one source partition.

It is written as metadata of the committed offset, and nothing else is state in the profile stage. A chunk is named by
its place in the chain and by the lease under which it was written, so two owners never write the same name.

>>> state = ChainState(topic="gW9K2u3ZQSGRrHkG9mJKLg", lease=5, last=ChunkName(163, 4), max_ms=1795331998000)
>>> ChainState.decode(state.encode()) == state
True
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.unreadable import NONE_UNREADABLE, Unreadable

CHAIN_VERSION = 1
"""Version of the metadata's format."""

CHUNK_LIMIT = 200_000
"""Most records of a chunk."""


@dataclass(frozen=True, slots=True, order=True)
class ChunkName:
    """Name of a chunk within its source partition: place in the chain, and the lease it was written under."""

    seq: int = 0
    lease: int = 0


FIRST = ChunkName(0, 0)
"""What the first chunk of a chain names as its predecessor."""


@dataclass(frozen=True, slots=True)
class ChainState:
    """What the next chunk of a source partition needs to know.

    Attributes:
        topic: id of the source topic; a topic of the same name with another id is another topic.
        epoch: raised by an operator's reset.
        lease: raised by a commit at every assignment.
        last: name of the last committed chunk.
        at: offset of its progress record in partition 0 of the profiles topic; None before the first.
        max_ms: running maximum of min(event time, record time), without what is stamped ahead of the broker's clock;
            None before the first event.
        idle_ms: instant up to which broker time has advanced the partition; None if never.
        broker_ms: broker time of the last chunk's progress record: what the next chunk is counted by; written only when
            it is known.
        unreadable: share and run of dead letters; written only when there are any.
        limit: records of a chunk (`pace` decides).
        grow_at: input offset from which a limit that a crash made smaller grows back.
        trying: `[first, n]` of the range that the owner counts at this moment, if it announced it.
        tries: owners in a row that ended while they counted the next record; written only when there were any.
    """

    topic: str
    epoch: int = 0
    lease: int = 0
    last: ChunkName = FIRST
    at: int | None = None
    max_ms: int | None = None
    idle_ms: int | None = None
    limit: int = CHUNK_LIMIT
    grow_at: int | None = None
    trying: tuple[int, int] | None = None
    tries: int = 0
    broker_ms: int | None = None
    unreadable: Unreadable = NONE_UNREADABLE

    def watermark_ms(self, allowed_lateness_ms: int) -> int | None:
        """Return the event time up to which the partition is complete; None before its first event or idle fact."""
        known = [ms for ms in (_less(self.max_ms, allowed_lateness_ms), self.idle_ms) if ms is not None]
        return max(known, default=None)

    def encode(self) -> str:
        """Return the state as commit metadata: canonical JSON, below 512 bytes."""
        known: dict[str, Json] = {"tries": self.tries} if self.tries else {}
        if self.broker_ms is not None:
            known["broker_ms"] = self.broker_ms
        unreadable = self.unreadable.encode()
        if unreadable:
            known["unreadable"] = list[Json](unreadable)
        return canonical_json(
            {
                **known,
                "v": CHAIN_VERSION,
                "topic": self.topic,
                "epoch": self.epoch,
                "lease": self.lease,
                "last": [self.last.seq, self.last.lease],
                "at": self.at,
                "max_ms": self.max_ms,
                "idle_ms": self.idle_ms,
                "limit": self.limit,
                "grow_at": self.grow_at,
                "trying": None if self.trying is None else list(self.trying),
            }
        ).decode()

    @staticmethod
    def decode(text: str) -> ChainState:
        """Read commit metadata; unknown keys are ignored.

        Raises:
            ValueError: not a chain state, or of a version that this program does not know.
        """
        try:
            wire = _DECODER.decode(text)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise ValueError(f"chain state: {error}") from error
        if wire.v != CHAIN_VERSION:
            raise ValueError(f"chain state: version must be {CHAIN_VERSION}, got {wire.v}")
        return ChainState(
            topic=wire.topic,
            epoch=wire.epoch,
            lease=wire.lease,
            last=ChunkName(*wire.last),
            at=wire.at,
            max_ms=wire.max_ms,
            idle_ms=wire.idle_ms,
            limit=wire.limit,
            grow_at=wire.grow_at,
            trying=wire.trying,
            tries=wire.tries,
            broker_ms=wire.broker_ms,
            unreadable=Unreadable.decode(wire.unreadable),
        )


class _Wire(msgspec.Struct):
    v: int
    topic: str
    epoch: int
    lease: int
    last: tuple[int, int]
    at: int | None = None
    max_ms: int | None = None
    idle_ms: int | None = None
    limit: int = CHUNK_LIMIT
    grow_at: int | None = None
    trying: tuple[int, int] | None = None
    tries: int = 0
    broker_ms: int | None = None
    unreadable: list[int] = []


_DECODER = msgspec.json.Decoder(_Wire)


def _less(ms: int | None, span_ms: int) -> int | None:
    return None if ms is None else ms - span_ms
