"""The command line with activations that lie before now: what a baseline is active for need not be waited for.

An automatic baseline is active minutes from now. Events of those minutes cannot be sent today: stamps that the broker's
clock has not reached do not move the watermark.
"""

from __future__ import annotations

from typing import Final

from stream_monitor.cli.main import main
from stream_monitor.core.baseline import schedule

PROPAGATION_MS: Final = -1_200_000
"""Twenty minutes back, in place of two minutes ahead."""

CONSTANT: Final = "_PROPAGATION_MS"

if __name__ == "__main__":
    setattr(schedule, CONSTANT, PROPAGATION_MS)
    main()
