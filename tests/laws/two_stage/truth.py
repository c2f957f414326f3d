"""What must come out: counted naively, event by event, from the committed chunks that the log names.

The chunks are found backwards from the last committed one; that they tile the offsets of each partition without a gap
is part of the truth.
"""

from __future__ import annotations

from collections import defaultdict

from stream_monitor.core.canonical import canonical_json
from stream_monitor.core.chain import ChainState
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import ProgressRecord
from tests.laws.two_stage.broker import Broker
from tests.laws.two_stage.profiling import log_of


def named_chunks(broker: Broker, partition: int) -> list[ProgressRecord]:
    """Return the committed chunks of a source partition, oldest first."""
    records = {record.source.name: record for _, record in log_of(broker, partition, 0)}
    chunks: list[ProgressRecord] = []
    name = ChainState.decode(broker.committed[partition].metadata).last
    while name.seq:
        chunks.insert(0, records[name])
        name = records[name].prev
    return chunks


def expected(broker: Broker, plan: Plan) -> list[bytes]:
    """Return what a judge must have told once every partition has passed every pane."""
    pane_ms, lateness = plan.detection.pane_ms, plan.time.allowed_lateness_ms
    ids: dict[int, list[str]] = defaultdict(list)
    late: dict[int, int] = defaultdict(int)
    for partition, events in enumerate(broker.inputs):
        next_offset, watermark, largest = 0, -1, -1
        for chunk in named_chunks(broker, partition):
            assert chunk.first == next_offset, f"partition {partition} skips or repeats offsets at {next_offset}"
            next_offset = chunk.next
            for event in events[chunk.first : chunk.next]:
                pane = event.at_ms - event.at_ms % pane_ms
                if pane + pane_ms <= watermark:
                    newest = max(largest, watermark)
                    late[newest - newest % pane_ms] += 1
                else:
                    ids[pane].append(event.id)
                largest = max(largest, min(event.at_ms, event.record_ms))
                watermark = max(watermark, largest - lateness)
            watermark = max(watermark, chunk.idle_until_ms or -1)
        assert next_offset == len(events), f"partition {partition} ends at {next_offset} of {len(events)}"
    return [canonical_json([pane, sorted(ids[pane]), len(ids[pane]), late[pane]]) for pane in sorted({*ids, *late})]
