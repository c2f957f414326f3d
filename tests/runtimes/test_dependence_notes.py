"""What `backtest` and `baseline build` say about rows that depend on each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_monitor.core.baseline import Baseline, Dependence, DesignEffect
from stream_monitor.runtimes.backtest.notes.dependence_notes import dependence_notes
from tests.runtimes.stories import reference


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (None, "not known"),
        (DesignEffect(1.0), ""),
        (DesignEffect(7.0), "7 rows say as much as one"),
        (DesignEffect(1234.5), "1,200 rows say as much as one"),
        (DesignEffect(40.0, settled=False), "no false-alarm rate can be promised"),
    ],
)
def test_the_reader_is_told_what_is_promised(effect: DesignEffect | None, words: str) -> None:
    """Unknown, independent, dependent, and too dependent to say."""
    known = reference()
    dependence = None if effect is None else Dependence(effect)
    series = {name: replace(own, dependence=dependence) for name, own in known.series.items()}
    lines = dependence_notes(Baseline(known.model, known.version, known.origin, series))

    assert (not lines) if not words else words in lines[0]


def test_gaps_that_come_together_are_told() -> None:
    """A missing value may depend on the one before although values do not."""
    known = reference()
    series = {name: replace(own, dependence=Dependence(absent=DesignEffect(9.0))) for name, own in known.series.items()}
    (line,) = dependence_notes(Baseline(known.model, known.version, known.origin, series))

    assert line.startswith("dependence of rows: missing ")
    assert "9 rows say as much as one" in line
