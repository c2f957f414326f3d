"""What is wrong with a record, before its place in a chunk is known."""

from __future__ import annotations

from dataclasses import dataclass

from stream_monitor.core.batch import Reject
from stream_monitor.core.names import RejectReason, Stage


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record cannot be counted; the message holds no value of the event."""

    stage: Stage
    reason: RejectReason
    error: str
    message: str

    def at(self, index: int, offset: int) -> Reject:
        """Return the reject of a record of a chunk."""
        return Reject(index, offset, self.stage, self.reason, self.error, self.message)


def unreadable(reason: RejectReason, error: str, message: str) -> Fault:
    """Return the fault of bytes that do not become a tree."""
    return Fault(Stage.VALUE, reason, error, message)


def unusable(reason: RejectReason, message: str) -> Fault:
    """Return the fault of a tree that is no event."""
    return Fault(Stage.TRANSFORMATION, reason, "InvalidEvent", message)
