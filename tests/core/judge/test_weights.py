"""The budget of a model is never spent twice."""

from __future__ import annotations

import itertools

import pytest

from stream_monitor.core.judge.watch.detector_uses import Evidence, evidence_for
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries
from stream_monitor.core.judge.watch.weights import (
    COLUMNS_SHARE,
    VERSIONS_SHARE,
    demand_weight,
    segment_shares,
    slot_weight,
    split,
)
from stream_monitor.core.names import SeriesKind


def series(*names: str) -> list[WatchedSeries]:
    return [WatchedSeries(name, SeriesKind.NUMERIC, Counted.VALUES, name, 2, 2, None, None) for name in names]


def test_everything_together_stays_within_the_budget() -> None:
    """Demand, the first version, all newcomers beside it and conditions weigh at most 1."""
    total = demand_weight() + sum(slot_weight(slot) for slot in range(10_000)) + COLUMNS_SHARE + VERSIONS_SHARE

    assert 0.99 < total <= 1.0


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("prediction", "latency"), id="no features: the model's series take all"),
        pytest.param(("feature:a", "missing:a", "feature:b"), id="no series of the model: features take all"),
        pytest.param(("prediction", "feature:a", "missing:a", "invalid:a", "feature:b"), id="both halves"),
    ],
)
def test_a_version_uses_exactly_its_part(names: tuple[str, ...]) -> None:
    """However the series are made up, their weights add up to the whole."""
    assert sum(split(series(*names), 0.5).values()) == pytest.approx(0.5)


def test_features_and_the_model_share_alike() -> None:
    """With demand, the series of the model have half; a feature splits its part with its companions."""
    weights = split(series("prediction", "feature:a", "missing:a", "feature:b"), slot_weight(0))
    of_features = [weights[name] for name in ("feature:a", "missing:a", "feature:b")]

    assert weights["prediction"] + demand_weight() == pytest.approx(sum(of_features))
    assert of_features[0] == of_features[1] == pytest.approx(of_features[2] / 2)


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([], id="none: all rows have everything"),
        pytest.param(["channel=web"], id="one value"),
        pytest.param([f"channel={i}" for i in range(7)] + ["country=DE"], id="two names"),
    ],
)
def test_segments_spend_no_more_than_there_is(segments: list[str]) -> None:
    """All rows and segments together have the weight that all rows had alone."""
    shares = segment_shares(segments)

    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares[""] == (0.5 if segments else 1.0)
    assert set(shares) == {"", *segments}


def test_nothing_to_judge_costs_nothing() -> None:
    """Without series there are no weights."""
    assert split([], 1.0) == {}


def test_a_detector_name_means_the_exact_one_of_the_kind() -> None:
    """The default detector of a rule stands for the exact test of each kind, and for none of counts."""
    meant = {kind: evidence_for("rank_shiryaev_roberts", kind) for kind in SeriesKind}

    assert meant == {
        SeriesKind.NUMERIC: Evidence("rank_shiryaev_roberts"),
        SeriesKind.CATEGORICAL: Evidence("interval_categories"),
        SeriesKind.BINARY: Evidence("interval_bernoulli"),
        SeriesKind.COUNT: None,
    }


def test_a_detector_that_does_not_fit_a_kind_means_none() -> None:
    """A rule with such a pair does not speak about the series."""
    pairs = itertools.product(("interval_bernoulli", "negative_binomial", "adwin"), SeriesKind)
    found = {(name, kind) for name, kind in pairs if evidence_for(name, kind) is not None}

    assert found == {
        ("interval_bernoulli", SeriesKind.BINARY),
        ("negative_binomial", SeriesKind.COUNT),
        ("adwin", SeriesKind.NUMERIC),
    }
