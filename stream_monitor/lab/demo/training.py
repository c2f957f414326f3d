"""The baseline of the demo: what a team would build from its training data."""

from __future__ import annotations

import numpy as np

from stream_monitor.core.baseline import Baseline, build_baseline
from stream_monitor.core.batch import RawChunk
from stream_monitor.core.plan import Plan
from stream_monitor.formats import build_decoder
from stream_monitor.formats.tables.reference import ReferenceRows
from stream_monitor.lab.demo.backend import Events
from stream_monitor.lab.fraud import MODEL, VERSION

ROWS = 16_383


def baseline_of(events: Events, plan: Plan) -> Baseline:
    """Return the baseline of native events, in the order of event time."""
    times = np.asarray([at_ms for at_ms, _ in events], dtype=np.int64)
    offsets = np.arange(times.size, dtype=np.int64)
    source = plan.inputs[0]
    chunk = RawChunk(source.topic, 0, offsets, times, [value for _, value in events])
    batch = build_decoder(source, plan).decode(chunk)
    (group,) = batch.groups
    rows = ReferenceRows()
    rows.add(group, batch.event_ms[group.rows])
    reference = rows.reference(MODEL, VERSION, timed=True, ordered=False)
    return build_baseline(MODEL, VERSION, reference.table, origin=reference.origin, limits=plan.limits)
