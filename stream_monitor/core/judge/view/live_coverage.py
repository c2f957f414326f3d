"""Coverage of a live judge: what its references give, less what its events did not hold, or held otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stream_monitor.core.judge.model.model_state import ModelState, VersionState
from stream_monitor.core.judge.remembered import Remembered
from stream_monitor.core.judge.watch.coverage import (
    Blind,
    Coverage,
    demand_coverage,
    seen_without_reference,
    version_coverage,
)
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.judge.watch.watched_series import Counted

_MOST = 0.5
"""Share of the values of another kind from which on a series is as good as blind."""


def judge_coverage(judge: Remembered) -> Iterator[Coverage]:
    """Yield the coverage of every series of a judge: by model, its demand first, then its versions."""
    for name in sorted(judge.models):
        model = judge.models[name]
        demand = demand_coverage(judge.rulebook, name, model.plan)
        yield (
            demand if demand.reason is not None or model.demand is None else _live(_Places.of(model.demand), 0, demand)
        )
        for version in sorted(model.versions):
            yield from _version(judge, model, version, model.versions[version])


def _version(judge: Remembered, model: ModelState, version: str, state: VersionState) -> Iterator[Coverage]:
    planned = _planned(judge, model, version, state)
    if state.watch is None:
        yield from (_in_warm_up(item, state) for item in planned)
        return
    is_rare = state.blind_panes == 0
    blind = seen_without_reference(model.name, version, model.plan, state.blind, state.left_out, is_rare=is_rare)
    places = {
        (own.watch.segment, item.name): (own, i)
        for own in map(_Places.of, state.watches)
        for i, item in enumerate(own.watch.series)
    }
    for item in planned:
        if item.reason is Blind.NOT_IN_BASELINE:
            yield blind.pop(item.series, item.but(Blind.NO_EVENTS))
        elif item.reason is None and (item.segment, item.series) in places:
            yield _live(*places[item.segment, item.series], item)
        else:
            yield item
    yield from blind.values()


def _planned(judge: Remembered, model: ModelState, version: str, state: VersionState) -> list[Coverage]:
    """Return what the references give; worked out once for each set of them."""
    documents = state.documents
    names = tuple(document.id for document in documents)
    if state.planned is None or state.planned[0] != names:
        state.planned = names, version_coverage(judge.plan, judge.rulebook, model.name, version, documents)
    return state.planned[1]


def _in_warm_up(item: Coverage, state: VersionState) -> Coverage:
    warm_up = state.warm_up
    if warm_up is None or item.reason is not Blind.WARMING_UP:
        return item
    if warm_up.failure is not None:
        return item.but(Blind.BASELINE_FAILED, warm_up.failure.words)
    if warm_up.resume_ms is not None:
        return item.but(Blind.WARMING_UP, "made, and waits for its first pane")
    return item.but(Blind.WARMING_UP, f"{len(warm_up.rows)} of {warm_up.wanted} rows")


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where things stand in a watch: looked up for every series, and searched once.

    Attributes:
        judged: uses that a rule judges, by the position of their series.
        invalid: position of the series that counts the invalid values of another, by its name.
    """

    watch: Watch
    judged: Mapping[int, Sequence[int]]
    invalid: Mapping[str, int]

    @classmethod
    def of(cls, watch: Watch) -> _Places:
        judged: dict[int, list[int]] = {}
        for i, use in enumerate(watch.uses):
            if i in watch.rules:
                judged.setdefault(use.series, []).append(i)
        counts = ((item.of, i) for i, item in enumerate(watch.series) if item.counted is Counted.INVALID)
        return cls(watch, judged, dict(counts))


def _live(places: _Places, position: int, item: Coverage) -> Coverage:
    """Return the coverage of a series with a reference, after what the last window held of it."""
    watch = places.watch
    own, judged = watch.series[position], places.judged.get(position, ())
    if judged and all(watch.groups[i].warming_up(watch.rows[i]) for i in judged):
        return item.but(Blind.WARMING_UP, "it learns from its first panes")
    if own.counted is not Counted.VALUES or not watch.pushed:
        return item
    values = int(watch.in_window(position).sum())
    invalid = int(watch.in_window(places.invalid[own.of])[1]) if own.of in places.invalid else 0
    if invalid and invalid > _MOST * (values + invalid):
        return item.but(
            Blind.KIND_DIFFERS, f"{invalid} of {values + invalid}; the baseline has {own.kind.value} values"
        )
    if not values:
        return item.but(Blind.NO_EVENTS)
    return item
