"""What an alert shows, and how it is cut."""

from __future__ import annotations

import numpy as np

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import Reason
from stream_monitor.core.alerts.wording import evidence_sentence, rank_hint, summary
from stream_monitor.core.judge.panes import OpenPanes
from stream_monitor.core.judge.series import baseline_series
from stream_monitor.core.judge.telling import _bins, budget_panes
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
    shown = _bins(series, series.reference, counts)

    assert shown is not None
    assert shown.categories is not None
    assert len(shown.categories) == len(shown.window) == len(shown.baseline) == 64
    assert (sum(shown.window), sum(shown.baseline)) == (int(counts.sum()), series.reference.total)
    assert (shown.categories[-2:], shown.window[-1]) == (("<other>", "<unseen>"), int(counts[-1]))


def test_a_budget_is_published_as_an_integer_if_it_is_one() -> None:
    """259,200 panes; a third of it has six digits."""
    assert [budget_panes(259_200.0), budget_panes(100 / 3)] == [259_200, 33.3333]


def test_directions_are_said_in_words() -> None:
    """Shift up, shift down, wider, narrower."""
    reference = np.array([250, 250, 250, 250])
    windows = [[10, 20, 30, 40], [40, 30, 20, 10], [40, 10, 10, 40], [10, 40, 40, 10]]

    assert [rank_hint(reference, np.array(counts)).split()[0] for counts in windows] == [
        "higher",
        "lower",
        "extreme",
        "middle",
    ]


def test_a_resolution_says_why() -> None:
    """Recovered, or ended from outside."""
    name = SeriesName("fraud", "", "", "latency")
    endings = (Reason.RECOVERED, Reason.BASELINE_CHANGED, Reason.RULE_REMOVED, Reason.MODEL_RETIRED)

    assert [summary(name, reason, ("psi", 0.0)) for reason in endings] == [
        "fraud: latency back to the baseline",
        "fraud: latency under a new baseline",
        "fraud: latency no longer judged by this rule",
        "fraud: latency without events for long",
    ]


def test_every_kind_of_series_has_its_words() -> None:
    """Features by name, missing and invalid values and unseen categories of a feature, and the model's own series."""
    names = ("feature:{x}", "missing:x", "invalid:x", "unseen:x", "prediction", "serving_error", "demand")

    assert [summary(SeriesName("m", "1", "", name), Reason.FIRED, ("share_change", 0.5)) for name in names] == [
        "m 1: feature {x} drifts (change of share 0.5)",
        "m 1: missing values of x changed (change of share 0.5)",
        "m 1: invalid values of x (change of share 0.5)",
        "m 1: unseen categories of x (change of share 0.5)",
        "m 1: prediction drifts (change of share 0.5)",
        "m 1: serving errors (change of share 0.5)",
        "m 1: demand changed (change of share 0.5)",
    ]


def test_a_detector_without_evidence_has_only_alarmed() -> None:
    """No logarithm is made up for it."""
    assert evidence_sentence(None, 6.0, "page_hinkley") == "page hinkley alarmed"


def test_a_stream_without_watermark_closes_nothing() -> None:
    """The clock starts with the first complete pane."""
    panes = OpenPanes("events", Plan())

    assert panes.next_start(None) is None
    assert panes.next_start(T0 + 5_000) is None
    assert panes.next_start(T0 + 10_000) == T0
