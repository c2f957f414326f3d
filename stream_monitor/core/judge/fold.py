"""The judge: a deterministic fold over one partition of `drift-profiles`.

No clock, no I/O, no chance: what it says is a function of the entries, the plan and the baselines named by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from stream_monitor.core.alerts.lifecycle import Patience, Reason, end
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.detectors import DetectorClass
from stream_monitor.core.judge.admission import admitted, count, most_models
from stream_monitor.core.judge.conditions.condition import Scene
from stream_monitor.core.judge.conditions.step import step_conditions, step_limits
from stream_monitor.core.judge.log.open_panes import ClosedPane, OpenPanes
from stream_monitor.core.judge.log.roster import EVENTS
from stream_monitor.core.judge.model.model_state import ModelState, demand_watch
from stream_monitor.core.judge.outputs import Output, Proposal, StoredEntry
from stream_monitor.core.judge.publishing import report_conditions, report_steps, written
from stream_monitor.core.judge.remembered import Remembered
from stream_monitor.core.judge.reporting.alert_events import Told
from stream_monitor.core.judge.reporting.episodes import open_episode
from stream_monitor.core.judge.reporting.storm import storm_step, tell_storm
from stream_monitor.core.judge.reporting.verdicts import Judged, end_settled, end_watch, judge_model
from stream_monitor.core.judge.standing.memory import recent
from stream_monitor.core.judge.standing.standing import Stood
from stream_monitor.core.judge.stored import snapshot
from stream_monitor.core.judge.versions import give_up, take_version
from stream_monitor.core.judge.view.judge_view import JudgeView
from stream_monitor.core.judge.view.viewing import judge_view
from stream_monitor.core.judge.watch.configured import Configured
from stream_monitor.core.judge.watch.pool import step_together
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watch import Watch, failed_uses, merge_places
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import EXAMPLES, Profile, ProfileKey, Undeclared, merge_undeclared
from stream_monitor.core.profile.merge import smallest_examples, without_values
from stream_monitor.core.rules import Pane, RuleFactory
from stream_monitor.core.time import pane_start


class Judge(Remembered):
    """Fold stored entries into alerts; every call returns what is to be written, in order.

    Args:
        plan: what is watched, and how.
        partition: of `drift-profiles` and `drift-alerts`.
        partitions: number of partitions of `drift-profiles`.
        source: CloudEvents source of the alerts, `/stream-monitor/<group>`.
        schedule: baseline by id; raises KeyError (or returns None) for an unknown one, then `fold` raises
            UnknownBaseline *before* anything changed.
        rules: factories of the user's own rules by their `target`.
        detectors: the user's own detectors by their `kind`.
        state: a snapshot made by `dump`; refused ones raise SnapshotRefused.

    Raises:
        ValueError: a rule of the plan cannot be built, or a detector of the user's is missing.
        SnapshotRefused: the state is broken, or of another plan, partition count or version.
        UnknownBaseline: the schedule lacks a baseline that the state names.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        partition: int,
        partitions: int,
        source: str,
        schedule: Callable[[str], Baseline | None],
        rules: Mapping[str, RuleFactory] | None = None,
        detectors: Mapping[str, DetectorClass] | None = None,
        state: bytes | None = None,
    ) -> None:
        configured = Configured.of(plan.detection.detectors, detectors or {})
        super().__init__(
            plan=plan,
            partition=partition,
            partitions=partitions,
            source=source,
            schedule=schedule,
            rulebook=Rulebook(plan.rules, rules or {}, configured),
        )
        self._patience = Patience.of(plan.alerts)
        if state is not None:
            snapshot.restore(self, state)

    def fold(self, entry: StoredEntry) -> list[Output]:
        """Fold one entry; entries below `next_offset` are ignored.

        Raises:
            ChainGap: the entry names a chunk that the log does not hold. Nothing changed.
            UnknownBaseline: the schedule lacks a baseline. Nothing changed: fold the same entry again later.
            UnknownRecord, MalformedRecord: the entry is no record that this program knows. Nothing changed.
        """
        outputs: list[Output] = []
        if self.ledger.fold(entry, self.has_baseline):
            for panes, start in self.ledger.closable():
                target = self._skip_target(panes, start)
                if target is not None:
                    panes.skip_to(target)
                elif panes.stream == EVENTS:
                    outputs += self._close(panes.close())
                else:
                    panes.close()
        return outputs

    @property
    def next_offset(self) -> int:
        """Where to read on.

        After a restore this is `replay_from`: entries up to the old position come again and give no output.
        """
        return self.ledger.next_offset

    @property
    def replay_from(self) -> int:
        """Smallest log offset that a snapshot taken now would need again; `next_offset` if nothing waits."""
        return self.ledger.replay_from

    def dump(self) -> bytes:
        """Return the whole state: `Judge(..., state=dump)` continues exactly."""
        return snapshot.dump(self)

    @property
    def digest(self) -> str:
        """Hex digest of closed panes, chains and alert life cycles: equal for equal histories."""
        return snapshot.digest(self)

    @property
    def chains(self) -> dict[str, list[int]]:
        """Tip of every chain for `_commit`: `topic/partition` -> [epoch, seq, lease, next]; next is -1 if unknown."""
        return snapshot.chain_tips(self)

    @property
    def proposed(self) -> Mapping[tuple[str, str], str]:
        """Ids of the baselines proposed so far, by (model, version); stays after a restore."""
        return {
            (model.name, version): state.proposed
            for model in self.models.values()
            for version, state in model.versions.items()
            if state.proposed is not None
        }

    def clear_counters(self) -> None:
        """Set the counters of `view` to zero, as after a silent fold; no decision depends on them."""
        self.counters.clear()

    def view(self) -> JudgeView:
        """Return what may be shown now. Costs a comparison per series: call it after commits, not after entries."""
        return judge_view(self)

    def _skip_target(self, panes: OpenPanes, start: int) -> int | None:
        """Return where to go on when the oldest open pane and its neighbours are empty history, None to close it.

        A model that has been silent for `time.idle_limit` is history: panes without events are not shown to it. Then
        only instants at which something is due matter, and a gap of years in old data costs nothing.
        """
        pane_ms, limit = self.plan.detection.pane_ms, self.plan.time.idle_limit_ms
        filled = panes.first_filled()
        if filled == start or any(model.is_awake(start + pane_ms, limit) for model in self.models.values()):
            return None
        watermark = self.ledger.roster.watermark(panes.stream)
        assert watermark is not None
        ends = [pane_start(watermark, pane_ms)] if filled is None else [pane_start(watermark, pane_ms), filled]
        due = self._next_due()
        if due is not None:
            ends.append(pane_start(due - 1, pane_ms))
        return min(ends) if min(ends) > start else None

    def _next_due(self) -> int | None:
        """Return the earliest instant at which something happens without events: reminder, retirement, tombstone."""
        alerts = self.plan.alerts
        due = [self.forgetting.next_ms] if self.forgetting.next_ms is not None else []
        for model in self.models.values():
            due += [state.last_ms + alerts.forget_after_ms for state in model.versions.values()]
            lives = [life for watch in model.watches() for life in watch.lives.values()] + [model.storm]
            lives += [held.life for held in model.standing.held.values()]
            due += [life.told_ms + alerts.reminder_ms for life in lives if life.firing]
        return min(due, default=None)

    def _close(self, pane: ClosedPane) -> list[Output]:
        now = Pane(pane.start_ms, pane.end_ms)
        count(pane, self.counters)
        told: list[Told] = []
        proposals: list[Proposal] = []
        chosen, left_out = admitted(pane, self.models, self.plan, partitions=self.partitions)
        self.undeclared = merge_undeclared([self.undeclared, left_out])
        if self.started_ms is None and pane.profiles:
            self.started_ms = now.start_ms
        for name, profiles in chosen.items():
            model = self._model(name, profiles, now)
            for version, profile in profiles.items():
                mixed = (name, version, "") in pane.mixed
                ends, wanted = take_version(self, model, version, profile, now, mixed=mixed)
                told += ends
                proposals += wanted
        awake = self._show(pane, chosen, now)
        self._step(awake, now)
        told += self._stand_limits(left_out, now)
        for name in sorted(self.models):
            told += self._judge(self.models[name], chosen.get(name, {}), now, seen=name in awake)
        told += self._retire(now)
        told.sort(key=lambda item: item.order)
        self._roll(pane, told)
        return [*written(self, told, now), *proposals]

    def _model(self, name: str, profiles: Mapping[str, Profile], now: Pane) -> ModelState:
        if name not in self.models:
            plan = self.plan.model(name)
            assert plan is not None
            budget = self.plan.budget(name).panes(self.plan.detection.pane_ms)
            model = ModelState(name, plan, budget, now.end_ms, first_ms=now.start_ms)
            model.declared = plan.name == name or any(profile.key.baseline for profile in profiles.values())
            model.demand = demand_watch(model, self.plan, self.rulebook)
            if model.demand is not None:
                model.demand.enter(self.pool)
            self.models[name] = model
        self.models[name].last_ms = now.end_ms
        return self.models[name]

    def _show(self, pane: ClosedPane, chosen: Mapping[str, Mapping[str, Profile]], now: Pane) -> dict[str, ModelState]:
        """Show the pane to every known series, count 0 included; return the models that have seen it."""
        awake: dict[str, ModelState] = {}
        for name in sorted(self.models):
            model = self.models[name]
            if not model.is_awake(now.end_ms, self.plan.time.idle_limit_ms):
                continue
            awake[name] = model
            model.shown_ms = now.end_ms
            self.counters["panes_closed_total", name] += 1
            profiles = chosen.get(name, {})
            for version, state in model.versions.items():
                whole = profiles.get(version) if (name, version) not in pane.unfit else None
                for watch in state.watches:
                    watch.push(now.start_ms, _shown(pane, whole, watch))
            if model.demand is not None:
                model.demand.push(now.start_ms, _all_versions(pane, name, profiles))
        return awake

    def _step(self, awake: Mapping[str, ModelState], now: Pane) -> None:
        """Step all detectors of a pane together; alarms of evidence open episodes, the others are counted."""
        pieces = [(watch, *piece) for model in awake.values() for watch in model.watches() for piece in watch.pieces()]
        results = step_together([work for _, _, work in pieces])
        for (watch, uses, work), log_m in zip(pieces, results, strict=True):
            for use in failed_uses(watch, uses, work.group):
                self.counters["detector_failures_total", watch.model, watch.uses[use].detector] += 1
            for use in watch.alarms(uses, work, log_m):
                self.counters["detections_total", watch.model, watch.uses[use].detector] += 1
                if use in watch.rules:
                    open_episode(watch, use, float(watch.log_m[use]), now)
                else:
                    watch.restart(use)

    def _judge(self, model: ModelState, profiles: Mapping[str, Profile], now: Pane, *, seen: bool) -> list[Told]:
        stood = self._stand(model, profiles, now, seen=seen)
        told = report_conditions(self, stood.steps, now, model, profiles)
        judged = judge_model(
            model,
            self.rulebook,
            self._patience,
            now,
            stood=stood,
            max_open=self.plan.alerts.max_open,
            seen=seen,
        )
        told += report_steps(self, model, judged.steps, now)
        reason = storm_step(model, judged, self.plan, now)
        if reason is not None:
            told.append(tell_storm(model, model.storm, reason, judged, self.plan, source=self.source, now=now))
        for watch in model.watches() if seen else ():
            end_settled(watch, self.rulebook, now)
        return told

    def _stand(self, model: ModelState, profiles: Mapping[str, Profile], now: Pane, *, seen: bool) -> Stood:
        """Remember what the pane says of each version, and advance the conditions of the model."""
        for version, profile in profiles.items():
            state = model.versions[version]
            judged = state.watch is not None and bool(state.watch.series) and _fits(state.watch, profile)
            state.memory.note(profile, now, judged=judged, window_ms=self.plan.detection.window_ms)
            if not judged:
                self.counters["events_unjudged_total", "no_baseline"] += profile.events
        started_ms = now.start_ms if self.started_ms is None else self.started_ms
        return step_conditions(Scene(model, profiles, self.plan, now, started_ms), self._patience, seen=seen)

    def _stand_limits(self, left_out: Undeclared, now: Pane) -> list[Told]:
        """Advance the alert about models and versions over the limits."""
        self.left_out = recent(self.left_out, left_out, now, self.plan.detection.window_ms)
        self.counters["events_unjudged_total", "over_limits"] += left_out.count
        most = most_models(self.plan, self.partitions)
        stood = step_limits(self.standing, self.left_out, self.plan, self._patience, now, most=most)
        return report_conditions(self, stood.steps, now)

    def _retire(self, now: Pane) -> list[Told]:
        """Let go of versions and models without events for `alerts.forget_after`."""
        told: list[Told] = []
        oldest = now.end_ms - self.plan.alerts.forget_after_ms
        for model in list(self.models.values()):
            for name, state in sorted(model.versions.items()):
                if state.last_ms <= oldest:
                    told += give_up(self, model, state, Reason.MODEL_RETIRED, now)
                    ended = model.standing.end(Reason.MODEL_RETIRED, now, version=name)
                    told += report_conditions(self, ended, now, model)
                    del model.versions[name]
            if not model.versions and model.last_ms <= oldest:
                told += self._retire_model(model, now)
        return told

    def _retire_model(self, model: ModelState, now: Pane) -> list[Told]:
        told = report_conditions(self, model.standing.end(Reason.MODEL_RETIRED, now), now, model)
        if model.demand is not None:
            told += report_steps(self, model, end_watch(model.demand, Reason.MODEL_RETIRED, now), now)
            model.demand.leave(self.pool)
        life, reason = end(model.storm, now.end_ms, Reason.MODEL_RETIRED)
        if reason is not None:
            told.append(tell_storm(model, life, reason, Judged(), self.plan, source=self.source, now=now))
        del self.models[model.name]
        return told

    def _roll(self, pane: ClosedPane, told: Iterable[Told]) -> None:
        """Add a closed pane to the rolling digest: what was counted, and what was said about it."""
        digest = hashlib.sha256(self.rolling)
        digest.update(f"{pane.stream} {pane.start_ms}".encode())
        for subject, profile in sorted(pane.profiles.items()):
            digest.update(f"\x00{subject} {profile.key.baseline} {profile.events} {profile.demand}".encode())
        for place, demand in pane.unfit.items():
            digest.update(f"\x00{place} unfit {demand}".encode())
        for item in told:
            digest.update(hashlib.sha256(item.value).digest())
        self.rolling = digest.digest()


