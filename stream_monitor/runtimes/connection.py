"""From settings to what the Kafka adapter wants: configuration and adapter do not know each other."""

from __future__ import annotations

from stream_monitor.config import Settings
from stream_monitor.config.errors import refuse
from stream_monitor.kafka.baseline_log import BaselineWriter
from stream_monitor.kafka.clients import open_producer
from stream_monitor.kafka.settings import KafkaSettings
from stream_monitor.kafka.topics import TopicNames, TopicSpec, plan_topics


def kafka_settings(settings: Settings) -> KafkaSettings:
    """Return the librdkafka settings of both roles.

    Raises:
        ConfigError: no broker is named, or a key is one of ours.
    """
    try:
        return KafkaSettings(settings.kafka.common, settings.kafka.consumer, settings.kafka.producer)
    except ValueError as error:
        field, _, rule = str(error).partition(": ")
        raise refuse(field, rule) from None


def baseline_writer(settings: Settings) -> BaselineWriter:
    """Return a writer of baselines for a command that writes a few records, not for a worker.

    Raises:
        ConfigError: as `kafka_settings`.
    """
    producer = open_producer(kafka_settings(settings).producer_config(), lambda _: None)
    return BaselineWriter(producer, settings.topics.baselines)


def topic_names(settings: Settings) -> TopicNames:
    """Return the names of our own topics."""
    topics = settings.topics
    return TopicNames(
        profiles=topics.profiles,
        baselines=topics.baselines,
        alerts=topics.alerts,
        alert_state=topics.alert_state,
        judge_state=topics.judge_state,
        dead_letters=topics.dead_letters,
    )


def topic_specs(settings: Settings) -> tuple[TopicSpec, ...]:
    """Return our own topics as they have to be."""
    topics = settings.topics
    return plan_topics(topic_names(settings), partitions=topics.partitions, replication=topics.replication)
