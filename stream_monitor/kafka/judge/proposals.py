"""Publishes the references that a judge proposes, far enough ahead that everybody knows them in time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from confluent_kafka import Producer

from stream_monitor.core.baseline import activation_lead_ms, proposed_activation_ms
from stream_monitor.core.judge import (
    BaselineProposal,
    GatheringRequest,
    Proposal,
    document_records,
    proposal_record,
    why_unwanted,
)
from stream_monitor.core.time import format_instant
from stream_monitor.kafka.baseline_log import BaselineWriter, is_void
from stream_monitor.kafka.deliveries import UndeliveredRecords
from stream_monitor.kafka.judge.context import JudgeContext

_LOG = logging.getLogger("stream_monitor.kafka.judge")
_REFRESH_S = 5.0
_NAMES = 10
"""Rare features that a line names."""


def propose_baselines(
    context: JudgeContext,
    producer: Producer,
    proposals: Sequence[Proposal],
    *,
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> None:
    """Publish documents, learn the broker's time from their reports, and activate each a lead ahead of it (H9).

    A proposal that is not wanted any more is dropped: the topic is read to its end first, so an operator's activation
    that was written by now is seen.

    Raises:
        UndeliveredRecords: a record was refused, or the activation came too late for its pane.
    """
    if not proposals:
        return
    context.baselines.refresh(budget_s=_REFRESH_S)
    for proposal in proposals:
        unwanted = why_unwanted(proposal, context.baselines.schedule, wall_ms())
        if unwanted is not None:
            _LOG.info("%s: no %s: %s", _named(proposal), _what(proposal), unwanted)
            continue
        _write(context, producer, proposal, wall_ms=wall_ms)


def _write(context: JudgeContext, producer: Producer, proposal: Proposal, *, wall_ms: Callable[[], int]) -> None:
    writer = BaselineWriter(producer, context.job.topics.baselines, timeout_s=context.job.tuning.flush_s)
    plan = context.job.plan
    document = document_records(proposal)
    written_ms = writer.records(document) if document else wall_ms()
    lead_ms = activation_lead_ms(plan.time)
    from_ms = proposed_activation_ms(written_ms, lead_ms=lead_ms, pane_ms=plan.detection.pane_ms)
    activated_ms = writer.records([proposal_record(proposal, from_ms, lead_ms=lead_ms)])
    if is_void(plan.time, written_ms=activated_ms, from_ms=from_ms):
        raise UndeliveredRecords(f"{_named(proposal)}: the activation took too long to be written")
    _LOG.info("%s: %s, from %s on", _named(proposal), _what(proposal), format_instant(from_ms))


def _named(proposal: Proposal) -> str:
    version = f" version {proposal.version}" if proposal.version else ""
    return f"model {proposal.model}{version}"


def _what(proposal: Proposal) -> str:
    """Return what a proposal brings, in words."""
    if isinstance(proposal, GatheringRequest):
        return "rows are gathered for a reference of the series that the baseline lacks"
    return _of_baseline(proposal)


def _of_baseline(proposal: BaselineProposal) -> str:
    more = f", and {len(proposal.left_out) - _NAMES} more" if len(proposal.left_out) > _NAMES else ""
    rare = ", ".join(proposal.left_out[:_NAMES]) + more
    return _document(proposal) + (f" (left out, fewer than one row in a hundred has them: {rare})" if rare else "")


def _document(proposal: BaselineProposal) -> str:
    baseline = proposal.baseline
    if not proposal.extends:
        return f"baseline {baseline.id} from its first events"
    names = sorted(baseline.series.keys() | {name for own in baseline.segments.values() for name in own.series})
    if not names:
        return "every series that live events have is in the baseline"
    return f"reference {baseline.id} from live events for {', '.join(names)}"
