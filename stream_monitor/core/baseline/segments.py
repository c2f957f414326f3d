"""The segments of a baseline: references of their own, in one branch of the document or over several of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.series import SeriesBaseline
from stream_monitor.core.baseline.wire import SeriesWire, Wire, series_json, series_of
from stream_monitor.core.canonical import Json
from stream_monitor.core.names import check_name, check_segment_label


@dataclass(frozen=True, slots=True, eq=False)
class SegmentReference:
    """The reference of one segment: its rows among those of the baseline, and the series that they make."""

    rows: int
    series: Mapping[str, SeriesBaseline]


class SegmentWire(Wire, frozen=True):
    """A segment as JSON."""

    rows: int
    series: dict[str, SeriesWire]


def joined_segments(trees: list[dict[str, Json]]) -> dict[str, Json]:
    """Return the segments of all parts; the series of one segment may stand in several."""
    whole: dict[str, Json] = {}
    for tree in trees:
        found = tree.get("segments", {})
        if not isinstance(found, dict):
            raise BaselineError("baseline.segments: must be an object")
        for label, twig in found.items():
            known = whole.get(label, {"series": {}})
            match known, twig:
                case {"series": dict(before)}, {"series": dict(series)}:
                    whole[label] = {**twig, "series": {**before, **series}}
                case _:
                    raise BaselineError(f"baseline.segments.{label}: must be an object with series")
    return whole


def segment_of(label: str, wire: SegmentWire) -> SegmentReference:
    """Return the segment that stands in a document.

    Raises:
        BaselineError: a label, a name or a series is not allowed.
    """
    rule = check_segment_label(label)
    if rule is not None:
        raise BaselineError(f"baseline.segments: {rule}, got {label!r}")
    return SegmentReference(
        wire.rows, {checked_name(name, "series"): series_of(name, item) for name, item in sorted(wire.series.items())}
    )


def segments_json(segments: Mapping[str, SegmentReference]) -> dict[str, Json]:
    """Return the branch of the segments; a document without them has none."""
    branch: dict[str, Json] = {
        label: {"rows": own.rows, "series": {name: series_json(item) for name, item in own.series.items()}}
        for label, own in segments.items()
    }
    return {"segments": branch} if branch else {}


def checked_name(text: str, field: Literal["model", "version", "series"]) -> str:
    """Return a name of a document that keeps the rules.

    Raises:
        BaselineError: it breaks one.
    """
    rule = check_name(text, field)
    if rule is not None:
        raise BaselineError(f"baseline.{field}: {rule}")
    return text
