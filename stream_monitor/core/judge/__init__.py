"""The deterministic fold: chunks of `drift-profiles` in, alerts, alert states and baseline proposals out.

`log` reads chunks and closes panes, `watch` steps the detectors, `model` follows versions, `conditions` and `reporting`
make alerts, and `fold` joins them. `stored` writes the state down, `view` shows it, and `changes` takes it over.
"""

from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.judge.changes.carry import Carried, Changes, carry
from stream_monitor.core.judge.errors import ChainGap, JudgeError, SnapshotRefused, UnknownBaseline
from stream_monitor.core.judge.fold import Judge
from stream_monitor.core.judge.model.proposing import document_records, proposal_record, why_unwanted
from stream_monitor.core.judge.outputs import (
    ALERT_HEADERS,
    AlertEvent,
    AlertState,
    BaselineProposal,
    GatheringRequest,
    Output,
    Proposal,
    StoredEntry,
)
from stream_monitor.core.judge.view.judge_view import (
    AlertView,
    BaselineView,
    JudgeView,
    ModelView,
    SeriesState,
    SeriesView,
    WarmUpView,
)
from stream_monitor.core.judge.watch.configured import Configured
from stream_monitor.core.judge.watch.coverage import Blind, Coverage, model_coverage, version_coverage
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.stand_ins import missing_classes, with_stand_ins

__all__ = [
    "ALERT_HEADERS",
    "AlertEvent",
    "AlertState",
    "AlertStatus",
    "AlertView",
    "BaselineProposal",
    "BaselineView",
    "Blind",
    "Carried",
    "ChainGap",
    "Changes",
    "Configured",
    "Coverage",
    "GatheringRequest",
    "Judge",
    "JudgeError",
    "JudgeView",
    "ModelView",
    "Output",
    "Proposal",
    "Rulebook",
    "SeriesState",
    "SeriesView",
    "SnapshotRefused",
    "StoredEntry",
    "UnknownBaseline",
    "WarmUpView",
    "carry",
    "document_records",
    "missing_classes",
    "model_coverage",
    "proposal_record",
    "version_coverage",
    "why_unwanted",
    "with_stand_ins",
]
