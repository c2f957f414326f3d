"""What is said of an activation, whichever instant it has."""

from __future__ import annotations

import pytest

from stream_monitor.cli.activations import activate_baseline
from stream_monitor.config import load
from stream_monitor.core.baseline import Baseline, Schedule
from tests.instants import HOUR_S, ago_ms
from tests.runtimes.stories import reference


class Writer:
    """Takes every record at the time of now."""

    def document(self, _baseline: Baseline) -> int:
        """Write a document."""
        return ago_ms(0)

    def activation(self, _baseline: Baseline, _from_ms: int, *, lead_ms: int) -> int:
        """Write an activation."""
        return ago_ms(0)


def test_before_the_first_start_an_instant_may_lie_in_the_past(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It counts from there on; nobody is told to wait for minus sixty minutes."""
    settings = load(None, environ={}, needs_group=False)
    monkeypatch.setattr("stream_monitor.cli.activations.read_schedule", lambda _: Schedule())
    monkeypatch.setattr("stream_monitor.runtimes.connection.baseline_writer", lambda _: Writer())
    activate_baseline(settings, reference(settings.plan), from_ms=ago_ms(HOUR_S))

    (said,) = capsys.readouterr().err.splitlines()
    assert "on: no worker of the group has started yet" in said
    assert "min" not in said
