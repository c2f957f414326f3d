"""What a change of the plan would do to the judge partitions of a running deployment, asked beforehand.

Each partition is restored from its newest snapshot, beside the workers and without a trace, and carried over to the
configured plan as its worker would do it. What happened since the snapshot is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stream_monitor.core.baseline import Schedule, activation_lead_ms
from stream_monitor.core.judge import Judge, SnapshotRefused
from stream_monitor.core.names import segment_name
from stream_monitor.core.plan import Plan
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.clients import open_admin, open_consumer
from stream_monitor.kafka.errors import HistoryUnusable
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.judge_job import JudgeJob
from stream_monitor.kafka.judge.plan_history import StoredPlans, change_lines, change_plan
from stream_monitor.kafka.judge.sealed import BrokenSeal
from stream_monitor.kafka.judge.snapshot_blocks import Snapshot, whole_snapshots
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, Commit, NewerFormat, decode_commit
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.readers import read_topics
from stream_monitor.kafka.topics import describe_topics


class Forecast(NamedTuple):
    """One thing that a change of plan would do; `stops`: a worker would not start on it."""

    text: str
    stops: bool = False


def forecasts(job: JudgeJob) -> list[Forecast]:
    """Return what the configured plan would change, in words, for each partition that another plan judges.

    Raises:
        Stop: the cluster refuses us.
    """
    names = job.topics
    states = describe_topics(open_admin(job.settings), [names.judge_state, names.baselines])
    if len(states) < 2:
        return []
    records: dict[int, dict[bytes, bytes]] = {}
    for record in read_topics(job.settings, [names.judge_state]):
        if record.key is not None and record.value is not None:
            records.setdefault(record.partition, {})[record.key] = record.value
        elif record.key is not None:
            records.setdefault(record.partition, {}).pop(record.key, None)
    schedule = Schedule(group=job.group, lead_ms=activation_lead_ms(job.plan.time))
    baselines = BaselineLog(open_consumer(job.reader, lambda _: None), names.baselines, schedule)
    try:
        baselines.read_to_end(timeout_s=job.tuning.answer_s)
        context = JudgeContext(job, states[names.judge_state].partitions, baselines, OutageWatch(job.name))
        return [
            Forecast(f"partition {partition}: {found.text}", found.stops)
            for partition, own in sorted(records.items())
            for found in _of_partition(context, partition, own)
        ]
    finally:
        baselines.close()


def _of_partition(context: JudgeContext, partition: int, records: dict[bytes, bytes]) -> Iterator[Forecast]:
    plan = context.job.plan
    try:
        commit = decode_commit(records[COMMIT_KEY])
        if commit.plan == plan.hash:
            return
        snapshots = whole_snapshots(records, commit)
    except (KeyError, BrokenSeal, NewerFormat):
        return  # a worker's restore says what is wrong with it
    up_to = f"plan {commit.plan[:10]} judges up to offset {commit.next_offset}"
    yield Forecast(f"{up_to}, then the configured {plan.short_hash}")
    plans = StoredPlans(f"{context.job.topics.profiles}[{partition}]", plan, records)
    try:
        before = plans.get(commit.plan)
        yield from map(Forecast, _inputs(before, plan))
        judge = next(
            (own for own in _restored(context, partition, snapshots, plans=plans, commit=commit) if own is not None),
            None,
        )
        if judge is None:
            yield Forecast(
                "no snapshot is usable yet, so what begins anew is not known: a worker that stops writes one"
            )
            return
        carried = change_plan(context, judge, plan)
        yield from map(Forecast, [*change_lines(carried.changes), *_unfit_baselines(carried.judge)])
    except HistoryUnusable as error:
        yield Forecast(f"a worker would stop: {error}", stops=True)


def _restored(
    context: JudgeContext, partition: int, snapshots: list[Snapshot], *, plans: StoredPlans, commit: Commit
) -> Iterator[Judge | None]:
    """Yield the judge of each usable snapshot under the plan that judges now, the newest first."""
    for snapshot in snapshots:
        if snapshot.manifest.plan == commit.plan:
            try:
                yield context.build(partition, snapshot.state, plans.get(commit.plan))
            except SnapshotRefused:
                continue


def _inputs(before: Plan, after: Plan) -> Iterator[str]:
    old, new = ({source.topic for source in plan.inputs} for plan in (before, after))
    for topic in sorted(new - old):
        yield f"input {topic} is new: panes close again once a profile worker reports on it"
    for topic in sorted(old - new):
        yield f"input {topic} is gone: what is counted of it from then on is not judged"


def _unfit_baselines(judge: Judge) -> Iterator[str]:
    """Name what the plan wants to tell apart and the active baselines do not."""
    for name, model in sorted(judge.models.items()):
        for version, state in sorted(model.versions.items()):
            for document in state.documents[:1]:
                known = {segment_name(label) for label in document.segments}
                for segment in sorted(set(model.plan.segments) - known):
                    yield (
                        f"baseline {document.id[:17]} of {name} {version} has no segment {segment}: it is not watched"
                        " until a baseline that has it is active"
                    )
                stratified = any(series.strata is not None for series in document.series.values())
                if stratified != (model.plan.strata.strata > 1):
                    wanted = model.plan.strata.value
                    yield (
                        f"baseline {document.id[:17]} of {name} {version} was made for other strata than {wanted}: its"
                        " series are compared as it was made until a new one is active"
                    )
