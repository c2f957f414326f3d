"""References by strata: which hours the rows allow, what each holds, and how it is written."""

from __future__ import annotations

import hashlib

import numpy as np
import orjson
import pytest

from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import (
    Baseline,
    BaselineError,
    CategoricalBaseline,
    NumericBaseline,
    Origin,
    OriginType,
    ReferenceTable,
    build_baseline,
    by_stratum,
    calendar_of,
    of_pane,
)
from stream_monitor.core.baseline.strata import fitting_calendar
from stream_monitor.core.calendar import NO_SEASONS, Calendar, Seasons
from stream_monitor.core.plan import LimitsPlan

HOUR_MS = 3_600_000
MONDAY_MS = 4 * 24 * HOUR_MS
HOURLY = Seasons(Calendar.HOUR_OF_DAY, 60_000)


def spread(days: float, rows: int, *, from_hour: int = 0, to_hour: int = 24) -> Int64:
    """Times of rows that come evenly between two hours of each day."""
    hours = np.linspace(0.0, days * (to_hour - from_hour), rows, endpoint=False)
    day, hour = np.divmod(hours, to_hour - from_hour)
    return (MONDAY_MS + (day * 24 + from_hour + hour) * HOUR_MS).astype(np.int64)


def seasonal(days: float = 4.0, rows: int = 12_000, *, seasons: Seasons = HOURLY) -> Baseline:
    """A model whose values, categories and gaps follow the hour of the day."""
    rng = np.random.default_rng(3)
    times = spread(days, rows)
    day = np.sin(2 * np.pi * (times // HOUR_MS % 24) / 24)
    x = 3.0 * day + rng.normal(size=rows)
    gaps = rng.random(rows) < 0.15 + 0.1 * day
    table = ReferenceTable(
        {
            "feature:x": x,
            "feature:gappy": np.where(gaps, np.nan, rng.normal(size=rows)),
            "feature:channel": [
                f"rare {n}" if n % 97 == 0 else "web" if draw < 0.5 + 0.3 * level else "app"
                for n, (draw, level) in enumerate(zip(rng.random(rows), day, strict=True))
            ],
            "feature:night": (rng.random(rows) < 0.5 - 0.4 * day),
        },
        rng.integers(0, 2**63, rows).astype(np.uint64),
        rng.integers(0, 2**53, rows),
        happened=times,
        event_ms=times,
    )
    origin = Origin(OriginType.DATASET, rows, int(times[0]), int(times[-1]))
    return build_baseline("m", "", table, origin=origin, limits=LimitsPlan(), seasons=seasons)


@pytest.mark.parametrize(
    ("wanted", "times", "found"),
    [
        (Calendar.HOUR_OF_DAY, spread(4, 24 * 256), Calendar.HOUR_OF_DAY),
        (Calendar.HOUR_OF_DAY, spread(4, 24 * 255 - 25), Calendar.SIX_HOURS),
        (Calendar.HOUR_OF_DAY, spread(1.5, 24 * 2_000), Calendar.NONE),
        (Calendar.HOUR_OF_DAY, spread(9, 20_000, from_hour=6, to_hour=18), Calendar.NONE),
        (Calendar.HOUR_OF_WEEK, spread(14, 168 * 256), Calendar.HOUR_OF_WEEK),
        (Calendar.HOUR_OF_WEEK, spread(13, 168 * 300), Calendar.WEEKEND_HOUR),
        (Calendar.HOUR_OF_WEEK, spread(10, 168 * 300), Calendar.HOUR_OF_DAY),
        (Calendar.HOUR_OF_WEEK, spread(14, 100 * 255), Calendar.WEEKEND_HOUR),
        (Calendar.SIX_HOURS, spread(14, 168 * 255), Calendar.SIX_HOURS),
        (Calendar.NONE, spread(14, 168 * 255), Calendar.NONE),
        (Calendar.HOUR_OF_DAY, np.empty(0, np.int64), Calendar.NONE),
    ],
)
def test_the_finest_hours_with_rows_enough_are_told_apart(wanted: Calendar, times: Int64, found: Calendar) -> None:
    """255 values in the emptiest stratum and two cycles; else the next coarser calendar, at last none."""
    assert fitting_calendar(Seasons(wanted, 60_000), times) is found


def test_panes_longer_than_the_hour_have_coarser_strata() -> None:
    """A row is of the stratum of its pane: with panes of two hours every second hour would be empty."""
    times = spread(10, 24 * 600)

    assert fitting_calendar(Seasons(Calendar.HOUR_OF_DAY, 2 * HOUR_MS), times) is Calendar.SIX_HOURS


def test_each_hour_has_its_own_edges_and_shares() -> None:
    """Edges move with the season, counts are those of the hour, and together they are all rows."""
    series = seasonal().series
    x, channel = by_stratum(series["feature:x"]), by_stratum(series["feature:channel"])

    medians = [own.edges[own.bins // 2] for own in x if isinstance(own, NumericBaseline)]
    assert (len(x), np.argmax(medians) in range(4, 9), np.argmin(medians) in range(16, 21)) == (24, True, True)
    assert {own.m for own in x if isinstance(own, NumericBaseline)} == {255}
    assert sum(own.observed for own in x) == series["feature:x"].observed == 12_000
    assert sum(own.observed for own in channel) == series["feature:channel"].observed
    assert len({own.categories for own in channel if isinstance(own, CategoricalBaseline)}) == 1


def test_values_that_are_missing_count_for_the_choice_of_hours() -> None:
    """A series that is mostly missing has coarser strata than one that is always there."""
    rows, rng = 24 * 400, np.random.default_rng(5)
    times = spread(4, rows)
    columns = {"feature:full": rng.normal(size=rows), "feature:half": np.where(rng.random(rows) < 0.5, np.nan, 1.0)}
    select, tie = rng.integers(0, 2**63, rows).astype(np.uint64), rng.integers(0, 2**53, rows)
    table = ReferenceTable(columns, select, tie, event_ms=times)
    made = build_baseline("m", "", table, origin=Origin(OriginType.DATASET, rows), limits=LimitsPlan(), seasons=HOURLY)

    assert [calendar_of(own) for own in made.series.values()] == [Calendar.HOUR_OF_DAY, Calendar.SIX_HOURS]
    assert sum(made.rows("feature:half")) == rows
    assert made.series["feature:half"].missing + made.series["feature:half"].observed == rows


def test_a_pane_is_counted_against_its_hour() -> None:
    """The reference of a pane follows from its start alone."""
    series = seasonal().series["feature:x"]

    assert of_pane(series, MONDAY_MS + 7 * HOUR_MS + 1) is by_stratum(series)[7]
    assert of_pane(series, 24 * HOUR_MS * 400 - 1) is by_stratum(series)[23]


def test_a_season_is_no_dependence() -> None:
    """Within hours the rows are independent; taken together, the season looks like dependence of the worst kind."""
    stratified, plain = seasonal(), seasonal(seasons=NO_SEASONS)

    assert [own.dependence.values.value for own in stratified.series.values() if own.dependence] == [1.0] * 4
    assert plain.series["feature:x"].dependence is not None
    assert plain.series["feature:x"].dependence.values.value > 50.0


def test_a_document_of_strata_is_read_as_it_was_written() -> None:
    """Bytes, id and parts survive, and so does every reference."""
    baseline = seasonal()
    again = Baseline.from_parts([value for _, value in baseline.parts()])

    assert (again.encode(), again.id) == (baseline.encode(), baseline.id)
    for name, own in baseline.series.items():
        for one, other in zip(by_stratum(own), by_stratum(again.series[name]), strict=True):
            assert one.reference.tolist() == other.reference.tolist()
    assert again.series["feature:x"].reference.tolist() == baseline.series["feature:x"].reference.tolist()


def test_a_week_of_hours_fits_a_record() -> None:
    """168 strata of a series with long numbers make a part that a topic takes."""
    baseline = seasonal(14.0, 168 * 300, seasons=Seasons(Calendar.HOUR_OF_WEEK, 60_000))
    parts = [value for _, value in baseline.parts()]

    assert calendar_of(baseline.series["feature:x"]) is Calendar.HOUR_OF_WEEK
    assert max(map(len, parts)) < 768 * 1024
    assert Baseline.from_parts(parts).id == baseline.id


def test_without_seasons_nothing_changes() -> None:
    """Times that are known, but not asked for, leave the document as it was: no strata, the same bytes."""
    baseline = seasonal(seasons=NO_SEASONS)

    assert b"strat" not in baseline.encode()
    assert all(own.strata is None for own in baseline.series.values())


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("rows", [1] * 24, ""),
        ("rows", [1] * 23, "has 24 of one kind"),
        ("rows", [-1] * 24, "none negative"),
        ("strata", [], "for each stratum"),
        ("calendar", "six_hours", "has 4 of one kind"),
        ("shared", {}, "strata"),
    ],
)
def test_strata_that_contradict_themselves_are_refused(path: str, value: object, message: str) -> None:
    """Even with a matching id, strata that do not fit their calendar are no baseline."""
    tree = orjson.loads(seasonal().encode())
    tree["series"]["feature:x"][path] = value
    del tree["id"]
    digest = hashlib.sha256(orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)).hexdigest()
    document = orjson.dumps({**tree, "id": f"sha256:{digest}"})

    if not message:
        assert Baseline.decode(document).rows("feature:x") == (1,) * 24
        return
    with pytest.raises(BaselineError, match=message):
        Baseline.decode(document)
