"""Calls of the client that may forget their own time limit, given up from outside.

`send_offsets_to_transaction` waits for ever when the coordinator's connection is down at the wrong moment, whatever
limit it was given (librdkafka#5456, #5511): the request is never looked at again. Such a call is made in a thread of
its own; the thread is left behind when the time is over, with its producer, which the next one of that name fences.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from confluent_kafka import KafkaError, KafkaException

from stream_monitor.kafka.unwrapped import unwrapped

Answer = TypeVar("Answer")

GRACE_S = 5.0
"""More than the call's own limit: a call that keeps it is never cut short."""

_LOOK_S = 0.25


def answered_within(
    call: Callable[[], Answer], timeout_s: float, doing: str, *, left_s: Callable[[], float] | None = None
) -> Answer:
    """Return the answer of a call that was given `timeout_s` as its own limit.

    Args:
        call: what blocks.
        timeout_s: its own limit.
        doing: what it is about, for messages.
        left_s: looked at while waiting: for how many seconds anybody still wants the answer.

    Raises:
        KafkaException: what the call raises, or `_TIMED_OUT` when it does not return soon after its limit.
    """
    asked = _Call(call)
    thread = threading.Thread(target=asked.run, name=doing, daemon=True)
    thread.start()
    started = time.monotonic()
    while thread.is_alive():
        waited_s = time.monotonic() - started
        remaining_s = timeout_s + GRACE_S - waited_s
        if left_s is not None:
            remaining_s = min(remaining_s, left_s())
        if remaining_s <= 0:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{doing}: no answer after {waited_s:.1f} s"))
        thread.join(remaining_s if left_s is None else min(remaining_s, _LOOK_S))
    return asked.answer()


class _Call(Generic[Answer]):
    """A call and what came of it."""

    def __init__(self, call: Callable[[], Answer]) -> None:
        self._call = call
        self._answer: list[Answer] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._answer.append(unwrapped(self._call))
        except BaseException as error:  # noqa: BLE001  handed to the one who waits
            self._error = error

    def answer(self) -> Answer:
        if self._error is not None:
            raise self._error
        return self._answer[0]
