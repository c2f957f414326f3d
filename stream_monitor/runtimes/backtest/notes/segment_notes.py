"""What a baseline knows of the segments of a model, in words: for `backtest`, `baseline build` and `check`."""

from __future__ import annotations

from collections.abc import Iterable

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.grid import SMALLEST_REFERENCE
from stream_monitor.core.names import segment_name

_NAMED = 5


def segment_notes(baseline: Baseline, names: Iterable[str]) -> list[str]:
    """Return a line for each segment name: which values are judged, and how many rows belong to none of them.

    Args:
        baseline: of a model.
        names: the segments that its plan watches.
    """
    lines = []
    for name in names:
        own = {label: found.rows for label, found in baseline.segments.items() if segment_name(label) == name}
        if not own:
            lines.append(f"segment {name}: no value has {SMALLEST_REFERENCE} reference rows: not judged")
            continue
        largest = sorted(own, key=lambda label: (-own[label], label))
        told = ", ".join(f"{label} {own[label]:,}" for label in largest[:_NAMED])
        more = f" and {len(own) - _NAMED} more" if len(own) > _NAMED else ""
        rest = baseline.origin.rows - sum(own.values())
        others = f"; {rest:,} rows of other values or none are judged with all rows alone" if rest else ""
        lines.append(f"segment {name}: {told} rows{more}{others}")
    return lines
