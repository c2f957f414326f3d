"""Verdicts: what the rules say about the open episodes of a model after a pane, and which alerts take a step.

Alerts are judged in the order in which they are written, so that the last free place below `alerts.max_open` goes to
the same alert in every replay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import Life, Patience, Reason, Worst, advance, end, remind
from stream_monitor.core.judge.episodes import effect_window, end_episode, is_mature, observe
from stream_monitor.core.judge.levels import levels
from stream_monitor.core.judge.model import ModelState
from stream_monitor.core.judge.parents import waits
from stream_monitor.core.judge.rulebook import Rulebook
from stream_monitor.core.judge.shown import category_names
from stream_monitor.core.judge.watch import Watch
from stream_monitor.core.rules import EffectWindow, Pane


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A step in the life of an alert about a series."""

    watch: Watch
    use: int
    rule: str
    before: Life
    life: Life
    reason: Reason
    window: EffectWindow

    @property
    def name(self) -> SeriesName:
        """The series."""
        return self.watch.name(self.watch.uses[self.use].series)

    @property
    def order(self) -> tuple[SeriesName, str]:
        """Place of the alert in its pane."""
        return self.name, self.rule


@dataclass(slots=True)
class Judged:
    """What a pane did to the alerts of a model.

    Attributes:
        steps: in the order in which they are written.
        open: firing alerts after the pane.
        withheld: alerts that wait for room.
    """

    steps: list[Step] = field(default_factory=list)
    open: int = 0
    withheld: list[tuple[SeriesName, str]] = field(default_factory=list)


def judge_model(
    model: ModelState, rulebook: Rulebook, patience: Patience, now: Pane, *, max_open: int, seen: bool
) -> Judged:
    """Let the rules look at every episode that was open before this pane.

    Args:
        model: the model.
        rulebook: all rules.
        patience: of the plan.
        now: the pane that was closed.
        max_open: alerts that may fire at the same time.
        seen: whether the pane was shown to the series; otherwise only reminders are due.
    """
    judged = Judged(open=sum(life.firing for watch in model.watches() for life in watch.lives.values()))
    for case in sorted(_cases(model, now, seen), key=lambda case: case.order):
        _judge(judged, model, case, rulebook, patience, now, max_open=max_open)
    return judged


def end_settled(watch: Watch) -> None:
    """End the episodes that no rule is pending or firing on, once enough was seen; their alerts have been told."""
    for use in sorted(watch.episodes):
        if watch.episodes[use].panes and _is_over(watch, use):
            end_episode(watch, use)


def end_watch(watch: Watch, reason: Reason, now: Pane) -> list[Step]:
    """Resolve every open alert of a watch that is given up."""
    steps: list[Step] = []
    for use in sorted(watch.episodes):
        for rule in watch.rules[use]:
            place = (watch.uses[use].series, rule)
            before = watch.lives.get(place, Life())
            life, ended = end(before, now.end_ms, reason)
            watch.lives[place] = life
            if ended is not None:
                steps.append(Step(watch, use, rule, before, life, ended, effect_window(watch, use, now)))
    return sorted(steps, key=lambda step: step.order)


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """A rule that looks at an episode; `told` says whether the pane has anything to say about the effect."""

    watch: Watch
    use: int
    rule: str
    told: bool

    @property
    def place(self) -> tuple[int, str]:
        return self.watch.uses[self.use].series, self.rule

    @property
    def order(self) -> tuple[SeriesName, str]:
        return self.watch.name(self.watch.uses[self.use].series), self.rule


def _cases(model: ModelState, now: Pane, seen: bool) -> Iterator[_Case]:
    """Yield the rules of every episode that was open before this pane."""
    for watch in model.watches():
        for use, episode in watch.episodes.items():
            if episode.opened_ms < now.end_ms:
                told = seen and observe(watch, use)
                yield from (_Case(watch, use, rule, told) for rule in watch.rules[use])


def _judge(
    judged: Judged, model: ModelState, case: _Case, rulebook: Rulebook, patience: Patience, now: Pane, *, max_open: int
) -> None:
    watch, use = case.watch, case.use
    before = watch.lives.get(case.place, Life())
    if not case.told and not before.firing:
        return
    window = effect_window(watch, use, now)
    if case.told:
        verdict = rulebook.rules[case.rule].verdict(window)
        verdict = replace(verdict, mature=verdict.clear or is_mature(watch, use, patience.open_events))
        life, reason = advance(before, verdict, patience, now)
        if reason is Reason.FIRED and judged.open >= max_open:
            life, reason = advance(before, replace(verdict, room=False), patience, now)
            judged.withheld.append(case.order)
        elif reason is Reason.FIRED and waits(model, watch, use, case.rule):
            life, reason = advance(before, replace(verdict, room=False), patience, now)
        if life.firing and verdict.value > life.worst.value:
            life = replace(life, worst=_worst(watch, use, window, verdict.value))
    else:
        life, reason = remind(before, patience, now)
    if life != before:
        watch.lives[case.place] = life
    judged.open += life.firing - before.firing
    watch.episodes[use].fired |= life.firing
    if reason is not None:
        judged.steps.append(Step(watch, use, case.rule, before, life, reason, window))


def _worst(watch: Watch, use: int, window: EffectWindow, value: float) -> Worst:
    """Return what a pane says that was the worst so far."""
    found = levels(window, category_names(watch.series[watch.uses[use].series]))
    return Worst(value, window.to_ms, tuple((own.of, own.baseline, own.window) for own in found))


def _is_over(watch: Watch, use: int) -> bool:
    lives = (watch.lives.get((watch.uses[use].series, rule), Life()) for rule in watch.rules[use])
    return is_mature(watch, use) and not any(life.open for life in lives)
