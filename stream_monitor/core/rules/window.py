"""What a rule looks at: the counts of a series over the panes since its alarm, beside the reference."""

from __future__ import annotations

from dataclasses import dataclass

from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import SeriesBaseline
from stream_monitor.core.comparisons import Reference
from stream_monitor.core.names import SeriesKind


@dataclass(frozen=True, slots=True, eq=False)
class EffectWindow:
    """The panes since an alarm, at most the last window.

    Attributes:
        model, version, segment, series: what is counted; empty version or segment means all of them.
        kind: numeric, categorical, binary or count.
        baseline: reference of the values behind the series; None for counts.
        reference: what the counts are compared with; None for counts per pane.
        reference_mean, reference_variance: of the reference's events per pane, only for counts.
        counts: events of the window per bin, shape (bins,).
        panes: number of panes.
        from_ms, to_ms: span of event time.
    """

    model: str
    version: str
    segment: str
    series: str
    kind: SeriesKind
    baseline: SeriesBaseline | None
    reference: Reference | None
    counts: Int64
    panes: int
    from_ms: int
    to_ms: int
    reference_mean: float | None = None
    reference_variance: float | None = None

    @property
    def n(self) -> int:
        """Events of the window."""
        return int(self.counts.sum())
