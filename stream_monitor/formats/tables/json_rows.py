"""JSON in rows: one object a line, an array of objects over any lines, or objects one behind the other.

Objects inside rows become columns of their own, `request.amount`. A line that cannot be read is left out with its
number; NaN, Infinity and 1e400 cost their value alone, as in live events.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import orjson

from stream_monitor.core.names import RejectReason
from stream_monitor.formats.fault import Fault
from stream_monitor.formats.packed import unpacked
from stream_monitor.formats.tables.cells import BadRow, Block
from stream_monitor.formats.texts import Utf8, decoder_of, encoding_of
from stream_monitor.formats.tree import MAX_DEPTH, TOLERANT, Tree, read_tree

_START_BYTES = 1 << 20
_LARGEST_ROW = 1 << 26
_LARGEST_FILE = 1 << 30
"""Of a file that is one object, which has to be read as a whole."""
_PIECE = 1 << 20
_FIRST_LINES = 3
_BLOCK_ROWS = 10_000
_NEAR_END = 4_096
"""An error so near to the end of what was read may be a value that goes on."""

_BETWEEN = " \t\r\n,"
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class JsonRow:
    """One value of a file: the line on which it begins, and its bytes."""

    line: int
    value: bytes


def looks_like_json(start: bytes) -> bool:
    """Say whether a file begins with an object or an array as JSON writes them, or one of its first lines is one."""
    text = decoder_of(_encoding(start)).decode(start).lstrip(_MARK + " \t\r\n")
    inner = text[1:].lstrip()[:1]
    if text[:1] in ("{", "[") and (inner in ('"', "}", "]", "{", "[", "") or inner.isdigit() or inner == "-"):
        return True
    return any(_is_value(line) for line in text.split("\n")[:_FIRST_LINES])


def _encoding(start: bytes) -> str:
    """Return the encoding of JSON, which is never that of an old system: a byte of one spoils its row."""
    found = encoding_of(start)
    return "utf-8" if found == "cp1252" else found


def json_rows(path: Path) -> Iterator[JsonRow]:
    """Yield the rows of a file, whatever they are.

    Raises:
        one of `packed.DAMAGE`, or PackedError.
    """
    found = _rows(path)
    alone = list(islice(found, 2))
    if len(alone) == 1:
        yield from _unwrapped(alone[0])
    else:
        yield from chain(alone, found)


def _rows(path: Path) -> Iterator[JsonRow]:
    with unpacked(path) as stream:
        start = stream.read(_START_BYTES)
    encoding = _encoding(start)
    if _is_by_line(decoder_of(encoding).decode(start)):
        with unpacked(path) as stream:
            yield from _lines(stream if encoding == "utf-8" else io.BufferedReader(Utf8(stream, encoding)))  # type: ignore[arg-type]  # both are binary streams
    else:
        with unpacked(path) as stream:
            yield from _values(io.TextIOWrapper(io.BufferedReader(Utf8(stream, encoding)), encoding="utf-8"))


def json_blocks(path: Path, rows: int) -> Iterator[Block]:
    """Yield blocks of rows as lists; a name that a row does not have is None there.

    Raises:
        one of `packed.DAMAGE`, or PackedError.
    """
    found, first = json_rows(path), 0
    while chunk := list(islice(found, rows)):
        objects: list[Mapping[str, Tree]] = []
        numbers: list[int] = []
        bad: list[BadRow] = []
        for number, row in enumerate(chunk, start=first):
            read = _object(row, number)
            if isinstance(read, BadRow):
                bad.append(read)
            else:
                objects.append(read)
                numbers.append(number)
        columns = _columns(objects)
        yield Block(columns, np.array(numbers, np.int64), first, first + len(chunk), tuple(bad))
        first += len(chunk)


def json_names(path: Path) -> tuple[str, ...]:
    """Return all names that rows have, in the order of their coming: one may come late, as a new feature does.

    Raises:
        one of `packed.DAMAGE`, or PackedError.
    """
    names: dict[str, None] = {}
    for number, row in enumerate(json_rows(path)):
        read = _object(row, number)
        if not isinstance(read, BadRow) and not read.keys() <= names.keys():
            names |= dict.fromkeys(read)
    if not any("." in name for name in names):
        return tuple(names)
    # A column of objects and nulls is none itself: only its cells tell.
    return tuple(dict.fromkeys(name for block in json_blocks(path, _BLOCK_ROWS) for name in block.columns))


def _columns(objects: Sequence[Mapping[str, Tree]]) -> dict[str, list[object]]:
    """Return the columns of rows; an object that is null in some of them is none."""
    names = dict.fromkeys(name for own in objects for name in own)
    outer = {name[:at] for name in names for at, mark in enumerate(name) if mark == "."}
    columns: dict[str, list[object]] = {name: [own.get(name) for own in objects] for name in names}
    return {name: cells for name, cells in columns.items() if name not in outer or any(c is not None for c in cells)}


def _object(row: JsonRow, number: int) -> Mapping[str, Tree] | BadRow:
    try:
        tree: Tree = orjson.loads(row.value)
    except orjson.JSONDecodeError:
        read = read_tree(row.value, max_bytes=_LARGEST_ROW)
        if isinstance(read, Fault):
            return BadRow(number, read.reason, f"line {row.line:,}: {read.message.removeprefix('value: ')}")
        tree = read
    if not isinstance(tree, dict):
        what = {type(None): "null", list: "a list", str: "a text", bool: "a yes/no"}.get(type(tree), "a number")
        return BadRow(
            number, RejectReason.NOT_AN_OBJECT, f"line {row.line:,}: must be an object, got {what}: one object a row"
        )
    flat = _flat(tree)
    if flat is None:
        return BadRow(number, RejectReason.TOO_DEEP, f"line {row.line:,}: at most {MAX_DEPTH} levels")
    return flat


def _flat(tree: Mapping[str, Tree], level: int = 1) -> Mapping[str, Tree] | None:
    """Return an object without objects inside, their members named by their path; None if it is too deep."""
    if not any(isinstance(value, dict) for value in tree.values()):
        return tree
    if level == MAX_DEPTH:
        return None
    flat: dict[str, Tree] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            members = _flat(value, level + 1)
            if members is None:
                return None
            for inner, own in members.items():
                flat.setdefault(f"{name}.{inner}", own)
        else:
            flat[name] = value
    return flat


def _unwrapped(row: JsonRow) -> Iterator[JsonRow]:
    """Yield the rows of a file that is one object: a list of rows inside it, or its columns as pandas writes them."""
    tree = read_tree(row.value, max_bytes=_LARGEST_FILE)
    members = tree if isinstance(tree, dict) else {}
    lists = [value for value in members.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    columns = [value for value in members.values() if isinstance(value, dict)]
    if len(lists) == 1:
        rows: Sequence[Tree] = lists[0]
    elif (
        len(columns) == len(members) > 0
        and len(columns[0]) > 1
        and all(own.keys() == columns[0].keys() for own in columns)
    ):
        rows = [{name: value[key] for name, value in zip(members, columns, strict=True)} for key in columns[0]]
    elif isinstance(names := members.get("columns"), list) and isinstance(data := members.get("data"), list):
        rows = [dict(zip(map(str, names), own, strict=False)) if isinstance(own, list) else own for own in data]
    else:
        yield row
        return
    for own in rows:
        yield JsonRow(row.line, json.dumps(own).encode())


# --- where rows end ---------------------------------------------------------------------------------------------------


def _is_by_line(text: str) -> bool:
    """Say whether each of the first lines is a value by itself: any two of three, for one may be broken."""
    lines = [line for line in text.lstrip(_MARK).split("\n") if line.strip()][:_FIRST_LINES]
    whole = [_is_value(line) for line in lines]
    if len(lines) == 1:
        return whole[0]
    return 2 * sum(whole) >= len(lines) and not (whole[0] is False and lines[0].strip() in ("[", "{"))


def _is_value(line: str) -> bool:
    try:
        return isinstance(TOLERANT.decode(line), dict)
    except (ValueError, RecursionError):
        return False


def _lines(stream: io.BufferedIOBase) -> Iterator[JsonRow]:
    for number, line in enumerate(stream, start=1):
        if number == 1:
            line = line.removeprefix(_MARK.encode())
        value = line.strip()
        if value:
            yield JsonRow(number, value)


def _values(stream: io.TextIOBase) -> Iterator[JsonRow]:
    """Yield values that stand one behind the other, or in one array; a damaged one ends where the next begins."""
    text, place, line, ended, opened = "", 0, 1, False, False
    while True:
        place, line = _skipped(text, place, line, _BETWEEN + _MARK)
        if place == len(text):
            if ended:
                return
            text, place = stream.read(_PIECE), 0
            ended = not text
            continue
        if not opened:
            opened = True
            if text[place] == "[":
                place += 1
                continue
        if text[place] == "]":
            place += 1
            continue
        try:
            _, end = TOLERANT.raw_decode(text, place)
        except RecursionError:
            end = _next_value(text, place)
        except json.JSONDecodeError as error:
            if not ended and (error.pos > len(text) - _NEAR_END or error.msg.startswith("Unterminated")):
                more = stream.read(max(_PIECE, len(text) - place))
                ended = not more
                text, place = text[place:] + more, 0
                continue
            end = _next_value(text, place)
        yield JsonRow(line, text[place:end].strip().encode("utf-8", "replace"))
        line += text.count("\n", place, end)
        place = end


def _skipped(text: str, place: int, line: int, marks: str) -> tuple[int, int]:
    start = place
    while place < len(text) and text[place] in marks:
        place += 1
    return place, line + text.count("\n", start, place)


def _next_value(text: str, place: int) -> int:
    """Return where the value behind a damaged one begins: at the next line that opens an object as this one did."""
    begins = text.rfind("\n", 0, place) + 1
    indent = text[begins:place] if not text[begins:place].strip(" \t") else ""
    found = text.find(f"\n{indent}{{", place + 1)
    return len(text) if found < 0 else found + 1
