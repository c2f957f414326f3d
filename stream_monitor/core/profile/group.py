"""Counting the rows of one model and version in a chunk: a profile for each pane, segment and lateness they touch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.baseline import Baseline, Schedule, of_pane
from stream_monitor.core.batch import Column, Group
from stream_monitor.core.names import (
    CONFIDENCE,
    LATENCY,
    OTHER_SEGMENT,
    PREDICTION,
    SERVING_ERROR,
    ValueKind,
    ValueReject,
    feature_of,
    segment_label,
    segment_name,
)
from stream_monitor.core.plan import BaselineFrom, ModelPlan, Plan
from stream_monitor.core.profile.columns import as_codes, as_numbers, take_rows
from stream_monitor.core.profile.count import (
    count_column,
    count_without_baseline,
    kinds_of,
    never_named,
    occurrences,
)
from stream_monitor.core.profile.examples import example_rows, plain_examples
from stream_monitor.core.profile.gathered import WrittenProfile, gathered_rows
from stream_monitor.core.profile.lateness import PlacedEvents
from stream_monitor.core.profile.merge import undeclared_of
from stream_monitor.core.profile.record import (
    EXAMPLES,
    OffsetRange,
    Profile,
    ProfileKey,
    SeriesCounts,
    Undeclared,
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of a group that are counted together.

    Attributes:
        rows: positions in the group, ascending; None for all of them.
        size: how many.
    """

    pane_ms: int
    late: bool
    segment: str
    rows: Intp | None
    size: int


