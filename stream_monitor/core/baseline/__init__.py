"""Baselines: what a model's traffic looked like when all was well, and from when on it counts.

`series` holds the reference of one series by kind, `wire` its JSON, `document` the baseline of a model version and its
canonical bytes, with the `facts` beside its series and its `segments`. `build` makes one from a `table` of rows, whose
`values` and `vocabulary` it reads first. `dependence` measures how much less rows say that depend on each other,
`course` does so for a whole file, `measuring` for every series; `regimes` finds where a file jumps, `season` what
repeats in it, `strata` says which hours have a reference of their own. `schedule` says which baselines are active in a
pane, from the records of `activation`. A new kind of series is a class in `series`, a shape in `wire` and a branch in
`build`.
"""

from stream_monitor.core.baseline.activation import (
    Activation,
    Branch,
    End,
    StartRecord,
    activation_record,
    end_record,
    gathering_record,
    start_record,
    supplement_record,
)
from stream_monitor.core.baseline.build import build_baseline
from stream_monitor.core.baseline.dependence import Dependence, DesignEffect
from stream_monitor.core.baseline.document import Baseline
from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.facts import Constraint, Origin, OriginType, ValueType
from stream_monitor.core.baseline.measuring import measured_along, regimes_along, with_free_constants
from stream_monitor.core.baseline.regimes import Regimes
from stream_monitor.core.baseline.schedule import (
    Applied,
    Schedule,
    activation_lead_ms,
    proposed_activation_ms,
)
from stream_monitor.core.baseline.segments import SegmentReference
from stream_monitor.core.baseline.series import (
    BinaryBaseline,
    CategoricalBaseline,
    NumericBaseline,
    Quality,
    SeriesBaseline,
    Strata,
)
from stream_monitor.core.baseline.strata import by_stratum, calendar_of, of_pane
from stream_monitor.core.baseline.table import CategoryColumn, ReferenceTable

__all__ = [
    "Activation",
    "Applied",
    "Baseline",
    "BaselineError",
    "BinaryBaseline",
    "Branch",
    "CategoricalBaseline",
    "CategoryColumn",
    "Constraint",
    "Dependence",
    "DesignEffect",
    "End",
    "NumericBaseline",
    "Origin",
    "OriginType",
    "Quality",
    "ReferenceTable",
    "Regimes",
    "Schedule",
    "SegmentReference",
    "SeriesBaseline",
    "StartRecord",
    "Strata",
    "ValueType",
    "activation_lead_ms",
    "activation_record",
    "build_baseline",
    "by_stratum",
    "calendar_of",
    "end_record",
    "gathering_record",
    "measured_along",
    "of_pane",
    "proposed_activation_ms",
    "regimes_along",
    "start_record",
    "supplement_record",
    "with_free_constants",
]
