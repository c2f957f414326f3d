"""Stories of traffic whose events depend on each other: what the budget promises, and that alerts say it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_monitor.core.baseline import Baseline, Dependence, DesignEffect
from tests.timelines.story import Timeline, minutes, shifted


def dependent(baseline: Baseline, effect: DesignEffect) -> Baseline:
    """The same reference, of rows that depended on each other."""
    series = {name: replace(own, dependence=Dependence(effect)) for name, own in baseline.series.items()}
    return Baseline(baseline.model, baseline.version, baseline.origin, series, baseline.constraints)


@pytest.mark.parametrize(
    ("effect", "guarantee", "words"),
    [
        (DesignEffect(4.0), "approximate:dependence", "4 events say as much as one"),
        (DesignEffect(4.0, settled=False), "none:dependence", "No false-alarm rate can be promised"),
    ],
)
def test_an_alert_about_dependent_events_says_what_is_promised(
    effect: DesignEffect, guarantee: str, words: str
) -> None:
    """The detector is tempered, the alert comes all the same, and neither claims the exact bound."""
    story = Timeline(features=1)
    story.baselines[0] = (dependent(story.baselines[0][0], effect), 0)
    story.push(minutes(0, 5))
    story.push(minutes(5, 12), shifted("x0", 1.0))
    fired = story.alerts()[0].data

    assert (fired.evidence.guarantee, fired.evidence.design_effect) == (guarantee, 4.0)
    assert words in fired.annotations.description


def test_independent_events_are_called_so() -> None:
    """A baseline whose rows were seen to be independent keeps the bound."""
    story = Timeline(features=1)
    story.baselines[0] = (dependent(story.baselines[0][0], DesignEffect(1.0)), 0)
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    fired = story.alerts()[0].data

    assert (fired.evidence.guarantee, fired.evidence.design_effect) == ("bound", None)
    assert "depend" not in fired.annotations.description


def test_dependence_that_nobody_measured_is_an_assumption() -> None:
    """A baseline without an order of time: the bound holds if, and the alert says if what."""
    story = Timeline(features=1)
    known = story.baselines[0][0]
    series = {name: replace(own, dependence=None) for name, own in known.series.items()}
    story.baselines[0] = (Baseline(known.model, known.version, known.origin, series, known.constraints), 0)
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    fired = story.alerts()[0].data

    assert fired.evidence.guarantee == "bound"
    assert "This holds if values do not depend on each other" in fired.annotations.description
