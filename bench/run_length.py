"""Average run length of river's ADWIN on standard normal numbers: the table of `core/detectors/run_length.py`.

    python -m bench.run_length            # five minutes

One line a delta: numbers until an alarm, averaged over alarms, each with a fresh detector, and its 95 % limits.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from stream_monitor.core.detectors.river_detectors import RIVER_VERSION, AdwinCell

SEED = 20261124
SIMULATED = (
    (0.7, 3000),
    (0.5, 3000),
    (0.3, 3000),
    (0.1, 3000),
    (0.05, 2000),
    (0.02, 1200),
    (0.01, 600),
    (0.005, 300),
    (0.002, 200),
)
"""(delta, alarms to wait for)."""

_MOST_NUMBERS = 240_000_000
_BLOCK = 100_000


def run_length(delta: float, alarms: int) -> tuple[int, int]:
    """Return (numbers, alarms): fresh detectors one after the other, until that many alarms or numbers."""
    generator = np.random.default_rng(SEED)
    numbers = seen = 0
    cell = AdwinCell(delta)
    while numbers < _MOST_NUMBERS:
        for z in generator.standard_normal(_BLOCK).tolist():
            numbers += 1
            if cell.update(z):
                seen += 1
                if seen == alarms:
                    return numbers, seen
                cell = AdwinCell(delta)
    return numbers, seen


def main() -> None:
    """Print the table."""
    print(f"ADWIN of river {RIVER_VERSION}, clock=1, N(0, 1), seed {SEED}")
    print("delta    run length    lower 95 %    upper 95 %    alarms")
    for delta, wanted in SIMULATED:
        numbers, alarms = run_length(delta, wanted)
        lower = 2.0 * numbers / chi2.ppf(0.975, 2 * alarms + 2)
        upper = 2.0 * numbers / chi2.ppf(0.025, 2 * alarms)
        print(f"{delta:<8} {numbers / alarms:>10.0f} {lower:>13.0f} {upper:>13.0f} {alarms:>9}")


if __name__ == "__main__":
    main()
