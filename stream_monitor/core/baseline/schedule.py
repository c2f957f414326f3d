"""Which baselines are active in a pane: the fold of the topic `drift-baselines`.

A baseline is active from a pane on, chosen by event time, for everybody. What would reach back to panes that may be
counted already is void for everybody: that is decided by broker times written in the log, so every reader decides
alike.

An operator's baseline wins over an automatic one in every pane. Beside the baseline of a version stand its supplements:
references, made of first events, of series that the baseline does not have. Nothing is rewritten: an activation that
is cancelled or retired has an end, which is a record of its own and keeps the same lead.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from stream_monitor.core.baseline.activation import (
    Activation,
    ActivationWire,
    Branch,
    End,
    EndWire,
    GatheringWire,
    StartRecord,
    StartWire,
    SupplementWire,
    unescaped,
)
from stream_monitor.core.baseline.document import Baseline, part_position
from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.facts import OriginType
from stream_monitor.core.plan import MINUTE_MS, TimePlan

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
    END = "end"
    """An activation counts up to a pane only."""
    GATHERING = "gathering"
    """Rows are to be gathered for a supplement."""
    VOID = "void"
    """An activation, or the end of one, that came too late to be the same for everybody."""
    REPEATED = "repeated"
    """An activation or start that is known already; the first one counts."""
    START = "start"
    IGNORED = "ignored"
    """A tombstone or a key of another kind."""
    MALFORMED = "malformed"


Version = tuple[str, str]
"""Model and version."""


class Schedule:
    """All activations and documents of the topic, as far as it was read.

    Args:
        group: group of workers whose start record fixes the past; empty: none, every activation counts.
        lead_ms: how far ahead of its own broker time an activation must lie after the group's start, where its record
            does not say.
    """

    def __init__(self, *, group: str = "", lead_ms: int = 0) -> None:
        self._group = group
        self._lead_ms = lead_ms
        self._next_offset = 0
        self._documents: dict[str, Baseline] = {}
        self._parts: dict[str, dict[int, bytes]] = {}
        self._activations: dict[Version, list[Activation]] = {}
        self._supplements: dict[Version, list[Activation]] = {}
        self._gatherings: dict[Version, list[tuple[int, int]]] = {}
        self._ends: dict[tuple[Branch, str, str, int], int] = {}
        self._void: list[Activation] = []
        self._void_ends: list[End] = []
        self._starts: dict[str, StartRecord] = {}
        self._joined: dict[tuple[str, ...], tuple[Baseline, ...]] = {}

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
    def supplements(self) -> tuple[Activation, ...]:
        """Every activation of a supplement that counts, by model, version and first pane."""
        return tuple(item for key in sorted(self._supplements) for item in self._supplements[key])

    @property
    def void(self) -> tuple[Activation, ...]:
        """The activations that came too late, by offset."""
        return tuple(self._void)

    @property
    def void_ends(self) -> tuple[End, ...]:
        """The ends that came too late, by offset."""
        return tuple(self._void_ends)

    @property
    def documents(self) -> Mapping[str, Baseline]:
        """Every complete document, by id."""
        return MappingProxyType(self._documents)

    def end_ms(self, activation: Activation) -> int | None:
        """Return the first pane in which an activation does not count any more, None if it counts for ever."""
        return self._ends.get((activation.branch, activation.model, activation.version, activation.from_ms))

    def counts_at(self, activation: Activation, pane_ms: int) -> bool:
        """Say whether an activation counts in a pane: it has begun and has not ended."""
        end_ms = self.end_ms(activation)
        return activation.from_ms <= pane_ms and (end_ms is None or pane_ms < end_ms)

    def ahead(self, model: str, version: str, now_ms: int, *, of_operators: bool = False) -> tuple[Activation, ...]:
        """Return the activations of a version that count at an instant or will count later.

        Args:
            model: whose they are.
            version: of the model.
            now_ms: the instant.
            of_operators: only those that an operator wrote.
        """
        ends = ((own, self.end_ms(own)) for own in self._activations.get((model, version), ()))
        return tuple(
            own
            for own, end_ms in ends
            if (end_ms is None or end_ms > max(now_ms, own.from_ms)) and not (of_operators and own.automatic)
        )

    def activation_at(self, model: str, version: str, pane_ms: int) -> Activation | None:
        """Return the activation whose baseline is the reference in a pane, None while there is none.

        The latest that counts there and whose document is known, an operator's before every automatic one; exactly
        that version's, never another's.
        """
        found: Activation | None = None
        for own in self._activations.get((model, version), ()):
            known = own.baseline in self._documents and self.counts_at(own, pane_ms)
            if known and (found is None or found.automatic or not own.automatic):
                found = own
        return found

    def at(self, model: str, version: str, pane_ms: int) -> Baseline | None:
        """Return the baseline that is active in the pane starting at `pane_ms`, None while there is none."""
        found = self.activation_at(model, version, pane_ms)
        return None if found is None else self._documents[found.baseline]

    def references(self, model: str, version: str, pane_ms: int) -> tuple[Baseline, ...]:
        """Return what a version is compared with in a pane: its baseline, then its supplements; nothing without one.

        A supplement counts while no series of it stands in the baseline or in an earlier supplement, so each series
        has one reference. One without series only says that there was nothing to add; it is left out.
        """
        baseline = self.at(model, version, pane_ms)
        if baseline is None:
            return ()
        known = [
            document
            for own in self._supplements.get((model, version), ())
            if self.counts_at(own, pane_ms) and (document := self._documents.get(own.baseline)) is not None
        ]
        names = (baseline.id, *(document.id for document in known))
        if names not in self._joined:
            self._joined[names] = _disjoint(baseline, known)
        return self._joined[names]

    def gathers(self, model: str, version: str, pane_ms: int) -> bool:
        """Say whether rows of a pane carry values of the series that have no reference yet.

        They do until a supplement of the baseline is known: once after an operator's baseline began, and after each
        request. An automatic baseline was made of live events: it needs a request.
        """
        active = self.activation_at(model, version, pane_ms)
        if active is None:
            return False
        own = self._supplements.get((model, version), ())
        alive = [item for item in own if (end_ms := self.end_ms(item)) is None or end_ms > pane_ms]
        requests = [offset for from_ms, offset in self._gatherings.get((model, version), ()) if from_ms <= pane_ms]
        if requests and max((item.offset for item in alive), default=-1) < max(requests):
            return True
        if active.automatic or self._documents[active.baseline].origin.type is OriginType.FIRST_EVENTS:
            return False
        return not any(item.extends == active.baseline for item in alive)

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
            names = [unescaped(name) for name in (key or b"").decode().split("/")]
            match names, value:
                case ["doc", _, _], bytes():
                    return self._document(value)
                case ["active", str(model), str(version), _], bytes():
                    wire = msgspec.json.decode(value, type=ActivationWire)
                    return self._activation(
                        Activation(
                            wire.from_ms, offset, timestamp_ms, model, version, wire.baseline, automatic=wire.automatic
                        ),
                        wire.lead_ms,
                    )
                case ["supplement", str(model), str(version), _], bytes():
                    more = msgspec.json.decode(value, type=SupplementWire)
                    return self._activation(
                        Activation(
                            more.from_ms,
                            offset,
                            timestamp_ms,
                            model,
                            version,
                            more.baseline,
                            automatic=True,
                            extends=more.extends,
                        ),
                        more.lead_ms,
                    )
                case ["gather", str(model), str(version), _], bytes():
                    return self._gathering(model, version, value, offset, timestamp_ms)
                case ["end", _, str(model), str(version), _, _], bytes():
                    return self._end(model, version, value, offset, timestamp_ms)
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

    def _activation(self, activation: Activation, lead_ms: int | None) -> Applied:
        if self._is_void(activation.from_ms, activation.timestamp_ms, lead_ms):
            self._void.append(activation)
            return Applied.VOID
        kept = self._supplements if activation.branch is Branch.SUPPLEMENT else self._activations
        own = kept.setdefault((activation.model, activation.version), [])
        if any(item.from_ms == activation.from_ms for item in own):
            return Applied.REPEATED
        insort(own, activation)
        return Applied.ACTIVATION

    def _gathering(self, model: str, version: str, value: bytes, offset: int, timestamp_ms: int) -> Applied:
        wire = msgspec.json.decode(value, type=GatheringWire)
        if self._is_void(wire.from_ms, timestamp_ms, wire.lead_ms):
            return Applied.VOID
        self._gatherings.setdefault((model, version), []).append((wire.from_ms, offset))
        return Applied.GATHERING

    def _end(self, model: str, version: str, value: bytes, offset: int, timestamp_ms: int) -> Applied:
        wire = msgspec.json.decode(value, type=EndWire)
        end = End(wire.branch, model, version, wire.from_ms, wire.until_ms, offset, timestamp_ms)
        if self._is_void(end.until_ms, timestamp_ms, wire.lead_ms):
            self._void_ends.append(end)
            return Applied.VOID
        place = (end.branch, model, version, end.from_ms)
        self._ends[place] = min(end.until_ms, self._ends.get(place, end.until_ms))
        return Applied.END

    def _start(self, group: str, instance: str, value: bytes, offset: int, timestamp_ms: int) -> Applied:
        wire = msgspec.json.decode(value, type=StartWire)
        if group in self._starts:
            return Applied.REPEATED
        self._starts[group] = StartRecord(group, instance, wire.partitions, offset, timestamp_ms)
        return Applied.START

    def _is_void(self, pane_ms: int, timestamp_ms: int, written_lead_ms: int | None) -> bool:
        """Say whether a change from a pane on was written too late to be the same for everybody.

        The lead that its writer kept decides: a change of `time.max_future` voids nothing that counts already.
        """
        lead_ms = self._lead_ms if written_lead_ms is None else max(written_lead_ms, _PROPAGATION_MS)
        return self._group in self._starts and pane_ms < timestamp_ms + lead_ms


def _disjoint(baseline: Baseline, supplements: Iterable[Baseline]) -> tuple[Baseline, ...]:
    """Return a baseline and the supplements that share no series with what stands before them."""
    joined, taken = [baseline], set(baseline.places)
    for supplement in supplements:
        if supplement.places and taken.isdisjoint(supplement.places):
            joined.append(supplement)
            taken.update(supplement.places)
    return tuple(joined)


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
