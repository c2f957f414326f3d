"""Stories of many series that change for one reason: one alert, and a list."""

from __future__ import annotations

import re

from tests.timelines.story import Timeline, both, minutes, nulls, shifted


def test_a_null_storm_is_one_alert() -> None:
    """Twelve features lose their values together; the operator is told once, with the others listed."""
    story = Timeline(features=12)
    story.push(minutes(0, 8))
    story.push(minutes(8, 12), both(*(nulls(f"x{i}", 0.5) for i in range(12))))
    fired = story.alerts()

    assert story.told() == [("missing:x0", "data_quality", "fired")]
    assert {other.series for other in fired[0].data.evidence.related} == {f"missing:x{i}" for i in range(1, 12)}
    assert re.search(
        r"Also drifting: (missing x\d+, ){4}missing x\d+ and 6 more\.", fired[0].data.annotations.description
    )


def test_a_few_columns_are_told_each() -> None:
    """Two columns that lose values are two alerts: somebody may own each of them."""
    story = Timeline(features=3)
    story.push(minutes(0, 8))
    story.push(minutes(8, 12), both(nulls("x0", 0.5), nulls("x2", 0.5)))

    assert story.told() == [("missing:x0", "data_quality", "fired"), ("missing:x2", "data_quality", "fired")]


def test_a_child_that_outlives_its_parent_is_told() -> None:
    """Twelve columns lose values, one of them for good: once the others are back, its own alert comes."""
    story = Timeline(features=12)
    story.push(minutes(0, 8))
    story.push(minutes(8, 12), both(*(nulls(f"x{i}", 0.5) for i in range(12))))
    story.push(minutes(12, 26), nulls("x7", 0.5))

    assert [told for told in story.told() if told[2] in ("fired", "recovered")] == [
        ("missing:x0", "data_quality", "fired"),
        ("missing:x0", "data_quality", "recovered"),
        ("missing:x7", "data_quality", "fired"),
    ]


def test_drift_of_values_waits_for_the_missing_ones() -> None:
    """Values that vanish from the upper half shift those that are left: one story, told as missing values."""
    story = Timeline(features=1)
    story.push(minutes(0, 8))
    story.push(minutes(8, 12), both(nulls("x0", 0.5), shifted("x0", 1.0)))

    assert story.told() == [("missing:x0", "data_quality", "fired")]
    assert "feature:x0" in {other.series for other in story.alerts()[0].data.evidence.related}


def test_drift_that_the_missing_values_cannot_have_made_is_told() -> None:
    """A tenth is lost and the others move by three standard deviations: no choice of a tenth does that."""
    story = Timeline(features=1)
    story.push(minutes(0, 8))
    story.push(minutes(8, 12), both(nulls("x0", 0.1), shifted("x0", 3.0)))

    assert {told[0] for told in story.told() if told[2] == "fired"} == {"missing:x0", "feature:x0"}
