"""Files that strangers bring: kinds by values, what is left out, errors of predictions, clocks, ways of writing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream_monitor.core.batch import NumericColumn, ObjectColumn
from stream_monitor.core.names import SeriesKind
from stream_monitor.formats.tables import Role, Table, TableError, TableOptions, open_table
from stream_monitor.formats.tables.by_itself import DATES
from stream_monitor.formats.tables.spellings import instant_of_text
from stream_monitor.formats.tables.stamps import StampForm, stamp_form

ROWS = 200
BY_ITSELF = TableOptions(by_itself=True, time_unit="")
NOISE = np.random.default_rng(5).normal(size=ROWS).round(4).tolist()
COIN = [n % 3 == 0 for n in range(ROWS)]
MOMENTS = [datetime(2026, 1, 20, tzinfo=UTC) + timedelta(hours=7 * n) for n in range(ROWS)]


def opened(path: Path, columns: dict[str, Sequence[object]], separator: str = ",", encoding: str = "utf-8") -> Table:
    """Open a CSV file with these columns."""
    lines = [separator.join(columns)]
    rows = zip(*columns.values(), strict=True)
    lines += [separator.join("" if cell is None else str(cell) for cell in row) for row in rows]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return open_table(path, BY_ITSELF)


def cells_of(table: Table, series: str) -> list[object]:
    """All cells of a series."""
    (piece,) = table.batches()
    (group,) = piece.batch.groups
    return list(group.columns[series].cells())


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        pytest.param([int(yes) for yes in COIN], SeriesKind.BINARY, id="zeros and ones"),
        pytest.param([float(yes) for yes in COIN], SeriesKind.BINARY, id="as floats"),
        pytest.param(["True" if yes else "False" for yes in COIN], SeriesKind.BINARY, id="words of Python"),
        pytest.param([1 + yes for yes in COIN], SeriesKind.CATEGORICAL, id="two other numbers"),
        pytest.param([n % 3 for n in range(ROWS)], SeriesKind.NUMERIC, id="three numbers"),
        pytest.param([0] * ROWS, SeriesKind.NUMERIC, id="one number"),
    ],
)
def test_the_kind_follows_the_values(tmp_path: Path, cells: Sequence[object], kind: SeriesKind) -> None:
    """An error column of 0 and 1 is yes/no, whatever its type."""
    assert opened(tmp_path / "a.csv", {"error": cells}).layout.kinds == {"error": kind}


def test_zeros_and_ones_are_no_and_yes_only_in_a_file_by_itself(tmp_path: Path) -> None:
    """A model whose baseline is made of a file gets numbers from its traffic."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"flag": [float(yes) for yes in COIN]}), path)

    assert open_table(path).layout.kinds == {"flag": SeriesKind.NUMERIC}
    assert cells_of(open_table(path, BY_ITSELF), "feature:flag") == COIN


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        pytest.param(range(0, 2 * ROWS, 2), "never turns back", id="a counter"),
        pytest.param(range(ROWS, 0, -1), "never turns back", id="a countdown"),
        pytest.param([n // 5 for n in range(ROWS)], "never turns back", id="a counter of groups"),
        pytest.param([f"C{n * 7 % 211}" for n in range(ROWS)], "every value differs", id="identifiers"),
        pytest.param([f"text {n * 7 % 190}" for n in range(ROWS)], "almost every value is new", id="free text"),
        pytest.param([f"{1950 + n % 40}-03-01" for n in range(ROWS)], "dates or times", id="dates of birth"),
        pytest.param([f"{1 + n % 28:02d}.03.1980" for n in range(ROWS)], "dates or times", id="with the day first"),
    ],
)
def test_what_says_nothing_about_drift_is_left_out(tmp_path: Path, cells: Sequence[object], why: str) -> None:
    """With the reason; a counter would drift in every file."""
    layout = opened(tmp_path / "a.csv", {"c": cells, "x": NOISE}).layout

    assert list(layout.kinds) == ["x"]
    assert why in layout.dropped["c"]


