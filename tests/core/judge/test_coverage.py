"""Coverage: of every series, what watches it or why nothing does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_monitor.core.baseline import Baseline, BinaryBaseline, Origin, OriginType
from stream_monitor.core.judge import Blind, Coverage, Rulebook, model_coverage
from stream_monitor.core.plan import DEFAULT_RULES, BaselineFrom, LimitsPlan, ModelPlan, Plan

ROWS = 100


def binary(name: str) -> BinaryBaseline:
    return BinaryBaseline(name, ROWS, (ROWS, 0))


BASELINE = Baseline(
    "churn",
    "7",
    Origin(OriginType.DATASET, ROWS),
    {name: binary(name) for name in ("feature:a", "feature:b", "serving_error")},
)


def covered(plan: Plan, baseline: Baseline | None = BASELINE) -> dict[str, Coverage]:
    """Return the coverage by series."""
    documents = [] if baseline is None else [baseline]
    return {item.series: item for item in model_coverage(plan, Rulebook(plan.rules, {}), "churn", documents)}


def test_a_series_says_by_what_it_is_watched() -> None:
    """The detectors and the rules that wait for them."""
    found = covered(Plan())

    assert found["serving_error"] == Coverage(
        "churn", "7", "", "serving_error", ("interval_bernoulli",), ("serving_errors",)
    )
    assert (found["demand"].version, found["demand"].rules) == ("", ("traffic",))
    assert found["missing:a"].words == "interval_bernoulli (data_quality)"


@pytest.mark.parametrize(
    ("plan", "series", "reason"),
    [
        (Plan(), "latency", Blind.NOT_IN_BASELINE),
        (Plan(models=(ModelPlan(exclude=("a",)),)), "feature:a", Blind.EXCLUDED),
        (Plan(rules=DEFAULT_RULES[:1]), "serving_error", Blind.NO_RULE),
        (Plan(rules=DEFAULT_RULES[:1]), "demand", Blind.NO_RULE),
        (Plan(limits=LimitsPlan(series_per_model=1)), "serving_error", Blind.LIMIT),
    ],
)
def test_a_series_that_is_not_watched_says_why(plan: Plan, series: str, reason: Blind) -> None:
    """Each reason is one of a closed list, with words."""
    found = covered(plan)[series]

    assert found.reason is reason
    assert found.words.startswith("not watched: ")


def test_without_a_baseline_everything_waits() -> None:
    """For its first events, or for a baseline to be published."""
    published = Plan(models=(ModelPlan(baseline=BaselineFrom.PUBLISHED),))

    assert covered(Plan(), None)["*"].reason is Blind.WARMING_UP
    assert covered(published, None)["*"].reason is Blind.NO_BASELINE


def test_a_reference_from_live_events_is_promised_only_where_it_is_made() -> None:
    """Where the baseline is to be published, what it lacks stays unwatched."""
    published = Plan(models=(ModelPlan(baseline=BaselineFrom.PUBLISHED),))

    assert "live events" in covered(Plan())["latency"].words
    assert "live events" not in covered(published)["latency"].words
    assert replace(covered(Plan())["latency"], detail="") == covered(published)["latency"]
