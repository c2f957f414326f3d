"""Settings that must fit each other: the checks of all sections, and those that compare two sections."""

from __future__ import annotations

from collections.abc import Iterator

from stream_monitor.config.comparisons import computed, exported
from stream_monitor.config.duplicates import duplicates
from stream_monitor.config.errors import Finding
from stream_monitor.config.file import ConfigFile


def inconsistent(file: ConfigFile) -> Iterator[Finding]:
    """Yield a finding for every pair of settings that contradict each other, in the order of the checks below."""
    yield from file.detection.inconsistent_clock("detection")
    yield from duplicates("inputs.topic", (source.topic for source in file.inputs))
    yield from file.topics.inconsistent("topics")
    yield from _inputs_that_are_ours(file)
    yield from file.detection.inconsistent_lists("detection")
    yield from duplicates("models.name", (model.name for model in file.models))
    for index, model in enumerate(file.models):
        yield from model.inconsistent(f"models[{index}]")
    rules = file.rules or ()
    yield from duplicates("rules.name", (rule.name for rule in rules))
    for index, rule in enumerate(rules):
        yield from rule.inconsistent(f"rules[{index}]", file.detection.detectors)
    yield from file.alerts.inconsistent("alerts")
    yield from file.http.inconsistent("http")
    yield from _exported_and_not_computed(file)


def _inputs_that_are_ours(file: ConfigFile) -> Iterator[Finding]:
    ours: dict[str, str] = {}
    for name, topic in file.topics.named().items():
        ours.setdefault(topic, name)
    for index, source in enumerate(file.inputs):
        if source.topic in ours:
            yield Finding(f"inputs[{index}].topic", f"must differ from topics.{ours[source.topic]}", source.topic)


def _exported_and_not_computed(file: ConfigFile) -> Iterator[Finding]:
    known = computed(file)
    for name in exported(file):
        if name not in known:
            yield Finding("metrics.comparisons", "must be among detection.comparisons", name)
