"""What becomes of a judge's proposal: whether it is still wanted, and the records that make it count from a pane on."""

from __future__ import annotations

from typing import assert_never

from stream_monitor.core.baseline import Schedule, activation_record, gathering_record, supplement_record
from stream_monitor.core.judge.outputs import BaselineProposal, GatheringRequest, Proposal

Record = tuple[bytes, bytes]
"""Key and value."""


def why_unwanted(proposal: Proposal, schedule: Schedule, now_ms: int) -> str | None:
    """Return why a proposal must not be written, in words; None if it is wanted.

    An operator's activation, or an automatic one that another judge wrote before, stays what it is: nothing automatic
    is written beside it.

    Args:
        proposal: of a judge.
        schedule: everything in the topic of baselines.
        now_ms: broker time.
    """
    model, version = proposal.model, proposal.version
    if isinstance(proposal, GatheringRequest):
        return "rows are gathered already" if schedule.gathers(model, version, now_ms) else None
    ahead = schedule.ahead(model, version, now_ms)
    if not proposal.extends:
        if not ahead:
            return None
        first = ahead[0]
        whose = "an automatic baseline" if first.automatic else "an operator's baseline"
        return f"{whose} {first.baseline} counts or will count"
    if not any(own.baseline == proposal.extends for own in ahead):
        return f"the baseline {proposal.extends} that it supplements does not count any more"
    if not schedule.gathers(model, version, now_ms):
        return "a supplement is known already"
    return None


def document_records(proposal: Proposal) -> list[Record]:
    """Return the records of the document that a proposal brings; none if it brings none."""
    return proposal.baseline.parts() if isinstance(proposal, BaselineProposal) else []


def proposal_record(proposal: Proposal, from_ms: int, *, lead_ms: int | None = None) -> Record:
    """Return the record that makes a proposal count from a pane on, written with so long a lead."""
    match proposal:
        case BaselineProposal(model=model, version=version, baseline=baseline, extends=extends) if extends:
            return supplement_record(model, version, baseline.id, from_ms, extends=extends, lead_ms=lead_ms)
        case BaselineProposal(model=model, version=version, baseline=baseline):
            return activation_record(model, version, baseline.id, from_ms, automatic=True, lead_ms=lead_ms)
        case GatheringRequest(model=model, version=version):
            return gathering_record(model, version, from_ms, lead_ms=lead_ms)
        case _:
            assert_never(proposal)
