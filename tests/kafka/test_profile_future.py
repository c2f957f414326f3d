"""Records that a producer with a wrong clock stamps far in the future."""

from __future__ import annotations

import pytest

from tests import instants
from tests.kafka.profiling import event, make_stage, running, wait_until


def test_a_record_from_the_future_makes_no_event_late(
    kafka: str, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Record and event are 50 minutes ahead, as the broker still takes them: what comes on time behind is on time."""
    stage = make_stage(kafka, prefix, partitions=1)
    topic = stage.inputs[0]

    def stamped(at_ms: int) -> None:
        stage.producer.produce(topic, event(at_ms, at_ms), partition=0, timestamp=at_ms)
        assert stage.producer.flush(30) == 0

    stamped(instants.now_ms())
    with running(stage.job()):
        wait_until(stage.is_caught_up)
        ahead_ms = instants.now_ms() + 50 * 60_000
        stamped(ahead_ms)
        wait_until(stage.is_caught_up)
        for _ in range(20):
            stamped(instants.now_ms())
        wait_until(stage.is_caught_up)
    with running(stage.job()):  # the next owner goes on with what the first one knew
        stamped(instants.now_ms())
        wait_until(stage.is_caught_up)
    progress = stage.fold().progress((topic, 0))
    told = [p.ahead for p in progress if p.ahead is not None]

    assert (23, 0) == (sum(p.counts.counted for p in progress), sum(p.counts.late for p in progress))
    assert [(1, 1, ahead_ms)] == [(a.events, a.offset, a.stamped_ms) for a in told]
    assert max(p.watermark_ms or 0 for p in progress) < instants.now_ms()
    assert (
        f"{topic}[0]: events stamped more than 300 s ahead of the broker's clock: 1, the one at offset 1" in caplog.text
    )
