"""The settings of a file that is judged by itself: what is told of it, and what the budget is spent on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from stream_monitor.config import Settings
from stream_monitor.config.durations import LONGEST_MS, format_duration
from stream_monitor.config.yaml_text import Plain
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.names import feature_of, invalid_series, missing_series
from stream_monitor.core.plan import BaselineFrom, ConditionName, ModelPlan, Plan
from stream_monitor.core.study.sizing import Sizes
from stream_monitor.core.study.survey import Survey

SMALLEST_PSI = 0.01
"""Effect that is told of a file: a shift of 0.1 sigma. Evidence keeps the budget; who asks about a file wants more than
the 0.1 of live traffic, which hides a shift of 0.25 sigma. A rare error that doubles has a small PSI, too: .037 for 5
to 10 %, seen as anything from 0 to .07 in 200 rows."""

SMALLEST_RELATIVE_CHANGE = 0.5
"""Effect of a rare event that is told of a file: its share grows by half. PSI hides .1 % that become .3 %: .0022."""

SettingsOf = Callable[[Plain], Settings]
"""Loads the settings above a tree of defaults."""


def file_settings(sizes: Sizes, seen: Survey, pane_ms: int, *, strata: Calendar = Calendar.NONE) -> Plain:
    """Return the choices as settings, so that any setting of the user's goes over them.

    A column that has all its values in the whole file cannot lose any: it takes nothing of the budget.
    """
    gappy = [_WILD.sub(r"[\g<0>]", feature) for name in sorted(seen.gappy) if (feature := feature_of(name))]
    lossy: list[Plain] = [own(feature) for own in (missing_series, invalid_series) for feature in gappy]
    window = format_duration(min(sizes.window_panes * pane_ms, LONGEST_MS))
    budget_ms = max(1, round(sizes.budget_panes)) * pane_ms
    per_ms = min(budget_ms, LONGEST_MS)  # twenty files of monthly rows are longer than settings may be
    return {
        "detection": {
            "pane": format_duration(pane_ms),
            "window": window,
            "budget": {"false_alarms": per_ms / budget_ms, "per": format_duration(per_ms)},
        },
        "models": [{"name": "*", "strata": strata.value}],
        "time": {"allowed_lateness": format_duration(min(seen.disorder_ms, LONGEST_MS)), "idle_after": "off"},
        "alerts": {
            "open_events": sizes.open_rows,
            "cooldown": window,
            "reminder": format_duration(per_ms),
            "forget_after": format_duration(per_ms),
        },
        "rules": [
            {"name": "drift", "series": _DRIFT, "evidence": _LEARNS, "effect": {"psi": SMALLEST_PSI}},
            {
                "name": "data_quality",
                "series": [*lossy, "serving_error"],
                "evidence": _LEARNS,
                "effect": {"share_change": 0.01},
            },
            {
                "name": "rare_events",
                "series": [*_DRIFT, *lossy, "serving_error"],
                "evidence": _LEARNS,
                "effect": {"relative_change": SMALLEST_RELATIVE_CHANGE},
                "severity": "info",
            },
        ],
    }


_DRIFT: list[Plain] = ["feature:*", "prediction", "confidence", "label", "latency"]

_WILD = re.compile(r"[*?\[]")
"""What a shell pattern does not take as it stands."""

_OF_TRAFFIC = (ConditionName.NEW_MODEL, ConditionName.NOT_MONITORED)

_LEARNS = "beta_bernoulli"
"""Evidence whose null learns from every pane, on each kind of series: the reference of a file is short."""


def with_segments(settings: SettingsOf, segments: Sequence[str]) -> SettingsOf:
    """Return how settings are loaded, every model with those segments if there are any."""

    def load(base: Plain) -> Settings:
        loaded = settings(base)
        models = tuple(replace(own, segments=tuple(segments)) for own in loaded.plan.models)
        return replace(loaded, plan=replace(loaded.plan, models=models)) if segments else loaded

    return load


def with_published_baselines(plan: Plan) -> Plan:
    """Return the plan with baselines from outside only: a backtest never makes one of rows that it judges.

    The rows before its baseline are no traffic that somebody should watch, so they raise no alert either.
    """
    conditions = tuple((name, severity) for name, severity in plan.conditions if name not in _OF_TRAFFIC)
    models = tuple(replace(own, baseline=BaselineFrom.PUBLISHED) for own in plan.models)
    return replace(plan, models=models or (ModelPlan(baseline=BaselineFrom.PUBLISHED),), conditions=conditions)
