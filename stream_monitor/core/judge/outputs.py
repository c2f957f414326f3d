"""What goes into the judge and what comes out of it: one stored entry in, a list of outputs back.

Outputs are values: the runtime writes them, in the order given, in one transaction with the position of the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Baseline

ALERT_HEADERS: tuple[tuple[str, bytes], ...] = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
"""The only headers of an alert record."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One record of a partition of `drift-profiles`, as read back from the log.

    Attributes:
        offset: position in the partition of the log.
        timestamp_ms: log time (LogAppendTime), epoch milliseconds.
        key: model of a profile record; None for a progress record.
        value: the record, UTF-8 JSON.
    """

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """A record for `drift-alerts`: a CloudEvent in canonical JSON.

    Attributes:
        key: fingerprint of the alert, 16 hex digits.
        value: the structured CloudEvent.
        timestamp_ms: end of the pane that caused the event.
    """

    key: bytes
    value: bytes
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class AlertState:
    """A record for the compacted `drift-alert-state`: the last event of an alert, or None when it is forgotten."""

    key: bytes
    value: bytes | None
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class BaselineProposal:
    """A baseline made of the first events of one model and version, to be published and activated.

    The content is a function of the log: a judge that is restored before the activation was committed proposes the
    same document, with the same id, again.

    Attributes:
        extends: id of the baseline that it supplements; empty if it is to be the baseline. A supplement may be empty:
            the version has no series without a reference then.
        left_out: features that were too rare for it, sorted; at most a hundred.
    """

    model: str
    version: str
    baseline: Baseline
    extends: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GatheringRequest:
    """Live events of a version have had series without a reference for a while: rows of them are to be gathered."""

    model: str
    version: str


Proposal = BaselineProposal | GatheringRequest
"""What is written to the topic of baselines, and counts from a pane that the writer chooses."""

Output = AlertEvent | AlertState | Proposal
