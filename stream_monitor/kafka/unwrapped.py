"""Calls of the client that serve its callbacks, with the error that they mean instead of the one that arrives.

A client that has met a fatal error (fenced by a rival, above all) says so from inside the next call that serves
callbacks, whichever it is, and not through `error_cb`. The binding does it in three ways: with a `KafkaException`, as
it should; with a `SystemError` whose cause is the error, where the call had an answer already; or, from `flush`, by
raising the bare `KafkaError`, which is no exception at all and passes every `except` clause that names a class
(confluent-kafka 2.16).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer

Answer = TypeVar("Answer")


def unwrapped(call: Callable[[], Answer]) -> Answer:
    """Return what a call of a client returns.

    Raises:
        KafkaException: the client met an error, however the binding wrapped it.
    """
    try:
        return call()
    except KafkaException:
        raise
    except:  # noqa: E722  no class matches a bare KafkaError
        found = _meant(sys.exc_info()[1])
        if found is None:
            raise
    # Not from inside the clause: Python would link the new exception to the bare error, which cannot be linked.
    raise KafkaException(found)


def first_cause(producer: Producer, error: KafkaException) -> KafkaException:
    """Return the error that ended a producer, when a call only says that it has ended; else the error itself."""
    inner = error.args[0] if error.args else None
    if isinstance(inner, KafkaError) and inner.code() == KafkaError._FATAL:
        try:
            unwrapped(lambda: producer.poll(0))
        except KafkaException as cause:
            return cause
    return error


def _meant(raised: object) -> KafkaError | None:
    """Return the client's error that was raised, or that stands behind what was raised."""
    if isinstance(raised, SystemError):
        raised = raised.__cause__ or raised.__context__
    if isinstance(raised, KafkaException) and raised.args:
        raised = raised.args[0]
    return raised if isinstance(raised, KafkaError) else None
