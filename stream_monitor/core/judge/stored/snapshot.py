"""Snapshots: the state of a judge as sealed bytes, from which another one continues exactly.

Chunks that still wait for a successor are not in it: `replay_from` says from where the log must be read again, and what
was folded before is dropped by its place in the chain. Equal judges give equal bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple

import msgspec
import numpy as np

from stream_monitor.core.alerts.forgetting import Forgetting
from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.chain import ChunkName
from stream_monitor.core.detectors import Mixture, UnusableStateError
from stream_monitor.core.judge.errors import SnapshotRefused
from stream_monitor.core.judge.log.open_panes import OpenPane
from stream_monitor.core.judge.log.source_chain import Chain, Tip
from stream_monitor.core.judge.model.model_state import ModelState, VersionState, demand_watch, version_watches
from stream_monitor.core.judge.model.warm_up import WarmUp
from stream_monitor.core.judge.remembered import Remembered
from stream_monitor.core.judge.standing.memory import Memory
from stream_monitor.core.judge.standing.standing import Standing
from stream_monitor.core.judge.stored.judge_state import (
    ChainTip,
    Counts,
    EpisodeState,
    JudgeState,
    ModelRecord,
    PaneState,
    ProfileState,
    SourcesState,
    StandingState,
    StreamState,
    StretchState,
    VersionRecord,
    WarmUpState,
    WatchState,
    offsets,
    places,
)
from stream_monitor.core.judge.watch.pool import Pool
from stream_monitor.core.judge.watch.watch import Episode, PaneSources, Stretch, Watch

FORMAT = 3
"""Version of the format; another one is refused, and the log is folded again."""

MAX_BYTES = 512 * 1024 * 1024
"""What is larger is no snapshot of ours."""

_MAGIC = b"SMJ1"
_SEAL_BYTES = 32


def dump(judge: Remembered) -> bytes:
    """Return the sealed state."""
    return sealed(_state(judge))


def relabelled(state_bytes: bytes, *, partition: int, partitions: int, position: int) -> bytes:
    """Return a state as that of another partition of another number of them, which reads its log from a position on.

    Raises:
        SnapshotRefused: it is broken.
    """
    state = opened(state_bytes)
    return sealed(msgspec.structs.replace(state, partition=partition, partitions=partitions, replay_from=position))


def sealed(state: JudgeState) -> bytes:
    """Return a state with the digest of itself."""
    payload = msgspec.msgpack.encode(state, order="deterministic")
    return _MAGIC + hashlib.sha256(payload).digest() + payload


def restore(judge: Remembered, state_bytes: bytes) -> None:
    """Take a state up into a judge that is still empty.

    Raises:
        SnapshotRefused: it is broken, or of another format, plan or partition count.
        UnknownBaseline: a baseline that it names is not in the schedule.
    """
    state = opened(state_bytes)
    if state.plan != judge.plan.hash:
        raise SnapshotRefused("plan", f"written under plan {state.plan[:10]}, this is {judge.plan.short_hash}")
    if (state.partition, state.partitions) != (judge.partition, judge.partitions):
        found = f"partition {state.partition} of {state.partitions}"
        raise SnapshotRefused("partitions", f"of {found}, this is {judge.partition} of {judge.partitions}")
    try:
        _restore(judge, state)
    except UnusableStateError as error:
        raise SnapshotRefused("detectors", str(error)) from error
    except (KeyError, ValueError, IndexError) as error:
        raise SnapshotRefused("corrupt", f"{type(error).__name__}: {error}") from error


def digest(judge: Remembered) -> str:
    """Return the digest of closed panes, chains and alert life cycles."""
    lives: list[Json] = [
        [*astuple(watch.name(series)), rule, str(life.status), life.starts_ms, life.sequence]
        for name in sorted(judge.models)
        for watch in judge.models[name].watches()
        for (series, rule), life in sorted(watch.lives.items())
    ]
    for standing in (judge.standing, *(judge.models[name].standing for name in sorted(judge.models))):
        lives += [
            [*astuple(name), condition.value, str(held.life.status), held.life.starts_ms, held.life.sequence]
            for (name, condition), held in sorted(standing.held.items(), key=lambda item: item[0])
        ]
    chains: Json = {place: list(tip) for place, tip in chain_tips(judge).items()}
    content = canonical_json({"rolling": judge.rolling.hex(), "chains": chains, "lives": lives})
    return hashlib.sha256(content).hexdigest()


def chain_tips(judge: Remembered) -> dict[str, list[int]]:
    """Return the tip of every chain by `topic/partition`."""
    return {
        f"{tip.topic}/{tip.partition}": [tip.epoch, tip.seq, tip.lease, -1 if tip.next is None else tip.next]
        for tip in _chains(judge)
    }


# --- writing ----------------------------------------------------------------------------------------------------------


def _state(judge: Remembered) -> JudgeState:
    ledger = judge.ledger
    return JudgeState(
        format=FORMAT,
        plan=judge.plan.hash,
        partition=judge.partition,
        partitions=judge.partitions,
        replay_from=ledger.replay_from,
        complete=ledger.complete,
        chains=_chains(judge),
        roster=sorted(ledger.roster.counts.items()),
        watermarks=[(topic, part, ms) for (topic, part), ms in sorted(ledger.roster.watermarks.items())],
        late_joiners=sorted(ledger.late_joiners),
        streams=[_stream(judge, stream) for stream in sorted(ledger.panes)],
        groups=[(fingerprint, layout, state) for (fingerprint, layout), state in judge.pool.dump().items()],
        models=[_model(judge.models[name]) for name in sorted(judge.models)],
        forgetting=sorted(judge.forgetting.due.items()),
        undeclared=judge.undeclared,
        rolling=judge.rolling,
        conditions=_conditions(judge.standing),
        left_out=list(judge.left_out),
        started_ms=judge.started_ms,
    )


def _chains(judge: Remembered) -> list[ChainTip]:
    return [
        ChainTip(
            topic,
            partition,
            chain.tip.epoch,
            chain.tip.name.seq,
            chain.tip.name.lease,
            chain.tip.next,
            chain.anchored,
            chain.declared_gap,
        )
        for (topic, partition), chain in sorted(judge.ledger.chains.items())
        if chain.tip is not None
    ]


def _stream(judge: Remembered, stream: str) -> StreamState:
    panes = judge.ledger.panes[stream]
    written = [
        PaneState(
            start,
            [ProfileState.of(pane.profiles[place]) for place in sorted(pane.profiles)],
            [(model, version, rows) for (model, version), rows in sorted(pane.late.items())],
            [(model, version, rows) for (model, version), rows in sorted(pane.unfit.items())],
        )
        for start, pane in sorted(panes.panes.items())
    ]
    return StreamState(stream, panes.next_ms, written)


def _model(model: ModelState) -> ModelRecord:
    versions = [_version(name, model.versions[name]) for name in sorted(model.versions)]
    demand = None if model.demand is None else watch_state(model.demand)
    return ModelRecord(
        model.name,
        model.last_ms,
        versions,
        demand,
        model.storm,
        model.shown_ms,
        _conditions(model.standing),
        model.first_ms,
        model.declared,
        model.compared_ms,
    )


def _conditions(standing: Standing) -> list[StandingState]:
    return [
        StandingState(name.model, name.version, name.series, condition, held)
        for (name, condition), held in sorted(standing.held.items(), key=lambda item: item[0])
    ]


def _version(name: str, state: VersionState) -> VersionRecord:
    return VersionRecord(
        name,
        state.last_ms,
        state.pane_rows,
        _warm_up(state.warm_up),
        state.proposed,
        None if state.watch is None else watch_state(state.watch),
        [(watch.segment, watch_state(watch)) for watch in state.segments],
        [[(watch.segment, watch_state(watch)) for watch in watches] for watches in state.supplements],
        _warm_up(state.gathering),
        state.blind_panes,
        state.asked_ms,
        state.unwatched_ms,
        list(state.blind),
        list(state.left_out),
        _memory(state.memory),
    )


def _warm_up(warm_up: WarmUp | None) -> WarmUpState | None:
    if warm_up is None:
        return None
    return WarmUpState(
        warm_up.rows,
        warm_up.from_ms,
        warm_up.to_ms,
        warm_up.events,
        warm_up.since_ms,
        warm_up.attempts,
        warm_up.failure,
        list(warm_up.left_out),
        warm_up.resume_ms,
    )


def _memory(memory: Memory) -> Memory:
    """Return a memory in sorted order: equal memories are equal bytes."""
    by_name = {
        name: dict(sorted(getattr(memory, name).items()))
        for name in ("lacking", "strange", "extra", "still", "longest")
    }
    return msgspec.structs.replace(memory, undeclared=list(memory.undeclared), **by_name)


def watch_state(watch: Watch) -> WatchState:
    """Return what is written of a watch."""
    return WatchState(
        "" if watch.baseline is None else watch.baseline.id,
        watch.slot,
        watch.mixture.value,
        [f"{watch.series[use.series].name} {use.spec.fingerprint}" for use in watch.uses],
        watch.rows,
        watch.since.tolist(),
        watch.log_m.astype("<f8").tobytes(),
        watch.pushed,
        Counts.of(watch.ring),
        watch.ring_ms.tolist(),
        [SourcesState(pane.start_ms, places(pane.offsets), list(pane.examples)) for pane in watch.sources],
        [_episode(use, watch.episodes[use]) for use in sorted(watch.episodes)],
        [(series, rule, life) for (series, rule), life in sorted(watch.lives.items())],
        watch.taken,
    )


def _episode(use: int, episode: Episode) -> EpisodeState:
    return EpisodeState(
        use,
        episode.opened_ms,
        episode.log_evidence,
        episode.statistic,
        episode.change_from_ms,
        episode.change_to_ms,
        Counts.of(episode.total),
        Counts.of(episode.undo),
        episode.panes,
        episode.events,
        episode.fired,
        [StretchState(own.from_ms, own.panes, own.counts.tolist(), own.events.tolist()) for own in episode.stretches],
    )


# --- reading ----------------------------------------------------------------------------------------------------------


def opened(state_bytes: bytes) -> JudgeState:
    """Return the state behind a seal.

    Raises:
        SnapshotRefused: it is broken, or of another format.
    """
    head = len(_MAGIC) + _SEAL_BYTES
    payload = state_bytes[head:]
    if len(state_bytes) > MAX_BYTES or state_bytes[: len(_MAGIC)] != _MAGIC:
        raise SnapshotRefused("corrupt", f"{len(state_bytes)} bytes that are no snapshot")
    if hashlib.sha256(payload).digest() != state_bytes[len(_MAGIC) : head]:
        raise SnapshotRefused("corrupt", "its digest is not that of its content")
    try:
        state = msgspec.msgpack.decode(payload, type=JudgeState)
    except msgspec.MsgspecError as error:
        raise SnapshotRefused("format", str(error)) from error
    if state.format != FORMAT:
        raise SnapshotRefused("format", f"must be {FORMAT}, got {state.format}")
    return state


def _restore(judge: Remembered, state: JudgeState) -> None:
    ledger = judge.ledger
    ledger.next_offset, ledger.complete = state.replay_from, state.complete
    for tip in state.chains:
        chain = Chain(tip.topic, tip.partition, complete=bool(state.complete))
        chain.tip = Tip(tip.epoch, ChunkName(tip.seq, tip.lease), tip.next)
        chain.anchored, chain.declared_gap = tip.anchored, tip.declared_gap
        ledger.chains[tip.topic, tip.partition] = chain
    ledger.roster.counts.update(state.roster)
    ledger.roster.watermarks.update({(topic, part): ms for topic, part, ms in state.watermarks})
    ledger.late_joiners.update(state.late_joiners)
    for stream in state.streams:
        panes = ledger.panes[stream.stream]
        panes.next_ms = stream.next_ms
        panes.panes = {pane.start_ms: _open_pane(pane) for pane in stream.panes}
    judge.pool = Pool({(fingerprint, layout): group for fingerprint, layout, group in state.groups})
    for record in state.models:
        judge.models[record.name] = _restored_model(judge, record)
    judge.forgetting = Forgetting(judge.plan.alerts.forget_after_ms, dict(state.forgetting))
    judge.undeclared, judge.rolling = state.undeclared, state.rolling
    judge.standing, judge.left_out = _standing(state.conditions), list(state.left_out)
    judge.started_ms = state.started_ms


def _standing(states: list[StandingState]) -> Standing:
    return Standing({(SeriesName(own.model, own.version, "", own.series), own.condition): own.held for own in states})


def _open_pane(state: PaneState) -> OpenPane:
    profiles = [written.profile() for written in state.profiles]
    return OpenPane(
        {((p.key.model, p.key.version, p.key.segment), p.key.references): p for p in profiles},
        {(model, version): rows for model, version, rows in state.late},
        {(model, version): rows for model, version, rows in state.unfit},
    )


def _restored_model(judge: Remembered, record: ModelRecord) -> ModelState:
    plan = judge.plan.model(record.name)
    if plan is None:
        raise ValueError(f"model {record.name!r} is not in the plan")
    budget = judge.plan.budget(record.name).panes(judge.plan.detection.pane_ms)
    model = ModelState(record.name, plan, budget, record.last_ms, storm=record.storm, shown_ms=record.shown_ms)
    model.compared_ms = record.compared_ms
    model.standing, model.first_ms, model.declared = _standing(record.conditions), record.first_ms, record.declared
    model.demand = demand_watch(model, judge.plan, judge.rulebook)
    if (model.demand is None) != (record.demand is None):
        raise ValueError("demand is watched in one of plan and snapshot only")
    if model.demand is not None and record.demand is not None:
        _resume(model.demand, record.demand, judge.pool)
    for written in record.versions:
        version = model.version(written.version, written.last_ms, since_ms=written.last_ms)
        version.pane_rows, version.proposed = written.pane_rows, written.proposed
        version.warm_up = _resumed_warm_up(model, written.version, written.warm_up)
        version.gathering = _resumed_warm_up(model, written.version, written.gathering)
        version.blind_panes, version.asked_ms = written.blind_panes, written.asked_ms
        version.unwatched_ms, version.blind = written.unwatched_ms, tuple(written.blind)
        version.left_out = tuple(written.left_out)
        version.memory = written.memory
        if written.watch is not None:
            watches = _resumed_watches(judge, model, {"": written.watch, **dict(written.segments)})
            version.watch, version.segments = watches[0], watches[1:]
        for states in written.supplements:
            version.supplements.append(_resumed_watches(judge, model, dict(states)))
    return model


def _resumed_warm_up(model: ModelState, version: str, state: WarmUpState | None) -> WarmUp | None:
    if state is None:
        return None
    warm_up = WarmUp(model.name, version, model.plan.baseline_events, state.since_ms)
    warm_up.rows, warm_up.events = state.rows, state.events
    warm_up.from_ms, warm_up.to_ms, warm_up.resume_ms = state.from_ms, state.to_ms, state.resume_ms
    warm_up.attempts, warm_up.failure, warm_up.left_out = state.attempts, state.failure, tuple(state.left_out)
    return warm_up


def _resumed_watches(judge: Remembered, model: ModelState, states: Mapping[str, WatchState]) -> list[Watch]:
    """Return the watches of a reference, built anew and put where the written ones were."""
    watches = version_watches(
        model,
        judge.baseline(states[""].baseline),
        judge.plan,
        judge.rulebook,
        slot=states[""].slot,
        mixture=lambda segment: Mixture(states.get(segment, states[""]).mixture),  # another segment is refused below
        taken=states[""].taken,
    )
    if [watch.segment for watch in watches] != list(states):
        raise UnusableStateError(f"{model.name} {watches[0].version}: other segments than in the snapshot")
    for watch in watches:
        _resume(watch, states[watch.segment], judge.pool)
    return watches


def _resume(watch: Watch, state: WatchState, pool: Pool) -> None:
    """Put a watch that was built anew where the written one was."""
    if [f"{watch.series[use.series].name} {use.spec.fingerprint}" for use in watch.uses] != state.uses:
        raise UnusableStateError(f"{watch.model} {watch.version}: other series or detectors than in the snapshot")
    watch.groups = [pool.find(use.spec, use.layout) for use in watch.uses]
    watch.rows = state.rows
    watch.arrange()
    watch.since = np.array(state.since, dtype=np.int64)
    watch.log_m = np.frombuffer(state.log_m, dtype="<f8").astype(np.float64)
    watch.pushed = state.pushed
    watch.ring[...] = state.ring.array().reshape(watch.ring.shape)
    watch.ring_ms[...] = state.ring_ms
    watch.window = watch.ring.sum(axis=0, dtype=np.int64)
    for pane in state.sources:
        watch.sources.append(PaneSources(pane.start_ms, offsets(pane.offsets), tuple(pane.examples)))
    watch.episodes = {written.use: _resumed(written, watch) for written in state.episodes}
    watch.lives = {(series, rule): life for series, rule, life in state.lives}
    if not len(watch.uses) == len(watch.rows) == watch.since.size == watch.log_m.size:
        raise ValueError("a watch has not one row for each detector")


def _resumed(state: EpisodeState, watch: Watch) -> Episode:
    item = watch.series[watch.uses[state.use].series]
    shape = (item.calendar.strata, item.bins)
    return Episode(
        state.opened_ms,
        state.log_evidence,
        state.statistic,
        state.change_from_ms,
        state.change_to_ms,
        state.total.array().reshape(shape),
        state.undo.array().reshape(shape),
        state.panes,
        state.events,
        state.fired,
        [
            Stretch(own.from_ms, own.panes, np.array(own.counts, np.int64), np.array(own.events, np.int64))
            for own in state.stretches
        ],
    )
