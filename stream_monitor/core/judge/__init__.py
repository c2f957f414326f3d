"""The deterministic fold: chunks of `drift-profiles` in, alerts, alert states and baseline proposals out.

`chain` decides which chunks count, `roster` when panes close, `panes` merges them, `watch` steps the detectors,
`episodes` turns alarms into verdicts, `fold` joins them, `snapshot` writes the state down and `view` shows it.
"""

from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.judge.carry import Carried, Changes, carry
from stream_monitor.core.judge.configured import Configured
from stream_monitor.core.judge.coverage import Blind, Coverage, model_coverage, version_coverage
from stream_monitor.core.judge.errors import ChainGap, JudgeError, SnapshotRefused, UnknownBaseline
from stream_monitor.core.judge.fold import Judge
from stream_monitor.core.judge.idle_rules import Idle, IdleRule, idle_rules
from stream_monitor.core.judge.outlook import FaintFloor, SeriesOutlook, ShiftOutlook, Unit, faint_floors, model_outlook
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
from stream_monitor.core.judge.proposing import document_records, proposal_record, why_unwanted
from stream_monitor.core.judge.rulebook import Rulebook
from stream_monitor.core.judge.stand_ins import missing_classes, with_stand_ins
from stream_monitor.core.judge.view import (
    AlertView,
    BaselineView,
    JudgeView,
    ModelView,
    SeriesState,
    SeriesView,
    WarmUpView,
)

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
    "FaintFloor",
    "GatheringRequest",
    "Idle",
    "IdleRule",
    "Judge",
    "JudgeError",
    "JudgeView",
    "ModelView",
    "Output",
    "Proposal",
    "Rulebook",
    "SeriesOutlook",
    "SeriesState",
    "SeriesView",
    "ShiftOutlook",
    "SnapshotRefused",
    "StoredEntry",
    "Unit",
    "UnknownBaseline",
    "WarmUpView",
    "carry",
    "document_records",
    "faint_floors",
    "idle_rules",
    "missing_classes",
    "model_coverage",
    "model_outlook",
    "proposal_record",
    "version_coverage",
    "why_unwanted",
    "with_stand_ins",
]
