"""Building a baseline: kinds, categories fixed by half of the rows, moments, limits."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.arrays import Bool
from stream_monitor.core.baseline import (
    Baseline,
    BaselineError,
    BinaryBaseline,
    CategoricalBaseline,
    CategoryColumn,
    Constraint,
    NumericBaseline,
    Origin,
    OriginType,
    ReferenceTable,
    ValueType,
    build_baseline,
    measured_along,
)
from stream_monitor.core.baseline.table import Column
from stream_monitor.core.keys import file_row_hashes
from stream_monitor.core.plan import LimitsPlan


def built(limits: LimitsPlan | None = None, **columns: Column) -> Baseline:
    """Build a baseline from columns; the names of features are bare."""
    first = next(iter(columns.values()))
    rows = first.codes.size if isinstance(first, CategoryColumn) else len(first)
    select, tie = file_row_hashes("m", range(rows))
    own = {"prediction", "confidence", "latency", "serving_error"}
    named = {name if name in own else f"feature:{name}": column for name, column in columns.items()}
    table = ReferenceTable(named, select, tie)
    origin = Origin(OriginType.DATASET, rows)
    return build_baseline("m", "1", table, origin=origin, limits=limits or LimitsPlan())


def categorical(baseline: Baseline, name: str = "feature:x") -> CategoricalBaseline:
    series = baseline.series[name]
    assert isinstance(series, CategoricalBaseline)
    return series


def numeric(baseline: Baseline, name: str = "feature:x") -> NumericBaseline:
    series = baseline.series[name]
    assert isinstance(series, NumericBaseline)
    return series


def even(rows: int) -> Bool:
    """Say which rows of a built table have an even selection hash."""
    select, _ = file_row_hashes("m", range(rows))
    return np.array([int(hash_) % 2 == 0 for hash_ in select], np.bool_)


@pytest.mark.parametrize(
    ("column", "kind", "type_"),
    [
        pytest.param([1, 2.5, None] * 60, "numeric", ValueType.FRACTIONAL, id="numbers"),
        pytest.param([1, 2, 0] * 60, "numeric", ValueType.INTEGRAL, id="few integers stay numeric"),
        pytest.param(np.arange(180), "numeric", ValueType.INTEGRAL, id="an integer array"),
        pytest.param(["a", "b", None] * 60, "categorical", ValueType.STRING, id="texts"),
        pytest.param(["1", "2", "3"] * 60, "categorical", ValueType.STRING, id="numbers in texts are texts"),
        pytest.param([True, False, None] * 60, "binary", ValueType.BOOLEAN, id="booleans"),
        pytest.param(np.ones(180, np.bool_), "binary", ValueType.BOOLEAN, id="a boolean array"),
        pytest.param([1, 2.5, "x"] * 60, "numeric", ValueType.FRACTIONAL, id="most are numbers"),
    ],
)
def test_the_kind_is_the_type_of_most_values(column: Column, kind: str, type_: ValueType) -> None:
    """A series is what most of its values are, and its constraint says so."""
    baseline = built(x=column)

    assert (kind, type_) == (baseline.series["feature:x"].kind, baseline.constraints["feature:x"].type)


def test_values_of_another_type_are_invalid_not_missing() -> None:
    """Texts, infinities, booleans and objects among numbers are left out and counted apart from nulls."""
    column: list[object] = [1.5] * 100 + ["x", math.inf, True, [1], None, math.nan]
    baseline = built(x=column)

    assert (100, 2, 4) == (numeric(baseline).observed, numeric(baseline).missing, baseline.invalid("feature:x"))


def test_an_error_column_is_binary_whatever_names_the_failure() -> None:
    """A text is the class of a failure, null and false are none."""
    baseline = built(serving_error=[None] * 70 + [False] * 20 + ["timeout"] * 6 + [True] * 4)
    errors = baseline.series["serving_error"]

    assert isinstance(errors, BinaryBaseline)
    assert (90, 10) == errors.counts


def test_a_series_with_too_few_values_is_left_out() -> None:
    """Below 63 valid values nothing can be said: the series is warming up."""
    baseline = built(few=[1.0] * 62 + [None] * 38, enough=[1.0] * 63 + [None] * 37)

    assert ["feature:enough"] == list(baseline.series) == list(baseline.constraints)


def test_completeness_is_rounded_down() -> None:
    """The least share of values is one that the reference itself keeps."""
    constraint = built(x=[1.5] * 199 + [None]).constraints["feature:x"]

    assert Constraint(ValueType.FRACTIONAL, 0.99) == constraint


def test_all_rows_count_in_a_large_reference() -> None:
    """The rows beyond the m that make the edges are the observed past."""
    series = numeric(built(x=np.arange(5000) % 700))

    assert (4095, 905, 5001) == (series.m, series.seen.sum(), series.reference.sum())


def test_the_rows_of_even_parity_say_which_categories_are_known() -> None:
    """A category that only odd rows hold is the event `unseen`; how many of them hold it is its reference."""
    is_even = even(400)
    column = np.where(is_even, "a", np.where(np.arange(400) % 3 == 0, "rare", "a")).tolist()
    series = categorical(built(x=column))

    assert (column.count("rare"), int((~is_even).sum())) == (series.unseen_k, series.unseen_m)


def test_few_categories_are_all_listed() -> None:
    """Nothing is pooled, so nothing is selected: `other` is empty and an unknown value is unseen."""
    series = categorical(built(x=["b", "a", "ü", "B"] * 50))

    assert (("B", "a", "b", "ü"), (50,) * 4, 0) == (series.categories, series.counts, series.other)
    assert ((), None, series.unseen_bin) == (series.other_categories, series.unlisted, series.unknown_bin)


def test_a_long_list_is_cut_by_the_even_rows_and_measured_by_the_odd_ones() -> None:
    """Listed are the most frequent of the even rows; how often odd rows fall outside the list is a fair reference."""
    rng = np.random.default_rng(4)
    column = [f"c{number:03}" for number in rng.zipf(1.6, 3000).clip(max=200)]
    is_even = even(3000)
    evens = [value for value, own in zip(column, is_even.tolist(), strict=True) if own]
    odds = [value for value, own in zip(column, is_even.tolist(), strict=True) if not own]
    expected = sorted(sorted(set(column), key=lambda value: (-evens.count(value), value))[:10])
    series = categorical(built(LimitsPlan(categories=10), x=column))

    assert expected == list(series.categories)
    assert [column.count(value) for value in expected] == list(series.counts)
    assert (sum(value not in expected for value in odds), len(odds)) == series.unlisted
    assert (sorted(set(column) - set(expected)), 3000) == (
        list(series.other_categories or ()),
        sum(series.counts) + series.other,
    )


def test_too_many_pooled_names_are_not_written_down() -> None:
    """Beyond a thousand names an unknown value counts as other."""
    series = categorical(built(LimitsPlan(categories=5), x=[f"id-{number}" for number in range(1010)]))

    assert (None, series.other_bin) == (series.other_categories, series.unknown_bin)


def test_long_categories_leave_the_document_within_a_part() -> None:
    """The list is cut by bytes too: a series always fits into a part of the topic."""
    column = [f"{number:03}" + "\x01" * 300 for number in range(256)] * 2
    baseline = built(x=column)

    assert all(len(value) <= 256 * 1024 for _, value in baseline.parts())
    assert all(len(category.encode()) <= 256 for category in categorical(baseline).categories)


def test_codes_and_texts_give_the_same_baseline() -> None:
    """A column of codes, with a name twice and one never used, is the same as its texts."""
    names = ["x", "y", "x", "never"]
    codes = np.array([0, 1, 2, -1] * 30, dtype=np.intp)
    texts = [None if code < 0 else names[code] for code in codes.tolist()]

    assert built(x=CategoryColumn(codes, names)).encode() == built(x=texts).encode()


@given(st.permutations(range(90)))
def test_the_order_of_the_rows_changes_no_byte(order: Sequence[int]) -> None:
    """A baseline is a function of the set of rows."""
    rng = np.random.default_rng(1)
    number = rng.normal(size=90) * 1e6
    text = [None if value > 0.9 else f"c{int(value * 20)}" for value in rng.random(90)]
    select, tie = file_row_hashes("m", range(90))
    picked = np.array(order)
    tables = [
        ReferenceTable(
            {"feature:n": number[rows], "feature:t": [text[row] for row in rows.tolist()]},
            select[rows],
            tie[rows],
            segments={"channel": ["app" if row % 5 == 0 else "web" for row in rows.tolist()]},
        )
        for rows in (np.arange(90), picked)
    ]
    origin = Origin(OriginType.FIRST_EVENTS, 90)
    one, other = (build_baseline("m", "", table, origin=origin, limits=LimitsPlan()) for table in tables)

    assert one.encode() == other.encode()
    assert list(one.segments) == ["channel=web"]


def test_a_segment_has_the_reference_of_its_own_rows() -> None:
    """As if its rows alone had been given; values with fewer than 63 rows, and rows without one, have none."""
    rows = 400
    select, tie = file_row_hashes("m", range(rows))
    numbers: Column = np.random.default_rng(3).normal(size=rows)
    columns: dict[str, Column] = {"feature:n": numbers, "feature:t": ["ab"[i % 2] for i in range(rows)]}
    channel = [("web", "web", "app", "app", "fax", None)[row % 6] for row in range(rows)]
    table = ReferenceTable(columns, select, tie, segments={"channel": channel})
    baseline = build_baseline("m", "", table, origin=Origin(OriginType.DATASET, rows), limits=LimitsPlan())
    web = np.array([row for row in range(rows) if channel[row] == "web"])
    alone = build_baseline("m", "", table.at(web), origin=Origin(OriginType.DATASET, web.size), limits=LimitsPlan())
    own = baseline.of_segment("channel=web")

    assert {label: found.rows for label, found in baseline.segments.items()} == {
        "channel=app": channel.count("app"),
        "channel=fax": channel.count("fax"),
        "channel=web": channel.count("web"),
    }
    assert {name: series.reference.tolist() for name, series in own.series.items()} == {
        name: series.reference.tolist() for name, series in alone.series.items()
    }
    assert (own.id, own.origin.rows, dict(own.segments)) == (baseline.id, web.size, {})


@pytest.mark.parametrize(("rows", "limit", "kept"), [(300, 9, []), (400, 9, ["c=0", "c=1"]), (400, 1, ["c=0"])])
def test_segments_need_rows_and_stay_within_their_limit(rows: int, limit: int, kept: list[str]) -> None:
    """Fewer than 63 rows make no grid; of too many segments the first by label are kept."""
    select, tie = file_row_hashes("m", range(rows))
    values = [str(row % 2) if row % 3 == 0 else f"rare-{row}" for row in range(rows)]
    table = ReferenceTable({"feature:n": np.arange(rows) / 7}, select, tie, segments={"c": values})
    origin = Origin(OriginType.DATASET, rows)

    assert kept == list(build_baseline("m", "", table, origin=origin, limits=LimitsPlan(segments=limit)).segments)


@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([5e-324, 1.7976931348623157e308, -0.0]),
        min_size=63,
        max_size=80,
    )
)
def test_any_finite_numbers_make_a_baseline(values: list[float]) -> None:
    """The largest and the smallest doubles overflow nothing, and the document can be read again."""
    baseline = built(x=np.array(values))
    series = numeric(baseline)

    assert (min(values), max(values)) == (series.minimum, series.maximum)
    assert baseline.encode() == Baseline.decode(baseline.encode()).encode()


def test_mean_and_deviation_have_six_digits() -> None:
    """Computed statistics are rounded; minimum and maximum are data and are not."""
    values = [math.sqrt(number) for number in range(1000)]
    series = numeric(built(x=np.array(values)))

    assert (float(f"{statistics.fmean(values):.6g}"), float(f"{statistics.pstdev(values):.6g}")) == (
        series.mean,
        series.std,
    )
    assert math.sqrt(999) == series.maximum


def test_stated_constraints_replace_the_inferred_ones() -> None:
    """A range or a domain is the user's to state."""
    table = ReferenceTable({"feature:x": np.arange(100)}, *file_row_hashes("m", range(100)))
    stated = {"feature:x": Constraint(minimum=0.0)}
    origin = Origin(OriginType.DATASET, 100)
    baseline = build_baseline("m", "", table, origin=origin, limits=LimitsPlan(), constraints=stated)

    assert stated == baseline.constraints


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        pytest.param({"x": [1.0] * 62}, "needs at least 63 rows, got 62", id="too few rows"),
        pytest.param({f"x{n}": [1.0] * 63 for n in range(4)}, "may have 3 features, got 4", id="too many features"),
    ],
)
def test_an_impossible_reference_is_refused(columns: dict[str, Column], message: str) -> None:
    """The message names the limit and the number."""
    with pytest.raises(BaselineError, match=message):
        built(LimitsPlan(features=3), **columns)


