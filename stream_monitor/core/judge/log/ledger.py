"""The ledger: stored entries in, closed panes out; what the log says, before anybody judges it.

It joins the chains (which chunks count), the roster (how far every partition has come) and the open panes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from stream_monitor.core.judge.errors import UnknownBaseline
from stream_monitor.core.judge.log.open_panes import ClosedPaneCause, OpenPanes
from stream_monitor.core.judge.log.roster import Roster
from stream_monitor.core.judge.log.source_chain import Candidate, Chain, DropReason
from stream_monitor.core.judge.outputs import StoredEntry
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import ProfileRecord, ProgressRecord, decode

Place = tuple[str, int]
"""Source topic and partition."""

Counters = Counter[tuple[str, ...]]
"""Increments by metric family and label values."""


class Ledger:
    """The folded log of one judge partition.

    Attributes:
        next_offset: log offset of the next entry to fold.
        chains: by source partition.
        roster: partition counts and watermarks.
        panes: open panes by stream.
        late_joiners: source partitions that first reported after the pane clock of their stream had started.
    """

    def __init__(self, plan: Plan, counters: Counters) -> None:
        self.next_offset = 0
        self.complete: bool | None = None
        self.chains: dict[Place, Chain] = {}
        self.roster = Roster(plan.inputs)
        self.panes = {stream: OpenPanes(stream, plan) for stream in self.roster.streams}
        self.late_joiners: set[Place] = set()
        self._counters = counters

    @property
    def replay_from(self) -> int:
        """Smallest log offset that a snapshot taken now would need again."""
        waiting = (chain.replay_from for chain in self.chains.values())
        return min((offset for offset in waiting if offset is not None), default=self.next_offset)

    def fold(self, entry: StoredEntry, has_baseline: Callable[[str], bool]) -> bool:
        """Fold one entry; return whether a chunk was folded, so that panes may close.

        Raises:
            ChainGap, UnknownBaseline, MalformedRecord, UnknownRecord: nothing changed.
        """
        if entry.offset < self.next_offset:
            return False
        record = decode(entry.value)
        complete = entry.offset == 0 if self.complete is None else self.complete
        place = (record.source.topic, record.source.partition)
        chain = self.chains.get(place) or Chain(*place, complete=complete)
        folded: Candidate | None = None
        if self.roster.stream(place[0]) is None:
            self._drop([DropReason.FOREIGN] if isinstance(record, ProgressRecord) else [])
        elif isinstance(record, ProfileRecord):
            chain.buffer(record, entry.value, entry.offset)
            self.chains[place] = chain
        else:
            folded = self._progress(chain, record, entry.offset, has_baseline)
            self.chains[place] = chain
        self.complete = complete
        self.next_offset = entry.offset + 1
        return folded is not None

    def resume(self, progress: ProgressRecord, *, declared: bool = True) -> None:
        """Let a chain go on at a progress record that does not join: a declared gap, or one that is filled."""
        place = (progress.source.topic, progress.source.partition)
        chain = self.chains.get(place) or Chain(*place, complete=False)
        was_declared = chain.declared_gap
        chain.resume_at(progress)
        chain.declared_gap = declared or was_declared
        self.chains[place] = chain

    def graft(self, place: Place, profiles: Iterable[ProfileRecord]) -> int:
        """Take up what was counted again of a range that the log lost; return the records that came for a closed pane.

        The watermark follows with the chunk behind the range, so that panes close when they would have closed.
        """
        panes = self.panes[self.roster.stream(place[0]) or ""]
        return panes.add(profiles)

    def begin_log(self, start: int) -> None:
        """Go on with another log, which starts there: every chain begins where the log first says so.

        Nothing of the new log is folded, so no chunk can be taken twice; what the old one held and nobody had named is
        lost.
        """
        self.chains.clear()
        self.complete = False
        self.next_offset = start

    def closable(self) -> Iterator[tuple[OpenPanes, int]]:
        """Yield (panes of a stream, start of its oldest pane) while the watermark has passed that pane.

        The caller closes or skips the pane before it asks for the next one.
        """
        for stream in self.roster.streams:
            panes, watermark = self.panes[stream], self.roster.watermark(stream)
            while (start := panes.next_start(watermark)) is not None:
                yield panes, start

    def _progress(
        self, chain: Chain, progress: ProgressRecord, log_offset: int, has_baseline: Callable[[str], bool]
    ) -> Candidate | None:
        decision = chain.decide(progress, log_offset)
        for record in decision.folds.profiles if decision.folds is not None else ():
            for document in record.profile.key.references:
                if not has_baseline(document):
                    raise UnknownBaseline(document)
        self._drop(chain.apply(decision, progress, log_offset))
        self.roster.extend(chain.topic, progress.source_partitions)
        if decision.folds is not None:
            self._count(chain, decision.folds)
        return decision.folds

    def _count(self, chain: Chain, chunk: Candidate) -> None:
        place = (chain.topic, chain.partition)
        panes = self.panes[self.roster.stream(chain.topic) or ""]
        if panes.next_ms is not None and place not in self.roster.watermarks:
            self.late_joiners.add(place)
        closed = panes.add(chunk.profiles)
        if closed:
            self._counters["closed_pane_records_total", self._cause(chain).value] += closed
        self.roster.reach(*place, chunk.progress.watermark_ms)

    def _cause(self, chain: Chain) -> ClosedPaneCause:
        if chain.declared_gap:
            return ClosedPaneCause.GAP
        late = (chain.topic, chain.partition) in self.late_joiners
        return ClosedPaneCause.ROSTER if late else ClosedPaneCause.IDLE

    def _drop(self, reasons: list[DropReason]) -> None:
        for reason in reasons:
            self._counters["chunks_dropped_total", reason.value] += 1
