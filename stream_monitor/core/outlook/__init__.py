"""What a plan will see before any event comes: delays, faint floors, rules that never fire, records that do not fit.

`outlook` says how soon a shift is seen and from which floor on, `detectability` has the arithmetic of it, `idle_rules`
finds rules that can never fire, and `sample` compares records with a baseline.
"""

from stream_monitor.core.outlook.idle_rules import Idle, IdleRule, idle_rules
from stream_monitor.core.outlook.outlook import (
    FaintFloor,
    SeriesOutlook,
    ShiftOutlook,
    Unit,
    faint_floors,
    model_outlook,
)

__all__ = [
    "FaintFloor",
    "Idle",
    "IdleRule",
    "SeriesOutlook",
    "ShiftOutlook",
    "Unit",
    "faint_floors",
    "idle_rules",
    "model_outlook",
]
