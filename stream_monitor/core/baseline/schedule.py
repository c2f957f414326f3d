"""Which baseline is active in a pane: the fold of the topic `drift-baselines`.

A baseline is active from a pane on, chosen by event time, for everybody. An activation that would reach back to panes
that may be counted already is void for everybody: that is decided by broker times written in the log, so every reader
decides alike.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from stream_monitor.core.baseline.document import Baseline, part_position
from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.plan import MINUTE_MS, TimePlan

SCHEMA_VERSION: Final = 1

_PROPAGATION_MS: Final = 2 * MINUTE_MS
"""For a worker that has not read the activation yet: it pauses when its reader lags by a minute."""

_PROPOSAL_MS: Final = MINUTE_MS
"""From proposing an activation to writing it."""


class Applied(StrEnum):
    """What a record of the topic did to the schedule."""

    DOCUMENT = "document"
    """A document is complete."""
    PART = "part"
    """A document still lacks parts."""
    ACTIVATION = "activation"
    VOID = "void"
    """An activation that came too late to be the same for everybody."""
    REPEATED = "repeated"
    """An activation or start that is known already; the first one counts."""
    START = "start"
    IGNORED = "ignored"
    """A tombstone or a key of another kind."""
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True, order=True)
class Activation:
    """A baseline becomes active in the pane that begins at `from_ms`.

    Attributes:
        from_ms: start of the first pane, epoch ms.
        offset: of its record in the topic.
        timestamp_ms: broker time of its record.
        baseline: id of the document.
    """

    from_ms: int
    offset: int
    timestamp_ms: int
    model: str
    version: str
    baseline: str


@dataclass(frozen=True, slots=True)
class StartRecord:
    """A group of workers began: partitions of every input topic at that time, and where the record stands."""

    group: str
    instance: str
    partitions: Mapping[str, int]
    offset: int
    timestamp_ms: int


class Schedule:
    """All activations and documents of the topic, as far as it was read.

    Args:
        group: group of workers whose start record fixes the past; empty: none, every activation counts.
        lead_ms: how far ahead of its own broker time an activation must lie after the group's start.
    """

    def __init__(self, *, group: str = "", lead_ms: int = 0) -> None:
        self._group = group
        self._lead_ms = lead_ms
        self._next_offset = 0
        self._documents: dict[str, Baseline] = {}
        self._parts: dict[str, dict[int, bytes]] = {}
        self._activations: dict[tuple[str, str], list[Activation]] = {}
        self._void: list[Activation] = []
        self._starts: dict[str, StartRecord] = {}

    @property
    def next_offset(self) -> int:
        """Offset behind the last record applied: `baselines_next` of progress records."""
        return self._next_offset

    @property
    def starts(self) -> Mapping[str, StartRecord]:
        """The start record of each group: the one of lowest offset."""
        return MappingProxyType(self._starts)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """Every activation that counts, by model, version and first pane."""
        return tuple(item for key in sorted(self._activations) for item in self._activations[key])

    @property
    def void(self) -> tuple[Activation, ...]:
        """The activations that came too late, by offset."""
        return tuple(self._void)

    @property
    def documents(self) -> Mapping[str, Baseline]:
        """Every complete document, by id."""
        return MappingProxyType(self._documents)

    def at(self, model: str, version: str, pane_ms: int) -> Baseline | None:
        """Return the baseline that is active in the pane starting at `pane_ms`, None while there is none.

        The latest activation not after the pane whose document is known; exactly that version's, never another's.
        """
        activations = self._activations.get((model, version), ())
        reached = bisect_right(activations, pane_ms, key=lambda item: item.from_ms)
        for activation in reversed(activations[:reached]):
            baseline = self._documents.get(activation.baseline)
            if baseline is not None:
                return baseline
        return None

    def get(self, baseline_id: str) -> Baseline | None:
        """Return the document of that id, None while it is not complete."""
        return self._documents.get(baseline_id)

    def apply(self, key: bytes | None, value: bytes | None, offset: int, timestamp_ms: int) -> Applied:
        """Fold one record of the topic, in the order of offsets; a bad record is named and skipped.

        Args:
            key: of the record.
            value: of the record, None for a tombstone: nothing is ever taken back.
            offset: of the record.
            timestamp_ms: its broker time (LogAppendTime).
        """
        self._next_offset = offset + 1
        try:
            names = [_unescaped(name) for name in (key or b"").decode().split("/")]
            match names, value:
                case ["doc", _, _], bytes():
                    return self._document(value)
                case ["active", str(model), str(version), _], bytes():
                    return self._activation(model, version, value, offset, timestamp_ms)
                case ["start", str(group), str(instance)], bytes():
                    return self._start(group, instance, value, offset, timestamp_ms)
                case _:
                    return Applied.IGNORED
        except (BaselineError, msgspec.DecodeError, UnicodeDecodeError):
            return Applied.MALFORMED

    def _document(self, value: bytes) -> Applied:
        baseline_id, number, parts = part_position(value)
        if baseline_id in self._documents:
            return Applied.DOCUMENT
        held = self._parts.setdefault(baseline_id, {})
        held[number] = value
        if len(held) < parts:
            return Applied.PART
        del self._parts[baseline_id]
        self._documents[baseline_id] = Baseline.from_parts(held.values())
        return Applied.DOCUMENT

    def _activation(self, model: str, version: str, value: bytes, offset: int, timestamp_ms: int) -> Applied:
        wire = msgspec.json.decode(value, type=_ActivationWire)
        activation = Activation(wire.from_ms, offset, timestamp_ms, model, version, wire.baseline)
        start = self._starts.get(self._group)
        if start is not None and wire.from_ms < timestamp_ms + self._lead_ms:
            self._void.append(activation)
            return Applied.VOID
        own = self._activations.setdefault((model, version), [])
        if any(item.from_ms == wire.from_ms for item in own):
            return Applied.REPEATED
        insort(own, activation)
        return Applied.ACTIVATION

    def _start(self, group: str, instance: str, value: bytes, offset: int, timestamp_ms: int) -> Applied:
        wire = msgspec.json.decode(value, type=_StartWire)
        if group in self._starts:
            return Applied.REPEATED
        self._starts[group] = StartRecord(group, instance, wire.partitions, offset, timestamp_ms)
        return Applied.START


def activation_lead_ms(time: TimePlan) -> int:
    """Return how far ahead of its broker time an activation must lie: no event counted so far can be in its panes."""
    return time.max_future_ms + _PROPAGATION_MS


def proposed_activation_ms(broker_ms: int, *, lead_ms: int, pane_ms: int) -> int:
    """Return the first pane for which an activation written soon after `broker_ms` will not be void.

    >>> proposed_activation_ms(1_795_331_967_684, lead_ms=420_000, pane_ms=10_000)
    1795332450000
    """
    earliest = broker_ms + lead_ms + _PROPOSAL_MS
    return -(-earliest // pane_ms) * pane_ms


def activation_record(model: str, version: str, baseline_id: str, from_ms: int) -> tuple[bytes, bytes]:
    """Return key and value of an activation; a record of its own per pane, never rewritten.

    >>> activation_record("fraud", "7", "sha256:0f4d", 1795332000000)[0]
    b'active/fraud/7/1795332000000'
    """
    value: Json = {
        "kind": "activation",
        "schema_version": SCHEMA_VERSION,
        "baseline": baseline_id,
        "from_ms": from_ms,
    }
    return f"active/{_escaped(model)}/{_escaped(version)}/{from_ms}".encode(), canonical_json(value)


def start_record(group: str, instance: str, partitions: Mapping[str, int]) -> tuple[bytes, bytes]:
    """Return key and value of a group's start: the number of partitions of every input topic."""
    value: Json = {"kind": "start", "schema_version": SCHEMA_VERSION, "partitions": dict(partitions)}
    return f"start/{_escaped(group)}/{_escaped(instance)}".encode(), canonical_json(value)


class _ActivationWire(msgspec.Struct, frozen=True):
    kind: Literal["activation"]
    schema_version: Literal[1]
    baseline: str
    from_ms: int


class _StartWire(msgspec.Struct, frozen=True):
    kind: Literal["start"]
    schema_version: Literal[1]
    partitions: dict[str, int]


def _escaped(name: str) -> str:
    return name.replace("%", "%25").replace("/", "%2F")


def _unescaped(name: str) -> str:
    return name.replace("%2F", "/").replace("%2f", "/").replace("%25", "%")
