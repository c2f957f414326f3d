"""Memory: what conditions need to know of a version beyond its last pane, within fixed bounds.

A *run* is a fact that has held in every pane with events since an instant. There is at most one for each series of the
baseline and one for each of the few names that a pane keeps of those the baseline lacks.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stream_monitor.core.names import ValueKind
from stream_monitor.core.profile import Profile, SeriesCounts, Undeclared
from stream_monitor.core.rules.verdict import Pane

EXTRA_SHARE = 0.01
"""Share of the rows that must hold a name before it counts as a column; rarer ones are accidents of single events."""


class Run(msgspec.Struct, array_like=True, frozen=True):
    """A fact that has held in every pane with events since an instant.

    Attributes:
        since_ms: start of the first of those panes.
        rows: rows of the panes that could have said otherwise.
        hits: those for which it holds.
        kinds: kinds of the values seen in them, sorted.
    """

    since_ms: int
    rows: int
    hits: int
    kinds: tuple[ValueKind, ...] = ()

    @property
    def share(self) -> float:
        """Hits over rows."""
        return self.hits / self.rows if self.rows else 0.0


class Still(msgspec.Struct, array_like=True, frozen=True):
    """A series that has held one value in every pane since an instant.

    Attributes:
        since_ms: start of the first of those panes.
        rows: rows with that value.
        panes: how many panes.
        value: the value.
    """

    since_ms: int
    rows: int
    panes: int
    value: float


class SeriesChange(msgspec.Struct, array_like=True, frozen=True):
    """A series that differs between two versions: how much in the measure of a rule, from what to what in words."""

    series: str
    measure: str
    value: float
    floor: float
    before: str
    after: str


class Comparison(msgspec.Struct, array_like=True, frozen=True):
    """The first rows of a version against the version before it.

    Attributes:
        previous: the version before.
        made_ms: end of the pane that completed the rows.
        rows: how many.
        compared: series that were compared.
        differing: those that differ.
        changes: the first of them, by evidence.
    """

    previous: str
    made_ms: int
    rows: int
    compared: int
    differing: int
    changes: list[SeriesChange]


class Memory(msgspec.Struct, array_like=True):
    """What is remembered of a version.

    Attributes:
        first_ms: start of its first pane with events.
        blind_since_ms: start of the first of the last panes with events that no series has judged; None while judged.
        lacking: baseline series that no row names.
        strange: baseline series whose values are mostly of another kind.
        extra: names that the baseline lacks.
        undeclared: names that the baseline lacks or a limit leaves out, by pane, of the last window.
        comparison: of its first rows with the version before; None before that, and where there was none.
        rows: rows of all judged panes so far.
        still: numeric series of the baseline with one single value in the last panes.
        longest: rows of the longest such stretch that is over, by series; none stands for 0.
    """

    first_ms: int
    blind_since_ms: int | None = None
    lacking: dict[str, Run] = {}
    strange: dict[str, Run] = {}
    extra: dict[str, Run] = {}
    undeclared: list[tuple[int, Undeclared]] = []
    comparison: Comparison | None = None
    rows: int = 0
    still: dict[str, Still] = {}
    longest: dict[str, int] = {}

    def note(self, profile: Profile, now: Pane, *, judged: bool, window_ms: int) -> None:
        """Take a pane with events.

        Args:
            profile: all rows of the version.
            now: the pane.
            judged: its counts are those of the baseline that is watched.
            window_ms: how long names are kept.
        """
        self.blind_since_ms = None if judged else (now.start_ms if self.blind_since_ms is None else self.blind_since_ms)
        self.undeclared = recent(self.undeclared, profile.undeclared, now, window_ms)
        lacking: dict[str, Run] = {}
        strange: dict[str, Run] = {}
        extra: dict[str, Run] = {}
        rows = profile.events
        self.rows += rows if judged else 0
        for name, counts in profile.series.items() if judged else ():
            valued = rows - counts.missing
            if counts.absent == rows:
                lacking[name] = _longer(self.lacking, name, Run(now.start_ms, rows, rows))
            elif counts.strange and 2 * counts.invalid > valued:
                run = Run(now.start_ms, valued, counts.invalid, counts.strange)
                strange[name] = _longer(self.strange, name, run)
            if counts.minimum is not None or name in self.still:
                self._note_still(name, counts, valued - counts.invalid, now)
        for name in profile.undeclared.names if judged else ():
            named, kinds = profile.undeclared.of(name)
            if named >= EXTRA_SHARE * rows and kinds:
                extra[name] = _longer(self.extra, name, Run(now.start_ms, rows, named, kinds))
        self.lacking, self.strange, self.extra = lacking, strange, extra

    def _note_still(self, name: str, counts: SeriesCounts, valid: int, now: Pane) -> None:
        """Let the stretch of equal values of a series go on, or end and another one begin; no value says nothing."""
        if counts.minimum is None:
            return
        before = self.still.get(name)
        holds = counts.minimum == counts.maximum
        if before is not None and not (holds and counts.minimum == before.value):
            self.longest[name] = max(self.longest.get(name, 0), before.rows)
            del self.still[name]
            before = None
        if holds:
            since_ms, rows, panes = (
                (now.start_ms, 0, 0) if before is None else (before.since_ms, before.rows, before.panes)
            )
            self.still[name] = Still(since_ms, rows + valid, panes + 1, counts.minimum)


def recent(
    panes: list[tuple[int, Undeclared]], last: Undeclared, now: Pane, window_ms: int
) -> list[tuple[int, Undeclared]]:
    """Return the panes of the last window that left names out, with the last one."""
    kept = [(start_ms, found) for start_ms, found in panes if start_ms > now.end_ms - window_ms]
    return [*kept, (now.start_ms, last)] if last.count else kept


def _longer(runs: Mapping[str, Run], name: str, last: Run) -> Run:
    before = runs.get(name)
    if before is None:
        return last
    kinds = tuple(sorted({*before.kinds, *last.kinds}))
    return Run(before.since_ms, before.rows + last.rows, before.hits + last.hits, kinds)
