"""A backtest as a picture: each series with its evidence, its alerts and what truly changed, rows from left to right.

SVG, written by hand: it opens in every browser, and needs no library for plots.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stream_monitor.core.arrays import Float64
from stream_monitor.lab.plot import svg
from stream_monitor.lab.plot.reduction import Reduction
from stream_monitor.lab.scores import Change

WIDTH = 1_100.0
PLOT_WIDTH = 960
"""Pixels of the rows: as many buckets are worth reducing to."""

_LEFT, _TOP = 84.0, 66.0
_VALUES, _EVIDENCE, _GAP = 104.0, 44.0, 44.0
_HIGHEST = 1.25  # evidence over threshold at the upper edge
_MOST_NAMES = 5

_STYLE = """
svg{background:#fff;font:12px system-ui,sans-serif}
.t{fill:#444}.h{fill:#111;font-weight:600;font-size:13px}.title{fill:#111;font-size:16px;font-weight:600}
.r{fill:#444;text-anchor:end}.m{fill:#444;text-anchor:middle}
.frame{fill:none;stroke:#bbb}.reference{fill:#eceff1}.band{fill:#bcd4ea}.mean{fill:none;stroke:#1f5f99;stroke-width:1.2}
.evidence{fill:none;stroke:#6a3d9a;stroke-width:1.2}.threshold{stroke:#6a3d9a;stroke-dasharray:4 3}
.change{stroke:#1b7837;stroke-width:2;stroke-dasharray:6 3}.changed{fill:#1b7837;fill-opacity:.1}
.alert{stroke:#c62828;stroke-width:1.5}.mark{fill:#c62828}.began{fill:#ef8a17;fill-opacity:.35}
.n0{fill:none;stroke:#1f5f99}.n1{fill:none;stroke:#b15928}.n2{fill:none;stroke:#33a02c}.n3{fill:none;stroke:#e377c2}
.n4{fill:none;stroke:#7f7f7f}
"""


@dataclass(frozen=True, slots=True)
class AlertMark:
    """An alert: told after `row` rows, about a change that began between two rows."""

    row: int
    words: str
    began: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A series.

    Attributes:
        name: of the feature, or of the series of the model.
        values: its column; None when the file's column is not known.
        looks: rows after which evidence was noted.
        evidence: over the threshold, one a look.
        alerts: in order.
        changes: known ones; none when nobody knows.
        references: spans of rows that the series was compared with.
    """

    name: str
    values: Reduction | None
    looks: Sequence[int]
    evidence: Sequence[float]
    alerts: Sequence[AlertMark] = ()
    changes: Sequence[Change] = ()
    references: Sequence[tuple[int, int]] = field(default=())


def picture(title: str, rows: int, panels: Sequence[Panel], *, left_out: int = 0) -> str:
    """Return the picture as an SVG document.

    Args:
        title: of the picture.
        rows: of the file.
        panels: from top to bottom.
        left_out: series that are not shown.
    """
    step = 16.0 + _VALUES + _EVIDENCE + _GAP
    height = _TOP + step * max(len(panels), 1) + (18.0 if left_out else 0.0)
    body = [svg.text(16, 26, title, "title"), *_legend()]
    for place, panel in enumerate(panels):
        body += _panel(panel, rows, _TOP + place * step)
    if left_out:
        body.append(svg.text(16, height - 10, f"{left_out} more series are not shown"))
    if not panels:
        body.append(svg.text(16, _TOP + 20, "no series was judged"))
    return svg.document(WIDTH, height, _STYLE, title, body)


def _legend() -> Iterator[str]:
    entries = (
        ("reference", "reference"),
        ("band", "values: least to greatest, mean"),
        ("began", "began within"),
        ("mark", "alert"),
    )
    x = 16.0
    for kind, words in entries:
        yield svg.rect(x, 38, 14, 11, kind)
        yield svg.text(x + 19, 48, words)
        x += 19 + 7.0 * len(words) + 18
    for kind, words in (("change", "true change"), ("evidence", "evidence / threshold (dashed: alarm)")):
        yield svg.line(x, 44, x + 16, 44, kind)
        yield svg.text(x + 22, 48, words)
        x += 22 + 7.0 * len(words) + 18


def _panel(panel: Panel, rows: int, top: float) -> Iterator[str]:
    values, evidence = top + 16.0, top + 16.0 + _VALUES + 6.0
    bottom = evidence + _EVIDENCE
    yield svg.text(_LEFT, top + 10, panel.name, "h")
    for first, last in panel.references:
        yield svg.rect(_x(first, rows), values, _x(last, rows) - _x(first, rows), bottom - values, "reference")
    for change in panel.changes:
        if math.isfinite(change.end):
            wide = _x(min(change.end, rows), rows) - _x(change.start, rows)
            yield svg.rect(_x(change.start, rows), values, wide, bottom - values, "changed")
    for alert in panel.alerts:
        if alert.began is not None:
            wide = _x(alert.began[1], rows) - _x(alert.began[0], rows)
            yield svg.rect(_x(alert.began[0], rows), values, max(wide, 2.0), _VALUES, "began")
    if panel.values is not None:
        yield from _names(panel.values, values) if not panel.values.is_numeric else _numbers(panel.values, values)
    yield from _evidence(panel, rows, evidence)
    for change in panel.changes:
        yield svg.line(_x(change.start, rows), values - 4, _x(change.start, rows), bottom, "change")
    for alert in panel.alerts:
        x = _x(alert.row, rows)
        yield svg.line(x, values, x, bottom, "alert")
        yield svg.polygon([(x - 5, values - 8), (x + 5, values - 8), (x, values)], "mark", alert.words)
    yield svg.rect(_LEFT, values, PLOT_WIDTH, _VALUES, "frame")
    yield svg.rect(_LEFT, evidence, PLOT_WIDTH, _EVIDENCE, "frame")
    for tick in _ticks(rows):
        yield svg.line(_x(tick, rows), bottom, _x(tick, rows), bottom + 4, "frame")
        yield svg.text(_x(tick, rows), bottom + 17, f"{tick:,}", "m")


def _numbers(reduction: Reduction, top: float) -> Iterator[str]:
    low, mean, high = reduction.numbers()
    least, most = float(np.nanmin(low)), float(np.nanmax(high))
    if most == least:
        least, most = least - 1.0, most + 1.0
    seen = np.flatnonzero(np.isfinite(mean))
    x = _LEFT + (np.arange(reduction.buckets) + 0.5) * PLOT_WIDTH / reduction.buckets

    def y(value: Float64) -> Float64:
        return top + _VALUES - 3 - (value - least) / (most - least) * (_VALUES - 6)

    upper = list(zip(x[seen].tolist(), y(high[seen]).tolist(), strict=True))
    lower = list(zip(x[seen].tolist(), y(low[seen]).tolist(), strict=True))
    yield svg.polygon(upper + lower[::-1], "band")
    yield svg.polyline(zip(x[seen].tolist(), y(mean[seen]).tolist(), strict=True), "mean")
    yield svg.text(_LEFT - 6, top + 11, f"{most:.4g}", "r")
    yield svg.text(_LEFT - 6, top + _VALUES - 2, f"{least:.4g}", "r")


def _names(reduction: Reduction, top: float) -> Iterator[str]:
    x = _LEFT + (np.arange(reduction.buckets) + 0.5) * PLOT_WIDTH / reduction.buckets
    ends: dict[str, float] = {}
    wide = max(1, reduction.buckets // 80)  # shares of a few rows are noise: shown over a run of buckets
    for place, (name, shares) in enumerate(reduction.shares(_MOST_NAMES).items()):
        runs = [slice(first, first + wide) for first in range(0, shares.size, wide)]
        points = [
            (float(x[run].mean()), top + _VALUES - 3 - float(np.nanmean(shares[run])) * (_VALUES - 6))
            for run in runs
            if np.isfinite(shares[run]).any()
        ]
        yield svg.polyline(points, f"n{place}")
        if points:
            ends[name] = points[-1][1]
    for name, y in _apart(ends, top + 10, top + _VALUES).items():
        yield svg.text(_LEFT + PLOT_WIDTH + 4, y, _short(name))
    yield svg.text(_LEFT - 6, top + 11, "share 1", "r")
    yield svg.text(_LEFT - 6, top + _VALUES - 2, "0", "r")


def _evidence(panel: Panel, rows: int, top: float) -> Iterator[str]:
    def y(ratio: float) -> float:
        return top + _EVIDENCE * (1.0 - min(max(ratio, 0.0), _HIGHEST) / _HIGHEST)  # NaN stays NaN

    yield svg.line(_LEFT, y(1.0), _LEFT + PLOT_WIDTH, y(1.0), "threshold")
    points = [(_x(row, rows), y(ratio)) for row, ratio in zip(panel.looks, panel.evidence, strict=False)]
    yield svg.polyline(
        [point for point, ratio in zip(points, panel.evidence, strict=False) if ratio == ratio], "evidence"
    )
    yield svg.text(_LEFT - 6, y(1.0) + 4, "1", "r")
    yield svg.text(_LEFT - 6, top + _EVIDENCE, "0", "r")


def _x(row: float, rows: int) -> float:
    return _LEFT + PLOT_WIDTH * min(max(row, 0.0), rows) / max(rows, 1)


def _ticks(rows: int) -> list[int]:
    """Return about six round row numbers.

    >>> _ticks(10_000)
    [0, 2000, 4000, 6000, 8000, 10000]
    """
    rough = max(rows / 6, 1.0)
    power = 10 ** math.floor(math.log10(rough))
    step = max(1, int(min((m * power for m in (1, 2, 5, 10)), key=lambda size: abs(size - rough))))
    return list(range(0, rows + 1, step))


def _apart(ends: Mapping[str, float], highest: float, lowest: float) -> dict[str, float]:
    """Return where to write names at the ends of lines, none over another, from the lowest upwards."""
    places: dict[str, float] = {}
    free = lowest
    for name in sorted(ends, key=lambda own: (-ends[own], own)):
        places[name] = max(min(ends[name] + 4, free), highest)
        free = places[name] - 11
    return places


def _short(name: str) -> str:
    return name if len(name) <= 7 else name[:6] + "…"
