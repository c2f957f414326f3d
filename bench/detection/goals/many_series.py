"""A hundred series of mixed laws, one of which moves: false alarms of the deployment, and the delay."""

from __future__ import annotations

from bench.detection.deployment import deployments
from bench.detection.detectors import Contender
from bench.detection.goals.outcome import Outcome, median_at_most
from bench.detection.ours import RankSetup
from bench.detection.seeds import SEED
from bench.detection.streams import CHANGE
from stream_monitor.lab.scores import alarms_per_horizon

_OURS = Contender("", RankSetup(10, 1e5))


def many_series(size: int) -> list[Outcome]:
    """Return the mean number of false alarms in 5,000 rows at a budget of 100,000, and the delay of half a σ."""
    seen = deployments(_OURS, 40 * size, seed=SEED + 30_000_000)
    false = alarms_per_horizon([own.false for own in seen])
    words = f"{false.mean:.3f} (95 % to {false.upper:.3f}, {false.streams} deployments)"
    late = [own.delay for own in seen]
    return [
        Outcome(f"100 mixed series: false alarms in {CHANGE:,} rows < .05", words, false.mean < 0.05),
        median_at_most("100 mixed series, one moves by .5 σ: delay <= 140", late, 140),
    ]
