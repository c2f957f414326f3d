"""Stories of series of the model (prediction, confidence, latency): their invalid values are watched too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stream_monitor.core.judge import SeriesState
from tests.timelines.story import Change, Timeline, both, minutes
from tests.traffic import Events

SERIES = ("prediction", "confidence", "latency")


def served(events: Events, random: np.random.Generator) -> Events:
    """The events also say how sure the model was, and how long it took."""
    numbers = {"confidence": random.beta(5, 2, len(events)), "latency": random.gamma(4.0, 3.0, len(events))}
    return replace(events, numbers={**events.numbers, **numbers})


def broken(series: str, share: float) -> Change:
    """A share of the values are texts."""

    def change(events: Events, random: np.random.Generator) -> Events:
        text = random.random(len(events)) < share
        values = events.numbers[series].tolist()
        mixed = ["n/a" if other else value for other, value in zip(text, values, strict=True)]
        numbers = {name: own for name, own in events.numbers.items() if name != series}
        return replace(events, numbers=numbers, texts={**events.texts, series: mixed})

    return change


def named_like(series: str) -> Change:
    """A feature has the name of a series of the model."""
    return lambda events, _: replace(
        events, numbers={**events.numbers, f"feature:{series}": events.numbers["feature:x0"]}
    )


@pytest.mark.parametrize("series", SERIES)
def test_invalid_values_of_the_model_are_an_alert(series: str) -> None:
    """A third of the values cannot be counted: one alert, by the default rules, and over when they are mended."""
    story = Timeline(rows=0)
    story.activate(Timeline().baseline(served), 0)
    story.push(minutes(0, 20), served)
    story.push(minutes(20, 25), both(served, broken(series, 0.3)))
    story.push(minutes(25, 40), served)
    fired = story.alerts()[0].data

    assert story.told() == [
        (f"invalid:{series}", "data_quality", "fired"),
        (f"invalid:{series}", "data_quality", "recovered"),
    ]
    assert fired.labels["alertname"] == "InvalidValues"
    assert f"{series}: 33.5 % invalid, normally 0 %" in fired.annotations.summary


def test_a_feature_called_like_a_series_of_the_model_keeps_the_name() -> None:
    """Two series of one name would be one alert; the feature's own is kept, and the budget is spent once."""
    both_named = both(served, named_like("latency"))
    story = Timeline(rows=0)
    story.activate(Timeline().baseline(both_named), 0)
    story.push(minutes(0, 2), both_named)
    watch = story.judge.models["fraud"].versions["7"].watch
    assert watch is not None
    [kept] = [series for series in watch.series if series.name == "invalid:latency"]

    assert kept.of == "feature:latency"
    assert len({series.name for series in watch.series}) == len(watch.series)


def test_a_series_without_values_has_no_guarantee() -> None:
    """What sees nothing promises nothing, however good its detector is."""
    story = Timeline(rows=0)
    story.activate(Timeline().baseline(served), 0)
    story.push(minutes(0, 10), served)
    story.push(minutes(10, 20), both(served, broken("prediction", 1.0)))
    views = {view.series: view for view in story.judge.view().series}

    assert (views["prediction"].guarantee, views["prediction"].state) == ("none:no_values", SeriesState.NO_GUARANTEE)
    assert views["invalid:prediction"].guarantee == "bound"
    assert views["latency"].guarantee == "bound"


def test_silence_takes_no_guarantee_away() -> None:
    """Without events there is nothing that a series could have seen."""
    story = Timeline(rows=0)
    story.activate(Timeline().baseline(served), 0)
    story.push(minutes(0, 10), served)
    story.silence(30)

    assert {view.guarantee for view in story.judge.view().series if view.version} == {"bound"}
