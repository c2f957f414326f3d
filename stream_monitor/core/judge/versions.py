"""The life of a version: its first rows become a reference, what it is compared with changes, it is let go of.

Beside the baseline a version may have supplements: references of series that live events have and the baseline lacks.
Each is a watch of its own with its own part of the budget, so that it touches neither evidence nor alerts of the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream_monitor.core.alerts.lifecycle import Reason
from stream_monitor.core.judge.conditions.comparing import compare_versions
from stream_monitor.core.judge.model.model_state import ModelState, VersionState, typical_mixture, version_watches
from stream_monitor.core.judge.model.warm_up import RARE, WarmUp
from stream_monitor.core.judge.outputs import BaselineProposal, GatheringRequest, Proposal
from stream_monitor.core.judge.publishing import report_conditions, report_steps
from stream_monitor.core.judge.remembered import Remembered
from stream_monitor.core.judge.reporting.alert_events import Told
from stream_monitor.core.judge.reporting.verdicts import end_watch
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.names import feature_of, feature_series
from stream_monitor.core.plan import HOUR_MS, BaselineFrom, CompareVersions, ConditionName
from stream_monitor.core.profile import Profile
from stream_monitor.core.rules import Pane

_ASK_AGAIN_MS = HOUR_MS
_OF_BASELINE = (
    ConditionName.MISSING_COLUMN,
    ConditionName.EXTRA_COLUMN,
    ConditionName.KIND_CHANGED,
    ConditionName.FROZEN_VALUES,
)
"""Conditions that say how live events differ from the baseline: with another one their alerts end, like all others."""


def take_version(
    judge: Remembered, model: ModelState, version: str, profile: Profile, now: Pane, *, mixed: bool
) -> tuple[list[Told], list[Proposal]]:
    """Take the profile of a pane in: see to it that what it was counted with is watched, gather what has no reference.

    Args:
        judge: the judge.
        model: the model.
        version: which of its versions.
        profile: all rows of the version.
        now: the pane.
        mixed: rows of the pane were counted with other references as well.
    """
    state = model.version(version, now.end_ms, since_ms=now.start_ms)
    state.noted(profile, now.end_ms)
    told: list[Told] = []
    references = profile.key.references
    if not references and state.watch is not None and not mixed:
        told = give_up(judge, model, state, Reason.BASELINE_CHANGED, now)
        state.unwatched_ms = now.start_ms
        state.warm_up = model.new_warm_up(version, now.start_ms)
    if not references:
        return told, _gathered(judge, model, state, version, profile, now)
    if state.watch is None or state.watch.baseline is None or state.watch.baseline.id != references[0]:
        told = _change_baseline(judge, model, version, state, references[0], now)
    told += _change_supplements(judge, model, state, references[1:], now)
    return told, _supplemented(judge, model, state, version, profile, now)


def give_up(judge: Remembered, model: ModelState, state: VersionState, reason: Reason, now: Pane) -> list[Told]:
    """Let go of the series of a version, segments and supplements included; return the ends of their alerts."""
    told = _end(judge, model, state.watches, reason, now)
    state.watch, state.segments, state.supplements = None, [], []
    return told


def _end(judge: Remembered, model: ModelState, watches: Sequence[Watch], reason: Reason, now: Pane) -> list[Told]:
    told: list[Told] = []
    for watch in watches:
        told += report_steps(judge, model, end_watch(watch, reason, now), now)
        watch.leave(judge.pool)
    return told


def _change_baseline(
    judge: Remembered, model: ModelState, version: str, state: VersionState, baseline_id: str, now: Pane
) -> list[Told]:
    told: list[Told] = []
    slot = None
    if state.watch is not None:
        slot = state.watch.slot
        told = _end(judge, model, [state.watch, *state.segments], Reason.BASELINE_CHANGED, now)
        ended = model.standing.end(Reason.BASELINE_CHANGED, now, version=version, conditions=_OF_BASELINE)
        told += report_conditions(judge, ended, now, model)
    watches = _begun(judge, model, state, baseline_id, slot=slot, taken=0)
    state.watch, state.segments = watches[0], watches[1:]
    state.warm_up = state.gathering = state.unwatched_ms = None
    state.blind_panes, state.asked_ms = 0, None
    return told


def _change_supplements(
    judge: Remembered, model: ModelState, state: VersionState, wanted: Sequence[str], now: Pane
) -> list[Told]:
    """Let go of supplements that do not count any more, begin those that do now."""
    told: list[Told] = []
    known = {watches[0].baseline.id: watches for watches in state.supplements if watches[0].baseline is not None}
    if list(known) == list(wanted):
        return told
    for name, watches in known.items():
        if name not in wanted:
            told += _end(judge, model, watches, Reason.BASELINE_CHANGED, now)
    state.supplements = [watches for name, watches in known.items() if name in wanted]
    for name in wanted:
        if name not in known:
            state.supplements.append(_begun(judge, model, state, name, slot=None, taken=state.subjects))
            state.blind_panes = 0
    return told


def _begun(
    judge: Remembered, model: ModelState, state: VersionState, baseline_id: str, *, slot: int | None, taken: int
) -> list[Watch]:
    """Return the watches of a document, started; all rows first."""
    baseline = judge.baseline(baseline_id)
    watches = version_watches(
        model,
        baseline,
        judge.plan,
        judge.rulebook,
        slot=model.free_slot() if slot is None else slot,
        mixture=typical_mixture(baseline, state.typical_rows),
        taken=taken,
    )
    for watch in watches:
        watch.enter(judge.pool)
    return watches


def _gathered(
    judge: Remembered, model: ModelState, state: VersionState, version: str, profile: Profile, now: Pane
) -> list[Proposal]:
    """Gather rows of a version that has no baseline, and compare the first ones with the version before."""
    if state.watch is not None or state.warm_up is None:
        return []
    rows = state.warm_up.rows
    made = state.warm_up.gather(profile, judge.plan.limits)
    if made is None:
        return []
    state.proposed, state.left_out = made.id, state.warm_up.left_out
    if state.memory.comparison is None and model.plan.compare_versions is not CompareVersions.OFF:
        state.memory.comparison = compare_versions(model, version, rows, judge.plan, judge.rulebook, now)
        model.compared_ms = model.compared_ms if state.memory.comparison is None else now.end_ms
    return [BaselineProposal(model.name, version, made, left_out=state.left_out)]


def _supplemented(
    judge: Remembered, model: ModelState, state: VersionState, version: str, profile: Profile, now: Pane
) -> list[Proposal]:
    """Gather rows of series that have no reference, or ask for them when such series have been there for a while."""
    state.blind = _without_reference(profile)
    if model.plan.baseline is not BaselineFrom.FIRST_EVENTS or state.watch is None:
        return []
    state.blind_panes = state.blind_panes + 1 if _is_blind(profile) else 0
    if any(row.values is not None for row in profile.examples):
        if state.gathering is None:
            state.gathering = WarmUp(model.name, version, model.plan.baseline_events, now.start_ms)
        beside = state.documents
        made = state.gathering.gather(profile, judge.plan.limits, beside)
        if made is None:
            return []
        left_out = state.gathering.left_out
        state.left_out = left_out
        return [BaselineProposal(model.name, version, made, extends=beside[0].id, left_out=left_out)]
    if state.blind_panes < judge.plan.detection.window_panes or not _may_ask(state, now):
        return []
    state.asked_ms = now.start_ms
    if state.gathering is not None:
        state.gathering.resume_ms = None
    return [GatheringRequest(model.name, version)]


def _may_ask(state: VersionState, now: Pane) -> bool:
    """Say whether nothing is under way that would give a reference."""
    resume_ms = None if state.gathering is None else state.gathering.resume_ms
    waits = resume_ms is not None and now.start_ms < resume_ms
    return not waits and (state.asked_ms is None or now.start_ms >= state.asked_ms + _ASK_AGAIN_MS)


def _without_reference(profile: Profile) -> tuple[str, ...]:
    """Return the series of a pane that have no reference."""
    of_model = (name for name, counts in profile.series.items() if counts.bins is None)
    return tuple(sorted({*of_model, *map(feature_series, profile.undeclared.names)}))


def _is_blind(profile: Profile) -> bool:
    """Say whether a pane holds series without a reference that are more than a rare name."""
    of_model = any(counts.bins is None for name, counts in profile.series.items() if feature_of(name) is None)
    return of_model or profile.undeclared.count >= max(1.0, RARE * profile.events)
