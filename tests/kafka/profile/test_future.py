"""What the log says of events from the future, however far away that is."""

from __future__ import annotations

import pytest

from stream_monitor.core.profile import Ahead
from stream_monitor.core.time import LATEST_MS
from stream_monitor.kafka.profile.future import FutureLog


@pytest.mark.parametrize(("stamped_ms", "told"), [(LATEST_MS, "9999-12-31T23:59:59.999Z"), (2**48, f"{2**48} ms")])
def test_an_instant_that_no_calendar_has_ends_no_worker(
    stamped_ms: int, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The chunk is committed when the line is written: an error there would be the end of the process."""
    FutureLog(300_000).note(("events", 0), Ahead(1, 7, stamped_ms, 1_795_331_967_684), now=100.0)

    assert f"the one at offset 7 with {told} when" in caplog.text
