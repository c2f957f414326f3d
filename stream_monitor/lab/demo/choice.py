"""Which backend a demo gets: the broker that was given, one of its own, or none; said in one line."""

from __future__ import annotations

from collections.abc import Callable

from stream_monitor.lab import broker
from stream_monitor.lab.demo.backend import Backend
from stream_monitor.lab.demo.on_kafka import KafkaBackend
from stream_monitor.lab.demo.without_kafka import LocalBackend
from stream_monitor.lab.scenario import Scenario


def choose(scenario: Scenario, *, bootstrap: str | None, no_broker: bool, say: Callable[[str], None]) -> Backend:
    """Return the backend to run on, not yet started.

    Args:
        scenario: what is sent.
        bootstrap: address of a running broker.
        no_broker: True to use none in any case.
        say: told the choice and each step of the start.
    """
    reason = "as asked" if no_broker else None if bootstrap is not None else broker.available()
    if reason is not None:
        say(f"running without a broker ({reason}): the same scenario, core and screen in this process")
        return LocalBackend(scenario)
    return KafkaBackend(scenario, bootstrap=bootstrap, say=say)
