"""Verdicts: what the rules say about the open episodes of a model after a pane, and which alerts take a step.

Alerts are judged in the order in which they are written, so that the last free place below `alerts.max_open` goes to
the same alert in every replay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import (
    Ending,
    Life,
    Patience,
    Reason,
    Recovery,
    Worst,
    advance,
    end,
    fresh_panes,
    recover_beside,
    remind,
)
from stream_monitor.core.judge.model.model_state import ModelState
from stream_monitor.core.judge.reporting.episodes import (
    SHARES,
    begin_again,
    differs,
    effect_panes,
    effect_window,
    end_episode,
    is_long,
    is_mature,
    last_panes,
    observe,
    stretch,
)
from stream_monitor.core.judge.reporting.levels import levels
from stream_monitor.core.judge.reporting.parents import waits
from stream_monitor.core.judge.reporting.recovery import proof
from stream_monitor.core.judge.reporting.shown import category_names
from stream_monitor.core.judge.standing.standing import Stood
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.rules import EffectRule, EffectWindow, Pane, Rule


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A step in the life of an alert about a series.

    Attributes:
        taken_over_by: severer rule whose alert goes on in the place of this one.
        ending: how an end was judged.
    """

    watch: Watch
    use: int
    rule: str
    before: Life
    life: Life
    reason: Reason
    window: EffectWindow
    taken_over_by: str = ""
    ending: Ending = Ending.PROVEN

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
    model: ModelState, rulebook: Rulebook, patience: Patience, now: Pane, *, stood: Stood, max_open: int, seen: bool
) -> Judged:
    """Let the rules look at every episode that was open before this pane.

    Args:
        model: the model.
        rulebook: all rules.
        patience: of the plan.
        now: the pane that was closed.
        stood: what the pane did to the alerts of conditions, which come first.
        max_open: alerts that may fire at the same time.
        seen: whether the pane was shown to the series; otherwise only reminders are due.
    """
    judged = Judged(open=stood.open, withheld=list(stood.withheld))
    court = _Court(model, rulebook, patience, now, max_open)
    for case in sorted(
        _cases(model, now, seen), key=lambda case: (case.name, -rulebook.loudness(case.rule), case.rule)
    ):
        court.judge(case, judged)
    judged.steps.sort(key=lambda step: step.order)
    return judged


def judged_window(watch: Watch, use: int, rule: Rule, now: Pane, worst: float) -> EffectWindow:
    """Return what a rule looks at: the last window, or as many panes since the alarm as the effect needs.

    Where the last window is not like the panes before it, it is what counts: the change has changed.

    Args:
        watch: whose series it is.
        use: the detector whose episode it is.
        rule: that looks.
        now: the last pane.
        worst: the largest effect that the rule has seen, 0 before its alert fires.
    """
    last = effect_window(watch, use, now)
    if not isinstance(rule, EffectRule) or not last.n:
        return last
    found = stretch(watch, use, now, lambda window: rule.is_settled(window, worst))
    return last if found.panes > last.panes and differs(last, found) else found


def end_settled(watch: Watch, rulebook: Rulebook, now: Pane) -> None:
    """End the episodes that no rule is pending or firing on, once enough was seen; their alerts have been told."""
    for use in sorted(watch.episodes):
        if watch.episodes[use].panes and _is_over(watch, use, rulebook, now):
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
    def series(self) -> int:
        return self.watch.uses[self.use].series

    @property
    def name(self) -> SeriesName:
        return self.watch.name(self.series)

    def life(self, rule: str) -> Life:
        return self.watch.lives.get((self.series, rule), Life())


def _cases(model: ModelState, now: Pane, seen: bool) -> Iterator[_Case]:
    """Yield the rules of every episode that was open before this pane."""
    for watch in model.watches():
        for use, episode in watch.episodes.items():
            if episode.opened_ms < now.end_ms:
                told = seen and observe(watch, use)
                yield from (_Case(watch, use, rule, told) for rule in watch.rules[use])


