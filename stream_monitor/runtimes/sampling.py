"""The newest records of the inputs, decoded as by the workers: what `check --connect` compares with the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream_monitor.config import Settings
from stream_monitor.core.alerts.wording.numbers import listed
from stream_monitor.core.outlook.sample import TopicSample
from stream_monitor.formats import build_decoder
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.readers import newest_records
from stream_monitor.kafka.topics import describe_topics
from stream_monitor.runtimes.connection import kafka_settings
from stream_monitor.runtimes.replay import chunk_of

RECORDS = 500
"""Of each topic: enough to see a mistake that concerns one event in a hundred, and read within a second."""

WITHIN_S = 10.0
"""For each topic."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was read.

    Attributes:
        samples: of every topic that could be read.
        unread: why others could not, or not all of them, by topic.
    """

    samples: tuple[TopicSample, ...]
    unread: Mapping[str, str]


def sample_inputs(settings: Settings) -> Sampled:
    """Return the newest records of the input topics that exist.

    Raises:
        ConfigError: broker settings cannot be used.
        Stop: the cluster refuses us altogether.
    """
    kafka = kafka_settings(settings)
    admin = open_admin(kafka)
    existing = describe_topics(admin, [source.topic for source in settings.plan.inputs])
    samples: list[TopicSample] = []
    unread: dict[str, str] = {}
    for source in settings.plan.inputs:
        if source.topic not in existing:
            continue  # `check_inputs` says so
        newest = newest_records(kafka, source.topic, most=RECORDS, within_s=WITHIN_S, admin=admin)
        if newest.refusal:
            unread[source.topic] = newest.refusal
            continue
        if newest.unread:
            unread[source.topic] = (
                f"partitions {listed([str(number) for number in newest.unread])} gave no answer within {WITHIN_S:g} s"
            )
        decoder = build_decoder(source, settings.plan)
        batches = {number: decoder.decode(chunk_of(records)) for number, records in newest.records.items()}
        if batches or not newest.unread:
            samples.append(TopicSample(source.topic, batches))
    return Sampled(tuple(samples), unread)