def test_a_level_that_steps_once_is_no_counter(tmp_path: Path) -> None:
    """It is the change that is looked for."""
    layout = opened(tmp_path / "a.csv", {"x": [0.0] * 100 + [1.0] * 50 + [2.0] * 50}).layout

    assert list(layout.kinds) == ["x"]


def test_of_too_many_columns_the_first_are_judged(tmp_path: Path) -> None:
    """A model has at most 512 features; the rest is told, not an error."""
    layout = opened(tmp_path / "a.csv", {f"x{n}": NOISE for n in range(520)}).layout

    assert len(layout.kinds) == 511
    assert layout.dropped["x511"] == "more than 511 features"


# --- errors of predictions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "truth", "prediction", "wrong"),
    [
        (("y_true", "y_pred"), [1, 0, 1, 0], [1, 1, 1, 0], [False, True, False, False]),
        (("label", "prediction"), ["a", "b", "c", "a"], ["a", "c", "c", None], [False, True, False, None]),
        (("target", "predicted"), [3, 1, 2, 2], ["3.0", "1.0", "1.0", "2.0"], [False, False, True, False]),
        (("class", "y_hat"), [True, False, False, True], [True, True, False, True], [False, True, False, False]),
    ],
)
def test_truth_and_prediction_give_the_errors(
    tmp_path: Path, names: tuple[str, str], truth: list[object], prediction: list[object], wrong: list[bool | None]
) -> None:
    """Classes of any type, written the same or not; nothing where one of both is missing."""
    table = opened(tmp_path / "a.csv", dict(zip(names, (truth * 50, prediction * 50), strict=True)))

    assert (table.layout.roles[Role.LABEL], table.layout.roles[Role.PREDICTION]) == names
    assert cells_of(table, "feature:error") == wrong * 50


def test_amounts_give_a_residual(tmp_path: Path) -> None:
    """Truth less prediction."""
    table = opened(tmp_path / "a.csv", {"actual": NOISE, "predicted": [x - 0.5 for x in NOISE]})

    assert table.layout.errors is not None
    assert cells_of(table, "feature:residual") == pytest.approx([0.5] * ROWS)


def test_errors_that_the_file_tells_itself_are_not_told_twice(tmp_path: Path) -> None:
    """A column of its own is watched instead."""
    coin = [int(yes) for yes in COIN]
    layout = opened(tmp_path / "a.csv", {"y_true": coin, "y_pred": coin, "correct": coin}).layout

    assert layout.errors is None
    assert layout.kinds == {"correct": SeriesKind.BINARY}


def test_an_error_column_is_a_feature(tmp_path: Path) -> None:
    """Residuals of a model are numbers, and fewer errors are a change as well."""
    layout = opened(tmp_path / "a.csv", {"error": NOISE}).layout

    assert layout.kinds == {"error": SeriesKind.NUMERIC}
    assert Role.ERROR not in layout.roles


# --- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Datum", "%d.%m.%Y %H:%M"),
        ("date", "%m/%d/%Y %H:%M:%S"),
        ("Date/Time", "%m/%d/%Y %I:%M:%S %p"),
        ("when it happened", "%Y/%m/%d %H:%M"),
        ("ts", "%d-%m-%Y %H:%M"),
        ("time", "%Y-%m-%d %H:%M:%S"),
    ],
)
def test_dates_are_read_as_they_are_written(tmp_path: Path, name: str, form: str) -> None:
    """Named or not, the day or the month first: what all cells allow, what runs forwards, the shorter time."""
    table = opened(tmp_path / "a.csv", {name: [moment.strftime(form) for moment in MOMENTS], "x": NOISE})
    (piece,) = table.batches()

    assert table.layout.roles[Role.TIMESTAMP] == name
    assert piece.batch.event_ms.tolist() == [int(moment.timestamp()) * 1_000 for moment in MOMENTS]


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_the_unit_of_an_epoch_is_the_one_of_our_time(tmp_path: Path, unit: int) -> None:
    """Only one of seconds, milliseconds, microseconds lies between 1990 and 2100."""
    stamps = [int(moment.timestamp()) * unit for moment in MOMENTS]
    (piece,) = opened(tmp_path / "a.csv", {"timestamp": stamps, "x": NOISE}).batches()

    assert piece.batch.event_ms[0] == int(MOMENTS[0].timestamp()) * 1_000


