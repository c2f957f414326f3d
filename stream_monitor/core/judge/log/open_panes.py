"""Open panes: profiles of folded chunks, merged until every source partition has passed the pane.

Merging is addition of integers, so neither the cuts of chunks nor the order in which they come can be seen in a closed
pane. What comes for a pane that was closed before (only a growing roster, an idle fact or a declared gap can cause it)
goes to the late counts of the oldest open pane and never reopens one.

While workers change from one pane length to another, panes of both are in the log. A shorter one that fits into a pane
of ours is merged into it, exactly. One that does not fit says nothing about a single pane of ours: the panes that it
touches are flagged, their series are not judged, and its events are spread evenly over them for the demand alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from stream_monitor.core.plan import BaselineFrom, Plan
from stream_monitor.core.profile import EXAMPLES, Profile, ProfileRecord, merge_profiles
from stream_monitor.core.time import pane_start

Subject = tuple[str, str, str]
"""Model, version and segment."""


class ClosedPaneCause(StrEnum):
    """Why a record can come for a pane that was judged; the label `cause` of `closed_pane_records_total`."""

    ROSTER = "roster"
    """Its partition joined the roster after the pane was closed."""
    IDLE = "idle"
    """An idle fact moved its partition on, then its producers came back."""
    GAP = "gap"
    """An operator declared a gap in its chain."""


@dataclass(frozen=True, slots=True)
class ClosedPane:
    """What was counted in one pane of a stream.

    Attributes:
        start_ms, end_ms: of event time.
        profiles: the profile to judge of every subject with events.
        mixed: subjects counted with more than one baseline, and the rows that are not judged for it.
        demand: events of each subject, whatever baseline they were counted with.
        late: late rows by (model, version).
        unfit: demand by (model, version) that was counted in panes of another length: their series are not judged.
    """

    stream: str
    start_ms: int
    end_ms: int
    profiles: dict[Subject, Profile] = field(default_factory=dict)
    mixed: dict[Subject, int] = field(default_factory=dict)
    demand: dict[Subject, int] = field(default_factory=dict)
    late: dict[tuple[str, str], int] = field(default_factory=dict)
    unfit: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(slots=True)
class OpenPane:
    """What was counted so far: profiles by subject and references, late rows and unfit demand by model and version."""

    profiles: dict[tuple[Subject, tuple[str, ...]], Profile] = field(default_factory=dict)
    late: dict[tuple[str, str], int] = field(default_factory=dict)
    unfit: dict[tuple[str, str], int] = field(default_factory=dict)


class OpenPanes:
    """The panes of one stream that are not judged yet.

    Attributes:
        next_ms: start of the oldest pane that is still open; None before the clock of the stream has started.
    """

    def __init__(self, stream: str, plan: Plan) -> None:
        self.stream = stream
        self.next_ms: int | None = None
        self.panes: dict[int, OpenPane] = {}
        self._plan = plan
        self._pane_ms = plan.detection.pane_ms

    def add(self, records: Iterable[ProfileRecord]) -> int:
        """Merge the profiles of a folded chunk; return how many of them came for a closed pane."""
        return sum(self.take(record.profile) for record in records)

    def take(self, profile: Profile) -> bool:
        """Merge a profile; say whether it came for a closed pane."""
        if not profile.key.late and self._pane_ms % profile.key.pane_length_ms:
            return self._add_unfit(profile)
        start = pane_start(profile.key.pane_ms, self._pane_ms)
        is_closed = self.next_ms is not None and start < self.next_ms
        if is_closed or profile.key.late:
            self._add_late(profile, max(start, self.next_ms or start))
        else:
            self._add(profile, start)
        return is_closed

    def take_late(self, place: tuple[str, str], rows: int, at_ms: int) -> None:
        """Count late rows of a model and version in the pane that holds an instant, or in the oldest open one."""
        start = max(pane_start(at_ms, self._pane_ms), self.next_ms or 0)
        pane = self.panes.setdefault(start, OpenPane())
        pane.late[place] = pane.late.get(place, 0) + rows

    def next_start(self, watermark_ms: int | None) -> int | None:
        """Return the start of the next pane to close, None if the watermark has not passed one."""
        if watermark_ms is None:
            return None
        if self.next_ms is None:
            start = pane_start(watermark_ms, self._pane_ms)
            self.next_ms = min(start, *self.panes) if self.panes else start
        return self.next_ms if self.next_ms + self._pane_ms <= watermark_ms else None

    def close(self) -> ClosedPane:
        """Take the oldest open pane out; `next_start` has said that it may be closed."""
        assert self.next_ms is not None
        start = self.next_ms
        pane = self.panes.pop(start, None) or OpenPane()
        self.next_ms = start + self._pane_ms
        closed = ClosedPane(
            self.stream,
            start,
            self.next_ms,
            late=dict(sorted(pane.late.items())),
            unfit=dict(sorted(pane.unfit.items())),
        )
        rivals: dict[Subject, list[Profile]] = {}
        for (subject, _), profile in sorted(pane.profiles.items()):
            rivals.setdefault(subject, []).append(profile)
        for subject, profiles in rivals.items():
            model, version, segment = subject
            # All rows come before their segments, which are judged with the same baseline or not at all.
            whole = closed.profiles.get((model, version, "")) if segment else None
            same = [profile for profile in profiles if whole is None or profile.key.references == whole.key.references]
            judged = min(same or profiles, key=_preference)
            closed.profiles[subject] = judged
            closed.demand[subject] = sum(profile.demand for profile in profiles)
            if len(profiles) > 1:
                closed.mixed[subject] = sum(profile.events for profile in profiles) - judged.events
        return closed

    def skip_to(self, start_ms: int) -> None:
        """Leave out empty panes up to the one that starts there."""
        self.next_ms = start_ms

    def first_filled(self) -> int | None:
        """Return the start of the oldest pane that holds something."""
        return min(self.panes, default=None)

    def _add(self, profile: Profile, start: int) -> None:
        pane = self.panes.setdefault(start, OpenPane())
        key = profile.key
        if key.pane_length_ms != self._pane_ms:
            key = replace(key, pane_ms=start, pane_length_ms=self._pane_ms)
            profile = replace(profile, key=key)
        place = ((key.model, key.version, key.segment), key.references)
        known = pane.profiles.get(place)
        merged = [profile] if known is None else [known, profile]
        gathered = any(row.values is not None for part in merged for row in part.examples)
        examples = self._warm_up_rows(key.model) if gathered or not key.baseline else EXAMPLES
        pane.profiles[place] = merge_profiles(merged, examples=examples)

    def _add_unfit(self, profile: Profile) -> bool:
        """Spread the demand of a pane of another length over the panes that it touches; say whether it came too late.

        Where all of them are closed it is late; where some are, the open ones have it all.
        """
        key = profile.key
        first = pane_start(key.pane_ms, self._pane_ms)
        starts = range(first, key.pane_ms + key.pane_length_ms, self._pane_ms)
        touched = [start for start in starts if self.next_ms is None or start >= self.next_ms]
        if not touched:
            self._add_late(profile, self.next_ms or first)
            return True
        if key.segment == "":
            share, rest = divmod(profile.demand, len(touched))
            for i, start in enumerate(touched):
                pane, place = self.panes.setdefault(start, OpenPane()), (key.model, key.version)
                pane.unfit[place] = pane.unfit.get(place, 0) + share + (i < rest)
        return False

    def _add_late(self, profile: Profile, start: int) -> None:
        if profile.key.segment == "":
            self.take_late((profile.key.model, profile.key.version), profile.events, start)

    def _warm_up_rows(self, model: str) -> int:
        plan = self._plan.model(model)
        wanted = plan is not None and plan.baseline is BaselineFrom.FIRST_EVENTS
        return plan.baseline_events if plan is not None and wanted else EXAMPLES


def _preference(profile: Profile) -> tuple[int, bool, tuple[str, ...]]:
    """Most rows first; of equal ones a baseline before none, then by id."""
    return (-profile.events, not profile.key.references, profile.key.references)
