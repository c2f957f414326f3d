"""Quotes that nothing closes cost their own row, and cells of several lines stay cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from stream_monitor.core.names import RejectReason
from stream_monitor.formats.tables import TableOptions, open_table
from stream_monitor.formats.tables.quotes import UNCLOSED, closed

BY_ITSELF = TableOptions(by_itself=True, time_unit="")
ROWS = 300


def rows(named: Mapping[int, str], *, separator: str = ",") -> str:
    """A head and rows of a name, a number and a place; some with another name."""
    lines = [separator.join(("name", "amount", "place"))]
    lines += [separator.join((named.get(n, f"n{n % 3}"), str(n * 7 % 83), "DE")) for n in range(ROWS)]
    return "\n".join(lines) + "\n"


def read(path: Path, text: str) -> tuple[int, list[tuple[int, RejectReason, str]]]:
    """How many rows are good, and number, reason and message of the others."""
    path.write_bytes(text.encode())
    batches = [piece.batch for piece in open_table(path, BY_ITSELF).batches()]
    rejects = [(own.offset, own.reason, own.message) for batch in batches for own in batch.rejects]
    return sum(batch.offsets.size for batch in batches), rejects


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("place", [0, 150, ROWS - 1], ids=["first row", "in the middle", "last row"])
def test_a_quote_that_nothing_closes_costs_its_row(place: int, separator: str, tmp_path: Path) -> None:
    """Not the rest of the file; its line is named."""
    good, rejects = read(tmp_path / "a.csv", rows({place: '"n1'}, separator=separator))

    assert good == ROWS - 1
    assert rejects == [(place, RejectReason.BAD_SHAPE, f"line {place + 2}: a quote is opened and not closed")]


def test_two_quotes_far_apart_close_nothing(tmp_path: Path) -> None:
    """What lies between them is no cell, and no row of it is lost."""
    good, rejects = read(tmp_path / "a.csv", rows({100: '"n1', 130: '"n2', 299: '"n0'}))

    assert (good, [own[0] for own in rejects]) == (ROWS - 3, [100, 130, 299])


@pytest.mark.parametrize(
    "name",
    ['"two\nlines"', '"many\n\n\nlines, and a comma"', '"a ""word"" of\nhis"', '"""\n"""', '5" pipe', '""', '"x"'],
)
def test_quotes_that_are_good_stay(name: str, tmp_path: Path) -> None:
    """Cells of several lines, doubled quotes, inches."""
    assert read(tmp_path / "a.csv", rows({150: name})) == (ROWS, [])


def test_lines_stay_lines() -> None:
    """Every line comes out where it was: numbers of lines mean what they meant."""
    lines = [b'1,"a\n', *[b"%d,b\n" % n for n in range(250)], b'2,"c\n', b'd"\n']
    found = list(closed(iter(lines), b",", width=2))

    assert len(found) == len(lines)
    assert [n for n, line in enumerate(found) if line.startswith(UNCLOSED)] == [0]
    assert found[1:] == lines[1:]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_longer_than_a_block_lose_nothing(end: str, tmp_path: Path) -> None:
    """Blocks without a quote pass as they are, and a quote in the last of them costs its row alone."""
    lines = ["name,amount,place", *(f"n{n % 3},{n * 7 % 83},DE" for n in range(60_000))]
    lines[30_000], lines[-1] = '"two\nlines",1,DE', '"n1,2,DE'
    good, rejects = read(tmp_path / "a.csv", end.join(lines) + end)

    assert (good, [own[0] for own in rejects]) == (59_999, [59_999])
