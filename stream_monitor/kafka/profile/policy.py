"""What an operator decides about a profile worker, and the sizes and spans it works in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class StartFrom(StrEnum):
    """Where a group begins in a topic that it has never read."""

    EARLIEST = "earliest"
    LATEST = "latest"
    FAIL = "fail"


class OnDataLoss(StrEnum):
    """What to do when offsets were deleted before they were counted."""

    FAIL = "fail"
    CONTINUE = "continue"


class OnExcess(StrEnum):
    """What to do when more is unreadable than may be."""

    STOP = "stop"
    PAUSE = "pause"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class DeadLetterLimits:
    """How much may be unreadable before the configuration must be wrong.

    Attributes:
        max_share: of a partition's last 10,000 records.
        max_consecutive: in a row, in one partition.
        on_excess: end the worker, leave the partition alone, or go on and say so.
    """

    max_share: float = 0.1
    max_consecutive: int = 1_000
    on_excess: OnExcess = OnExcess.STOP


@dataclass(frozen=True, slots=True)
class ProfilePolicy:
    """The operator's choices."""

    start: StartFrom = StartFrom.EARLIEST
    on_data_loss: OnDataLoss = OnDataLoss.FAIL
    dead_letters: DeadLetterLimits = field(default_factory=DeadLetterLimits)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Sizes and spans of the worker. Where a chunk ends changes nothing in the sums: cutting is free.

    Attributes:
        chunk_age_s: a chunk is written when its first record has waited this long.
        chunk_bytes: or when so many bytes of values are buffered, over all partitions.
        chunk_records: or so many records.
        written_bytes: a chunk that would write more is cut.
        poll_s: longest wait for records.
        poll_records: most records taken at once: so many message objects as stay in the processor's cache.
        quiet_s: a partition with news and no records writes an empty chunk after so long.
        retry_s: pause before partitions of a failed round are taken up again.
        request_s: how long the loop may wait for one answer before it comes round.
        committed_s: how long an assignment may go without its answers before the clients are opened anew.
        stuck_s: a worker whose commits have been refused for so long is not ready.
        refused_s: commits refused for so long make the clients restart.
        baselines_s: between two looks at the baselines; an activation counts from two minutes after it was written.
        watch_s: pause between two surveys of topics and end offsets.
        forgotten_s: partitions that nobody has taken up for so long have been left out of the assignment.
        silent_s: a partition whose end moves while nothing comes for so long is stuck.
        stalled_s: a loop not seen for so long is shown to the log, with all stacks.
        away_s: brokers gone for so long end the process.
        drain_s: how long a stop may take to finish the round in hand.
    """

    chunk_age_s: float = 1.0
    chunk_bytes: int = 64 << 20
    chunk_records: int = 200_000
    written_bytes: int = 8 << 20
    poll_s: float = 0.2
    poll_records: int = 1_000
    quiet_s: float = 1.0
    retry_s: float = 0.2
    request_s: float = 5.0
    committed_s: float = 60.0
    stuck_s: float = 10.0
    refused_s: float = 60.0
    baselines_s: float = 5.0
    watch_s: float = 10.0
    forgotten_s: float = 60.0
    silent_s: float = 60.0
    stalled_s: float = 30.0
    away_s: float = 600.0
    drain_s: float = 20.0
