"""Telling: from a step in the life of the alert of a condition to the event that is written."""

from __future__ import annotations

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.identity import SeriesName, alert_id, condition_labels, fingerprint, subject
from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.alerts.wording import Facts, Said
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.judge.conditions import CONDITIONS
from stream_monitor.core.judge.reporting.alert_events import Told, alert_data, budget_panes, texts
from stream_monitor.core.judge.standing.finding import FACT
from stream_monitor.core.judge.standing.standing import ConditionStep
from stream_monitor.core.plan import ConditionName, Plan, Severity
from stream_monitor.core.profile import Profile
from stream_monitor.core.rules.verdict import Pane
from stream_monitor.core.time import format_instant

_BY_NAME = {condition.name: condition for condition in CONDITIONS}


def tell_condition(
    step: ConditionStep,
    plan: Plan,
    *,
    source: str,
    now: Pane,
    budget: float,
    profile: Profile | None = None,
    partition: int | None = None,
) -> Told:
    """Return the event of a step.

    Args:
        step: the step.
        plan: the plan.
        source: CloudEvents source.
        now: the pane.
        budget: A of the model, in panes.
        profile: what the pane holds of the version, for positions and examples.
        partition: of the judge, for a condition about what no model stands for.
    """
    condition, finding, life = _BY_NAME[step.condition], step.finding, step.held.life
    labels, severity = labels_of(step.name, step.condition, plan, partition)
    identity = fingerprint(labels)
    rows = 0 if finding is None else finding.rows
    since_ms = now.start_ms if finding is None else finding.since_ms
    evidence = wire.Evidence(
        detector=step.condition.value,
        guarantee=FACT if finding is None else finding.guarantee,
        budget_panes=budget_panes(budget),
        pane_ms=plan.detection.pane_ms,
        family=len(plan.conditions),
        effect=wire.Effect(
            measure=condition.measure,
            value=0.0 if finding is None else round_significant(finding.value),
            floor=step.held.floor,
            noise_95=0.0,
        ),
        window=wire.Window(from_=format_instant(since_ms), to=format_instant(now.end_ms), n=rows),
        source=() if profile is None else _source(profile),
        examples=() if profile is None else _examples(profile),
        facts=None if finding is None else dict(sorted(finding.facts.items())),
    )
    resolved = life.status is AlertStatus.RESOLVED
    facts = Facts(
        alertname=condition.alertname,
        name=step.name,
        rule=step.condition.value,
        reason=step.reason,
        evidence=evidence,
        starts_ms=life.starts_ms,
        ends_ms=life.recovers_ms if resolved else None,
        now_ms=now.end_ms,
        alert_id=alert_id(identity, life.starts_ms),
        runbook_url=plan.alerts.runbook_url,
        said=Said(step.held.summary) if finding is None else Said(finding.summary, finding.detail, finding.todo),
    )
    data = alert_data(identity, labels, life, step.reason, plan, annotations=texts(facts), evidence=evidence)
    place = f"partition/{partition}" if partition is not None else subject(step.name)
    event = wire.cloud_event(data, source=source, subject=place, time_ms=now.end_ms)
    return Told((step.name, step.condition.value), identity, resolved, severity.value, step.reason, wire.encode(event))


def labels_of(
    name: SeriesName, condition: ConditionName, plan: Plan, partition: int | None = None
) -> tuple[dict[str, str], Severity]:
    """Return labels and severity of the alert of a condition."""
    severity = plan.severity(condition) or Severity.WARNING
    alertname = _BY_NAME[condition].alertname
    constants = plan.alerts.labels
    return condition_labels(
        name, alertname, rule=condition.value, severity=severity, constants=constants, partition=partition
    ), severity


def _source(profile: Profile) -> tuple[wire.OffsetRange, ...]:
    return tuple(
        wire.OffsetRange(topic=topic, partition=partition, first=found.first, next=found.last + 1)
        for (topic, partition), found in sorted(profile.offsets.items())[: wire.MAX_POSITIONS]
    )


def _examples(profile: Profile) -> tuple[wire.ExampleEvent, ...]:
    return tuple(
        wire.ExampleEvent(event_id=row.event_id, partition=row.partition, offset=row.offset)
        for row in profile.examples[: wire.MAX_EXAMPLES]
    )
