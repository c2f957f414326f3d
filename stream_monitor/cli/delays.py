"""How soon a shift of each series is seen: a table with a row a series, or of alike series a row with the slowest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stream_monitor.cli.output import aligned

if TYPE_CHECKING:
    from stream_monitor.core.outlook import FaintFloor, SeriesOutlook, ShiftOutlook
    from stream_monitor.core.plan import Plan

FEW = 12
"""Series up to which each has a row of its own."""

_NAME = 28
"""Characters of a name in the short table."""

_SECOND_MS, _MINUTE_MS, _HOUR_MS, _DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
_UNKNOWN = "not known for this detector"

_Alike = tuple[bool, str, str, str, int]
"""Whether of segments, family, detector, guarantee, number of shifts."""


def table_of_series(plan: Plan, rate: float | None, series: Sequence[SeriesOutlook]) -> list[str]:
    """Return the whole table: detector, weight, threshold and guarantee of each series beside the shifts.

    Args:
        plan: the plan.
        rate: events a second, None when unknown: delays are then in events.
        series: the rows.
    """
    rows = [
        [
            series_name(item),
            item.detector,
            f"{item.weight:.2g}",
            f"{item.log10_threshold:.2f}",
            item.guarantee,
            *_padded([cell(plan, rate, shift, item) for shift in item.shifts]),
        ]
        for item in series
    ]
    return aligned(("series", "detector", "weight", "log10 A/w", "guarantee", *_sigmas()), rows) if rows else []


def short_table(plan: Plan, rate: float | None, series: Sequence[SeriesOutlook]) -> list[str]:
    """Return the delays, and the guarantees where they differ. Of more than a few series those that are alike share a
    row that shows the slowest.

    Alike are series of one family (`feature:`), detector and guarantee, of all rows or of segments.
    """
    if not series:
        return []
    differ = len({item.guarantee for item in series}) > 1
    head = [*(["guarantee"] if differ else []), *_sigmas()]
    if len(series) <= FEW:
        rows = [
            [
                _cut(series_name(item)),
                *([item.guarantee] if differ else []),
                *_padded([cell(plan, rate, shift, item) for shift in item.shifts]),
            ]
            for item in series
        ]
        return aligned(("series", *head), rows)
    groups: dict[_Alike, list[SeriesOutlook]] = {}
    for item in series:
        prefix, colon, _ = item.series.partition(":")
        family = f"{prefix}:*" if colon else prefix
        key = (bool(item.segment), family, item.detector, item.guarantee, len(item.shifts))
        groups.setdefault(key, []).append(item)
    rows = []
    for (of_segments, family, detector, guarantee, count), alike in sorted(groups.items()):
        name = f"{family} of segments" if of_segments else family
        cells = [_slowest(plan, rate, [(item.shifts[place], item) for item in alike]) for place in range(count)]
        rows.append([name, f"{len(alike):,}", detector, *([guarantee] if differ else []), *_padded(cells)])
    return aligned(("alike", "series", "detector", *head), rows)


def cell(plan: Plan, rate: float | None, shift: ShiftOutlook, item: SeriesOutlook) -> str:
    """Return the size of a shift, and after which time or number of events it is seen."""
    match shift.unit.value:
        case "share":
            size = f"{100.0 * shift.size:+.2g} pp"
        case "factor":
            size = f"x{shift.size:g}"
        case _:
            size = f"{shift.size:+.3g}"
    when = _when(plan, rate, shift, item)
    return f"{size} {when}" if shift.within is None else f"{size} in {when}"


def within_ms(plan: Plan, shift: ShiftOutlook) -> int | None:
    """Return the span from the change: the pane in which it began, those that are needed, and the allowed lateness."""
    if shift.within is None:
        return None
    return (shift.within + 1) * plan.detection.pane_ms + plan.time.allowed_lateness_ms


def series_name(item: SeriesOutlook | FaintFloor) -> str:
    """Return a series with its segment."""
    return f"{item.segment} {item.series}" if item.segment else item.series


def _slowest(plan: Plan, rate: float | None, shifts: Sequence[tuple[ShiftOutlook, SeriesOutlook]]) -> str:
    """Return when the last of the series is seen, with the mark if that raises no alert for some of them."""

    def needs(pair: tuple[ShiftOutlook, SeriesOutlook]) -> tuple[bool, float]:
        within = pair[0].within
        return within is None, 0.0 if within is None else within * (pair[1].events if rate is None else 1.0)

    shift, item = max(shifts, key=needs)
    told = _when(plan, rate, shift, item).removesuffix("*")
    return told if all(other.alerts for other, _ in shifts) else f"{told}*"


def _when(plan: Plan, rate: float | None, shift: ShiftOutlook, item: SeriesOutlook) -> str:
    mark = "" if shift.alerts else "*"
    if shift.within is None:
        return f"not seen{mark}"
    if rate is None:
        return f"{shift.within * item.events:,.0f}{mark}"
    return f"{_span(within_ms(plan, shift) or 0)}{mark}"


def _sigmas() -> list[str]:
    from stream_monitor.core.outlook.outlook import SIGMAS

    return [f"{sigma:g} σ" for sigma in SIGMAS]


def _padded(cells: Sequence[str]) -> list[str]:
    """Return a cell for each column of shifts; a detector without evidence has one that says so."""
    shown = list(cells) or [_UNKNOWN]
    return shown + [""] * (len(_sigmas()) - len(shown))


def _cut(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _span(span_ms: int) -> str:
    """Return a span in the largest unit of which there are at least two.

    >>> _span(90_000), _span(40 * 60_000), _span(3 * 86_400_000)
    ('90s', '40m', '3d')
    """
    for unit, length_ms in (("d", _DAY_MS), ("h", _HOUR_MS), ("m", _MINUTE_MS)):
        if span_ms >= 2 * length_ms:
            return f"{-(-span_ms // length_ms)}{unit}"
    return f"{-(-span_ms // _SECOND_MS)}s"