def test_dates_that_do_not_run_forwards_are_no_clock(tmp_path: Path) -> None:
    """A date of birth says nothing about the order of rows."""
    births = [f"{1950 + n * 7 % 50}-03-{1 + n % 28:02d}" for n in range(ROWS)]

    assert Role.TIMESTAMP not in opened(tmp_path / "a.csv", {"birth": births, "x": NOISE}).layout.roles


def test_what_the_parts_of_a_date_mean_is_decided_for_all_cells() -> None:
    """One 13 is enough; years of two digits are of our time."""
    assert stamp_form(["01/02/26", "13/02/26"]) is StampForm.DAY_FIRST
    assert stamp_form(["01/02/26", "02/13/26"]) is StampForm.MONTH_FIRST
    assert stamp_form(["20260213", "20260214"]) is StampForm.COMPACT
    assert stamp_form(["13/13/2026"] * 20) is None
    assert StampForm.DAY_FIRST.read(["01.02.26"], zone="UTC")[0].tolist() == [1_769_904_000_000]


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("31-Dec-25", StampForm.NAMED_DAY, "2025-12-31"),
        ("31 December 2025", StampForm.NAMED_DAY, "2025-12-31"),
        ("01JAN2026 00:00", StampForm.NAMED_DAY, "2026-01-01"),
        ("Dec 31, 2025", StampForm.NAMED_MONTH, "2025-12-31"),
        ("Sept. 30 2025 12:00 AM", StampForm.NAMED_MONTH, "2025-09-30"),
        ("2025-12", StampForm.YEAR_MONTH, "2025-12-01"),
        ("2025-M12", StampForm.YEAR_MONTH, "2025-12-01"),
        ("12/2025", StampForm.MONTH_YEAR, "2025-12-01"),
        ("Dec-25", StampForm.MONTH_YEAR, "2025-12-01"),
        ("December 2025", StampForm.MONTH_YEAR, "2025-12-01"),
    ],
)
def test_months_may_stand_by_name_or_alone(text: str, form: StampForm, day: str) -> None:
    """Of a month it is the first day."""
    (ms,), (bad,) = form.read([text], zone="UTC")

    assert stamp_form([text]) is form
    assert (ms, bad) == (int(datetime.fromisoformat(f"{day}T00:00Z").timestamp()) * 1_000, False)


@pytest.mark.parametrize(
    "text", ["Dec 25", "12-25", "2025.12", "2025-13", "31-Foo-25", "Ma-25", "Decimal-25", "x 2025", "1.5 2025"]
)
def test_what_may_be_no_month_of_a_year_is_none(text: str) -> None:
    """Days without a year, numbers with decimals, names that begin like a month."""
    assert stamp_form([text]) is None


def test_a_file_of_months_has_a_clock(tmp_path: Path) -> None:
    """They are no identifiers that differ in every row."""
    months = [f"{1990 + n // 12}-{1 + n % 12:02d}" for n in range(ROWS)]
    table = opened(tmp_path / "a.csv", {"time": months, "x": NOISE})

    assert table.layout.roles[Role.TIMESTAMP] == "time"
    assert list(table.layout.kinds) == ["x"]


# --- ways of writing --------------------------------------------------------------------------------------------------


