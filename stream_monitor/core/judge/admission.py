"""Intake: which models and versions of a closed pane are judged, within the limits.

Limits over time are applied here, when a pane closes and in sorted order, never by who came first in a worker. What is
over a limit is counted, with the few names of smallest hash.
"""

from __future__ import annotations

from collections.abc import Mapping

from stream_monitor.core.judge.log.ledger import Counters
from stream_monitor.core.judge.log.open_panes import ClosedPane
from stream_monitor.core.judge.model.model_state import ModelState
from stream_monitor.core.names import OTHER_SEGMENT, segment_label, segment_name
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import Profile, Undeclared, merge_undeclared

MOST_VERSIONS = 32
"""Versions of a model that are kept apart at the same time; a version per event would otherwise fill the memory."""


def admitted(
    pane: ClosedPane, models: Mapping[str, ModelState], plan: Plan, *, partitions: int
) -> tuple[dict[str, dict[str, Profile]], Undeclared]:
    """Return the profiles to judge by model and version, and what the limits left out.

    Args:
        pane: the closed pane.
        models: models known so far.
        plan: limits and watched models.
        partitions: judge partitions; each may hold its part of the models.
    """
    room = most_models(plan, partitions) - len(models)
    chosen: dict[str, dict[str, Profile]] = {}
    left_out: list[Undeclared] = []
    for (model, version, segment), profile in sorted(pane.profiles.items()):
        if segment or plan.model(model) is None:
            continue
        known = models.get(model)
        if known is None and model not in chosen:
            if room <= 0:
                left_out.append(Undeclared(profile.events, (model,), (profile.events,)))
                continue
            room -= 1
        versions = chosen.setdefault(model, {})
        before = known.versions if known is not None else {}
        if version not in before and len(before.keys() | versions.keys()) >= MOST_VERSIONS:
            left_out.append(Undeclared(profile.events, (f"{model}/{version}",), (profile.events,)))
            continue
        versions[version] = profile
    return {model: versions for model, versions in chosen.items() if versions}, merge_undeclared(left_out)


def most_models(plan: Plan, partitions: int) -> int:
    """Return how many models the judge of one partition may watch."""
    return -(-plan.limits.models // partitions)


def count(pane: ClosedPane, counters: Counters) -> None:
    """Count what a closed pane holds, for metrics."""
    for (model, version, segment), profile in pane.profiles.items():
        if segment:
            if segment == segment_label(segment_name(segment), OTHER_SEGMENT):
                counters["events_other_segment_total", model, version, segment_name(segment)] += profile.events
            continue
        for kind, rows in profile.rows.items():
            counters["events_total", model, version, kind] += rows
        errors = profile.series.get("serving_error")
        if errors is not None and errors.bins is not None and errors.bins.size > 1:
            counters["serving_errors_total", model, version] += int(errors.bins[1])
    for (model, version), rows in pane.late.items():
        counters["events_late_total", model, version] += rows
    for model in {model for model, _ in pane.unfit}:
        counters["panes_unfit_total", model] += 1
    for model, _, segment in pane.mixed:
        if segment:
            continue
        counters["baselines_mixed_total", model] += 1
