"""Files of rows: what columns are, rows as batches, reference rows, errors that name the place."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream_monitor.core.baseline import Baseline, CategoricalBaseline, NumericBaseline, build_baseline
from stream_monitor.core.batch import Group
from stream_monitor.core.keys import file_row_hashes, row_hashes
from stream_monitor.core.names import RejectReason, SeriesKind
from stream_monitor.core.plan import LimitsPlan
from stream_monitor.core.time import parse_instant
from stream_monitor.formats.tables import Role, Table, TableError, TableOptions, is_native_events, kinds_of, open_table
from stream_monitor.formats.tables.reference import ReferenceRows

T0 = "2026-11-22T07:00:00Z"
T0_MS = parse_instant(T0)

Rows = Mapping[str, Sequence[object]]


def csv(path: Path, columns: Rows, separator: str = ",") -> Path:
    """Write columns as CSV; None is an empty field."""
    lines = [separator.join(columns)]
    lines += [
        separator.join("" if cell is None else str(cell) for cell in row) for row in zip(*columns.values(), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def parquet(path: Path, columns: Rows) -> Path:
    """Write columns as Parquet."""
    pq.write_table(pa.table(dict(columns)), path)
    return path


def jsonl(path: Path, columns: Rows) -> Path:
    """Write columns as JSON lines; None is left out."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    path.write_text("".join(json.dumps({k: v for k, v in row.items() if v is not None}) + "\n" for row in rows))
    return path


def stamps(rows: int, step_s: int = 1) -> list[str]:
    return [datetime.fromtimestamp(T0_MS / 1000 + n * step_s, UTC).isoformat() for n in range(rows)]


def traffic(rows: int = 100) -> dict[str, list[object]]:
    """Return rows of a small model: a number with gaps, a category, a boolean, and the usual other columns."""
    return {
        "event_id": [f"e{n}" for n in range(rows)],
        "timestamp": list(stamps(rows)),
        "amount": [None if n % 10 == 3 else n * 1.5 for n in range(rows)],
        "country": [None if n % 7 == 0 else ("DE", "NA", "fr")[n % 3] for n in range(rows)],
        "night": [n % 4 == 0 for n in range(rows)],
        "prediction": [("ok", "fraud")[n % 2] for n in range(rows)],
        "latency_ms": [5.0 + n % 3 for n in range(rows)],
        "error": [None if n % 50 else "timeout" for n in range(rows)],
    }


def only_group(table: Table) -> Group:
    (piece,) = table.batches()
    (group,) = piece.batch.groups
    return group


def baseline_of(table: Table) -> Baseline:
    (reference,) = table.references()
    return build_baseline(
        reference.model, reference.version, reference.table, origin=reference.origin, limits=LimitsPlan()
    )


