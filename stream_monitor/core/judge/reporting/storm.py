"""AlertStorm: the one summary alert when more alerts than `alerts.max_open` would be open.

What is above the cap waits for room and is told when there is some; until then the summary names the number and the
first of them. Nothing is dropped silently.
"""

from __future__ import annotations

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.identity import STORM_RULE, SeriesName, alert_id, fingerprint, storm_labels, subject
from stream_monitor.core.alerts.lifecycle import AlertStatus, Life, Patience, Reason, advance
from stream_monitor.core.alerts.wording import Facts
from stream_monitor.core.judge.model.model_state import ModelState
from stream_monitor.core.judge.reporting.alert_events import Told, alert_data, budget_panes, texts
from stream_monitor.core.judge.reporting.verdicts import Judged
from stream_monitor.core.plan import Plan, Severity
from stream_monitor.core.rules import Pane, Verdict
from stream_monitor.core.time import format_instant

_MEASURE = "open_alerts"


def storm_step(model: ModelState, judged: Judged, plan: Plan, now: Pane) -> Reason | None:
    """Advance the summary alert of a model; return the reason of its step, None if it took none."""
    wanted = judged.open + len(judged.withheld)
    if not model.storm.open and not judged.withheld:
        return None
    patience = Patience(1, plan.alerts.resolve_after, 0, plan.alerts.reminder_ms)
    model.storm, reason = advance(model.storm, Verdict(float(wanted), float(plan.alerts.max_open + 1)), patience, now)
    return reason


def tell_storm(
    model: ModelState, life: Life, reason: Reason, judged: Judged, plan: Plan, *, source: str, now: Pane
) -> Told:
    """Return the event of a step of the summary alert."""
    labels = storm_labels(model.name, plan.alerts.labels)
    identity = fingerprint(labels)
    wanted = judged.open + len(judged.withheld)
    resolved = life.status is AlertStatus.RESOLVED
    evidence = wire.Evidence(
        detector=STORM_RULE,
        guarantee="none:summary",
        budget_panes=budget_panes(model.budget_panes),
        pane_ms=plan.detection.pane_ms,
        family=sum(len(watch.rules) for watch in model.watches()),
        effect=wire.Effect(measure=_MEASURE, value=float(wanted), floor=float(plan.alerts.max_open + 1), noise_95=0.0),
        window=wire.Window(from_=format_instant(now.start_ms), to=format_instant(now.end_ms), n=wanted),
    )
    name = SeriesName(model.name, "", "", "")
    facts = Facts(
        alertname=labels["alertname"],
        name=name,
        rule=STORM_RULE,
        reason=reason,
        evidence=evidence,
        starts_ms=life.starts_ms,
        ends_ms=life.recovers_ms if resolved else None,
        now_ms=now.end_ms,
        alert_id=alert_id(identity, life.starts_ms),
        runbook_url=plan.alerts.runbook_url,
        waiting=tuple(dict.fromkeys(name.series for name, _ in judged.withheld)),
    )
    data = alert_data(identity, labels, life, reason, plan, annotations=texts(facts), evidence=evidence)
    event = wire.cloud_event(data, source=source, subject=subject(name), time_ms=now.end_ms)
    return Told((name, STORM_RULE), identity, resolved, Severity.CRITICAL.value, reason, wire.encode(event))
