"""Carrying a judge over to another plan: what still means the same goes on, what does not ends or begins anew.

A pure function of the judge under the old plan, at the position where the plan changes, and of the new plan. Evidence
of a detector goes on if its series, its reference and its parameters are the same; an alert stays open if its rule
still speaks about its series under the same labels, even where its evidence begins anew; otherwise it ends
(`rule_removed`). With another pane length all evidence begins anew. Everything else of the state is taken over as it
is.

The same plan changes nothing. Nothing here depends on the series that a change does not touch, so their alerts stay
byte for byte what they would have been, unless the change gives them another share of the budget.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from stream_monitor.core.alerts.identity import SeriesName, alert_labels, storm_labels
from stream_monitor.core.alerts.lifecycle import Life, Reason, end
from stream_monitor.core.detectors import DetectorClass, Mixture
from stream_monitor.core.judge.fold import Judge
from stream_monitor.core.judge.model.model_state import (
    ModelState,
    VersionState,
    demand_watch,
    typical_mixture,
    version_watches,
)
from stream_monitor.core.judge.outputs import Output
from stream_monitor.core.judge.publishing import report_conditions, written_ends
from stream_monitor.core.judge.reporting.alert_events import Told
from stream_monitor.core.judge.reporting.episodes import effect_window, end_episode
from stream_monitor.core.judge.reporting.storm import tell_storm
from stream_monitor.core.judge.reporting.verdicts import Judged, Step
from stream_monitor.core.judge.stored.judge_state import (
    JudgeState,
    ModelRecord,
    StreamState,
    VersionRecord,
    WarmUpState,
    WatchState,
)
from stream_monitor.core.judge.stored.snapshot import opened, sealed, watch_state
from stream_monitor.core.judge.watch.detector_uses import DetectorUse
from stream_monitor.core.judge.watch.pool import GroupKey, Pool
from stream_monitor.core.judge.watch.watch import PaneSources, Watch
from stream_monitor.core.plan import BaselineFrom, ConditionName, ModelPlan, Plan
from stream_monitor.core.rules import Pane, RuleFactory
from stream_monitor.core.time import pane_start

_MOVED = (
    *("baseline", "slot", "mixture", "uses", "rows", "since", "log_m", "pushed", "ring", "ring_ms", "sources"),
    *("episodes", "lives", "taken"),
)
"""Fields of a watch that name positions or depend on the plan; all others are taken over as they are."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a change of the plan did, for logs and for who asks beforehand.

    Attributes:
        restarted: (series, detector) whose evidence begins anew.
        started: (series, detector) that were not there before.
        stopped: (series, detector) that are not there any more.
        ended: (series, rule) of open alerts that end.
        kept: (series, rule) of open alerts that stay open.
        models: models that are not watched any more.
        clock: whether the pane length changed, and all evidence with it.
    """

    restarted: tuple[tuple[SeriesName, str], ...] = ()
    started: tuple[tuple[SeriesName, str], ...] = ()
    stopped: tuple[tuple[SeriesName, str], ...] = ()
    ended: tuple[tuple[SeriesName, str], ...] = ()
    kept: tuple[tuple[SeriesName, str], ...] = ()
    models: tuple[str, ...] = ()
    clock: bool = False


@dataclass(frozen=True, slots=True)
class Carried:
    """A judge under its new plan.

    Attributes:
        judge: it goes on where the old one stood.
        outputs: ends of alerts, to be written before anything else.
        changes: what became of the rest.
    """

    judge: Judge
    outputs: tuple[Output, ...]
    changes: Changes


def carry(
    old: Judge,
    plan: Plan,
    *,
    rules: Mapping[str, RuleFactory] | None = None,
    detectors: Mapping[str, DetectorClass] | None = None,
) -> Carried:
    """Return the judge that goes on under another plan; the old one is used up.

    Args:
        old: the judge, at the position where the plan changes.
        plan: the new plan.
        rules: factories of the user's own rules of the new plan.
        detectors: the user's own detectors of the new plan.

    Raises:
        ValueError: a rule of the new plan cannot be built, or a detector of the user's is missing.
    """
    if plan.hash == old.plan.hash:
        return Carried(old, (), Changes())
    return _Carrying(old, plan, rules or {}, detectors or {}).done()


@dataclass(slots=True)
class _Noted:
    restarted: list[tuple[SeriesName, str]] = field(default_factory=list)
    started: list[tuple[SeriesName, str]] = field(default_factory=list)
    stopped: list[tuple[SeriesName, str]] = field(default_factory=list)
    ended: list[tuple[SeriesName, str]] = field(default_factory=list)
    kept: list[tuple[SeriesName, str]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Pair:
    """A watch under the new plan, and the one that it follows; None where nothing was watched."""

    new: Watch
    old: Watch | None


class _Carrying:
    """One change of plan."""

    def __init__(
        self, old: Judge, plan: Plan, rules: Mapping[str, RuleFactory], detectors: Mapping[str, DetectorClass]
    ) -> None:
        self._old = old
        self._plan = plan
        self._rules, self._detectors = rules, detectors
        self._new = self._built(None)
        self._same_clock = plan.detection.pane_ms == old.plan.detection.pane_ms
        self._noted = _Noted()
        self._pairs: dict[str, list[_Pair]] = {}
        self._models: dict[str, ModelState] = {}
        for name in sorted(old.models):
            if plan.model(name) is not None:
                self._models[name] = self._model(old.models[name])

    def done(self) -> Carried:
        """End what has no rule any more, move the rest, and build the judge from the state."""
        outputs = self._end()
        before = opened(self._old.dump())
        pool = Pool({(fingerprint, layout): state for fingerprint, layout, state in before.groups})
        self._move(pool)
        groups = [(fingerprint, layout, state) for (fingerprint, layout), state in pool.dump().items()]
        judge = self._built(sealed(self._state(before, groups, outputs)))
        self._move_ledger(judge)
        judge.counters.update(self._old.counters)
        noted = self._noted
        changes = Changes(
            restarted=tuple(sorted(noted.restarted)),
            started=tuple(sorted(noted.started)),
            stopped=tuple(sorted(noted.stopped)),
            ended=tuple(sorted(noted.ended)),
            kept=tuple(sorted(noted.kept)),
            models=tuple(sorted(set(self._old.models) - set(self._models))),
            clock=not self._same_clock,
        )
        return Carried(judge, tuple(outputs), changes)

    def _built(self, state: bytes | None) -> Judge:
        old = self._old
        return Judge(
            self._plan,
            partition=old.partition,
            partitions=old.partitions,
            source=old.source,
            schedule=old.schedule,
            rules=self._rules,
            detectors=self._detectors,
            state=state,
        )

    # What is watched under the new plan.

    def _model(self, old: ModelState) -> ModelState:
        """Return a model with the watches of the new plan, not filled yet."""
        plan, rulebook = self._plan, self._new.rulebook
        planned = plan.model(old.name)
        assert planned is not None
        budget = plan.budget(old.name).panes(plan.detection.pane_ms)
        model = ModelState(old.name, planned, budget, old.last_ms)
        model.demand = demand_watch(model, plan, rulebook)
        pairs = [] if model.demand is None else [_Pair(model.demand, old.demand)]
        for name, version in sorted(old.versions.items()):
            if version.watch is None:
                continue
            own = model.versions[name] = VersionState(version.last_ms, version.memory)
            for before in ([version.watch, *version.segments], *version.supplements):
                watches = self._watches(model, version, before, taken=own.subjects if own.watch is not None else 0)
                if own.watch is None:
                    own.watch, own.segments = watches[0], watches[1:]
                else:
                    own.supplements.append(watches)
                known = {watch.segment: watch for watch in before}
                pairs += [_Pair(watch, known.get(watch.segment)) for watch in watches]
        self._pairs[old.name] = pairs
        return model

    def _watches(self, model: ModelState, version: VersionState, before: Sequence[Watch], *, taken: int) -> list[Watch]:
        """Return the watches of a reference; where panes mean the same, with the alternatives chosen for it then."""
        whole = before[0]
        assert whole.baseline is not None
        typical = typical_mixture(whole.baseline, version.typical_rows * self._stretch)
        chosen = {watch.segment: watch.mixture for watch in before} if self._same_clock else {}

        def mixture(segment: str) -> Mixture:
            return chosen.get(segment) or typical(segment)

        baseline = self._old.baseline(whole.baseline.id)
        return version_watches(
            model, baseline, self._plan, self._new.rulebook, slot=whole.slot, mixture=mixture, taken=taken
        )

    @property
    def _stretch(self) -> float:
        return self._plan.detection.pane_ms / self._old.plan.detection.pane_ms

    # Alerts that end.

    def _end(self) -> list[Output]:
        now = self._old.last_pane
        if now is None:
            return []
        steps: dict[str, list[Step]] = {}
        storms: list[Told] = []
        for name, model in sorted(self._old.models.items()):
            followers = {id(pair.old): pair.new for pair in self._pairs.get(name, ()) if pair.old is not None}
            steps[name] = [
                step for watch in model.watches() for step in self._ends(watch, followers.get(id(watch)), now)
            ]
            if model.storm.open and not self._storm_lives(name):
                model.storm, reason = end(model.storm, now.end_ms, Reason.RULE_REMOVED)
                assert reason is not None
                told = tell_storm(
                    model, model.storm, reason, Judged(), self._old.plan, source=self._old.source, now=now
                )
                storms.append(told)
            storms += self._conditions_end(name, model, now)
        return written_ends(self._old, steps, storms, now)

    def _conditions_end(self, name: str, model: ModelState, now: Pane) -> list[Told]:
        """End the alerts of conditions that are off or have other labels now, and all of a model that is let go."""
        relabelled = self._old.plan.alerts.labels != self._plan.alerts.labels
        gone = [
            condition
            for condition in ConditionName
            if relabelled
            or name not in self._models
            or self._old.plan.severity(condition) != self._plan.severity(condition)
        ]
        ended = model.standing.end(Reason.RULE_REMOVED, now, conditions=gone)
        self._noted.ended += [(step.name, step.condition.value) for step in ended]
        return report_conditions(self._old, ended, now, model)

    def _ends(self, old: Watch, new: Watch | None, now: Pane) -> Iterator[Step]:
        for place in old.open_lives():
            series, rule = place
            if self._place(old, new, place) is not None:
                self._noted.kept.append((old.name(series), rule))
                continue
            before = old.lives[place]
            use = next(i for i in sorted(old.episodes) if old.uses[i].series == series and rule in old.rules[i])
            old.lives[place], reason = end(before, now.end_ms, Reason.RULE_REMOVED)
            assert reason is not None
            self._noted.ended.append((old.name(series), rule))
            yield Step(old, use, rule, before, old.lives[place], reason, effect_window(old, use, now))

    def _place(self, old: Watch, new: Watch | None, place: tuple[int, str]) -> tuple[int, str] | None:
        """Return where an alert stands in the new watch; None if no rule of that name and these labels speaks there."""
        series, rule = place
        name = old.series[series].name
        here = None if new is None else next((i for i, item in enumerate(new.series) if item.name == name), None)
        if new is None or here is None or _opened_by(new, here, rule) is None:
            return None
        labels = [
            alert_labels(
                old.name(series),
                rule=rule,
                severity=judge.rulebook.plans[rule].severity,
                constants=judge.plan.alerts.labels,
            )
            for judge in (self._old, self._new)
        ]
        return (here, rule) if labels[0] == labels[1] else None

    def _storm_lives(self, model: str) -> bool:
        labels = [storm_labels(model, plan.alerts.labels) for plan in (self._old.plan, self._plan)]
        return model in self._models and labels[0] == labels[1]

    # What goes on.

    def _move(self, pool: Pool) -> None:
        """Give the new watches the detectors and counts of the old ones; others are started."""
        pairs = [pair for name in self._models for pair in self._pairs[name]]
        found = [self._matches(pair) for pair in pairs]
        kept: dict[GroupKey, set[int]] = {}
        for pair, matches in zip(pairs, found, strict=True):
            for new, old in matches.items():
                assert pair.old is not None
                use = pair.new.uses[new]
                pool.find(use.spec, use.layout)
                kept.setdefault(_key(use), set()).add(pair.old.rows[old])
        pool.prune(kept, self._known_rows())
        for pair, matches in zip(pairs, found, strict=True):
            rows = {} if pair.old is None else {new: pair.old.rows[old] for new, old in matches.items()}
            pair.new.enter(pool, rows)
            self._fill(pair, matches)

    def _matches(self, pair: _Pair) -> dict[int, int]:
        """Return the uses that go on, new to old, and note what becomes of all others."""
        old, new = pair.old, pair.new
        before = {} if old is None else {_identity(old, i): i for i in range(len(old.uses))}
        same = before if self._same_clock else {}
        matches = {
            i: same[_identity(new, i)]
            for i in range(len(new.uses))
            if _identity(new, i) in same and pair.old is not None
        }
        ran = set() if old is None else {(old.series[use.series].name, use.detector) for use in old.uses}
        runs = {(new.series[use.series].name, use.detector) for use in new.uses}
        for i, use in enumerate(new.uses):
            if i not in matches:
                known = (new.series[use.series].name, use.detector) in ran
                (self._noted.restarted if known else self._noted.started).append((new.name(use.series), use.detector))
        for use in () if old is None else old.uses:
            if old is not None and (old.series[use.series].name, use.detector) not in runs:
                self._noted.stopped.append((old.name(use.series), use.detector))
        return matches

    def _known_rows(self) -> dict[GroupKey, set[int]]:
        known: dict[GroupKey, set[int]] = {}
        for model in self._old.models.values():
            for watch in model.watches():
                for use, row in zip(watch.uses, watch.rows, strict=True):
                    known.setdefault(_key(use), set()).add(row)
        return known

    def _fill(self, pair: _Pair, matches: Mapping[int, int]) -> None:
        old, new = pair.old, pair.new
        if old is None:
            return
        self._fill_window(old, new)
        for i, j in matches.items():
            new.since[i], new.log_m[i] = old.since[j], old.log_m[j]
            if j in old.episodes:
                new.episodes[i] = old.episodes[j]
        for place, life in old.lives.items():
            there = self._place(old, new, place)
            if there is not None:
                new.lives[there] = life
        for place in new.open_lives():
            self._adopt(old, new, place)
        for i in sorted(new.episodes):
            if i not in new.rules:  # nobody asks for it any more: as after an episode
                end_episode(new, i)

    def _adopt(self, old: Watch, new: Watch, place: tuple[int, str]) -> None:
        """Let an open alert whose detector begins anew go on with its episode: its effect is judged as before."""
        series, rule = place
        use = _opened_by(new, series, rule)
        assert use is not None
        if use in new.episodes:
            return
        name = new.series[series].name
        was = next(
            i
            for i in sorted(old.episodes)
            if old.series[old.uses[i].series].name == name and rule in old.rules.get(i, ())
        )
        item, episode = new.series[series], old.episodes[was]
        shape = (item.calendar.strata, item.bins)
        fits = episode.total.shape == shape
        new.episodes[use] = replace(
            episode,
            total=episode.total if fits else np.zeros(shape, dtype=np.int64),
            undo=np.zeros(shape, dtype=np.int64),  # the new null has learnt nothing of it
            panes=episode.panes if self._same_clock else 0,
            stretches=episode.stretches if fits and self._same_clock else [],
        )

    def _fill_window(self, old: Watch, new: Watch) -> None:
        """Take the last panes over, series by series; panes of another length are left behind."""
        if not self._same_clock:
            new.push(int(old.ring_ms[(old.pushed - 1) % old.window_panes]) if old.pushed else 0, None)
            return
        starts = old.starts(new.window_panes)
        counts = np.zeros((starts.size, new.window.size), dtype=np.int64)
        known = {item.name: i for i, item in enumerate(old.series)}
        for i, item in enumerate(new.series):
            j = known.get(item.name)
            if j is not None and old.series[j].bins == item.bins:
                low, high = new.span(i)
                counts[:, low:high] = old.panes(j, new.window_panes)
        pushed = old.pushed if old.window_panes == new.window_panes else starts.size
        places = np.arange(pushed - starts.size, pushed) % new.window_panes
        new.ring[places], new.ring_ms[places] = counts, starts
        new.window, new.pushed = counts.sum(axis=0), pushed
        new.sources.extend(PaneSources(pane.start_ms, pane.offsets, pane.examples) for pane in old.sources)

    # The state.

    def _state(self, before: JudgeState, groups: list[tuple[str, int, bytes]], outputs: Sequence[Output]) -> JudgeState:
        topics = {source.topic for source in self._plan.inputs}
        self._old.roll(f"plan {self._plan.hash}", outputs)
        same_inputs = topics == {source.topic for source in self._old.plan.inputs}
        return msgspec.structs.replace(
            before,
            plan=self._plan.hash,
            complete=before.complete if same_inputs or before.complete is None else False,
            chains=[tip for tip in before.chains if tip.topic in topics],
            roster=[item for item in before.roster if item[0] in topics],
            watermarks=[item for item in before.watermarks if item[0] in topics],
            late_joiners=[item for item in before.late_joiners if item[0] in topics],
            streams=[self._stream(own) for own in before.streams if own.stream in self._new.ledger.panes],
            groups=groups,
            models=[self._model_record(own) for own in before.models if own.name in self._models],
            rolling=self._old.rolling,
        )

    def _stream(self, before: StreamState) -> StreamState:
        """Return the open panes; those of another length are given to the judge one by one."""
        if self._same_clock:
            return before
        start = None if before.next_ms is None else pane_start(before.next_ms, self._plan.detection.pane_ms)
        return msgspec.structs.replace(before, next_ms=start, panes=[])

    def _model_record(self, before: ModelRecord) -> ModelRecord:
        model, own = self._models[before.name], self._plan.model(before.name)
        assert own is not None
        demand = None if model.demand is None else self._watch_state(model.demand, before.demand)
        return msgspec.structs.replace(
            before,
            versions=[self._version_record(model, version, own) for version in before.versions],
            demand=demand,
            storm=before.storm if self._storm_lives(before.name) else Life(),
        )

    def _version_record(self, model: ModelState, before: VersionRecord, plan: ModelPlan) -> VersionRecord:
        version = model.versions.get(before.version)
        rows = before.pane_rows
        if not self._same_clock:
            rows = [max(1, round(count * self._stretch)) for count in rows]
        if version is None or version.watch is None:
            return msgspec.structs.replace(before, pane_rows=rows, warm_up=_warm_up(before, plan))
        return msgspec.structs.replace(
            before,
            pane_rows=rows,
            watch=self._watch_state(version.watch, before.watch),
            segments=self._watch_states(version.segments, before.segments),
            supplements=[
                self._watch_states(watches, states)
                for watches, states in zip(version.supplements, before.supplements, strict=True)
            ],
            gathering=_trimmed(before.gathering, plan),
        )

    def _watch_states(
        self, watches: Sequence[Watch], before: Sequence[tuple[str, WatchState]]
    ) -> list[tuple[str, WatchState]]:
        known = dict(before)
        return [(watch.segment, self._watch_state(watch, known.get(watch.segment))) for watch in watches]

    def _watch_state(self, watch: Watch, before: WatchState | None) -> WatchState:
        state = watch_state(watch)
        if before is None:
            return state
        return msgspec.structs.replace(before, **{name: getattr(state, name) for name in _MOVED})

    def _move_ledger(self, judge: Judge) -> None:
        """Let chunks that wait for a successor wait on, and give panes of another length to the new clock."""
        old, new = self._old.ledger, judge.ledger
        for place, chain in old.chains.items():
            if place in new.chains or new.roster.stream(place[0]) is not None:
                new.chains[place] = chain
        new.next_offset = old.next_offset
        if self._same_clock:
            return
        for stream, panes in new.panes.items():
            known = old.panes.get(stream)
            for start, pane in sorted(known.panes.items()) if known is not None else ():
                for _, profile in sorted(pane.profiles.items()):
                    panes.take(profile)
                for version, rows in sorted(pane.late.items()):
                    panes.take_late(version, rows, start)


def _warm_up(before: VersionRecord, plan: ModelPlan) -> WarmUpState | None:
    """Return what a version without a baseline has gathered, as far as its plan still wants it."""
    if plan.baseline is not BaselineFrom.FIRST_EVENTS:
        return None
    if before.warm_up is None:
        return WarmUpState([], None, None, since_ms=before.last_ms) if before.proposed is None else None
    return _trimmed(before.warm_up, plan)


def _trimmed(gathered: WarmUpState | None, plan: ModelPlan) -> WarmUpState | None:
    if gathered is None or len(gathered.rows) <= plan.baseline_events:
        return gathered
    return msgspec.structs.replace(gathered, rows=gathered.rows[: plan.baseline_events])


def _key(use: DetectorUse) -> GroupKey:
    return use.spec.fingerprint, use.layout


def _identity(watch: Watch, use: int) -> tuple[str, str, int]:
    """Return what a detector's evidence is about: its series, its parameters and the layout of its counts."""
    found = watch.uses[use]
    return watch.series[found.series].name, found.spec.fingerprint, found.layout


def _opened_by(watch: Watch, series: int, rule: str) -> int | None:
    """Return the use whose alarms open a rule on a series."""
    return next((i for i, rules in watch.rules.items() if watch.uses[i].series == series and rule in rules), None)