@pytest.fixture(params=["csv", "csv.gz", "parquet", "jsonl"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same traffic in every kind of file."""
    match request.param:
        case "csv":
            return csv(tmp_path / "fraud.csv", traffic())
        case "csv.gz":
            plain = csv(tmp_path / "plain.csv", traffic())
            packed = tmp_path / "fraud.csv.gz"
            packed.write_bytes(gzip.compress(plain.read_bytes()))
            return packed
        case "parquet":
            return parquet(tmp_path / "fraud.parquet", traffic())
        case _:
            return jsonl(tmp_path / "fraud.jsonl", traffic())


def test_a_file_needs_no_configuration(written: Path) -> None:
    """Roles follow from names, kinds from values, the model from the name of the file: for every kind of file."""
    table = open_table(written)
    group = only_group(table)

    assert {
        Role.TIMESTAMP: "timestamp",
        Role.EVENT_ID: "event_id",
        Role.PREDICTION: "prediction",
        Role.LATENCY: "latency_ms",
        Role.ERROR: "error",
    } == table.layout.roles
    assert {
        "amount": SeriesKind.NUMERIC,
        "country": SeriesKind.CATEGORICAL,
        "night": SeriesKind.BINARY,
    } == table.layout.kinds
    assert ("fraud", "", {}) == (group.model, group.version, table.layout.dropped)


def test_every_kind_of_file_gives_the_same_baseline(written: Path) -> None:
    """CSV, compressed CSV, Parquet and JSON lines of the same rows make the same bytes."""
    expected = baseline_of(
        open_table(parquet(written.parent / "other.parquet", traffic()), TableOptions(model="fraud"))
    )

    assert expected.encode() == baseline_of(open_table(written)).encode()


def test_rows_become_batches_with_their_identity_and_time(written: Path) -> None:
    """Offsets are row numbers, times are those of the column, hashes those of the event ids; a block at a time."""
    pieces = list(open_table(written, TableOptions(batch_rows=30)).batches())
    groups = [group for piece in pieces for group in piece.batch.groups]
    select, tie = row_hashes("fraud", [f"e{n}" for n in range(100)])

    assert [(0, 30), (30, 60), (60, 90), (90, 100)] == [(piece.first, piece.next_offset) for piece in pieces]
    assert list(range(100)) == [offset for piece in pieces for offset in piece.batch.offsets.tolist()]
    assert [T0_MS + n * 1000 for n in range(100)] == [ms for piece in pieces for ms in piece.batch.event_ms.tolist()]
    assert (select.tolist(), tie.tolist()) == (
        [hash_ for group in groups for hash_ in group.select.tolist()],
        [hash_ for group in groups for hash_ in group.tie.tolist()],
    )


def test_missing_is_missing_in_every_kind_of_file(written: Path) -> None:
    """An empty field, a null, a NaN and a name that is not there are no value; `NA` is a country."""
    table = open_table(written)
    cells = {name: column.cells() for name, column in only_group(table).columns.items()}

    assert traffic()["amount"] == cells["feature:amount"]
    assert traffic()["country"] == cells["feature:country"]
    assert traffic()["night"] == cells["feature:night"]
    assert [n % 50 == 0 for n in range(100)] == cells["serving_error"]


def test_without_a_time_stamp_rows_are_timed_by_their_order(tmp_path: Path) -> None:
    """Row i happens at the start plus i steps, and is identified by its number."""
    path = csv(tmp_path / "m.csv", {"x": [n % 7 for n in range(70)]})
    table = open_table(path, TableOptions(start_ms=T0_MS, row_ms=250))
    (piece,) = table.batches()
    select, tie = file_row_hashes("m", range(70))

    assert [T0_MS + 250 * n for n in range(70)] == piece.batch.event_ms.tolist() == piece.batch.record_ms.tolist()
    assert (select.tolist(), tie.tolist()) == (
        piece.batch.groups[0].select.tolist(),
        piece.batch.groups[0].tie.tolist(),
    )


def test_the_order_of_rows_may_overrule_their_time_stamps(tmp_path: Path) -> None:
    """A column of times is then left out, and said so."""
    table = open_table(csv(tmp_path / "m.csv", traffic()), TableOptions(row_order=True))

    assert {"timestamp": "rows are timed by their order"} == table.layout.dropped
    assert [0, 100, 200] == next(table.batches()).batch.event_ms.tolist()[:3]


@pytest.mark.parametrize(
    ("cells", "options", "expected"),
    [
        pytest.param(["2026-11-22T08:00:00+01:00"], TableOptions(), T0_MS, id="an offset"),
        pytest.param(["2026-11-22 07:00:00.000"], TableOptions(), T0_MS, id="no zone is UTC"),
        pytest.param(["2026-11-22 08:00:00"], TableOptions(zone="Europe/Berlin"), T0_MS, id="a stated zone"),
        pytest.param(["2026-11-22"], TableOptions(), T0_MS - 7 * 3_600_000, id="a day"),
        pytest.param([T0_MS], TableOptions(), T0_MS, id="milliseconds"),
        pytest.param([T0_MS / 1000 + 0.5], TableOptions(time_unit="s"), T0_MS + 500, id="seconds with a fraction"),
        pytest.param([T0_MS * 1000 + 999], TableOptions(time_unit="us"), T0_MS, id="microseconds are cut off"),
    ],
)
@pytest.mark.parametrize("write", [csv, jsonl], ids=["csv", "jsonl"])
def test_time_stamps_are_read_in_any_usual_form(
    write: object, cells: list[object], options: TableOptions, expected: int, tmp_path: Path
) -> None:
    """Texts in ISO 8601, with or without a zone, and numbers in the stated unit."""
    name = "m.csv" if write is csv else "m.jsonl"
    path = (csv if write is csv else jsonl)(tmp_path / name, {"ts": cells, "x": [1.5] * len(cells)})

    assert [expected] == next(open_table(path, options).batches()).batch.event_ms.tolist()


@pytest.mark.parametrize(
    "type_", [pa.timestamp("ns"), pa.timestamp("s", "UTC"), pa.timestamp("us", "Asia/Tokyo")], ids=str
)
def test_typed_time_stamps_are_read(type_: pa.DataType, tmp_path: Path) -> None:
    """Parquet says the unit and the zone."""
    times = pa.array([datetime.fromtimestamp(T0_MS / 1000, UTC)], type=pa.timestamp("s", "UTC")).cast(type_)
    pq.write_table(pa.table({"time": times, "x": [1.0]}), tmp_path / "m.parquet")

    assert [T0_MS] == next(open_table(tmp_path / "m.parquet").batches()).batch.event_ms.tolist()


def test_the_unit_of_a_time_stamp_is_never_guessed(tmp_path: Path) -> None:
    """Seconds read as milliseconds lie in 1970: the error names the column and the unit that fits."""
    path = csv(tmp_path / "m.csv", {"timestamp": [T0_MS // 1000 + n for n in range(70)], "x": range(70)})

    with pytest.raises(TableError, match=r"m\.csv: column 'timestamp': as ms .* 1970.*, as s 2026-11-22T07:00:00.000Z"):
        open_table(path)


def test_a_number_called_time_is_a_feature(tmp_path: Path) -> None:
    """Seconds since the first row are no instants in any unit; rows are timed by their order then."""
    table = open_table(csv(tmp_path / "m.csv", {"Time": [n * 0.7 for n in range(70)]}))

    assert ({}, {"Time": SeriesKind.NUMERIC}) == (table.layout.roles, table.layout.kinds)


def test_a_row_without_a_readable_time_is_rejected_with_its_place(tmp_path: Path) -> None:
    """It is counted as any other bad record; the rows around it stay good."""
    times: list[object] = [*stamps(3)]
    path = jsonl(tmp_path / "m.jsonl", {"timestamp": [*times, "soon", *times], "x": [1.0] * 7})
    table = open_table(path, TableOptions(columns={Role.TIMESTAMP: "timestamp"}))
    (piece,) = table.batches()

    assert [(3, RejectReason.INVALID_TIMESTAMP)] == [(reject.offset, reject.reason) for reject in piece.batch.rejects]
    assert ([0, 1, 2, 4, 5, 6], 7) == (piece.batch.offsets.tolist(), piece.batch.read)
    assert list(range(6)) == piece.batch.groups[0].rows.tolist()


def test_rows_of_several_models_are_several_groups(tmp_path: Path) -> None:
    """Columns that name model and version part the rows; each gives its own reference."""
    columns: Rows = {"model_name": ["b", "a"] * 70, "model_version": [1, None] * 70, "x": [n / 3 for n in range(140)]}
    table = open_table(csv(tmp_path / "m.csv", columns), TableOptions(version="9"))
    (piece,) = table.batches()
    found = {(group.model, group.version): group for group in piece.batch.groups}

    assert [("a", "9"), ("b", "1")] == list(found)
    assert [n / 3 for n in range(0, 140, 2)] == found["b", "1"].columns["feature:x"].cells()
    assert [("a", "9", 70), ("b", "1", 70)] == [(r.model, r.version, r.origin.rows) for r in table.references()]


def test_the_model_of_a_car_is_a_feature(tmp_path: Path) -> None:
    """A column `model` alone says nothing about machine learning."""
    table = open_table(csv(tmp_path / "cars.csv", {"model": ["Corolla", "Golf"] * 40, "price": range(0, 160, 2)}))

    assert {"model": SeriesKind.CATEGORICAL, "price": SeriesKind.NUMERIC} == table.layout.kinds


def test_segments_are_no_features(tmp_path: Path) -> None:
    """A column that parts the traffic is not watched itself."""
    table = open_table(csv(tmp_path / "m.csv", traffic()), TableOptions(segments=("country",)))
    group = only_group(table)

    assert traffic()["country"] == group.segments["country"]
    assert "feature:country" not in group.columns


@pytest.mark.parametrize(
    ("column", "why"),
    [
        pytest.param({"": range(70)}, "a row index", id="the index that pandas writes"),
        pytest.param({"Unnamed: 0": range(70)}, "a row index", id="the index that pandas names"),
        pytest.param({"row_number": range(5, 75)}, "it counts the rows up", id="a counter"),
        pytest.param({"session": [f"s{n}" for n in range(70)]}, "every value differs, like an identifier", id="ids"),
        pytest.param({"__x": [1.5, 2] * 35}, "its name must not start with __", id="a reserved name"),
    ],
)
def test_what_is_no_feature_is_left_out_and_said_so(column: Rows, why: str, tmp_path: Path) -> None:
    """Such columns would alarm on every file, whatever the model does."""
    table = open_table(csv(tmp_path / "m.csv", {**column, "x": [0.5, 1] * 35}))

    assert ({next(iter(column)): why}, {"x": SeriesKind.NUMERIC}) == (table.layout.dropped, table.layout.kinds)


def test_a_stated_kind_is_kept(tmp_path: Path) -> None:
    """A counter that the user calls numeric is watched, a postcode that he calls categorical is text."""
    columns: Rows = {"counter": range(70), "postcode": [10115, 80331] * 35}
    kinds = {"counter": SeriesKind.NUMERIC, "postcode": SeriesKind.CATEGORICAL}
    table = open_table(csv(tmp_path / "m.csv", columns), TableOptions(kinds=kinds))

    assert kinds == table.layout.kinds
    assert ["10115", "80331"] == only_group(table).columns["feature:postcode"].cells()[:2]


def test_postcodes_with_leading_zeros_are_no_numbers(tmp_path: Path) -> None:
    """A code loses its zero as a number, so it is a category."""
    table = open_table(csv(tmp_path / "m.csv", {"plz": ["01067", "10115"] * 35}))

    assert {"plz": SeriesKind.CATEGORICAL} == table.layout.kinds


def test_a_text_among_numbers_is_invalid_not_fatal(tmp_path: Path) -> None:
    """A rare `unknown` is counted as an invalid value of a numeric column."""
    cells: list[object] = [n % 13 + 0.25 for n in range(200)]
    cells[150] = "unknown"
    cells[151] = "N/A"
    cells[152] = "inf"
    table = open_table(csv(tmp_path / "m.csv", {"x": cells}))
    baseline = baseline_of(table)
    series = baseline.series["feature:x"]

    assert isinstance(series, NumericBaseline)
    assert (1, 2, 197) == (series.missing, baseline.invalid("feature:x"), series.observed)


def test_a_file_is_counted_by_the_kinds_of_its_baseline(tmp_path: Path) -> None:
    """What the reference knows as categories stays so, even if the new file looks like numbers."""
    old = baseline_of(open_table(csv(tmp_path / "old.csv", {"code": ["A1", "7"] * 40, "x": [0.1, 0.2] * 40})))
    table = open_table(
        csv(tmp_path / "new.csv", {"code": [7] * 80, "x": [0.1] * 80}), TableOptions(kinds=kinds_of(old))
    )

    assert {"code": SeriesKind.CATEGORICAL, "x": SeriesKind.NUMERIC} == table.layout.kinds
    assert ["7"] * 80 == only_group(table).columns["feature:code"].cells()


def test_dictionaries_and_decimals_of_parquet_are_read(tmp_path: Path) -> None:
    """Categories of pandas are dictionaries; a list or a struct is no feature."""
    table = pa.table(
        {
            "kind": pa.array(["a", None, "b"] * 30).dictionary_encode(),
            "price": pa.array(["1.10", None, "2.20"] * 30).cast(pa.decimal128(5, 2)),
            "days": pa.array([1, None, 3] * 30, pa.int16()),
            "vector": pa.array([[1.0], None, []] * 30),
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    opened = open_table(tmp_path / "m.parquet")
    cells = {name: column.cells()[:3] for name, column in only_group(opened).columns.items()}

    assert {"feature:kind": ["a", None, "b"], "feature:price": [1.1, None, 2.2], "feature:days": [1, None, 3]} == cells
    assert {"vector": "values of type list<element: double> are no feature"} == opened.layout.dropped


def test_other_separators_are_recognised(tmp_path: Path) -> None:
    """Semicolons and tabs part columns as well."""
    paths = [csv(tmp_path / f"{number}.csv", traffic(), mark) for number, mark in enumerate(";\t|,")]

    assert 1 == len({tuple(open_table(path).layout.kinds) for path in paths})


def test_a_quoted_field_may_hold_separators_and_line_breaks(tmp_path: Path) -> None:
    """One row stays one row."""
    path = tmp_path / "m.csv"
    path.write_text('text,x\n"a, b\nc",1.5\n"",2\n,3\n')

    assert ["a, b\nc", "", None] == only_group(open_table(path)).columns["feature:text"].cells()


def test_a_column_may_begin_late(tmp_path: Path) -> None:
    """A column that is empty in the sample takes its kind from the values that come."""
    path = csv(tmp_path / "m.csv", {"x": [0.5] * 200, "late": [None] * 100 + ["a", "b"] * 50})
    (reference,) = open_table(path, TableOptions(batch_rows=100)).references()
    baseline = build_baseline("m", "", reference.table, origin=reference.origin, limits=LimitsPlan())
    late = baseline.series["feature:late"]

    assert isinstance(late, CategoricalBaseline)
    assert (("a", "b"), 100) == (late.categories, late.missing)


def test_the_origin_of_a_reference_is_its_span_of_time(tmp_path: Path) -> None:
    """Rows and times are those of the file; without time stamps there is no span."""
    (timed,) = open_table(csv(tmp_path / "m.csv", traffic())).references()
    (untimed,) = open_table(csv(tmp_path / "n.csv", {"x": [0.5] * 70})).references()

    assert (100, T0_MS, T0_MS + 99_000) == (timed.origin.rows, timed.origin.from_ms, timed.origin.to_ms)
    assert (None, None) == (untimed.origin.from_ms, untimed.origin.to_ms)


def test_native_events_are_recognised(tmp_path: Path) -> None:
    """JSON lines with a `features` object are events, not rows of a table."""
    events = tmp_path / "events.jsonl"
    events.write_text('{"event_id": "1", "features": {"x": 1}}\n')

    assert is_native_events(events)
    assert not is_native_events(jsonl(tmp_path / "rows.jsonl", {"x": [1]}))
    assert not is_native_events(csv(tmp_path / "rows.csv", {"features": [1]}))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "m.pdf", b"%PDF-1.7\n", r"m\.pdf: is a PDF: it must be CSV, Parquet or JSON", id="another kind of file"
        ),
        pytest.param("m.csv", b"\x00\x00\x01\x00", r"m\.csv: is neither text nor Parquet", id="no text"),
        pytest.param("m.csv", b"", r"m\.csv: is empty", id="an empty file"),
        pytest.param("m.csv", b"\n \n", r"m\.csv: is empty", id="empty lines"),
        pytest.param("m.csv", b"a,b\n", r"m\.csv: holds no rows", id="only a header"),
        pytest.param(
            "m.csv", b"a,a\n1,2\n", r"m\.csv: column names must differ, 'a' is there twice", id="a name twice"
        ),
        pytest.param(
            "m.jsonl", b"[1]\n[2]\n", r"m\.jsonl: holds no row: line 1: must be an object, got a number", id="no object"
        ),
        pytest.param("m.parquet", b"PAR?", r"m\.parquet: ", id="no Parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    """The error says which file, where in it, and what is wrong."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(TableError, match=message):
        list(open_table(path).batches())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({Role.LABEL: "y"}, "has no column 'y'; it has event_id, timestamp, amount", id="no such column"),
        pytest.param({Role.TIMESTAMP: "country"}, "column 'country': must hold time stamps, got 'NA'", id="no time"),
    ],
)
def test_an_option_that_does_not_fit_is_an_error(options: dict[Role, str], message: str, tmp_path: Path) -> None:
    """What was asked for and is not there is said with what is there."""
    columns = traffic()
    columns["country"] = ["NA"] * 100

    with pytest.raises(TableError, match=message):
        open_table(csv(tmp_path / "m.csv", columns), TableOptions(columns=options))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error repeats the path."""
    with pytest.raises(TableError, match=r"gone\.csv: no such file"):
        open_table(tmp_path / "gone.csv")


def test_a_huge_reference_is_sampled_fairly(tmp_path: Path) -> None:
    """Of more rows than fit, those of the smallest selection hashes are kept, whatever the blocks."""
    table = open_table(csv(tmp_path / "m.csv", {"x": [n / 7 for n in range(1000)]}), TableOptions(batch_rows=90))
    rows = ReferenceRows(most=100)
    for piece in table.batches():
        rows.add(piece.batch.groups[0], piece.batch.event_ms)
    reference = rows.reference("m", "", timed=False, ordered=False)
    select, _ = file_row_hashes("m", range(1000))
    kept = np.sort(np.argsort(select)[:100])

    assert select[kept].tolist() == reference.table.select.tolist()
    assert (kept / 7).tolist() == np.asarray(reference.table.columns["feature:x"]).tolist()
    assert 100 == reference.origin.rows


def test_an_empty_line_of_one_column_is_a_missing_value(tmp_path: Path) -> None:
    """It is a row: left out, it would shift the number of every row behind it."""
    path = tmp_path / "one.csv"
    path.write_text("x\n" + "1.5\n\n2.5\n" * 3)
    (piece,) = open_table(path).batches()
    (column,) = (group.columns["feature:x"] for group in piece.batch.groups)

    assert piece.next_offset == 9
    assert column.cells() == [1.5, None, 2.5] * 3
