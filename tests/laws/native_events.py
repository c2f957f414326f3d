"""Native events of every kind, good and broken, as hypothesis strategies; and a batch as plain facts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from stream_monitor.core.batch import ABSENT, Batch, Cell, RawChunk, Sentinel
from tests import instants

T0_MS = instants.T0_MS
"""Record time of the first event."""

NUMBERS = ["0", "-0.0", "-0", "1", "17", "0.5", "1e3", "5e-324", "1.7976931348623157e308", "9007199254740993"]
NUMBERS += ["18446744073709551615", "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890"]
NOT_FINITE = ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 400, "9" * 5000]
TEXTS = ['"DE"', '"FR"', '""', '"1.5"', '"caf\\u00e9"', '"caf\u00e9"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\u001b[31m"']
TEXTS += ['"\\ud800"', '"' + "x" * 300 + '"', '"' + "\u00e9" * 200 + '"']
OTHERS = ["true", "false", "null", "[]", "{}", "[1, 2]", '{"a": 1}', "[" * 31 + "]" * 31, "[" * 40 + "]" * 40]
BROKEN = ["01", "tru", "1.", "", "nan", "'a'", '"\\x"', '"a\nb"', "[1,]", "--1", '"\\ud800', "{", '"']

numbers = st.sampled_from(NUMBERS) | st.floats(allow_nan=False, allow_infinity=False).map(repr)
anything = numbers | st.sampled_from(NOT_FINITE + TEXTS + OTHERS)
rarely_broken = st.integers(0, 40).flatmap(lambda n: st.sampled_from(BROKEN) if n == 0 else anything)
small = st.sampled_from(["0.25", "0.5", "1", "0", "0.75", "1.5", "-0.1", "null"])


def objects(names: st.SearchStrategy[str], values: st.SearchStrategy[str], *, most: int) -> st.SearchStrategy[str]:
    """Return JSON objects with possibly repeated names."""
    members = st.lists(st.tuples(names, values), max_size=most)
    return members.map(lambda pairs: "{" + ", ".join(f"{json.dumps(n)}: {v}" for n, v in pairs) + "}")


feature_names = st.sampled_from(
    ["amount", "country", "night", "age", "__bad", "caf\u00e9", 'a"b', "x y", "debug_1", ""]
)
usual_features = st.tuples(numbers, st.sampled_from(TEXTS[:2]), st.sampled_from(["true", "false"]), numbers).map(
    lambda v: f'{{"amount": {v[0]}, "country": {v[1]}, "night": {v[2]}, "age": {v[3]}}}'
)
odd_features = objects(feature_names, rarely_broken, most=6)
probabilities = st.sampled_from(
    [
        '{"ok": 0.07, "fraud": 0.93}',
        '{"ok": 0.5, "fraud": 0.5}',
        '{"fraud": 0.2, "ok": 0.8}',
        '{"ok": 0.501, "fraud": 0.5}',
        '{"ok": 0.5010000000000001, "fraud": 0.5}',
        '{"ok": 0.499, "fraud": 0.5}',
        '{"ok": 1.5, "fraud": -0.5}',
        '{"ok": 1}',
        '{"ok": null, "fraud": 1}',
        '{"ok": true, "fraud": 0}',
        '{"a": 0.25, "b": 0.25, "c": 0.5}',
        "{}",
    ]
)
stamps = st.integers(-40_000, 40_000).map(lambda ms: str(T0_MS + ms)) | st.sampled_from(
    [
        '"2026-11-22T07:19:27.684Z"',
        '"2026-11-22T07:19:27Z"',
        '"2026-11-22T07:19:27.684999Z"',
        '"2026-11-22T08:19:27.684+01:00"',
        '"2026-11-22T07:19:60.000Z"',
        '"2026-13-22T07:19:27.684Z"',
        '"2026-11-22T07:19:27.6x4Z"',
        '"2026-11-22 07:19"',
        '"2033-11-22T07:19:27.684Z"',
        "1795331967",
        "1795331967684.0",
        "99999999999999999999",
        "null",
        "true",
    ]
)
usual_stamps = st.integers(0, 59_999).map(lambda ms: f'"2026-11-22T07:19:{ms // 1000:02d}.{ms % 1000:03d}Z"')

REQUIRED = {
    "event_id": st.integers(0, 30).map(lambda n: f'"id-{n}"'),
    "model": st.just('"fraud"'),
    "timestamp": usual_stamps,
}
USUAL = {
    "version": st.sampled_from(['"7"', '"8"', "7"]),
    "features": usual_features,
    "prediction": st.just('{"ok": 0.07, "fraud": 0.93}'),
    "latency_ms": numbers,
}
ODD = {
    "event_id": st.sampled_from(['""', "5", "null", '"' + "i" * 300 + '"', '"\\ud800"', '"\u00e9"']),
    "model": st.sampled_from(['"churn"', '"__x"', '""', "null", "7", '"a\\u0000b"', '"nobody"']),
    "timestamp": stamps,
    "version": st.sampled_from(["7", "7.5", "null", "true", '""', '"' + "v" * 200 + '"', "99999999999999999999"]),
    "features": odd_features | rarely_broken,
    "prediction": probabilities | rarely_broken,
    "confidence": small | rarely_broken,
    "latency_ms": small | rarely_broken,
    "error": st.sampled_from(["true", "false", "null", '"timeout"', '""', "1", "[]"]),
    "segments": objects(st.sampled_from(["channel", "tier"]), anything, most=3) | rarely_broken,
    "sampled_rate": st.sampled_from(["1", "10", "0", "-1", "null", "2.0", "true", "99999999999"]),
    "instance": rarely_broken,
    "tags": objects(st.sampled_from(["release", "deep"]), anything, most=3) | rarely_broken,
    "junk": rarely_broken,
}


@st.composite
def events(draw: st.DrawFn) -> bytes | None:
    """Return the value of one record: mostly a usual event, often with odd fields, sometimes no event at all."""
    if draw(st.integers(0, 30)) == 0:
        return draw(
            st.sampled_from([None, b"", b"null", b"[]", b"\xff\xfe", b'"text"', b"{", b"x" * 3000, b"[" * 5000])
        )
    fields = {name: draw(values) for name, values in REQUIRED.items()}
    fields |= {name: draw(values) for name, values in USUAL.items() if draw(st.integers(0, 9))}
    for name in draw(st.lists(st.sampled_from(sorted(ODD)), max_size=3)):
        fields[name] = draw(ODD[name])
    members = [f'"{name}": {value}' for name, value in fields.items()]
    if draw(st.integers(0, 9)) == 0:
        members = draw(st.permutations(members))
    if draw(st.integers(0, 20)) == 0:
        members.append(draw(st.sampled_from(members)))
    if draw(st.integers(0, 30)) == 0:
        del members[draw(st.integers(0, len(members) - 1))]
    value = ("{" + ", ".join(members) + "}").encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 30)) == 0:
        cut = draw(st.integers(0, len(value)))
        value = value[:cut] + draw(st.sampled_from([b"", b"\xff", b"\xed\xa0\x80", b"}", b","])) + value[cut:]
    return value


def chunk_of(values: Sequence[bytes | None], *, first: int = 100, keys: Sequence[bytes | None] = ()) -> RawChunk:
    """Return records as a chunk, a millisecond and an offset apart."""
    size = len(values)
    offsets = np.arange(first, first + size, dtype=np.int64)
    return RawChunk("events", 2, offsets, T0_MS + offsets, values, lambda i: keys[i] if keys else None)


Facts = dict[str, object]


def facts_of(batch: Batch) -> Facts:
    """Return everything a batch says, without regard to how it is stored."""
    rows: dict[int, object] = {}
    for group in batch.groups:
        columns = {name: column.cells() for name, column in group.columns.items()}
        for at, row in enumerate(group.rows.tolist()):
            cells = {name: typed(cells[at]) for name, cells in columns.items() if cells[at] is not ABSENT}
            rows[int(batch.offsets[row])] = (
                (group.model, group.version, group.event_ids[at], int(batch.event_ms[row])),
                (int(group.select[at]), int(group.tie[at])),
                1 if group.sampled_rate is None else int(group.sampled_rate[at]),
                cells,
                {name: texts[at] for name, texts in group.segments.items()},
                tuple(group.undeclared.get(at, ())),
            )
    return {
        "rows": rows,
        "read": (batch.read, batch.tombstones, batch.time_fallbacks, len(batch.offsets)),
        "rejects": list(batch.rejects),
        "value_rejects": {key: count for key, count in batch.value_rejects.items() if count},
    }


def typed(cell: Cell) -> tuple[str, object]:
    """Return a cell with its type: True, 1 and 1.0 are different cells."""
    return (type(cell).__name__, repr(cell) if isinstance(cell, Sentinel) else cell)