class GroupCounter:
    """Counts one group.

    Attributes:
        rejects: values left out of the bins, by reason; filled by `profiles`.
        late_rows: rows that were late.
        serving_errors: rows that carried a serving error.
        latency_ms: valid latencies.
    """

    def __init__(
        self,
        group: Group,
        offsets: Int64,
        placed: PlacedEvents,
        *,
        place: tuple[str, int],
        plan: Plan,
        schedule: Schedule,
    ) -> None:
        self.rejects = Counter[ValueReject]()
        self._group = group
        self._offsets = offsets[group.rows]
        self._panes = placed.panes[group.rows]
        self._late = None if placed.late is None else placed.late[group.rows]
        self._place = place
        self._plan = plan
        self._model = plan.model(group.model) or ModelPlan()
        self._schedule = schedule
        self._columns = {name: column for name, column in group.columns.items() if self._watches(name)}
        self.late_rows = 0 if self._late is None else int(np.count_nonzero(self._late))

    @property
    def serving_errors(self) -> int:
        """Rows that carried a serving error."""
        column = self._group.columns.get(SERVING_ERROR)
        if column is None:
            return 0
        coded = as_codes(column)
        failed = np.array([cell is True for cell in coded.distinct], dtype=np.bool_)
        return int(failed[coded.codes].sum()) if failed.any() else 0

    @property
    def latency_ms(self) -> Float64:
        """Valid latencies, in the order of the rows."""
        column = self._group.columns.get(LATENCY)
        if column is None:
            return np.empty(0)
        values = as_numbers(column).values
        return values[~np.isnan(values)]

    def _watches(self, series: str) -> bool:
        feature = feature_of(series)
        return feature is None or self._model.watches(feature)

    def profiles(self) -> list[WrittenProfile]:
        """Return the profile of each pane, segment and lateness that has rows."""
        return [self._profile(part) for part in self._slices()]

    def _slices(self) -> Iterator[Slice]:
        for part in self._panes_and_lateness():
            yield part
            known = self._references(part.pane_ms) if self._model.segments else ()
            if known:  # which values are segments is known from them alone, to every worker alike
                labels = {label for document in known for label in document.segments}
                for name in self._model.segments:
                    yield from self._segments(part, name, labels)

    def _segments(self, part: Slice, name: str, labels: AbstractSet[str]) -> Iterator[Slice]:
        """Yield the segments of one name in a slice; values that no reference lists go together."""
        values = self._group.segments.get(name)
        if values is None:
            return
        label_of: dict[str, str] = {}
        rows_of: dict[str, list[int]] = {}
        for row in range(len(values)) if part.rows is None else part.rows.tolist():
            value = values[row]
            if value is None:
                continue
            if value not in label_of:
                label = segment_label(name, value)
                label_of[value] = label if label in labels else segment_label(name, OTHER_SEGMENT)
            rows_of.setdefault(label_of[value], []).append(row)
        for label, rows in rows_of.items():
            yield Slice(part.pane_ms, part.late, label, np.array(rows, dtype=np.intp), len(rows))

    def _references(self, pane_ms: int) -> tuple[Baseline, ...]:
        return self._schedule.references(self._group.model, self._group.version, pane_ms)

    def _panes_and_lateness(self) -> Iterator[Slice]:
        panes, late = self._panes, self._late
        first = int(panes[0])
        if self.late_rows == 0 and bool((panes == first).all()):
            yield Slice(first, False, "", None, panes.size)
            return
        keys = panes * 2 if late is None else panes * 2 + late  # pane starts are far below 2^62
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order[0]] - 1))
        for rows in np.split(order, starts[1:]):
            key = int(keys[rows[0]])
            yield Slice(key >> 1, bool(key & 1), "", rows, rows.size)

    def _profile(self, part: Slice) -> WrittenProfile:
        group, rows = self._group, part.rows
        known = self._references(part.pane_ms)
        columns = {name: column if rows is None else take_rows(column, rows) for name, column in self._columns.items()}
        offsets = self._offsets if rows is None else self._offsets[rows]
        gathers = self._gathers(part, known)
        chosen = self._chosen(part, gathers=gathers)
        profile = Profile(
            key=ProfileKey(
                model=group.model,
                version=group.version,
                segment=part.segment,
                pane_ms=part.pane_ms,
                pane_length_ms=self._plan.detection.pane_ms,
                late=part.late,
                baseline=known[0].id if known else "",
                supplements=tuple(document.id for document in known[1:]),
            ),
            rows={group.kind: part.size},
            demand=self._demand(part),
            series=self._series(part, columns, known),
            offsets={self._place: OffsetRange(int(offsets.min()), int(offsets.max()))},
            examples=() if gathers else plain_examples(group, self._offsets, chosen, self._place),
            undeclared=self._undeclared(part, columns, known),
        )
        return WrittenProfile(profile, self._gathered(part, chosen, columns, known) if gathers else ())

    def _series(self, part: Slice, columns: Mapping[str, Column], known: Sequence[Baseline]) -> dict[str, SeriesCounts]:
        """Return the counts of every series that has a reference; of others what needs none.

        Of a segment without references there are none: many values, each of its own law. Of features without one only
        the names are counted (`_undeclared`): there may be many.
        """
        if not known:
            return {name: count_without_baseline(column) for name, column in columns.items()}
        series: dict[str, SeriesCounts] = {}
        if not part.segment:
            blind = columns.keys() - {name for document in known for name in document.series}
            series = {name: count_without_baseline(columns[name]) for name in sorted(blind) if feature_of(name) is None}
        for document in known:
            if not part.segment:
                series |= self._counted(part, columns, document)
            elif part.segment in document.segments:
                series |= self._counted(part, columns, document.of_segment(part.segment))
        return series

    def _counted(self, part: Slice, columns: Mapping[str, Column], baseline: Baseline) -> dict[str, SeriesCounts]:
        group = self._group
        ties = group.tie if part.rows is None else group.tie[part.rows]
        series: dict[str, SeriesCounts] = {}
        for name, reference in baseline.series.items():
            column = columns.get(name)
            if column is None:
                if self._watches(name):
                    series[name] = never_named(reference, part.size)
                continue
            own = of_pane(reference, part.pane_ms)
            counted = count_column(column, ties, baseline=own, constraint=baseline.constraints.get(name))
            series[name] = with_probabilities(counted.counts, columns) if name == PREDICTION else counted.counts
            if counted.rejects and not part.segment:
                self.rejects.update(counted.rejects)
        return series

    def _demand(self, part: Slice) -> int:
        rates = self._group.sampled_rate
        if rates is None:
            return part.size
        return int(rates.sum() if part.rows is None else rates[part.rows].sum())

    def _undeclared(self, part: Slice, columns: Mapping[str, Column], known: Sequence[Baseline]) -> Undeclared:
        if part.segment:
            return Undeclared()  # told of all rows
        rows = Counter[str]()
        kinds: dict[str, tuple[ValueKind, ...]] = {}
        if known:
            for name in columns.keys() - {name for document in known for name in document.series}:
                feature = feature_of(name)
                named = 0 if feature is None else occurrences(columns[name])
                if feature is not None and named:
                    rows[feature] += named
                    kinds[feature] = kinds_of(columns[name])
        if self._group.undeclared:
            for row in range(part.size) if part.rows is None else part.rows.tolist():
                rows.update(self._group.undeclared.get(row, ()))
        return undeclared_of(rows.total(), rows, kinds) if rows else Undeclared()

    def _gathers(self, part: Slice, known: Sequence[Baseline]) -> bool:
        """Say whether rows of a slice are to become references: none are known, or not those of all series."""
        if part.segment or part.late or self._model.baseline is not BaselineFrom.FIRST_EVENTS:
            return False
        return not known or self._schedule.gathers(self._group.model, self._group.version, part.pane_ms)

    def _chosen(self, part: Slice, *, gathers: bool) -> Intp:
        """Return the rows that stand for a slice, or those that it gathers."""
        keep = self._model.baseline_events if gathers else EXAMPLES
        return example_rows(self._group.select, self._offsets, part.rows, keep)

    def _gathered(
        self, part: Slice, chosen: Intp, columns: Mapping[str, Column], known: Sequence[Baseline]
    ) -> tuple[bytes, ...]:
        within = chosen if part.rows is None else np.searchsorted(part.rows, chosen)
        return gathered_rows(
            self._group,
            chosen,
            offsets=self._offsets,
            columns={name: take_rows(columns[name], within) for name in self._without_reference(columns, known)},
            segments=self._model.segments,
        )

    def _without_reference(self, columns: Mapping[str, Column], known: Sequence[Baseline]) -> list[str]:
        """Return the series that have no reference; all of them while those of a whole segment name are wanted."""
        names = {segment_name(label) for document in known for label in document.segments}
        if not names.issuperset(self._model.segments):
            return list(columns)
        covered = {name for document in known for name in document.series}
        return [name for name in columns if name not in covered]


def with_probabilities(counts: SeriesCounts, columns: Mapping[str, Column]) -> SeriesCounts:
    """Return the counts of predictions, texts among the strange values told apart by whether a probability came too."""
    confidence = columns.get(CONFIDENCE)
    if confidence is None or ValueKind.TEXT not in counts.strange:
        return counts
    others = as_numbers(columns[PREDICTION]).others
    texts = list(others)
    if ValueKind.BOOLEAN in counts.strange:
        texts = [row for row in texts if isinstance(others[row], str)]
    absent = as_numbers(confidence).absent
    alone = False if absent is None else bool(absent[texts].any())
    sure = absent is None or not bool(absent[texts].all())
    kinds = {kind for kind in counts.strange if alone or kind is not ValueKind.TEXT}
    return replace(counts, strange=tuple(sorted(kinds | ({ValueKind.PROBABILITIES} if sure else set()))))
