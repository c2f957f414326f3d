"""What the dependence of rows on each other means for a baseline, in words: for `backtest` and `baseline build`."""

from __future__ import annotations

from stream_monitor.core.baseline import Baseline, DesignEffect
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.names import feature_of

_MOST = 10


def dependence_notes(baseline: Baseline) -> list[str]:
    """Return a line about the series whose rows depend on each other, or about what could not be measured."""
    known: dict[str, DesignEffect] = {}
    for name, own in baseline.series.items():
        if own.dependence is not None:
            called = feature_of(name) or name
            known |= {called: own.dependence.values, f"missing {called}": own.dependence.absent}
    if not known:
        return ["dependence of rows: not known, they have no time stamps; the budget holds if they are independent"]
    dependent = sorted((name for name, found in known.items() if found.value > 1.0), key=lambda n: -known[n].value)
    if not dependent:
        return []
    told = [
        f"{name}: {round_significant(known[name].value, 2):,g} rows say as much as one"
        + ("" if known[name].settled else ", no false-alarm rate can be promised")
        for name in dependent[:_MOST]
    ]
    more = f"; and {len(dependent) - _MOST} more" if len(dependent) > _MOST else ""
    return [f"dependence of rows: {'; '.join(told)}{more}"]