@dataclass(frozen=True, slots=True, eq=False)
class _Court:
    """What decides about the alerts of a model after a pane, beside the pane itself.

    Rules on the same evidence with rising severity are a family with one open alert: the severest that fires. Milder
    ones wait for its end, or end as `escalated` when it fires; it goes on for as long as one of them holds.
    """

    model: ModelState
    rulebook: Rulebook
    patience: Patience
    now: Pane
    max_open: int

    def judge(self, case: _Case, judged: Judged) -> None:
        """Let a rule look at an episode; the severer ones of its family have done so."""
        before = case.life(case.rule)
        names = case.watch.rules[case.use]
        severer = self.rulebook.severer(names, case.rule)
        above = next((name for name in severer if case.life(name).firing), "")
        if above and before.firing:
            self._step(case, judged, *end(before, self.now.end_ms, Reason.ESCALATED), taken_over_by=above)
        elif not above and any(case.life(name).resolved_ms == self.now.end_ms for name in severer):
            self._step(case, judged, *recover_beside(before, self.now.end_ms))
        elif case.told and before.firing:
            self._go_on(case, judged, before)
        elif case.told:
            self._open(case, judged, before, alone=not above)
        elif before.firing:
            self._step(case, judged, *remind(before, self.patience, self.now))

    def _open(self, case: _Case, judged: Judged, before: Life, *, alone: bool) -> None:
        """Open an alert, wait, or see that there is nothing."""
        watch, use, patience, now = case.watch, case.use, self.patience, self.now
        if before.withheld and self._has_passed(case):
            self._step(case, judged, *end(before, now.end_ms, Reason.RECOVERED))
            return
        # One that has waited is reported only for what is so now; what it has seen since the alarm may be long over.
        window = effect_window(watch, use, now) if before.withheld else self._window(case, 0.0)
        verdict = self.rulebook.rules[case.rule].verdict(window)
        is_vague = window.panes < watch.episodes[use].panes and not self._is_settled(case, window)
        mature = verdict.clear or (is_mature(watch, use, patience.open_events) and not is_vague)
        verdict = replace(verdict, mature=mature, room=alone)
        life, reason = advance(before, verdict, patience, now)
        if reason is Reason.FIRED:
            milder = sum(case.life(name).firing for name in self.rulebook.milder(watch.rules[use], case.rule))
            is_full = judged.open - milder >= self.max_open
            if is_full:
                judged.withheld.append((case.name, case.rule))
            if is_full or self._has_reason_to_wait(case, before):
                life, reason = advance(before, replace(verdict, room=False), patience, now)
        self._step(case, judged, _at_worst(life, case, verdict.value, window), reason, window=window)

    def _window(self, case: _Case, worst: float) -> EffectWindow:
        return judged_window(case.watch, case.use, self.rulebook.rules[case.rule], self.now, worst)

    def _is_settled(self, case: _Case, window: EffectWindow) -> bool:
        """Say whether chance alone stays below the floor in a window; of other things than shares it is not asked."""
        rule = self.rulebook.rules[case.rule]
        return window.kind not in SHARES or not isinstance(rule, EffectRule) or rule.is_settled(window, 0.0)

    def _has_passed(self, case: _Case) -> bool:
        """Say whether an alert that nobody has heard of is over, and let the episode begin with the panes that say so.

        Only when no other rule is busy with it: the others may not mind what this one does not mind any more.
        """
        watch, use, own = case.watch, case.use, self.rulebook.rules[case.rule]
        if any(case.life(name).open for name in watch.rules[use] if name != case.rule):
            return False
        fresh = proof(watch, use, (own,), self.patience.resolve_after, self.now, worst=0.0)
        if fresh is not None:
            begin_again(watch, use, fresh)
        return fresh is not None

    def _has_reason_to_wait(self, case: _Case, before: Life) -> bool:
        """Say whether an alert that may fire is explained by another, or has waited so long that it is not so now."""
        watch, use = case.watch, case.use
        if waits(self.model, watch, use, case.rule, self.rulebook, self.now):
            return True
        if not before.withheld:
            return False
        count = min(effect_panes(watch, use), fresh_panes(self.patience.resolve_after))
        rule = self.rulebook.rules[case.rule]  # the oldest fresh pane may hold the last of what is over
        return not all(rule.verdict(last_panes(watch, use, self.now, n)).holds for n in (count, (count + 1) // 2))

    def _go_on(self, case: _Case, judged: Judged, before: Life) -> None:
        """Let an alert that fires go on, or end."""
        watch, use, now = case.watch, case.use, self.now
        own = self.rulebook.rules[case.rule]
        milder = [self.rulebook.rules[name] for name in self.rulebook.milder(watch.rules[use], case.rule)]
        after = self.patience.resolve_after
        flaps = before.came_back(self.patience)
        fresh = None if flaps else proof(watch, use, (own, *milder), after, now, worst=before.worst.value)
        window = self._window(case, before.worst.value) if fresh is None else fresh
        verdict = own.verdict(window)
        if fresh is None:
            recovery = Recovery(kept=any(rule.verdict(window).holds for rule in milder))
        else:
            recovery = Recovery(since_ms=fresh.from_ms + now.end_ms - now.start_ms)
            begin_again(watch, use, fresh)
        life, reason = advance(before, verdict, self.patience, now, recovery)
        ending = Ending.CAME_BACK if flaps else Ending.UNPROVEN if fresh is None else Ending.PROVEN
        life = _at_worst(life, case, verdict.value, window)
        self._step(case, judged, life, reason, window=window, ending=ending)

    def _step(
        self,
        case: _Case,
        judged: Judged,
        life: Life,
        reason: Reason | None,
        *,
        window: EffectWindow | None = None,
        taken_over_by: str = "",
        ending: Ending = Ending.PROVEN,
    ) -> None:
        """Put down what became of a life, and what it was judged by."""
        before = case.life(case.rule)
        if life != before:
            case.watch.lives[case.series, case.rule] = life
        judged.open += life.firing - before.firing
        case.watch.episodes[case.use].fired |= life.firing
        if reason is not None:
            window = window or self._window(case, before.worst.value)
            step = Step(case.watch, case.use, case.rule, before, life, reason, window, taken_over_by, ending)
            judged.steps.append(step)


def _at_worst(life: Life, case: _Case, value: float, window: EffectWindow) -> Life:
    """Return a life that knows how far it went."""
    if not life.firing or value <= life.worst.value:
        return life
    found = levels(window, category_names(case.watch.series[case.series]))
    return replace(life, worst=Worst(value, window.to_ms, tuple((own.of, own.baseline, own.window) for own in found)))


def _is_over(watch: Watch, use: int, rulebook: Rulebook, now: Pane) -> bool:
    """Say whether an episode has nothing more to say; one of shares lasts until its effect is known not to matter."""
    lives = (watch.lives.get((watch.uses[use].series, rule), Life()) for rule in watch.rules[use])
    if not is_mature(watch, use) or any(life.open for life in lives):
        return False
    if watch.series[watch.uses[use].series].kind not in SHARES or is_long(watch, use):
        return True
    whole = stretch(watch, use, now, lambda _: False)
    rules = [rule for name in watch.rules[use] if isinstance(rule := rulebook.rules[name], EffectRule)]
    return not whole.n or all(rule.is_none(whole) for rule in rules)