def test_decimal_commas_are_points(tmp_path: Path) -> None:
    """Where something else parts the cells; dots between thousands go."""
    texts = [f"{x:.2f}".replace(".", ",") for x in NOISE[:-1]] + ["1.234,5"]
    table = opened(tmp_path / "a.csv", {"x": texts, "name": ["a,b", "c"] * 100}, ";")
    column = next(iter(table.batches())).batch.groups[0].columns["feature:x"]

    assert table.layout.kinds == {"x": SeriesKind.NUMERIC, "name": SeriesKind.CATEGORICAL}
    assert isinstance(column, NumericColumn)
    assert column.values[-1] == 1234.5


@pytest.mark.parametrize(
    ("written", "value"),
    [("${:,.2f}", 1234.5), ("{:.1f} %", 1234.5), ("{:,.2f} USD", 1234.5), ("{:_.1f}kg", 1234.5)],
)
def test_amounts_lose_their_units(tmp_path: Path, written: str, value: float) -> None:
    """Currencies, percent signs, units and marks between thousands; a dollar among euros is no number of theirs."""
    texts = [f'"{written.format(abs(x))}"'.replace("_", " ") for x in NOISE[:-2]]
    texts += [f'"{written.format(value)}"'.replace("_", " "), "17 parsecs"]
    column = next(iter(opened(tmp_path / "a.csv", {"x": texts}).batches())).batch.groups[0].columns["feature:x"]

    assert isinstance(column, NumericColumn)
    assert (column.values[-2], column.others) == (value, {ROWS - 1: "17 parsecs"})


def test_amounts_of_typed_files_are_numbers_too(tmp_path: Path) -> None:
    """Parquet and JSON lines hold them as texts."""
    texts = [f"${abs(x) * 1e4:,.2f}" for x in NOISE]
    pq.write_table(pa.table({"x": texts}), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("".join(f'{{"x": "{text}"}}\n' for text in texts))

    for name in ("a.parquet", "a.jsonl"):
        assert open_table(tmp_path / name, BY_ITSELF).layout.kinds == {"x": SeriesKind.NUMERIC}


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param([f"{12 * (3 + 2 * (n % 2))} months" for n in range(ROWS)], id="two words"),
        pytest.param([f"{n % 90}{'ABC'[n % 3]}" for n in range(ROWS)], id="codes"),
        pytest.param([f"v{n % 90}" for n in range(ROWS)], id="versions"),
    ],
)
def test_names_with_numbers_stay_names(tmp_path: Path, texts: list[str]) -> None:
    """A few values, or what stands beside the number differs, or stands before it."""
    assert opened(tmp_path / "a.csv", {"x": texts}).layout.kinds == {"x": SeriesKind.CATEGORICAL}


def test_live_events_write_numbers_as_the_reference_does(tmp_path: Path) -> None:
    """What becomes the reference of live traffic is not rewritten: its events would hold other texts."""
    path = tmp_path / "a.csv"
    path.write_text("x\n" + "".join(f"{x:.2f}%\n" for x in NOISE))

    assert open_table(path).layout.forms == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_texts_of_other_systems_are_read(tmp_path: Path, encoding: str) -> None:
    """With or without a mark."""
    table = opened(tmp_path / "a.csv", {"Straße": ["Köln", "Genf"] * 100, "x": NOISE}, encoding=encoding)
    column = next(iter(table.batches())).batch.groups[0].columns["feature:Straße"]

    assert isinstance(column, ObjectColumn)
    assert column.values[:2] == ["Köln", "Genf"]


