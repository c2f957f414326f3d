"""Draws the screen of a real run as an SVG, for the documentation: `python -m stream_monitor.lab.demo.picture FILE`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from stream_monitor.lab.demo.live import Demo
from stream_monitor.lab.demo.on_kafka import KafkaBackend
from stream_monitor.lab.demo.screen import render
from stream_monitor.lab.scenario import demo_scenario

WIDTH, HEIGHT = 118, 36
SECONDS = 56.0
"""At that second one drift has come and gone, and the second one is firing."""


def draw(to: Path) -> None:
    """Run the demo on a broker of its own for a while and write its last picture."""
    scenario = demo_scenario(seed=7, rate=1_500)
    with KafkaBackend(scenario, bootstrap=None, say=lambda _: None) as backend:
        demo = Demo(backend, scenario, Console(file=io.StringIO()))
        demo.run(SECONDS)
        console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)
        console.print(render(demo.frame(), height=HEIGHT))
        to.write_text(console.export_svg(title="stream-monitor demo"), encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
