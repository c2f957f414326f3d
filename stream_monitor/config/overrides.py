"""Settings from the environment and from flags, laid over those of the file.

`STREAM_MONITOR_DETECTION__PANE=5s` and `--set detection.pane=5s` say the same. Values are read as YAML, so lists and
mappings can be given whole. Below `kafka` the rest of a path is one librdkafka name: there `_` of a variable stands
for `.`.

>>> from_environment({"STREAM_MONITOR_KAFKA__BOOTSTRAP_SERVERS": "a:9092"})
{'kafka': {'bootstrap.servers': 'a:9092'}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stream_monitor.config.errors import refuse
from stream_monitor.config.yaml_text import Plain, parse_yaml

PREFIX = "STREAM_MONITOR_"
CONFIG_VARIABLE = "STREAM_MONITOR_CONFIG"
"""Names the configuration file when no flag does."""

# Kubernetes puts the address of a Service named stream-monitor into every pod of its namespace, under our prefix.
_SERVICE_LINK = re.compile(r"^STREAM_MONITOR_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP)(_.*)?)?)$")
_ROLES = ("consumer", "producer")


def from_environment(environ: Mapping[str, str]) -> dict[str, Plain]:
    """Return the settings that variables of our prefix hold, as a nested mapping.

    Raises:
        ConfigError: a value is not YAML, or two variables contradict each other.
    """
    settings: dict[str, Plain] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE or _SERVICE_LINK.match(name):
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        if path[0] == "kafka" and len(path) > 1:
            path = _kafka_path([part.replace("_", ".") for part in path[1:]])
        _put(settings, path, _value(path, environ[name], name), name)
    return settings


def from_flags(assignments: Sequence[str], librdkafka: Sequence[str] = ()) -> dict[str, Plain]:
    """Return the settings of repeated `--set a.b=value` and `-X key=value` flags.

    Raises:
        ConfigError: a flag has no `=`, or its value is not YAML.
    """
    settings: dict[str, Plain] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise refuse("--set", "must be a.b=value", text)
        path = name.split(".")
        if path[0] == "kafka" and len(path) > 1:
            path = _kafka_path(path[1:])
        _put(settings, path, _value(path, value, f"--set {name}"), f"--set {name}")
    for text in librdkafka:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise refuse("-X", "must be key=value", text)
        _put(settings, ["kafka", name], value, f"-X {name}")
    return settings


def overlay(below: Plain, above: Plain) -> Plain:
    """Lay one tree of settings over another: mappings are joined, anything else is replaced.

    >>> overlay({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    if isinstance(below, dict) and isinstance(above, dict):
        joined = dict(below)
        for key, value in above.items():
            joined[key] = overlay(below[key], value) if key in below else value
        return joined
    return above


def _kafka_path(parts: list[str]) -> list[str]:
    if len(parts) > 1 and parts[0] in _ROLES:
        return ["kafka", parts[0], ".".join(parts[1:])]
    return ["kafka", ".".join(parts)]


def _value(path: list[str], text: str, source: str) -> Plain:
    # A librdkafka value is text as it is: a password that looks like YAML stays a password.
    return text if path[0] == "kafka" and len(path) > 1 else parse_yaml(text, source=source)


def _put(settings: dict[str, Plain], path: list[str], value: Plain, source: str) -> None:
    at = settings
    for part in path[:-1]:
        below = at.setdefault(part, {})
        if not isinstance(below, dict):
            raise refuse(source, f"{'.'.join(path)} contradicts a value given for {part}")
        at = below
    if path[-1] in at and isinstance(at[path[-1]], dict) and isinstance(value, dict):
        value = overlay(at[path[-1]], value)
    at[path[-1]] = value
