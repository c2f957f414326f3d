"""The baselines of the topic, read to its end by commands that show or choose one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream_monitor.config import Settings
    from stream_monitor.core.baseline import Schedule


def read_schedule(settings: Settings) -> Schedule:
    """Return every document and activation of the topic of baselines.

    Raises:
        Stop: the cluster refuses us.
    """
    from stream_monitor.core.baseline import Schedule, activation_lead_ms
    from stream_monitor.kafka.baseline_log import BaselineLog
    from stream_monitor.kafka.client_settings import reader
    from stream_monitor.kafka.clients import open_consumer
    from stream_monitor.runtimes.connection import reached

    schedule = Schedule(group=settings.group, lead_ms=activation_lead_ms(settings.plan.time))
    consumer = open_consumer(reader(reached(settings)), lambda _: None)
    log = BaselineLog(consumer, settings.topics.baselines, schedule)
    try:
        log.read_to_end()
    finally:
        log.close()
    return schedule
