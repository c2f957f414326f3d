"""Configuration: YAML, environment and flags to frozen settings and the plan. The only home of pydantic.

`file` is the list of sections; each stands in `sections/`, with its settings, its checks and its meaning. To add a
setting, add it to its section and run `python -m stream_monitor.config.docs` to bring `docs/configuration.md` up to
date.
"""

from stream_monitor.config.errors import ConfigError, Finding
from stream_monitor.config.load import LOCAL_GROUP, load
from stream_monitor.config.settings import (
    DeadLetters,
    HttpSettings,
    KafkaConfig,
    LoggingSettings,
    MetricsSettings,
    Settings,
    Topics,
)

__all__ = [
    "LOCAL_GROUP",
    "ConfigError",
    "DeadLetters",
    "Finding",
    "HttpSettings",
    "KafkaConfig",
    "LoggingSettings",
    "MetricsSettings",
    "Settings",
    "Topics",
    "load",
]
