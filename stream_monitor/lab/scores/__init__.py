"""Scores of a detector: what it promises without drift, how quick it is with drift, how often it is right.

One score a file, each a pure function of alarm positions; `bench/detection` and `backtest --truth` print them. All
positions of one call share a unit, panes or events. To add one: a file here, and a line in `__all__`.
"""

from stream_monitor.lab.scores.delay import Delay, delay
from stream_monitor.lab.scores.detection import Detection, detection
from stream_monitor.lab.scores.episode_recall import episode_recall
from stream_monitor.lab.scores.false_alarms import (
    AlarmCount,
    AlarmShare,
    alarms_per_horizon,
    false_alarm_probability,
)
from stream_monitor.lab.scores.first_hit import Change, Match, match
from stream_monitor.lab.scores.limits import Limits, rate_limits, share_limits
from stream_monitor.lab.scores.run_length import RunLength, run_length

__all__ = [
    "AlarmCount",
    "AlarmShare",
    "Change",
    "Delay",
    "Detection",
    "Limits",
    "Match",
    "RunLength",
    "alarms_per_horizon",
    "delay",
    "detection",
    "episode_recall",
    "false_alarm_probability",
    "match",
    "rate_limits",
    "run_length",
    "share_limits",
]
