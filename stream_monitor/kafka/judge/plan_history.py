"""The plans under which a partition was judged: each from the log offset where it began, their texts stored beside.

A worker uses its own plan for every partition, with one exception: where somebody has changed the plan since this
process started, the worker is the older one of a rolling restart, and judges that partition under the stored plan.
So a change of plan happens once for each partition, and workers of both plans do not set it to and fro.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stream_monitor.core.judge import Judge, carry, missing_classes
from stream_monitor.core.judge.changes.carry import Carried, Changes
from stream_monitor.core.plan import Plan
from stream_monitor.core.plan_text import UnreadablePlan, read_plan
from stream_monitor.kafka.errors import HistoryUnusable
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.snapshot_blocks import Snapshot
from stream_monitor.kafka.judge.state_records import Commit, plan_key

_LOG = logging.getLogger("stream_monitor.kafka.judge")

_SHOWN = 8
"""Names in a log line."""

History = tuple[tuple[str, int], ...]
"""Hash of each plan and the offset of `drift-profiles` from which on it judged, in order."""


@dataclass(frozen=True, slots=True)
class StoredPlans:
    """The plans of a partition by their hash.

    Attributes:
        where: `topic[partition]`, for messages.
        records: of `drift-judge-state`.
    """

    where: str
    own: Plan
    records: Mapping[bytes, bytes]

    def get(self, plan_hash: str) -> Plan:
        """Return a plan.

        Raises:
            HistoryUnusable: its text is missing or cannot be read.
        """
        if plan_hash == self.own.hash:
            return self.own
        text = self.records.get(plan_key(plan_hash))
        if text is None:
            raise HistoryUnusable(
                f"{self.where}: judged so far with plan {plan_hash[:10]}, and its text is not stored: start once with"
                " the old configuration and stop it, which writes both down, then change"
            )
        try:
            return read_plan(text)
        except UnreadablePlan as error:
            raise HistoryUnusable(
                f"{self.where}: judged so far with plan {plan_hash[:10]}, which this version cannot read ({error}):"
                " run the version that wrote it, with the old configuration"
            ) from error


def position_of(history: Sequence[tuple[str, int]], snapshot: Snapshot) -> int | None:
    """Return under which plan of the history a snapshot was written; None if under none of them."""
    manifest = snapshot.manifest
    fitting = [
        i
        for i, (plan, offset) in enumerate(history)
        if plan == manifest.plan and offset <= manifest.next_offset <= _end(history, i, manifest.next_offset)
    ]
    return max(fitting, default=None)


def _end(history: Sequence[tuple[str, int]], i: int, otherwise: int) -> int:
    return history[i + 1][1] if i + 1 < len(history) else otherwise


def wanted_plan(context: JudgeContext, partition: int, commit: Commit, *, plans: StoredPlans) -> Plan:
    """Return the plan that is to judge a partition from its committed position on."""
    if commit.plan == context.job.plan.hash:
        return context.job.plan
    if len(commit.history) <= context.known_plans.get(partition, 0):
        return context.job.plan
    _LOG.warning(
        "partition %d: another worker changed its plan to %s since this one started with %s: judged under the former;"
        " restart this worker with the new configuration",
        partition,
        commit.plan[:10],
        context.job.plan.short_hash,
    )
    return plans.get(commit.plan)


def change_plan(context: JudgeContext, judge: Judge, plan: Plan) -> Carried:
    """Carry a judge over to another plan.

    Raises:
        HistoryUnusable: the plan cannot be used by this version.
    """
    rules, detectors = context.classes(plan)
    try:
        return context.with_baselines(lambda: carry(judge, plan, rules=rules, detectors=detectors))
    except ValueError as error:
        raise HistoryUnusable(f"plan {plan.short_hash}: {error}") from error


def refuse_missing(context: JudgeContext, plan: Plan, where: str, *, start: int, end: int) -> None:
    """Refuse to judge panes of an old plan whose classes the configuration does not name.

    Raises:
        HistoryUnusable: it names such classes.
    """
    missing = missing_classes(plan, context.job.rules, context.job.detectors)
    if missing:
        raise HistoryUnusable(
            f"{where}: {', '.join(missing)}: the configuration does not name it any more, and offsets {start} to"
            f" {end - 1} were judged with it since the last snapshot (plan {plan.short_hash}): start once with the old"
            " configuration and stop it (SIGTERM), which writes a snapshot, then change"
        )


def log_change(partition: int, offset: int, before: str, *, after: Plan, changes: Changes) -> None:
    """Say in the log what a change of plan did."""
    _LOG.warning(
        "partition %d: plan %s judges from offset %d on, before it %s", partition, after.short_hash, offset, before[:10]
    )
    for line in change_lines(changes):
        _LOG.warning("partition %d: %s", partition, line)


def change_lines(changes: Changes) -> list[str]:
    """Return what a change does, in words, a line for each kind."""
    lines = []
    if changes.clock:
        lines.append("the pane length changes: all evidence begins anew, demand learns its reference anew")
    if changes.models:
        lines.append(f"no plan names the models any more: {shown(changes.models)}")
    if changes.ended:
        lines.append(f"{len(changes.ended)} open alerts end (rule_removed): {_places(changes.ended)}")
    if changes.kept:
        lines.append(f"{len(changes.kept)} open alerts stay open")
    if changes.restarted and not changes.clock:
        lines.append(f"evidence of {len(changes.restarted)} detectors begins anew: {_places(changes.restarted)}")
    if changes.started:
        lines.append(f"{len(changes.started)} detectors begin: {_places(changes.started)}")
    if changes.stopped:
        lines.append(f"{len(changes.stopped)} detectors end: {_places(changes.stopped)}")
    return lines


def _places(found: Sequence[tuple[object, str]]) -> str:
    return shown([f"{_series(name)} ({what})" for name, what in found])


def _series(name: object) -> str:
    parts = (getattr(name, part, "") for part in ("model", "version", "segment", "series"))
    return " ".join(part for part in parts if part)


def shown(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
