"""What `check --connect` says of records in one line."""

from __future__ import annotations

import orjson
import pytest

from stream_monitor.cli.records import Records
from stream_monitor.core.outlook.sample import TopicSample
from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.formats import build_decoder
from stream_monitor.kafka.readers import StoredRecord
from stream_monitor.runtimes.replay import chunk_of
from tests.instants import T0_MS

EVENT = orjson.dumps({"event_id": "1", "model": "fraud", "timestamp": T0_MS, "features": {"a": 1}})


def summary(*values: bytes | None, unread: tuple[str, ...] = ()) -> str:
    """Return the line about records of one partition."""
    records = [StoredRecord("events", 0, offset, T0_MS, None, value) for offset, value in enumerate(values)]
    batches = {0: build_decoder(InputPlan("events"), Plan()).decode(chunk_of(records))} if records else {}
    return Records((TopicSample("events", batches),), (), unread).summary()


@pytest.mark.parametrize(
    ("values", "unread", "line"),
    [
        ((EVENT, None), (), "records: 2 records of 1 topic read: fraud 1; they fit plan and baselines"),
        ((EVENT,), ("no answer",), "records: 1 record of 1 topic read: fraud 1"),
        ((None,), (), "records: 1 record of 1 topic read"),
        ((), (), "records: 0 records of 1 topic read"),
    ],
)
def test_only_events_that_were_all_read_fit(
    values: tuple[bytes | None, ...], unread: tuple[str, ...], line: str
) -> None:
    """Tombstones alone, no records, or topics that were not read say nothing about the plan."""
    assert line == summary(*values, unread=unread)
