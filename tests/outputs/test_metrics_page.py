"""The generated table of metrics."""

from __future__ import annotations

from stream_monitor.outputs.docs import PAGE, page


def test_the_documented_metrics_are_those_of_the_code() -> None:
    """`python -m stream_monitor.outputs.docs` was run after the last change of a family."""
    current = PAGE.read_text("utf-8")

    assert page(current) == current
