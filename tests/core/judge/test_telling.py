"""What an alert shows, and how it is cut."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.judge.log.open_panes import OpenPanes
from stream_monitor.core.judge.reporting.alert_events import _expected_alarms, budget_panes
from stream_monitor.core.judge.reporting.shown import bins
from stream_monitor.core.judge.watch.watched_series import baseline_series
from stream_monitor.core.plan import ModelPlan, Plan
from tests.traffic import T0, Events, baseline_of


def test_hundreds_of_categories_become_at_most_64_bins() -> None:
    """The most frequent are shown, the others join `other`; nothing is lost from the sums."""
    random = np.random.default_rng(1)
    n = 4000
    names = [f"c{int(value):03}" for value in np.minimum(random.exponential(40, n), 199)]
    at = T0 + np.arange(n)
    baseline = baseline_of(Events("m", "", [str(i) for i in range(n)], at, at, {}, {"feature:c": names}))
    series = next(item for item in baseline_series(baseline, ModelPlan()) if item.name == "feature:c")
    assert series.reference is not None
    counts = np.arange(series.bins)
    shown = bins(series, series.reference, counts)

    assert shown is not None
    assert shown.categories is not None
    assert len(shown.categories) == len(shown.window) == len(shown.baseline) == 64
    assert (sum(shown.window), sum(shown.baseline)) == (int(counts.sum()), series.reference.total)
    assert (shown.categories[-2:], shown.window[-1]) == (("<other>", "<unseen>"), int(counts[-1]))


def test_a_budget_is_published_as_an_integer_if_it_is_one() -> None:
    """259,200 panes; a third of it has six digits."""
    assert [budget_panes(259_200.0), budget_panes(100 / 3)] == [259_200, 33.3333]


@pytest.mark.parametrize(("log10_m", "expected"), [(7.0, 0.02592), (400.0, 0.0)])
def test_evidence_beyond_doubles_is_no_error(log10_m: float, expected: float) -> None:
    """Ten to the four hundredth is no double; its share of the budget is 0."""
    assert _expected_alarms(259_200.0, log10_m) == expected


def test_a_stream_without_watermark_closes_nothing() -> None:
    """The clock starts with the first complete pane."""
    panes = OpenPanes("events", Plan())

    assert panes.next_start(None) is None
    assert panes.next_start(T0 + 5_000) is None
    assert panes.next_start(T0 + 10_000) == T0
