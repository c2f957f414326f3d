"""Publishes the baselines that a judge proposes, far enough ahead that everybody knows them in time."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from confluent_kafka import Producer

from stream_monitor.core.baseline import activation_lead_ms, proposed_activation_ms
from stream_monitor.core.judge import BaselineProposal
from stream_monitor.kafka.baseline_log import BaselineWriter, is_void
from stream_monitor.kafka.deliveries import UndeliveredRecords
from stream_monitor.kafka.judge.context import JudgeContext

_LOG = logging.getLogger("stream_monitor.kafka.judge")


def propose_baselines(context: JudgeContext, producer: Producer, proposals: Sequence[BaselineProposal]) -> None:
    """Publish documents, learn the broker's time from their reports, and activate each a lead ahead of it (H9).

    Raises:
        UndeliveredRecords: a record was refused, or the activation came too late for its pane.
    """
    writer = BaselineWriter(producer, context.job.topics.baselines, timeout_s=context.job.tuning.flush_s)
    plan = context.job.plan
    for proposal in proposals:
        written_ms = writer.document(proposal.baseline)
        from_ms = proposed_activation_ms(
            written_ms, lead_ms=activation_lead_ms(plan.time), pane_ms=plan.detection.pane_ms
        )
        activated_ms = writer.activation(proposal.baseline, from_ms)
        if is_void(plan.time, written_ms=activated_ms, from_ms=from_ms):
            raise UndeliveredRecords(f"activation of {proposal.baseline.id} took too long to be written")
        _LOG.info(
            "model %s version %s: baseline %s from its first events, active from %d",
            proposal.model,
            proposal.version,
            proposal.baseline.id,
            from_ms,
        )
