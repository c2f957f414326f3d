"""Is there a broker at all? Asked once before a command or a worker begins, so that the answer names the cause.

A request to a broker that cannot be reached ends in "timed out" after many seconds. What is wrong was said by the
client at once, and goes to its error callback: a refused connection, an unknown host, a wrong password, TLS spoken to
a port that does not know it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException

from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.client_words import first_words
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.errors import NotAuthorised, Unreachable, is_denial

_LOG = logging.getLogger("stream_monitor.kafka")

COMMAND_S = 4.0
"""How long a command waits for a broker."""

_ASK_S = 0.5
_REMINDER_S = 60.0


def reach(
    settings: KafkaSettings,
    *,
    within_s: float = COMMAND_S,
    is_stopping: Callable[[], bool] = lambda: False,
    waiting: Callable[[str], None] = lambda _: None,
) -> bool:
    """Return True when a broker answers, False when it was asked to stop before that.

    Args:
        settings: how to connect.
        within_s: how long to wait for a broker that comes up.
        is_stopping: looked at several times a second.
        waiting: called with what is wrong, whenever that changes.

    Raises:
        NotAuthorised: the brokers refuse the credentials; waiting does not help.
        Unreachable: none has answered in time; the message has what the client said of each address.
    """
    said: dict[str, KafkaError] = {}

    def note(error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            said[first_words(error.str()).partition(": ")[0]] = error

    client = open_admin(settings, note)
    deadline = time.monotonic() + within_s
    reported, reminded = "", 0.0
    while not is_stopping():
        try:
            client.list_topics(timeout=max(0.1, min(_ASK_S, deadline - time.monotonic())))
        except KafkaException:
            client.poll(0)  # what is wrong comes to the callback
        else:
            return True
        causes = "; ".join(first_words(error.str()) for error in said.values())
        for error in said.values():
            if is_denial(error):
                raise NotAuthorised(f"connect: {first_words(error.str())}; mend kafka.sasl.* or the user on the broker")
        if causes != reported or time.monotonic() - reminded >= _REMINDER_S:
            reported, reminded = causes, time.monotonic()
            waiting(causes or f"no answer from {settings.common['bootstrap.servers']}")
        if time.monotonic() >= deadline:
            servers = settings.common["bootstrap.servers"]
            cause = causes or f"{servers}: connected, and no answer within {within_s:g} s"
            raise Unreachable(f"no broker answers: {cause}; look at kafka.bootstrap.servers and at the broker")
    return False