def test_a_file_without_a_head_loses_no_row(tmp_path: Path) -> None:
    """A first row of numbers names nothing, unless it counts the columns."""
    bare, counted = tmp_path / "a.csv", tmp_path / "b.csv"
    bare.write_text("".join(f"{x},{-x}\n" for x in NOISE))
    counted.write_text("0,1\n" + "".join(f"{x},{-x}\n" for x in NOISE))

    assert list(open_table(bare, BY_ITSELF).layout.kinds) == ["column 1", "column 2"]
    assert len(cells_of(open_table(bare, BY_ITSELF), "feature:column 1")) == ROWS
    assert list(open_table(counted, BY_ITSELF).layout.kinds) == ["0", "1"]


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_a_stated_clock_is_read_in_the_unit_of_our_time(tmp_path: Path, unit: int) -> None:
    """`--column timestamp=when` says which column, not in which unit."""
    opened(tmp_path / "a.csv", {"when": [int(at.timestamp()) * unit for at in MOMENTS], "x": NOISE})
    table = open_table(tmp_path / "a.csv", replace(BY_ITSELF, columns={Role.TIMESTAMP: "when"}))
    (piece,) = table.batches()

    assert int(piece.batch.event_ms[0]) == int(MOMENTS[0].timestamp()) * 1_000


def test_a_stated_clock_of_no_year_is_refused(tmp_path: Path) -> None:
    """With the unit that would do."""
    opened(tmp_path / "a.csv", {"when": [int(at.timestamp()) * 1_000 for at in MOMENTS], "x": NOISE})

    with pytest.raises(TableError, match="state the time unit"):
        open_table(tmp_path / "a.csv", replace(BY_ITSELF, time_unit="s", columns={Role.TIMESTAMP: "when"}))


def test_times_out_of_order_are_the_clock_where_the_name_says_so(tmp_path: Path) -> None:
    """Other columns of dates are left out as what they are."""
    mixed = [at.isoformat() for at in np.random.default_rng(1).permutation(np.array(MOMENTS))]

    assert opened(tmp_path / "a.csv", {"pickup_datetime": mixed, "x": NOISE}).layout.roles == {
        Role.TIMESTAMP: "pickup_datetime"
    }
    assert opened(tmp_path / "b.csv", {"born": mixed, "x": NOISE}).layout.dropped == {"born": DATES}


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        pytest.param([5.0 + 2.0 * yes for yes in COIN], SeriesKind.CATEGORICAL, id="two levels are no days"),
        pytest.param([n if n % 9 else "off" for n in range(ROWS)], SeriesKind.NUMERIC, id="numbers and a word"),
        pytest.param([f"0{n % 90}" if n % 9 else "off" for n in range(ROWS)], SeriesKind.CATEGORICAL, id="codes"),
        pytest.param([n if n % 9 else f"w{n}" for n in range(ROWS)], None, id="numbers and words"),
    ],
)
def test_texts_of_numbers_are_numbers(tmp_path: Path, cells: Sequence[object], kind: SeriesKind | None) -> None:
    """Unless they are codes, or mixed with too many other texts: then almost every one is new."""
    shuffled = [cells[n] for n in np.random.default_rng(2).permutation(ROWS)]
    layout = opened(tmp_path / "a.csv", {"a": shuffled, "x": NOISE}).layout

    assert layout.kinds.get("a") is kind
    assert layout.dropped.get("a") != DATES


