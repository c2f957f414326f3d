"""Tables as programs and people write them: what stands above them, how they are packed, lines that are broken."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream_monitor.core.names import RejectReason, SeriesKind
from stream_monitor.formats.tables import Role, TableBatch, TableError, TableOptions, is_native_events, open_table

ROWS = 90
BY_ITSELF = TableOptions(by_itself=True, time_unit="")
AMOUNTS = [round(3.5 + n * 7 % 83 / 8, 3) for n in range(ROWS)]
PLACES = [("DE", "US", "FR")[n * n % 3] for n in range(ROWS)]


def table_text(separator: str = ",", *, head: bool = True, end: str = "\n") -> str:
    """A number and a word a row."""
    lines = [separator.join(("amount", "place"))] if head else []
    lines += [f"{amount}{separator}{place}" for amount, place in zip(AMOUNTS, PLACES, strict=True)]
    return end.join(lines) + end


def pieces_of(path: Path, options: TableOptions = BY_ITSELF) -> list[TableBatch]:
    """All batches of a file."""
    return list(open_table(path, options).batches())


def cells_of(path: Path, series: str = "feature:amount", options: TableOptions = BY_ITSELF) -> list[object]:
    """All cells of a series."""
    groups = [group for piece in pieces_of(path, options) for group in piece.batch.groups]
    return [cell for group in groups for cell in group.columns[series].cells()]


def rejected(path: Path, options: TableOptions = BY_ITSELF) -> list[tuple[int, RejectReason, str]]:
    """Number, reason and message of every row that cannot be read."""
    rejects = [reject for piece in pieces_of(path, options) for reject in piece.batch.rejects]
    return [(reject.offset, reject.reason, reject.message) for reject in rejects]


# --- what stands above a table ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("above", "separator"),
    [
        pytest.param("sep=;\n", ";", id="the separator"),
        pytest.param("SEP=,\r\n", ",", id="in capitals"),
        pytest.param('"sep=|"\n', "|", id="in quotes"),
        pytest.param("sep=\\t\n", "\t", id="a tab by its name"),
        pytest.param("\ufeffsep=;\n", ";", id="behind a mark"),
        pytest.param("# exported 2026-11-22\n# by nobody, at all\n", ",", id="comments"),
        pytest.param("#amounts, by place, of us\n\n", ",", id="comments with separators"),
        pytest.param("Amounts of November\n\n", ",", id="a title"),
        pytest.param("Report;;\nNovember;;\n;;\n", ";", id="titles as wide as the table"),
        pytest.param('"Amounts\nof November"\n', ",", id="a title of two lines"),
        pytest.param("\n\n\n", ";", id="empty lines"),
        pytest.param("Created by: x\nDate: 2026-11-22, Sunday\n\n", "\t", id="fields of a report"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_what_stands_above_a_table_is_no_row(above: str, separator: str, end: str, tmp_path: Path) -> None:
    """Spreadsheets, loggers and people write lines above the head."""
    path = tmp_path / "a.csv"
    width = ";" if "Report;;" in above else ""
    lines = table_text(separator, end=width + "\n") if width else table_text(separator)
    path.write_text((above + lines).replace("\r\n", "\n").replace("\n", end), encoding="utf-8", newline="")

    assert cells_of(path) == AMOUNTS
    assert cells_of(path, "feature:place") == PLACES


def test_a_head_may_be_a_comment(tmp_path: Path) -> None:
    """As some programs write it."""
    path = tmp_path / "a.csv"
    path.write_text("# of November\n# " + table_text())

    assert cells_of(path) == AMOUNTS


def test_comments_within_a_table_are_no_rows(tmp_path: Path) -> None:
    """They cost no row its number."""
    lines = table_text().splitlines()
    path = tmp_path / "a.csv"
    path.write_text("\n".join([*lines[:40], "# power was off", *lines[40:]]) + "\n")

    assert (cells_of(path), rejected(path)) == (AMOUNTS, [])


def test_a_head_one_name_short_leaves_the_row_names_without_one(tmp_path: Path) -> None:
    """R writes no name above the names of rows."""
    lines = [f'"r{n}",{amount},{place}' for n, (amount, place) in enumerate(zip(AMOUNTS, PLACES, strict=True))]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(['"amount","place"', *lines]) + "\n")

    assert cells_of(path) == AMOUNTS
    assert open_table(path, BY_ITSELF).layout.dropped == {"": "a row index"}


def test_a_separator_behind_every_row_is_no_column(tmp_path: Path) -> None:
    """Some programs end rows with one."""
    path = tmp_path / "a.csv"
    path.write_text(table_text(";", end=";\n").replace("place;\n", "place\n"))

    assert cells_of(path) == AMOUNTS


# --- does a row name the columns? -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(lambda n: (n % 7 + 0.5, n % 11, PLACES[n]), id="a word that comes again"),
        pytest.param(lambda n: (PLACES[n], ("a", "b")[n % 2]), id="words only"),
        pytest.param(lambda n: (f"2026-11-{n % 28 + 1:02d}", n % 7), id="a date"),
        pytest.param(lambda n: (f"e{n}", n % 7 + 0.25), id="an identifier"),
        pytest.param(lambda n: (n % 3 == 0, n % 7 + 0.25), id="yes and no"),
        pytest.param(lambda n: ("n.v." if not n else n % 7 + 0.25, n % 11, PLACES[n]), id="a word for no number"),
    ],
)
def test_a_row_of_data_is_no_head(row: Callable[[int], Sequence[object]], tmp_path: Path) -> None:
    """It is a row, and columns are called by their places."""
    path = tmp_path / "a.csv"
    path.write_text("".join(",".join(map(str, row(n))) + "\n" for n in range(ROWS)))
    table = open_table(path, BY_ITSELF)

    assert sum(piece.batch.read for piece in table.batches()) == ROWS
    assert table.file.names[0] == "column 1"


@pytest.mark.parametrize(
    "head",
    ["country,2019,2020,2021", "0,1,2,3", "id,x,y,z", ",x,y,z", "2019,2020,2021,2022", "n,class 1,class 2,3"],
)
def test_names_of_columns_may_be_numbers(head: str, tmp_path: Path) -> None:
    """Years, and numbers that count the columns; the name above an index may be missing."""
    path = tmp_path / "a.csv"
    path.write_text(head + "\n" + "".join(f"{n},{n % 7},{n % 11},{n % 13}\n" for n in range(ROWS)))

    assert list(open_table(path, BY_ITSELF).file.names) == head.split(",")


def test_heads_written_again_are_no_rows(tmp_path: Path) -> None:
    """Files written one behind the other repeat them."""
    lines = table_text().splitlines()
    path = tmp_path / "a.csv"
    path.write_text("\n".join([*lines[:31], lines[0], *lines[31:61], lines[0], *lines[61:]]) + "\n")

    assert cells_of(path) == AMOUNTS
    assert [(number, reason) for number, reason, _ in rejected(path)] == [
        (30, RejectReason.BAD_SHAPE),
        (61, RejectReason.BAD_SHAPE),
    ]


# --- packed and renamed -----------------------------------------------------------------------------------------------


def zipped(data: bytes, *names: str) -> bytes:
    """A zip archive with the same file under several names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(bz2.compress, id="bzip2"),
        pytest.param(lzma.compress, id="xz"),
        pytest.param(lambda data: zipped(data, "a.csv"), id="zip"),
        pytest.param(lambda data: zipped(data, "a/b.csv", "__MACOSX/a/._b.csv"), id="zip of a Mac"),
        pytest.param(lambda data: pa.compress(data, "zstd", asbytes=True), id="zstd"),
        pytest.param(lambda data: data, id="not at all"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.dat", "a"])
def test_a_file_is_what_its_content_is(pack: Callable[[bytes], bytes], name: str, tmp_path: Path) -> None:
    """Whatever its name says."""
    path = tmp_path / name
    path.write_bytes(pack(table_text().encode()))

    assert cells_of(path) == AMOUNTS


def test_json_and_parquet_are_known_by_their_content(tmp_path: Path) -> None:
    """An export called .csv or .txt may be either."""
    lines = "".join(json.dumps({"amount": amount}) + "\n" for amount in AMOUNTS)
    (tmp_path / "a.txt").write_text(lines)
    (tmp_path / "b.json").write_bytes(gzip.compress(lines.encode()))
    pq.write_table(pa.table({"amount": AMOUNTS}), tmp_path / "c.csv")

    assert [cells_of(tmp_path / name) for name in ("a.txt", "b.json", "c.csv")] == [AMOUNTS] * 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(b"a,b\n", "1.csv", "2.csv"), r"is a zip archive that holds 2 files \(1\.csv, 2\.csv\): unpack the one"),
        (zipped(b""), "is a zip archive that holds no file"),
        (zipped(b"", "[Content_Types].xml", "xl/workbook.xml"), "save the sheet as CSV"),
        (gzip.compress(b"a,b\n1,2\n" * 9)[:-12], "cannot be read"),
        (b"ARROW1\0\0", "is an Arrow file: it must be CSV, Parquet or JSON"),
    ],
    ids=["two files", "no file", "a workbook", "cut", "Arrow"],  # packed bytes hold the time
)
def test_what_is_no_table_is_said(content: bytes, message: str, tmp_path: Path) -> None:
    """With what it is and what to do."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    with pytest.raises(TableError, match=message):
        pieces_of(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_text_without_a_mark_is_told_by_its_zeros(encoding: str, tmp_path: Path) -> None:
    """Some exports leave the mark out."""
    path = tmp_path / "a.csv"
    path.write_bytes(table_text(";").encode(encoding))

    assert cells_of(path) == AMOUNTS


def test_a_byte_of_another_encoding_costs_nothing(tmp_path: Path) -> None:
    """A name that came from an old system is read as Windows writes it, wherever it stands in the file."""
    places = [f"Ort{n % 2}ä" for n in range(60_000)]
    lines = ["place,x", *(f"{place},{n % 7}" for n, place in enumerate(places))]
    data = "\n".join(lines).encode()
    path = tmp_path / "a.csv"
    path.write_bytes(data[:-4] + b"\nK\xf6ln,3\n")

    assert cells_of(path, "feature:place")[-1] == "Köln"


# --- lines that are broken --------------------------------------------------------------------------------------------


def test_a_row_of_another_width_is_left_out_with_its_line(tmp_path: Path) -> None:
    """The rest keeps its numbers; a cell of two lines moves those of lines only."""
    rows = [f"{amount},{place}" for amount, place in zip(AMOUNTS, PLACES, strict=True)]
    rows[3] = '9.75,"D\nE"'
    lines = ["amount,place", *rows[:20], "7", *rows[20:50], "", "1,DE,x", *rows[50:], "2.5"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    pieces = pieces_of(path, TableOptions(by_itself=True, time_unit="", batch_rows=25))
    read = [number for piece in pieces for number in piece.batch.offsets.tolist()]

    assert [(number, message) for number, _, message in rejected(path)] == [
        (20, "line 23: must hold 2 cells, as most rows do, got 1"),
        (51, "line 55: must hold 2 cells, as most rows do, got 3"),
        (92, "line 96: must hold 2 cells, as most rows do, got 1"),
    ]
    assert read == [number for number in range(92) if number not in (20, 51)]
    assert [(piece.first, piece.next_offset) for piece in pieces][-1][1] == 93


def test_rows_without_any_value_are_none(tmp_path: Path) -> None:
    """Spreadsheets write separators far below the last row; a missing value needs a value beside it."""
    path = tmp_path / "a.csv"
    path.write_text(table_text(";") + ";\n" * 500)

    assert (cells_of(path), rejected(path)) == (AMOUNTS, [])


@pytest.mark.parametrize(
    ("line", "reason", "message"),
    [
        (b'{"amount": 1.5, "pla', RejectReason.INVALID_JSON, "no JSON at byte"),
        (b"soon", RejectReason.INVALID_JSON, "no JSON at byte 0 of 4"),
        (b"null", RejectReason.NOT_AN_OBJECT, "must be an object, got null"),
        (b"[1, 2]", RejectReason.NOT_AN_OBJECT, "must be an object, got a list"),
        (b"17", RejectReason.NOT_AN_OBJECT, "must be an object, got a number"),
        (b'{"place": "K\xf6ln"}', RejectReason.INVALID_ENCODING, "no UTF-8 at byte 12"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, RejectReason.TOO_DEEP, "at most 32 levels"),
        (b'{"a":' * 9_999, RejectReason.TOO_DEEP, "at most 32 levels"),
    ],
)
@pytest.mark.parametrize("at", [0, 41, ROWS])
def test_a_line_that_is_no_row_is_left_out_with_its_number(
    line: bytes, reason: RejectReason, message: str, at: int, tmp_path: Path
) -> None:
    """The first, one between and the last: a file that is still being written ends with half a line."""
    lines = [json.dumps({"amount": amount}).encode() for amount in AMOUNTS]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join([*lines[:at], line, *lines[at:]]))
    ((number, found, told),) = rejected(path)

    assert cells_of(path) == AMOUNTS
    assert (number, found) == (at, reason)
    assert told.startswith(f"line {at + 1}: {message}")


def test_a_number_that_is_not_finite_costs_its_value_alone(tmp_path: Path) -> None:
    """NaN is what Python writes for a missing number; Infinity and 1e400 are no numbers of a feature."""
    odd = {10: "NaN", 20: "Infinity", 30: "-Infinity", 40: "1e400"}
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"amount": {odd.get(n, AMOUNTS[n])}}}\n' for n in range(ROWS)))
    (piece,) = pieces_of(path)
    column = piece.batch.groups[0].columns["feature:amount"]

    assert (piece.batch.rejects, piece.batch.offsets.size) == ([], ROWS)
    assert column.cells()[10] is None
    assert [n for n, cell in enumerate(column.cells()) if not isinstance(cell, float | None)] == [20, 30, 40]


# --- JSON over many lines ---------------------------------------------------------------------------------------------


OBJECTS = [{"amount": amount, "place": place} for amount, place in zip(AMOUNTS, PLACES, strict=True)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(OBJECTS), id="an array in one line"),
        pytest.param(json.dumps(OBJECTS, indent=2), id="an array over many lines"),
        pytest.param("[\n" + ",\n".join(map(json.dumps, OBJECTS)) + "\n]\n", id="an array, an object a line"),
        pytest.param("[\n" + "\n,".join(map(json.dumps, OBJECTS)) + "\n]\n", id="with commas in front"),
        pytest.param("\n".join(json.dumps(own, indent=1) for own in OBJECTS), id="objects over many lines"),
        pytest.param("".join(map(json.dumps, OBJECTS)), id="objects side by side"),
        pytest.param(",\n".join(map(json.dumps, OBJECTS)), id="lines with commas"),
        pytest.param("\n\n" + "\r\n\r\n".join(map(json.dumps, OBJECTS)), id="lines between empty ones"),
        pytest.param("\ufeff" + "\n".join(map(json.dumps, OBJECTS)), id="behind a mark"),
        pytest.param("\ufeff" + json.dumps(OBJECTS, indent="\t"), id="an array behind a mark"),
        pytest.param(json.dumps({"count": ROWS, "rows": OBJECTS}), id="a list inside an object"),
        pytest.param(
            json.dumps({"amount": dict(enumerate(AMOUNTS)), "place": dict(enumerate(PLACES))}), id="columns of pandas"
        ),
        pytest.param(
            json.dumps({"columns": ["amount", "place"], "index": [0], "data": list(zip(AMOUNTS, PLACES, strict=True))}),
            id="split by pandas",
        ),
    ],
)
def test_json_may_stand_on_any_lines(text: str, tmp_path: Path) -> None:
    """One object a line is not the only way to write rows."""
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8", newline="")

    assert cells_of(path) == AMOUNTS
    assert cells_of(path, "feature:place") == PLACES
    assert rejected(path) == []


def test_a_damaged_object_of_an_array_is_left_out(tmp_path: Path) -> None:
    """It ends where the next one begins; NaN is no damage."""
    lines = json.dumps(OBJECTS, indent=2).splitlines()
    lines[10] = '    "amount": 1.2.3,'
    lines[14] = '    "amount": NaN,'
    path = tmp_path / "a.json"
    path.write_text("\n".join(lines))

    assert [(number, reason) for number, reason, _ in rejected(path)] == [(2, RejectReason.INVALID_JSON)]
    assert cells_of(path) == [*AMOUNTS[:2], None, *AMOUNTS[4:]]


def test_an_array_that_is_still_written_ends_with_half_an_object(tmp_path: Path) -> None:
    """Everything before it is read."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(OBJECTS, indent=2)[:-30])

    assert cells_of(path) == AMOUNTS[:-1]
    assert [number for number, _, _ in rejected(path)] == [ROWS - 1]


