"""Calibrated thresholds: without drift the average run length is the budget or longer, and not with more."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.detectors.lowered_threshold import OFFSETS
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses
from stream_monitor.lab.scores import run_length

BUDGET, PANES, STREAMS, M = 100, 300, 150, 1023
Sizes = Callable[[int, np.random.Generator], Int64]


def excesses(sizes: Sizes, mixture: Mixture) -> Float64:
    """How far log M is above its threshold, shape (panes, streams); streams have references of their own."""
    rng = np.random.default_rng(11)
    masses = draw_masses(spacings(M), rng, STREAMS)
    masses /= masses.sum(axis=1, keepdims=True)
    group = RankShiryaevRoberts(mixture, offsets=OFFSETS).build(M)
    rows = np.array([group.add(SeriesReference(spacings(M))) for _ in range(STREAMS)])
    found = []
    for _ in range(PANES):
        log_m = group.step(rows, rng.multinomial(sizes(STREAMS, rng), masses))
        found.append(log_m + group.lowered(rows) - math.log(BUDGET))
    return np.array(found)


def mean_run_length(above: Float64) -> float:
    """Average run length to the first pane above the threshold."""
    alarmed = above >= 0.0
    first = np.where(alarmed.any(axis=0), alarmed.argmax(axis=0) + 1.0, np.inf)
    return run_length(first.tolist(), horizon=PANES).mean


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_the_run_length_is_the_budget_and_would_not_be_with_a_nat_more(n: int) -> None:
    """At the smallest size of each class the shipped offset keeps the run length; one larger by a nat breaks it."""
    above = excesses(lambda streams, _: np.full(streams, n), Mixture.for_events(n))

    assert mean_run_length(above) >= BUDGET
    assert mean_run_length(above + 1.0) < BUDGET


@pytest.mark.parametrize("small", [0.0, 0.05, 0.8], ids=["any size", "few small", "most small"])
def test_panes_of_varying_size_keep_the_run_length(small: float) -> None:
    """Sizes between 10 and 3,000, or mostly one and sometimes the other: the 10 % quantile chooses the offset."""

    def sizes(streams: int, rng: np.random.Generator) -> Int64:
        spread = np.exp(rng.uniform(math.log(10), math.log(3000), streams)).astype(np.int64)
        return np.where(rng.random(streams) < small, 10, 1000) if small else spread

    assert mean_run_length(excesses(sizes, Mixture.FINE)) >= BUDGET
