"""The state of a judge as plain values: what a snapshot holds, field by field.

Nothing here is unpickled: every field has a type, and what has another one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from stream_monitor.core.alerts.lifecycle import Life
from stream_monitor.core.arrays import Int64
from stream_monitor.core.judge.model.warm_up import WarmUpFailure
from stream_monitor.core.judge.standing.memory import Memory
from stream_monitor.core.judge.standing.standing import Held
from stream_monitor.core.names import ValueKind
from stream_monitor.core.plan import ConditionName
from stream_monitor.core.profile import (
    Example,
    OffsetRange,
    Profile,
    ProfileKey,
    SeriesCounts,
    Undeclared,
)

_WIDTHS = ("u1", "u2", "u4", "u8")


class Counts(msgspec.Struct, array_like=True, frozen=True):
    """Counts of any shape in the narrowest unsigned type that holds them."""

    width: str
    data: bytes

    @staticmethod
    def of(counts: Int64) -> Counts:
        """Pack counts, none of them negative."""
        most = int(counts.max(initial=0))
        width = next(name for name in _WIDTHS if most < 256 ** int(name[1]))
        return Counts(width, counts.astype(f"<{width}").tobytes())

    def array(self) -> Int64:
        """Return the counts as one row.

        Raises:
            ValueError: not packed counts.
        """
        if self.width not in _WIDTHS:
            raise ValueError(f"counts: width must be one of {', '.join(_WIDTHS)}, got {self.width!r}")
        return np.frombuffer(self.data, dtype=f"<{self.width}").astype(np.int64)


class SeriesState(msgspec.Struct, array_like=True, frozen=True):
    """Counts of a series in an open pane."""

    name: str
    bins: Counts | None
    sparse: bool
    missing: int
    absent: int | None
    invalid: int
    minimum: float | None
    maximum: float | None
    distinct: bytes | None
    strange: tuple[ValueKind, ...]


class ProfileState(msgspec.Struct, array_like=True, frozen=True):
    """A merged profile of an open pane."""

    key: ProfileKey
    rows: dict[str, int]
    demand: int
    series: list[SeriesState]
    offsets: list[tuple[str, int, int, int]]
    examples: list[Example]
    undeclared: Undeclared

    @staticmethod
    def of(profile: Profile) -> ProfileState:
        """Write a profile down, sorted."""
        return ProfileState(
            profile.key,
            dict(sorted(profile.rows.items())),
            profile.demand,
            [_series(name, counts) for name, counts in sorted(profile.series.items())],
            places(profile.offsets),
            list(profile.examples),
            profile.undeclared,
        )

    def profile(self) -> Profile:
        """Return the profile."""
        return Profile(
            self.key,
            self.rows,
            self.demand,
            {state.name: _counts(state) for state in self.series},
            offsets(self.offsets),
            tuple(self.examples),
            self.undeclared,
        )


class ChainTip(msgspec.Struct, array_like=True, frozen=True):
    """Where the chain of a source partition is."""

    topic: str
    partition: int
    epoch: int
    seq: int
    lease: int
    next: int | None
    anchored: bool
    declared_gap: bool


class PaneState(msgspec.Struct, array_like=True, frozen=True):
    """An open pane."""

    start_ms: int
    profiles: list[ProfileState]
    late: list[tuple[str, str, int]]
    unfit: list[tuple[str, str, int]] = []


class StreamState(msgspec.Struct, array_like=True, frozen=True):
    """The open panes of a stream."""

    stream: str
    next_ms: int | None
    panes: list[PaneState]


class StretchState(msgspec.Struct, array_like=True, frozen=True):
    """Panes of an episode, added up."""

    from_ms: int
    panes: int
    counts: list[int]
    events: list[int]


class EpisodeState(msgspec.Struct, array_like=True, frozen=True):
    """An open episode of a detector use."""

    use: int
    opened_ms: int
    log_evidence: float
    statistic: float | None
    change_from_ms: int
    change_to_ms: int
    total: Counts
    undo: Counts
    panes: int
    events: int
    fired: bool
    stretches: list[StretchState] = []


class SourcesState(msgspec.Struct, array_like=True, frozen=True):
    """Where the events of a pane of the window are."""

    start_ms: int
    offsets: list[tuple[str, int, int, int]]
    examples: list[Example]


class WatchState(msgspec.Struct, array_like=True, frozen=True):
    """A watch: the baseline that it is built from again, and what has happened since."""

    baseline: str
    slot: int
    mixture: str
    uses: list[str]
    rows: list[int]
    since: list[int]
    log_m: bytes
    pushed: int
    ring: Counts
    ring_ms: list[int]
    sources: list[SourcesState]
    episodes: list[EpisodeState]
    lives: list[tuple[int, str, Life]]
    taken: int = 0


class WarmUpState(msgspec.Struct, array_like=True, frozen=True):
    """Rows that wait to become a baseline."""

    rows: list[Example]
    from_ms: int | None
    to_ms: int | None
    events: int = 0
    since_ms: int = 0
    attempts: int = 0
    failure: WarmUpFailure | None = None
    left_out: list[str] = []
    resume_ms: int | None = None


class VersionRecord(msgspec.Struct, array_like=True, frozen=True):
    """A version of a model."""

    version: str
    last_ms: int
    pane_rows: list[int]
    warm_up: WarmUpState | None
    proposed: str | None
    watch: WatchState | None
    segments: list[tuple[str, WatchState]]
    supplements: list[list[tuple[str, WatchState]]]
    gathering: WarmUpState | None
    blind_panes: int
    asked_ms: int | None
    unwatched_ms: int | None
    blind: list[str]
    left_out: list[str]
    memory: Memory


class StandingState(msgspec.Struct, array_like=True, frozen=True):
    """Where a condition stands."""

    model: str
    version: str
    series: str
    condition: ConditionName
    held: Held


class ModelRecord(msgspec.Struct, array_like=True, frozen=True):
    """A model."""

    name: str
    last_ms: int
    versions: list[VersionRecord]
    demand: WatchState | None
    storm: Life
    shown_ms: int | None
    conditions: list[StandingState]
    first_ms: int
    declared: bool
    compared_ms: int | None


class JudgeState(msgspec.Struct, frozen=True):
    """Everything."""

    format: int
    plan: str
    partition: int
    partitions: int
    replay_from: int
    complete: bool | None
    chains: list[ChainTip]
    roster: list[tuple[str, int]]
    watermarks: list[tuple[str, int, int]]
    late_joiners: list[tuple[str, int]]
    streams: list[StreamState]
    groups: list[tuple[str, int, bytes]]
    models: list[ModelRecord]
    forgetting: list[tuple[str, int]]
    undeclared: Undeclared
    rolling: bytes
    conditions: list[StandingState]
    left_out: list[tuple[int, Undeclared]]
    started_ms: int | None


def places(found: Mapping[tuple[str, int], OffsetRange]) -> list[tuple[str, int, int, int]]:
    """Write ranges of offsets down, sorted."""
    return [(topic, partition, span.first, span.last) for (topic, partition), span in sorted(found.items())]


def offsets(written: list[tuple[str, int, int, int]]) -> dict[tuple[str, int], OffsetRange]:
    """Return ranges of offsets."""
    return {(topic, partition): OffsetRange(first, last) for topic, partition, first, last in written}


def _series(name: str, counts: SeriesCounts) -> SeriesState:
    return SeriesState(
        name,
        None if counts.bins is None else Counts.of(counts.bins),
        counts.sparse,
        counts.missing,
        counts.absent,
        counts.invalid,
        counts.minimum,
        counts.maximum,
        counts.distinct,
        counts.strange,
    )


def _counts(state: SeriesState) -> SeriesCounts:
    return SeriesCounts(
        None if state.bins is None else state.bins.array(),
        state.sparse,
        state.missing,
        state.absent,
        state.invalid,
        state.minimum,
        state.maximum,
        state.distinct,
        state.strange,
    )