# --- clocks as machines write them ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("%Y-%m-%d %H:%M:%S UTC", id="a warehouse"),
        pytest.param("%Y-%m-%d %H:%M:%S GMT", id="GMT"),
        pytest.param("%Y-%m-%d %H:%M:%S.000 +0000 UTC", id="Go"),
        pytest.param("%Y-%m-%d %H:%M:%S +0000", id="Ruby"),
        pytest.param("%Y-%m-%dT%H:%M:%S+00:00[Etc/UTC]", id="Java"),
        pytest.param("%Y-%m-%d %H:%M:%S Etc/UTC", id="a zone by its name"),
        pytest.param("%Y-%m-%d %H:%M:%S WET", id="a zone in short"),
        pytest.param("%Y-%m-%d %H:%M:%S,000", id="logs of Python"),
        pytest.param("%a, %d %b %Y %H:%M:%S +0000", id="mail"),
        pytest.param("%a, %d %b %Y %H:%M:%S GMT", id="HTTP"),
        pytest.param("%a %b %d %H:%M:%S %Y", id="ctime"),
        pytest.param("%a %b %d %H:%M:%S UTC %Y", id="date"),
        pytest.param("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", id="JavaScript"),
        pytest.param("%d/%b/%Y:%H:%M:%S +0000", id="an access log"),
        pytest.param("[%d/%b/%Y:%H:%M:%S +0000]", id="an access log in brackets"),
        pytest.param("%Y%m%d%H%M%S", id="14 digits"),
        pytest.param("%Y%m%d%H%M", id="12 digits"),
        pytest.param("%Y%m%d%H%M%S000", id="17 digits"),
        pytest.param("%Y%m%dT%H%M%SZ", id="ISO without marks"),
        pytest.param("%Y:%m:%d %H:%M:%S", id="cameras"),
        pytest.param("%Y-%m-%d-%H.%M.%S.000000", id="DB2"),
        pytest.param("%d.%m.%Y %H:%M:%S UTC", id="the day first, with a zone"),
        pytest.param("%m/%d/%Y %I:%M:%S %p UTC", id="the month first, with a zone"),
    ],
)
@pytest.mark.parametrize("stated", [False, True], ids=["by its name", "stated"])
def test_clocks_are_read_as_machines_write_them(form: str, stated: bool, tmp_path: Path) -> None:
    """In any order of rows: the name says that it is the clock."""
    mixed = [MOMENTS[n] for n in np.random.default_rng(1).permutation(ROWS)]
    cells = [f'"{moment.strftime(form)}"' for moment in mixed]
    opened(tmp_path / "a.csv", {"ts": cells, "x": NOISE})
    options = replace(BY_ITSELF, columns={Role.TIMESTAMP: "ts"}) if stated else BY_ITSELF
    table = open_table(tmp_path / "a.csv", options)
    (piece,) = table.batches()

    assert table.layout.roles == {Role.TIMESTAMP: "ts"}
    assert piece.batch.event_ms.tolist() == [int(moment.timestamp()) // 60 * 60_000 for moment in mixed]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01 12:00:00 Europe/Berlin", "2026-07-01T10:00Z"),
        ("2026-07-01T12:00:00+02:00[Europe/Berlin]", "2026-07-01T10:00Z"),
        ("2026-01-01 12:00:00 CET", "2026-01-01T11:00Z"),
        ("2026-01-01 06:00:00 EST", "2026-01-01T11:00Z"),
        ("01/Jan/2026:12:00:00 +0130", "2026-01-01T10:30Z"),
        ("Thu Jan 01 2026 12:00:00 GMT+0100 (CET)", "2026-01-01T11:00Z"),
        ("/Date(1767265200000)/", "2026-01-01T11:00Z"),
        ("2026-01-01 12:00:00 IST", None),
        ("2026-01-01 12:00:00 Mars/Base", None),
        ("Thu Foo 01 12:00:00 2026", None),
        ("20261301000000", None),
        ("00010203", None),
        ("12:00", None),
    ],
)
def test_a_zone_is_known_or_the_text_is_no_instant(text: str, instant: str | None) -> None:
    """IST is a zone of three countries: a guess would move rows by hours."""
    expected = None if instant is None else int(datetime.fromisoformat(instant).timestamp()) * 1_000

    assert instant_of_text(text, UTC) == expected


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
@pytest.mark.parametrize("later", [1, 1_000, 1_000_000, 10**9], ids=["s", "ms", "us", "ns"])
@pytest.mark.parametrize("rows", [1, 90, ROWS - 1])
def test_a_producer_may_change_how_it_writes_time(name: str, later: int, rows: int, tmp_path: Path) -> None:
    """The unit of a number is that in which it is of our time, cell by cell, beside texts and other units."""
    cells: list[object] = [moment.isoformat() for moment in MOMENTS]
    cells[:rows] = [int(moment.timestamp()) * later for moment in MOMENTS[:rows]]
    if name == "a.csv":
        opened(tmp_path / name, {"ts": cells, "x": NOISE})
    else:
        lines = [json.dumps({"ts": cell, "x": x}) for cell, x in zip(cells, NOISE, strict=True)]
        (tmp_path / name).write_text("\n".join(lines))
    (piece,) = open_table(tmp_path / name, BY_ITSELF).batches()

    assert piece.batch.event_ms.tolist() == [int(moment.timestamp()) * 1_000 for moment in MOMENTS]


