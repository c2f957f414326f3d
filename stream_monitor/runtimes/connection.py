"""From settings to what the Kafka adapter wants: configuration and adapter do not know each other."""

from __future__ import annotations

from collections.abc import Sequence

from stream_monitor.config import ConfigError, Settings
from stream_monitor.config.errors import HIDDEN, Finding, shown
from stream_monitor.config.redaction import is_secret
from stream_monitor.kafka.baseline_log import BaselineWriter
from stream_monitor.kafka.client_settings import KafkaSettings, WrongSetting, WrongSettings
from stream_monitor.kafka.clients import open_producer
from stream_monitor.kafka.known_settings import unknown_settings
from stream_monitor.kafka.reach import reach
from stream_monitor.kafka.topics import TopicNames, TopicSpec, plan_topics


def kafka_settings(settings: Settings) -> KafkaSettings:
    """Return the librdkafka settings of both roles.

    Raises:
        ConfigError: no broker is named, a key is one of ours, or librdkafka refuses it or its value.
    """
    try:
        found = KafkaSettings(
            settings.kafka.common, settings.kafka.consumer, settings.kafka.producer, group=settings.group
        )
    except WrongSettings as error:
        raise _refused(settings, error.wrong) from None
    unknown = tuple(unknown_settings(found))
    if unknown:
        raise _refused(settings, unknown)
    return found


def reached(settings: Settings) -> KafkaSettings:
    """Return the librdkafka settings once a broker has answered: what a command that asks the cluster begins with.

    Raises:
        ConfigError: as `kafka_settings`.
        Stop: no broker answers within seconds, or it refuses the credentials; the message has the address and why.
    """
    found = kafka_settings(settings)
    reach(found)
    return found


def _refused(settings: Settings, wrong: Sequence[WrongSetting]) -> ConfigError:
    return ConfigError([_finding(settings, one) for one in wrong])


def _finding(settings: Settings, wrong: WrongSetting) -> Finding:
    if wrong.value is None:
        return Finding(wrong.field, wrong.rule, None, wrong.fix)
    if wrong.field in settings.expanded or is_secret(wrong.field):
        return Finding(wrong.field, wrong.rule, HIDDEN)  # what is to be done may quote the value
    return Finding(wrong.field, wrong.rule, shown(wrong.value), wrong.fix)


def baseline_writer(settings: Settings) -> BaselineWriter:
    """Return a writer of baselines for a command that writes a few records, not for a worker.

    Raises:
        ConfigError, Stop: as `reached`.
    """
    producer = open_producer(reached(settings).producer_config(), lambda _: None)
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
