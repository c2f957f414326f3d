"""The end of a drift is proven by fresh panes, or waited for."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.judge.reporting.episodes import open_episode
from stream_monitor.core.judge.reporting.recovery import proof
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.rules import EffectRule, EffectWindow, Pane, Rule, Verdict, measure
from tests.core.judge.test_episodes import FakeGroup, now, push, watch_of

RESOLVE_AFTER = 5
"""Two fresh panes at least, five at most; the window of these watches has four."""

RULE = EffectRule(measure("share_change"), 0.05)


def shown(*panes: tuple[int, int]) -> Watch:
    """Return a watch with an open episode that has seen these panes; one in ten is normal."""
    watch = watch_of(FakeGroup())
    push(watch, (1, 9))
    episode = open_episode(watch, 0, 7.0, now(watch))
    for counts in panes:
        push(watch, counts)
        episode.panes += 1
    return watch


def proven(watch: Watch, *rules: Rule, worst: float = 0.5) -> int | None:
    """Return how many panes prove the end."""
    last = Pane((watch.pushed - 1) * 10_000, watch.pushed * 10_000)
    fresh: EffectWindow | None = proof(watch, 0, rules or (RULE,), RESOLVE_AFTER, last, worst=worst)
    return None if fresh is None else fresh.panes


BAD, GOOD, FEW = (1_000, 9_000), (9_000, 1_000), (9, 1)


@pytest.mark.parametrize(
    ("panes", "expected"),
    [
        pytest.param([BAD, BAD, GOOD], None, id="one fresh pane is not enough"),
        pytest.param([BAD, BAD, GOOD, GOOD], 2, id="two are"),
        pytest.param([BAD, GOOD, BAD, GOOD], None, id="a drifted pane among them shows"),
        pytest.param([BAD, BAD, FEW, FEW], None, id="few events prove nothing"),
        pytest.param([BAD, (45, 5), (45, 5), (45, 5)], 3, id="few events prove it when there are more of them"),
        pytest.param([BAD, BAD, (0, 0), (0, 0)], None, id="no events are no end"),
    ],
)
def test_fresh_panes_prove_the_end_of_a_drift(panes: list[tuple[int, int]], expected: int | None) -> None:
    """Only the panes since the drift count, and only with events enough."""
    assert proven(shown(*panes)) == expected


def test_a_drift_near_its_floor_is_not_over_because_of_chance() -> None:
    """A change that may still be above the floor proves nothing, unless it is far below what the drift was."""
    near = shown(BAD, BAD, (425, 75), (425, 75))
    little = (EffectRule(measure("share_change"), 0.06),)

    assert proven(near, *little, worst=0.08) is None
    assert proven(near, *little, worst=0.8) == 2


class Silent:
    """A rule of the user's that knows no uncertainty."""

    def __init__(self, *values: float) -> None:
        self._values = list(values)

    def verdict(self, window: EffectWindow) -> Verdict:
        share = float(np.divide(window.counts[1], window.n))
        return Verdict(share, 0.3)


def test_a_rule_of_the_users_must_be_silent_in_the_newest_panes_too() -> None:
    """Its verdicts are all that is known of it."""
    assert proven(shown(BAD, GOOD, GOOD), Silent()) == 2
    assert proven(shown(BAD, (900, 10), (5, 5)), Silent()) is None


def test_every_rule_of_the_family_must_be_quiet() -> None:
    """The severe alert goes on while the mild rule may still hold."""
    watch = shown(BAD, (7_000, 3_000), (7_000, 3_000))
    severe = EffectRule(measure("share_change"), 0.5)

    assert proven(watch, severe) == 2
    assert proven(watch, severe, RULE) is None
