"""Which settings librdkafka does not know or take: asked of itself, setting by setting, without a client or a network.

>>> settings = KafkaSettings({"bootstrap.servers": "a:1", "linger": "5"})
>>> [(wrong.field, wrong.rule) for wrong in unknown_settings(settings)]
[('kafka.linger', 'no such librdkafka setting')]
"""

from __future__ import annotations

from collections.abc import Iterator

from confluent_kafka import KafkaException, Producer

from stream_monitor.kafka.client_settings import KafkaSettings, WrongSetting

_LAST = "stream-monitor.no.such.setting"
"""librdkafka reads settings in order and refuses this one, before a client with threads and connections is made."""

_UNKNOWN = "No such configuration property"


def unknown_settings(settings: KafkaSettings) -> Iterator[WrongSetting]:
    """Yield the user's settings that would keep every client from being made."""
    for path, mapping in settings.by_path():
        for key, value in mapping.items():
            complaint = _complaint(key, value)
            if complaint.startswith(_UNKNOWN):
                yield WrongSetting(f"{path}.{key}", "no such librdkafka setting")
            elif complaint:
                yield WrongSetting(f"{path}.{key}", "is refused by librdkafka", value, complaint)


def _complaint(key: str, value: str) -> str:
    """Return what is wrong with a setting in librdkafka's words, empty if nothing is.

    A producer knows the settings of consumers too: they share one table.
    """
    try:
        Producer({key: value, _LAST: ""})
    except KafkaException as error:
        text = str(error.args[0].str()).strip()
        return "" if _LAST in text else text
    except (AttributeError, TypeError, ValueError) as error:  # the binding's, for its callbacks
        return f"it takes no text: {error}"
    raise AssertionError(f"{_LAST} is a setting")
