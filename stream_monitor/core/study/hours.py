"""Whether a file is compared hour by hour: only if the hours explain what passes for dependence of its rows."""

from __future__ import annotations

from collections.abc import Sequence

from stream_monitor.core.baseline import Baseline

_EXPLAINED, _LEFT = 2.0, 2.0


def differ_by_hour(alike: Sequence[Baseline], by_hour: Sequence[Baseline]) -> bool:
    """Say whether the hours explain what passes for dependence of the rows of some series, down to d = 2 or less.

    Args:
        alike: references for all hours.
        by_hour: of the same rows, by strata where they allow them.
    """
    for plain, hourly in zip(alike, by_hour, strict=True):
        for name, own in hourly.series.items():
            known = plain.series[name].dependence
            if own.strata is None or own.dependence is None or known is None:
                continue
            pairs = zip(known, own.dependence, strict=True)
            if any(after.value <= _LEFT and before.value >= _EXPLAINED * after.value for before, after in pairs):
                return True
    return False