@pytest.mark.parametrize("cells", [range(ROWS), [n * 0.7 for n in range(ROWS)], [10**17 + n for n in range(ROWS)]])
def test_a_stated_clock_of_no_time_of_ours_is_refused(cells: Sequence[object], tmp_path: Path) -> None:
    """Seconds since the first row are no instants in any unit."""
    opened(tmp_path / "a.csv", {"when": cells, "x": NOISE})

    with pytest.raises(TableError, match=r"column 'when': must hold time stamps, got .* --row-order"):
        open_table(tmp_path / "a.csv", replace(BY_ITSELF, columns={Role.TIMESTAMP: "when"}))


def test_a_clock_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With its first cell: it is no identifier."""
    layout = opened(tmp_path / "a.csv", {"ts": [f"T+{n * 7 % 211}" for n in range(ROWS)], "x": NOISE}).layout

    assert layout.dropped["ts"].startswith("named like a clock, but 'T+0' is no time stamp that is known")


def test_a_number_of_any_length_is_no_crash(tmp_path: Path) -> None:
    """Four hundred digits are more than a float holds."""
    stamps = [moment.isoformat() for moment in MOMENTS]
    stamps[7] = "9" * 400
    (piece,) = opened(tmp_path / "a.csv", {"ts": stamps, "x": NOISE}).batches()

    assert [reject.offset for reject in piece.batch.rejects] == [7]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("{:04d}", id="4 digits"),
        pytest.param("{:06d}", id="6 digits"),
        pytest.param("{:08d}", id="8 digits"),
        pytest.param("0{:09d}", id="telephones"),
        pytest.param("0{:04d}", id="postcodes"),
        pytest.param("{:014d}", id="14 digits"),
    ],
)
@pytest.mark.parametrize("values", [20, 300])
def test_codes_of_digits_are_categories(code: str, values: int, tmp_path: Path) -> None:
    """They are neither numbers nor days since 1970."""
    codes = [code.format(n * n * 37 % values + 90) for n in range(ROWS)]
    layout = opened(tmp_path / "a.csv", {"code": codes, "x": NOISE}).layout

    assert layout.kinds["code"] is SeriesKind.CATEGORICAL


def test_codes_of_which_few_begin_with_a_zero_are_no_numbers(tmp_path: Path) -> None:
    """One postcode in thirty is enough: all have the same width."""
    codes = [f"{n * 331 % 97_000 + (1_000 if n % 30 else 1_067 - n * 331 % 97_000):05d}" for n in range(ROWS)]
    layout = opened(tmp_path / "a.csv", {"plz": [f"{int(own) % 90:02d}{'107'}" for own in codes], "x": NOISE}).layout

    assert layout.kinds["plz"] is SeriesKind.CATEGORICAL


def test_days_written_in_digits_are_dates(tmp_path: Path) -> None:
    """Where all of them are days of our time."""
    days = [(MOMENTS[0] + timedelta(days=n * 7 % 190)).strftime("%Y%m%d") for n in range(ROWS)]
    layout = opened(tmp_path / "a.csv", {"born": [f"{day}" for day in days], "x": NOISE}).layout

    assert "born" not in layout.kinds or layout.kinds["born"] is SeriesKind.NUMERIC
