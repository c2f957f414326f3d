"""Signals: the first one drains, the second one ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading, time
from stream_monitor.runtimes.stopping import stopping_on_signals
asked = threading.Event()
with stopping_on_signals(asked.set):
    print("ready", flush=True)
    while not asked.wait(0.05):
        pass
    print("draining", flush=True)
    time.sleep({drain})
print("drained", flush=True)
"""


def _start(drain: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(drain=drain)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_drains(number: signal.Signals) -> None:
    """Work in hand is finished, and the end is a good one."""
    process = _start(0.1)
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)

    assert (0, "draining\ndrained\n") == (process.returncode, out)


def test_the_second_signal_ends_at_once() -> None:
    """An operator who insists does not wait for a broker that does not answer."""
    process = _start(60.0)
    assert process.stdout is not None
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "draining\n"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)

    assert (128 + signal.SIGTERM, "") == (process.returncode, out)