def test_rows_that_are_new_to_others_are_expected_among_new_rows() -> None:
    """Of a column of ever new names most future values are unseen: the comparison must not call that a drift."""
    names = [f"user-{row // 2 if row % 3 else row}" for row in range(3000)]
    series = categorical(built(x=names))

    assert series.expected[series.other_bin] + series.expected[series.unseen_bin] > 0.4 * series.m
    assert series.reference[series.unseen_bin] == 0


def test_rows_in_the_order_of_time_tell_their_dependence() -> None:
    """Values, categories and gaps that come in runs have a design effect each; rows without an order have none."""
    random = np.random.default_rng(2)
    runs = random.standard_normal(300).repeat(10)
    number = np.where(random.random(300).repeat(10) < 0.2, np.nan, runs)
    text = [("a", "b")[int(value > 0)] for value in runs]
    select, tie = file_row_hashes("m", range(3000))
    shuffled = random.permutation(3000)
    columns: dict[str, Column] = {
        "feature:n": number[shuffled],
        "feature:t": [text[row] for row in shuffled.tolist()],
        "feature:i": random.standard_normal(3000),
    }
    origin = Origin(OriginType.DATASET, 3000)
    table = ReferenceTable(columns, select, tie, happened=shuffled)
    made = build_baseline("m", "1", table, origin=origin, limits=LimitsPlan())
    unordered = build_baseline("m", "1", ReferenceTable(columns, select, tie), origin=origin, limits=LimitsPlan())
    number_of, text_of, independent = (made.series[f"feature:{name}"].dependence for name in "nti")

    assert number_of is not None
    assert text_of is not None
    assert number_of.values.value == pytest.approx(10, rel=0.4)
    assert number_of.absent.value == pytest.approx(10, rel=0.4)
    assert text_of.values.value == pytest.approx(10, rel=0.4)
    assert independent == ((1.0, True), (1.0, True))
    assert unordered.series["feature:n"].dependence is None
    assert Baseline.decode(made.encode()).series["feature:n"].dependence == number_of


def test_segments_are_as_dependent_as_their_own_rows_in_the_whole_file() -> None:
    """One channel's values come in runs of ten, the other's do not: the file says so where its first rows cannot."""
    rows, first = 6_000, 1_500
    random = np.random.default_rng(4)
    web = np.arange(rows) % 2 == 0
    runs = random.standard_normal(rows // 20).repeat(10)
    values = np.empty(rows)
    values[web], values[~web] = runs + 0.1 * random.standard_normal(rows // 2), random.standard_normal(rows // 2)
    select, tie = file_row_hashes("m", range(rows))
    channel = np.where(web, "web", "app").tolist()
    whole = ReferenceTable({"feature:n": values}, select, tie, np.arange(rows), segments={"channel": channel})
    reference = replace(whole.at(np.arange(first)), happened=None, segments={"channel": channel[:first]})
    made = build_baseline("m", "", reference, origin=Origin(OriginType.DATASET, first), limits=LimitsPlan())
    found = {label: own.series["feature:n"].dependence for label, own in measured_along(made, whole).segments.items()}
    app, web_found = found["channel=app"], found["channel=web"]

    assert app is not None
    assert web_found is not None
    assert app.values.value == 1.0
    assert web_found.values.value == pytest.approx(10, rel=0.4)
