"""Streams made to order for tests and benches: a law, its changes, rows and a seed; nothing is implicit.

Laws are in `laws` (independent), `dependent`, `demand` and `categories`, one class each; `changes` says what happens
to them, `course` when, `stream` puts them together and `table` writes them as files.
"""

from stream_monitor.lab.generators.categories import Categorical
from stream_monitor.lab.generators.changes import LostNames, NullStorm, OtherShares, Replaced, Scale, Shift
from stream_monitor.lab.generators.course import Course, Ramp, Recurring, Step, Temporary
from stream_monitor.lab.generators.demand import Demand
from stream_monitor.lab.generators.dependent import Autoregressive, Held, Overdispersed, Regimes, Seasonal
from stream_monitor.lab.generators.laws import (
    Bernoulli,
    Bimodal,
    Law,
    LogNormal,
    Normal,
    StudentT3,
    Uniform,
    ZeroInflated,
)
from stream_monitor.lab.generators.stream import CategoryStream, NumberStream
from stream_monitor.lab.generators.table import Stream, write_csv, write_truth

__all__ = [
    "Autoregressive",
    "Bernoulli",
    "Bimodal",
    "Categorical",
    "CategoryStream",
    "Course",
    "Demand",
    "Held",
    "Law",
    "LogNormal",
    "LostNames",
    "Normal",
    "NullStorm",
    "NumberStream",
    "OtherShares",
    "Overdispersed",
    "Ramp",
    "Recurring",
    "Regimes",
    "Replaced",
    "Scale",
    "Seasonal",
    "Shift",
    "Step",
    "Stream",
    "StudentT3",
    "Temporary",
    "Uniform",
    "ZeroInflated",
    "write_csv",
    "write_truth",
]
