"""Settings of features that this version does not have: each is an error with a way out, none is silently ignored."""

from __future__ import annotations

from collections.abc import Iterator

from stream_monitor.config.errors import Finding
from stream_monitor.config.file import ConfigFile


def unavailable(file: ConfigFile) -> Iterator[Finding]:
    """Yield a finding for every setting that would do nothing, in the order of the sections below."""
    if file.schema_registry is not None:
        yield from file.schema_registry.unavailable("schema_registry")
    for index, source in enumerate(file.inputs):
        yield from source.unavailable(f"inputs[{index}]")
    yield from file.time.unavailable("time")
    for index, model in enumerate(file.models):
        yield from model.unavailable(f"models[{index}]")
    yield from file.privacy.unavailable("privacy")
    for index, rule in enumerate(file.rules or ()):
        yield from rule.unavailable(f"rules[{index}]")
    yield from file.outputs.unavailable("outputs", alerts_topic=file.topics.named()["alerts"])
