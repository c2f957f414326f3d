"""`check --connect` beside real records: the references of the versions, the newest records, and what differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream_monitor.cli.output import counted

if TYPE_CHECKING:
    from stream_monitor.config import Settings
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.core.canonical import Json
    from stream_monitor.core.outlook.sample import SampleFinding, TopicSample

    References = dict[tuple[str, str], tuple[Baseline, ...]]

_AT_LAST_MS = 1 << 62
"""Behind everything that is scheduled."""


@dataclass(frozen=True, slots=True)
class Records:
    """The newest records of the input topics beside the plan.

    Attributes:
        samples: the records by topic.
        findings: what is wrong with them.
        unread: lines about topics that could not be read.
    """

    samples: tuple[TopicSample, ...]
    findings: tuple[SampleFinding, ...]
    unread: tuple[str, ...]

    def errors(self, most: int | None = None) -> list[str]:
        """Return what would end a worker; `most` names a line."""
        return [finding.words(most) for finding in self.findings if finding.is_error]

    def warnings(self, most: int | None = None) -> list[str]:
        """Return everything else."""
        return [*self.unread, *(finding.words(most) for finding in self.findings if not finding.is_error)]

    def summary(self) -> str:
        """Return what was read, in a line."""
        read = sum(sample.read for sample in self.samples)
        events = Counter[str]()
        for sample in self.samples:
            for batch in sample.batches.values():
                for group in batch.groups:
                    events[f"{group.model} {group.version}".strip()] += group.rows.size
        of = ", ".join(f"{name} {count:,}" for name, count in events.most_common(_NAMED))
        more = f" and {len(events) - _NAMED} more" if len(events) > _NAMED else ""
        told = f"records: {counted(read, 'record')} of {counted(len(self.samples), 'topic')} read"
        told += f": {of}{more}" if of else ""
        good = events and not self.findings and not self.unread
        return f"{told}; they fit plan and baselines" if good else told


_NAMED = 5


def active_references(settings: Settings) -> References:
    """Return what each watched version is or will be compared with: its baseline and supplements; of the versions of a
    model the one that was activated last comes last. None while the topic is missing.
    """
    from stream_monitor.cli.schedule import read_schedule
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.topics import describe_topics
    from stream_monitor.runtimes.connection import kafka_settings

    if not describe_topics(open_admin(kafka_settings(settings)), [settings.topics.baselines]):
        return {}
    schedule = read_schedule(settings)
    found: References = {}
    for activation in sorted(schedule.activations, key=lambda item: (item.from_ms, item.offset)):
        documents = schedule.references(activation.model, activation.version, _AT_LAST_MS)
        if documents and settings.plan.model(activation.model) is not None:
            found.pop((activation.model, activation.version), None)
            found[activation.model, activation.version] = documents
    return found


def compare_records(settings: Settings, references: References) -> Records:
    """Read the newest records of the input topics and compare them with the plan and the references."""
    from stream_monitor.core.outlook.sample import sample_findings
    from stream_monitor.runtimes.sampling import sample_inputs

    sampled = sample_inputs(settings)
    findings = sample_findings(settings.plan, references, sampled.samples, max_share=settings.dead_letters.max_share)
    unread = tuple(f"records of topic {topic} are not compared: {why}" for topic, why in sampled.unread.items())
    return Records(sampled.samples, tuple(findings), unread)


def records_json(records: Records) -> Json:
    """Return the comparison for programs."""
    return {
        "topics": [
            {
                "topic": sample.topic,
                "records": sample.read,
                "rejected": len(sample.rejects),
                "partitions": {str(number): batch.read for number, batch in sorted(sample.batches.items())},
            }
            for sample in records.samples
        ],
        "unread": list(records.unread),
        "findings": [
            {
                "kind": finding.kind.value,
                "text": finding.words(),
                "error": finding.is_error,
                "topic": finding.topic,
                "model": finding.model,
                "version": finding.version,
                "names": list(finding.names),
                "count": finding.count,
                "records": finding.rows,
                "share": round(finding.count / finding.rows, 6) if finding.rows else None,
                "example": finding.example or None,
            }
            for finding in records.findings
        ],
    }