def _shown(pane: ClosedPane, whole: Profile | None, watch: Watch) -> Profile | None:
    """Return what a watch is shown of a pane: rows of its segment that were counted with its reference."""
    if whole is None or not _fits(watch, whole):
        return None
    if not watch.segment:
        return without_values(whole)
    own = pane.profiles.get((watch.model, watch.version, watch.segment))
    return own if own is not None and _fits(watch, own) else None


def _fits(watch: Watch, profile: Profile) -> bool:
    """Say whether a profile was counted with the reference of a watch."""
    return watch.baseline is not None and watch.baseline.id in profile.key.references


def _all_versions(pane: ClosedPane, model: str, profiles: Mapping[str, Profile]) -> Profile | None:
    """Return the events of all versions of a model as one profile without series, None if there are none."""
    unfit = sum(demand for (name, _), demand in pane.unfit.items() if name == model)
    if not profiles and not unfit:
        return None
    demand = sum(pane.demand[profile.key.model, version, ""] for version, profile in profiles.items())
    found = merge_places(profile.offsets for profile in profiles.values())
    examples = smallest_examples((row.plain for profile in profiles.values() for row in profile.examples), EXAMPLES)
    key = ProfileKey(model, "", "", pane.start_ms, pane.end_ms - pane.start_ms, late=False)
    return Profile(key, {}, demand + unfit, {}, found, examples)
