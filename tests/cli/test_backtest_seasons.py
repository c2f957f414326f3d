"""`backtest` of a file whose rows have time stamps: hours are told apart where they differ, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stream_monitor.cli.main import run_command
from stream_monitor.core.time import format_instant

MONDAY_MS = 1_772_409_600_000
HOUR_MS = 3_600_000
DAYS = 9
ROWS = DAYS * 24 * 90
CHANGE = int(0.7 * ROWS)
SAME_HOUR = "series are compared with the same hour of the day"


def write(path: Path, *, season: float, shift: float = 0.0) -> Path:
    """Write rows that come by chance through nine days; x is higher by day and moves at row CHANGE."""
    rng = np.random.default_rng(4)
    times = MONDAY_MS + np.sort(rng.integers(0, DAYS * 24 * HOUR_MS, ROWS))
    day = np.isin(times // HOUR_MS % 24, range(8, 20))
    x = rng.normal(np.where(day, season, 0.0) + np.where(np.arange(ROWS) >= CHANGE, shift, 0.0))
    y = rng.normal(size=ROWS)
    lines = (f"{format_instant(at)},{a:.6f},{b:.6f}" for at, a, b in zip(times.tolist(), x, y, strict=True))
    path.write_text("timestamp,x,y\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("season", "shift", "says", "alerts"),
    [(1.5, 0.0, True, False), (1.5, 0.75, True, True), (0.0, 0.0, False, False)],
    ids=["a season", "a drift in a season", "no season"],
)
def test_hours_are_told_apart_where_they_differ(
    season: float, shift: float, says: bool, alerts: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A season is no drift, a drift within it is found soon, and without a season all hours are one."""
    data = write(tmp_path / "data.csv", season=season, shift=shift)

    assert run_command(["backtest", str(data), "--baseline-rows", "9000"]) == 0
    told = capsys.readouterr()
    fired = [line for line in told.out.splitlines() if "firing (fired)" in line]
    assert (SAME_HOUR in told.err, bool(fired)) == (says, alerts)
    assert all(": x " in line for line in fired)
    if fired:
        assert CHANGE < int(fired[0].split()[1].replace(",", "")) < CHANGE + 600
