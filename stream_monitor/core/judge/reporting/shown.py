"""What an alert shows of a window: its bins beside the reference, where its events are, and a few of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import CategoricalBaseline
from stream_monitor.core.comparisons import Reference
from stream_monitor.core.comparisons.grouping import groups
from stream_monitor.core.judge.watch.watch import PaneSources, Watch, merge_places
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries
from stream_monitor.core.plan import Plan
from stream_monitor.core.rules import EffectWindow


def category_names(item: WatchedSeries) -> list[str]:
    """Return the names of the bins of a series that is not numeric."""
    if isinstance(item.baseline, CategoricalBaseline) and item.counted is Counted.VALUES:
        return [*item.baseline.categories, "<other>", "<unseen>"]
    return ["false", "true"]


def bins(item: WatchedSeries, reference: Reference | None, counts: Int64) -> wire.Bins | None:
    """Return window and reference side by side: numeric bins grouped, of categories the most frequent ones."""
    if reference is None:
        return None
    if reference.edges is not None:
        starts = groups(reference.counts, max(1, int(counts.sum())))
        return wire.Bins(
            edges=tuple(float(edge) for edge in reference.edges[starts[1:] - 1]),
            baseline=_ints(np.add.reduceat(reference.counts, starts)),
            window=_ints(np.add.reduceat(counts, starts)),
        )
    names, baseline, seen = category_names(item), reference.counts, counts
    if len(names) > wire.MAX_BINS:
        size = baseline + counts
        kept = np.sort(np.argsort(-size[:-2], kind="stable")[: wire.MAX_BINS - 2])
        names = [*(names[i] for i in kept.tolist()), *names[-2:]]
        baseline, seen = _pooled(baseline, kept), _pooled(seen, kept)
    return wire.Bins(categories=tuple(names), baseline=_ints(baseline), window=_ints(seen))


def _pooled(counts: Int64, kept: Int64) -> Int64:
    """Return the kept categories, all others with `other`, and `unseen`."""
    other = int(counts[:-1].sum()) - int(counts[kept].sum())
    return np.concatenate([counts[kept], [other, int(counts[-1])]])


def _ints(counts: Int64) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)


def _of_window(watch: Watch, window: EffectWindow) -> Sequence[PaneSources]:
    return [pane for pane in watch.sources if window.from_ms <= pane.start_ms < window.to_ms]


def offset_ranges(watch: Watch, window: EffectWindow) -> tuple[wire.OffsetRange, ...]:
    """Return where the events of a window are in the input."""
    ranges = merge_places(pane.offsets for pane in _of_window(watch, window))
    return tuple(
        wire.OffsetRange(topic=topic, partition=partition, first=found.first, next=found.last + 1)
        for (topic, partition), found in sorted(ranges.items())[: wire.MAX_POSITIONS]
    )


def examples(watch: Watch, window: EffectWindow, plan: Plan) -> tuple[wire.ExampleEvent, ...]:
    """Return a few events of a window, chosen by hash."""
    found = sorted((row for pane in _of_window(watch, window) for row in pane.examples), key=lambda row: row.rank)
    return tuple(
        wire.ExampleEvent(
            event_id=row.event_id,
            partition=row.partition,
            offset=row.offset,
            values=dict(sorted(row.values.items())) if plan.privacy.example_values and row.values else None,
        )
        for row in found[: wire.MAX_EXAMPLES]
    )
