"""Recovery: when the panes since a drift prove that it is over.

The effect that opened an alert is measured over the last window, which holds drifted panes for as long as it is. So the
end is judged on fresh panes alone: the last two fifths of `alerts.resolve_after`, or more of them where traffic is
small. They end an alert when no rule of its family sees an effect in them and when that is proven: with its uncertainty
the effect is below the floor, or below a quarter of what the drift was at its worst. (A rule of the user's has no
uncertainty: it must be silent in the newest half of the fresh panes, too.) A drift near its floor, or too few events,
prove nothing: then all panes of the last window must be below the floor for `resolve_after` panes in a row. So must
they be when a drift came back within the cooldown of its last end: one that comes and goes is one alert, not many.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from stream_monitor.core.alerts.lifecycle import fresh_panes
from stream_monitor.core.judge.reporting.episodes import effect_panes, last_panes
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.rules import REST, EffectRule, EffectWindow, Pane, Rule

_LENGTHS = (1.0, 1.5, 2.0, 2.5)
"""Lengths that are tried, in units of the shortest."""


def proof(
    watch: Watch, use: int, rules: Sequence[Rule], resolve_after: int, now: Pane, *, worst: float
) -> EffectWindow | None:
    """Return the fresh panes that prove a drift over, None without a proof.

    Args:
        watch: whose series it is.
        use: the detector whose episode it is.
        rules: that of the alert, then the milder ones of its family.
        resolve_after: of the plan.
        now: the last pane.
        worst: the largest effect that the rule of the alert has seen.
    """
    shortest, known = fresh_panes(resolve_after), effect_panes(watch, use)
    for length in _LENGTHS:
        count = math.ceil(length * shortest)
        if count > known:
            return None
        fresh = last_panes(watch, use, now, count)
        if not _seen(fresh) or any(rule.verdict(fresh).holds for rule in rules):
            return None
        newest = last_panes(watch, use, now, (count + 1) // 2)
        if all(_is_over(rule, fresh, newest, 0.0 if place else REST * worst) for place, rule in enumerate(rules)):
            return fresh
    return None


def _is_over(rule: Rule, fresh: EffectWindow, newest: EffectWindow, rest: float) -> bool:
    """Say whether an effect is proven to be over; of a rule of the user's nothing is known but its verdicts."""
    if isinstance(rule, EffectRule):
        return rule.most(fresh) < max(rule.floor, rest)
    return _seen(newest) and not rule.verdict(newest).holds


def _seen(fresh: EffectWindow) -> bool:
    return fresh.n > 0 or fresh.reference is None
