"""Rules that no single setting can break: settings that must fit each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from stream_monitor.config.comparisons import computed, exported
from stream_monitor.config.detectors import unfit
from stream_monitor.config.durations import format_duration
from stream_monitor.config.errors import Finding
from stream_monitor.config.file import Comparison, ConfigFile, ModelSection, RuleSection

ALWAYS = (
    *("rank_shiryaev_roberts", "pane_rank", "interval_bernoulli", "interval_categories"),
    *("beta_bernoulli", "beta_categories", "negative_binomial"),
)
"""Detectors that may be the evidence of a rule unnamed."""

TOLERANT = ("rank_shiryaev_roberts", "interval_bernoulli", "interval_categories")
"""Detectors that can tolerate a change; ranks are then judged by `tolerance_shiryaev_roberts`."""

MEASURES = (
    *(c.value for c in Comparison),
    *("kolmogorov_smirnov_robust", "kolmogorov_smirnov_proven", "share_change", "relative_change", "ratio"),
)
"""What an effect floor may be stated in."""

IDENTITY = ("alertname", "model", "version", "segment", "series", "rule", "severity", "partition")
"""Labels that are the identity of an alert."""

MAX_WINDOW_PANES = 8_640

LONGEST_TOPIC = 249
"""Characters of a topic's name that Kafka takes."""


def inconsistent(file: ConfigFile) -> Iterator[Finding]:
    """Yield a finding for every pair of settings that contradict each other."""
    yield from _clock(file)
    yield from _topics(file)
    yield from _detectors(file)
    yield from _duplicates("models", "name", (m.name for m in file.models))
    for index, model in enumerate(file.models):
        yield from _baseline(f"models[{index}].baseline", model)
        yield from _segments(f"models[{index}].segments", model)
    rules = file.rules or ()
    yield from _duplicates("rules", "name", (r.name for r in rules))
    for index, rule in enumerate(rules):
        yield from _rule(f"rules[{index}]", rule, file)
    yield from _alerts(file)
    port = int(file.http.address.rpartition(":")[2])
    if port > 65_535:
        yield Finding("http.address", "must end in a port of at most 65535", file.http.address)
    known = computed(file)
    for name in exported(file):
        if name not in known:
            yield Finding("metrics.comparisons", "must be among detection.comparisons", name)


def _clock(file: ConfigFile) -> Iterator[Finding]:
    pane, window = file.detection.pane, file.detection.window
    if window % pane:
        yield Finding("detection.pane", f"must divide window ({format_duration(window)})", format_duration(pane))
    elif window // pane > MAX_WINDOW_PANES:
        yield Finding("detection.window", f"must be at most {MAX_WINDOW_PANES} panes", f"{window // pane}")


def _topics(file: ConfigFile) -> Iterator[Finding]:
    yield from _duplicates("inputs", "topic", (i.topic for i in file.inputs))
    ours: dict[str, str] = {}
    for name, topic in file.topics.named().items():
        if topic in ours:
            yield Finding(f"topics.{name}", f"must differ from topics.{ours[topic]}", topic)
        if len(topic) > LONGEST_TOPIC:
            yield Finding("topics.prefix", f"makes topics.{name} longer than {LONGEST_TOPIC} characters", topic)
        ours.setdefault(topic, name)
    for index, source in enumerate(file.inputs):
        if source.topic in ours:
            yield Finding(f"inputs[{index}].topic", f"must differ from topics.{ours[source.topic]}", source.topic)


def _detectors(file: ConfigFile) -> Iterator[Finding]:
    yield from _duplicates("detection.detectors", "kind", (d.kind for d in file.detection.detectors))
    for index, detector in enumerate(file.detection.detectors):
        yield from unfit(f"detection.detectors[{index}]", detector)
    yield from _duplicates("detection", "comparisons", (c.value for c in file.detection.comparisons))


def _baseline(path: str, model: ModelSection) -> Iterator[Finding]:
    given = model.baseline.model_fields_set
    if "events" in given and model.baseline.from_ != "first_events":
        yield Finding(f"{path}.events", "is for 'from: first_events' only; remove it")
    if model.baseline.from_ == "first_events":
        for name in ("path", "since", "until", "statistics", "constraints"):
            if name in given:
                yield Finding(f"{path}.{name}", "does not belong to 'from: first_events'; remove it")


def _segments(path: str, model: ModelSection) -> Iterator[Finding]:
    seen: set[str] = set()
    for name in model.segments:
        if "=" in name:
            yield Finding(path, "must not hold =, which parts a segment from its value", name)
        if name in seen:
            yield Finding(path, "must be given once", name)
        seen.add(name)


def _rule(path: str, rule: RuleSection, file: ConfigFile) -> Iterator[Finding]:
    if not rule.series and rule.target is None:
        yield Finding(f"{path}.series", 'must name at least one series, for example ["feature:*"]')
    evidence = dict.fromkeys((*ALWAYS, *(d.kind for d in file.detection.detectors)))
    if rule.evidence in MEASURES:
        yield Finding(
            f"{path}.evidence",
            "must be a detector: a distance has no budget of false alarms",
            rule.evidence,
            f"write 'effect: {{{rule.evidence}: FLOOR}}' and leave evidence out",
        )
    elif rule.evidence not in evidence:
        yield Finding(f"{path}.evidence", f"must be a detector that runs: {', '.join(evidence)}", rule.evidence)
    if rule.tolerance is not None and rule.evidence not in TOLERANT:
        yield Finding(f"{path}.tolerance", f"needs evidence of one of {', '.join(TOLERANT)}", rule.evidence)
    for detector in file.detection.detectors:
        if detector.kind == rule.evidence and ":" in detector.kind and not (detector.calibrate or detector.insist):
            rule_text = "must be calibrated to be evidence: without, no budget is kept"
            yield Finding(f"{path}.evidence", rule_text, rule.evidence, "state its calibrate, or insist: true")
    if len(rule.effect) != 1:
        yield Finding(f"{path}.effect", "must have exactly one measure", str(len(rule.effect)))
    for measure in rule.effect:
        if measure not in MEASURES:
            yield Finding(f"{path}.effect", f"must be one of {', '.join(MEASURES)}", measure)


def _alerts(file: ConfigFile) -> Iterator[Finding]:
    for name in file.alerts.labels:
        if name in IDENTITY:
            yield Finding(f"alerts.labels.{name}", "is a label of our own; choose another name")
    for name in ("external_url", "runbook_url"):
        value = getattr(file.alerts, name)
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            yield Finding(f"alerts.{name}", "must be an address with http:// or https://", value)
        elif value and urlsplit(value).username is not None:
            yield Finding(f"alerts.{name}", "must hold no user name or password: it is published")


def _duplicates(path: str, name: str, values: Iterable[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            yield Finding(f"{path}.{name}" if path != name else path, "must be given once", value)
        seen.add(value)