def test_native_events_may_stand_in_an_array(tmp_path: Path) -> None:
    """And behind a line that is broken."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"event_id": "1", "features": {"x": 1}}], indent=2))
    assert is_native_events(path)

    path.write_text('{"eve\n{"event_id": "1", "features": {"x": 1}}\n')
    assert is_native_events(path)


# --- objects inside rows ----------------------------------------------------------------------------------------------


def test_members_of_objects_are_columns(tmp_path: Path) -> None:
    """Named by their path; a row without the object has no value there, and a list is no feature."""
    rows = [
        {"id": n, "request": None if n % 9 == 0 else {"amount": AMOUNTS[n], "at": {"place": PLACES[n]}}, "tags": [n]}
        for n in range(ROWS)
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    layout = open_table(path, BY_ITSELF).layout

    assert layout.kinds == {"request.amount": SeriesKind.NUMERIC, "request.at.place": SeriesKind.CATEGORICAL}
    assert layout.roles == {Role.EVENT_ID: "id"}
    assert "list" in layout.dropped["tags"]
    assert cells_of(path, "feature:request.amount")[:3] == [None, *AMOUNTS[1:3]]


def test_members_of_structs_are_columns(tmp_path: Path) -> None:
    """Of Parquet likewise."""
    rows = [{"amount": AMOUNTS[n], "at": {"place": PLACES[n]}} if n % 9 else None for n in range(ROWS)]
    pq.write_table(pa.table({"request": rows}), tmp_path / "a.parquet")

    assert cells_of(tmp_path / "a.parquet", "feature:request.amount")[:3] == [None, *AMOUNTS[1:3]]
    assert cells_of(tmp_path / "a.parquet", "feature:request.at.place")[:3] == [None, *PLACES[1:3]]


# --- clocks of spreadsheets -------------------------------------------------------------------------------------------

HALF_HOURS = [datetime(2026, 3, 1, 8, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(ROWS)]


@pytest.mark.parametrize(
    ("head", "written"),
    [
        ("date,time", "%Y-%m-%d,%H:%M:%S"),
        ("Date,Time", "%m/%d/%Y,%I:%M %p"),
        ("Datum,Uhrzeit", "%d.%m.%Y,%H:%M"),
        ("time,date", "%H:%M:%S,%Y-%m-%d"),
    ],
)
def test_date_and_time_may_be_two_columns(head: str, written: str, tmp_path: Path) -> None:
    """Both together are the clock, and the time of day is no feature."""
    path = tmp_path / "a.csv"
    rows = [f"{at.strftime(written)},{amount}" for at, amount in zip(HALF_HOURS, AMOUNTS, strict=True)]
    path.write_text("\n".join([f"{head},amount", *rows]) + "\n")

    assert list(open_table(path, BY_ITSELF).layout.kinds) == ["amount"]
    times = [ms for piece in pieces_of(path) for ms in piece.batch.event_ms.tolist()]
    assert times == [round(at.timestamp() * 1_000) for at in HALF_HOURS]


def test_the_hour_beside_a_date_is_its_time(tmp_path: Path) -> None:
    """As a number of 0 to 23."""
    path = tmp_path / "a.csv"
    hours = [HALF_HOURS[0] + timedelta(hours=n) for n in range(ROWS)]
    path.write_text("\n".join(["day,hr,x", *(f"{at:%Y-%m-%d},{at.hour},{n % 7}" for n, at in enumerate(hours))]))

    times = [ms for piece in pieces_of(path) for ms in piece.batch.event_ms.tolist()]
    assert times == [round(at.timestamp() * 1_000) for at in hours]


def test_times_that_do_not_belong_to_the_date_stay_features(tmp_path: Path) -> None:
    """With them the clock would run backwards: opening hours, say."""
    path = tmp_path / "a.csv"
    days = [HALF_HOURS[0] + timedelta(days=n // 9) for n in range(ROWS)]
    path.write_text("\n".join(["date,time,x", *(f"{at:%Y-%m-%d},{n * 5 % 24:02}:00,{n}" for n, at in enumerate(days))]))

    assert "time" in open_table(path, BY_ITSELF).layout.kinds


@pytest.mark.parametrize("comma", [False, True], ids=["point", "comma"])
def test_days_as_spreadsheets_count_them_are_a_clock(comma: bool, tmp_path: Path) -> None:
    """45,000.5 is noon of a day in 2023; only a column that is named like a clock may be one."""
    path = tmp_path / "a.csv"
    days = [f"{46_082 + n / 48:.10f}" for n in range(ROWS)]
    separator = ";" if comma else ","
    lines = [separator.join((day.replace(".", ",") if comma else day, str(n % 7))) for n, day in enumerate(days)]
    path.write_text("\n".join([separator.join(("Date", "x")), *lines]))
    first = datetime(2026, 3, 1, tzinfo=UTC)

    times = [ms for piece in pieces_of(path) for ms in piece.batch.event_ms.tolist()]
    assert times == [round((first + timedelta(minutes=30 * n)).timestamp() * 1_000) for n in range(ROWS)]
    path.write_text(path.read_text().replace("Date", "price"))
    assert Role.TIMESTAMP not in open_table(path, BY_ITSELF).layout.roles


def test_a_name_that_comes_late_is_a_column(tmp_path: Path) -> None:
    """A feature that is sent from row 20,000 on."""
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"x": n % 7} | ({"y": n} if n > 20_000 else {})) for n in range(20_100)))
    assert open_table(path, BY_ITSELF).file.names == ("x", "y")

    path.write_text("\n".join(json.dumps({"x": n % 7, "y": {"z": n} if n > 20_000 else None}) for n in range(20_100)))
    assert "y.z" in open_table(path, BY_ITSELF).file.names
