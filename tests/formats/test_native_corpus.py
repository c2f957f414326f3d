"""Bad records: each lands among the dead letters with its reason, and the rest counts as if it were not there."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Mapping

import pytest

from stream_monitor.core.batch import ABSENT, INVALID, Cell
from stream_monitor.core.names import RejectReason, Stage, ValueReject
from stream_monitor.core.plan import InputPlan, ModelPlan, Plan, TimePlan
from stream_monitor.formats import build_decoder
from tests.laws.native_events import T0_MS, chunk_of, facts_of

PLAN = Plan(
    models=(ModelPlan("fraud", segments=("channel",)), ModelPlan("churn")), time=TimePlan(max_past_ms=86_400_000)
)
STAMP = '"2026-11-22T07:19:27.684Z"'
HEAD = f'"event_id": "e", "model": "fraud", "timestamp": {STAMP}'


def event(members: str = "", head: str = HEAD) -> bytes:
    return ("{" + ", ".join(part for part in (head, members) if part) + "}").encode("utf-8", "surrogatepass")


def without(name: str) -> bytes:
    return event(head=", ".join(part for part in HEAD.split(", ") if not part.startswith(f'"{name}"')))


def with_(name: str, value: str) -> bytes:
    return event(f'"{name}": {value}')


R = RejectReason
CORPUS: Mapping[str, tuple[bytes, RejectReason]] = {
    # bytes that become no tree
    "empty": (b"", R.INVALID_JSON),
    "blank": (b" \n", R.INVALID_JSON),
    "truncated": (event()[:-1], R.INVALID_JSON),
    "two values": (event() + event(), R.INVALID_JSON),
    "joins two records": (b"},{", R.INVALID_JSON),
    "trailing comma": (event()[:-1] + b",}", R.INVALID_JSON),
    "single quotes": (b"{'event_id': 'e'}", R.INVALID_JSON),
    "raw line feed in a text": (with_("x", '"a\nb"'), R.INVALID_JSON),
    "raw NUL in a text": (with_("x", '"a\x00b"'), R.INVALID_JSON),
    "raw escape character in a text": (with_("x", '"a\x1b[31mb"'), R.INVALID_JSON),
    "byte order mark": (b"\xef\xbb\xbf" + event(), R.INVALID_JSON),
    "leading zero": (with_("x", "01"), R.INVALID_JSON),
    "not UTF-8": (b"\xff" + event(), R.INVALID_ENCODING),
    "not UTF-8 in a field nobody reads": (with_("x", '"?"').replace(b"?", b"\xff"), R.INVALID_ENCODING),
    "raw lone surrogate": (with_("x", '"\ud800"'), R.INVALID_ENCODING),
    "UTF-16": (event().decode().encode("utf-16"), R.INVALID_ENCODING),
    "gzip": (b"\x1f\x8b\x08\x00", R.INVALID_ENCODING),
    "Avro with a schema id": (b"\x00\x00\x00\x00\x07\x02e", R.INVALID_JSON),
    "too large": (with_("x", '"' + "y" * 65_536 + '"'), R.TOO_LARGE),
    "nesting of 33": (with_("x", "[" * 32 + "]" * 32), R.TOO_DEEP),
    "nesting of 5,000": (with_("x", "[" * 5_000 + "]" * 5_000), R.TOO_DEEP),
    "nesting of 5,000 that never ends": (b'{"a":' * 5_000, R.TOO_DEEP),
    "nesting where a text looks like its end": (b'{"a":["]]]]]]]]]]"' * 3_000, R.TOO_DEEP),
    # trees that are no event
    "null": (b"null", R.NOT_AN_OBJECT),
    "array": (b"[" + event() + b"]", R.NOT_AN_OBJECT),
    "text": (b'"event"', R.NOT_AN_OBJECT),
    "number": (b"7", R.NOT_AN_OBJECT),
    "no event_id": (without("event_id"), R.MISSING_FIELD),
    "no model": (without("model"), R.MISSING_FIELD),
    "no timestamp": (without("timestamp"), R.MISSING_FIELD),
    "null event_id": (with_("event_id", "null"), R.MISSING_FIELD),
    "null timestamp": (with_("timestamp", "null"), R.MISSING_FIELD),
    "event_id a number": (with_("event_id", "7"), R.WRONG_TYPE),
    "model a number": (with_("model", "7"), R.WRONG_TYPE),
    "version a float": (with_("version", "7.0"), R.WRONG_TYPE),
    "version a boolean": (with_("version", "true"), R.WRONG_TYPE),
    "features an array": (with_("features", "[1, 2]"), R.WRONG_TYPE),
    "features a text": (with_("features", '"x"'), R.WRONG_TYPE),
    "segments an array": (with_("segments", "[]"), R.WRONG_TYPE),
    "sampled_rate zero": (with_("sampled_rate", "0"), R.WRONG_TYPE),
    "sampled_rate a float": (with_("sampled_rate", "2.0"), R.WRONG_TYPE),
    "sampled_rate a boolean": (with_("sampled_rate", "true"), R.WRONG_TYPE),
    "empty event_id": (with_("event_id", '""'), R.INVALID_NAME),
    "long event_id": (with_("event_id", '"' + "e" * 257 + '"'), R.INVALID_NAME),
    "lone surrogate in event_id": (with_("event_id", '"\\ud800"'), R.INVALID_NAME),
    "empty model": (with_("model", '""'), R.INVALID_NAME),
    "long model": (with_("model", '"' + "m" * 129 + '"'), R.INVALID_NAME),
    "reserved model": (with_("model", '"__name__"'), R.INVALID_NAME),
    "NUL in model": (with_("model", '"fr\\u0000ud"'), R.INVALID_NAME),
    "ANSI in model": (with_("model", '"\\u001b[31mfraud"'), R.INVALID_NAME),
    "lone surrogate in model": (with_("model", '"\\udfff"'), R.INVALID_NAME),
    "control character in version": (with_("version", '"7\\n"'), R.INVALID_NAME),
    "unknown model": (with_("model", '"somebody-elses"'), R.UNKNOWN_MODEL),
    "4,097 features": (
        with_("features", "{" + ",".join(f'"f{n}":1' for n in range(4_097)) + "}"),
        R.TOO_MANY_FEATURES,
    ),
    "time a float": (with_("timestamp", "1795331967684.0"), R.INVALID_TIMESTAMP),
    "time a boolean": (with_("timestamp", "true"), R.INVALID_TIMESTAMP),
    "time without offset": (with_("timestamp", '"2026-11-22T07:19:27"'), R.INVALID_TIMESTAMP),
    "time a number in a text": (with_("timestamp", '"1795331967684"'), R.INVALID_TIMESTAMP),
    "13th month": (with_("timestamp", '"2026-13-22T07:19:27Z"'), R.INVALID_TIMESTAMP),
    "30th of February": (with_("timestamp", '"2026-02-30T07:19:27Z"'), R.INVALID_TIMESTAMP),
    "leap second": (with_("timestamp", '"2026-11-22T07:19:60Z"'), R.INVALID_TIMESTAMP),
    "seconds for milliseconds": (with_("timestamp", "1795331967"), R.TIMESTAMP_OUT_OF_RANGE),
    "microseconds for milliseconds": (with_("timestamp", "1795331967684000"), R.TIMESTAMP_OUT_OF_RANGE),
    "year 33658": (with_("timestamp", "999999999999999"), R.TIMESTAMP_OUT_OF_RANGE),
    "20 digits": (with_("timestamp", "17953319676840000000"), R.TIMESTAMP_OUT_OF_RANGE),
    "negative time": (with_("timestamp", "-1"), R.TIMESTAMP_OUT_OF_RANGE),
    "more than five minutes ahead": (with_("timestamp", str(T0_MS + 300_200)), R.TIMESTAMP_OUT_OF_RANGE),
}
USUAL = [event('"features": {"amount": 1.5, "country": "DE"}, "prediction": {"ok": 0.25, "fraud": 0.75}')] * 3


@pytest.mark.parametrize("name", CORPUS)
def test_a_bad_record_lands_with_its_reason(name: str) -> None:
    """The closed reason, a message of one line without a value of the event, and the right position."""
    value, reason = CORPUS[name]
    (reject,) = build_decoder(InputPlan("events"), PLAN).decode(chunk_of([value])).rejects

    assert reject.reason is reason
    assert (reject.index, reject.offset) == (0, 100)
    assert reject.stage in {Stage.VALUE, Stage.TRANSFORMATION}
    assert reject.message.isprintable()
    assert reject.message.isascii()
    assert len(reject.message) <= 256


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("name", CORPUS)
def test_the_rest_counts_as_if_it_were_not_there(name: str, position: int) -> None:
    """What stands before and behind a bad record is read as without it, also by a decoder that knows the traffic."""
    decoder = build_decoder(InputPlan("events"), PLAN)
    expected = facts_of(decoder.decode(chunk_of(USUAL)))
    values = [*USUAL[:position], CORPUS[name][0], *USUAL[position:]]
    facts = facts_of(decoder.decode(chunk_of(values)))

    rows = facts["rows"]
    assert isinstance(rows, dict)
    assert list(expected["rows"].values()) == list(rows.values())  # type: ignore[attr-defined]  # a dictionary


@pytest.mark.parametrize(
    ("distance_ms", "good"), [(300_000, True), (300_001, False), (-86_400_000, True), (-86_400_001, False)]
)
def test_an_event_may_be_so_far_from_its_record(distance_ms: int, good: bool) -> None:
    """`time.max_future` and `time.max_past` around the record's own time, both included."""
    decoder = build_decoder(InputPlan("events"), PLAN)
    decoder.decode(chunk_of(USUAL))
    batch = decoder.decode(chunk_of([with_("timestamp", str(T0_MS + 100 + distance_ms))] * 1))

    assert len(batch.offsets) == good


@pytest.mark.parametrize("record_ms", [2**62, -(2**62)], ids=["after year 9999", "before year 1"])
@pytest.mark.parametrize("before", [[], USUAL], ids=["one event", "a run of events"])
def test_a_record_time_that_no_calendar_has_costs_its_record(before: list[bytes], record_ms: int) -> None:
    """It is said in milliseconds; a decoder that failed on it would be stopped for too many internal errors."""
    decoder = build_decoder(InputPlan("events"), PLAN)
    decoder.decode(chunk_of(USUAL))
    chunk = chunk_of([*before, USUAL[0]])
    chunk.record_ms[-1] = record_ms
    batch = decoder.decode(chunk)

    assert len(batch.offsets) == len(before)
    assert [R.TIMESTAMP_OUT_OF_RANGE] == [reject.reason for reject in batch.rejects]
    assert f"{record_ms} ms" in batch.rejects[0].message


def test_no_value_of_the_event_is_told() -> None:
    """A message names the field and the rule; what the event held may be personal."""
    canary = "CANARY-7f3a"
    for field in ("event_id", "model", "version", "timestamp", "features", "segments", "sampled_rate", "x"):
        for value in (f'["{canary}"]', f'"{canary}\\u0000"', f'{{"{canary}": "\x01"}}'):
            for reject in build_decoder(InputPlan("events"), PLAN).decode(chunk_of([with_(field, value)])).rejects:
                assert canary not in reject.message


def cells_of(members: str, plan: Plan = PLAN) -> tuple[dict[str, Cell], dict[ValueReject, int]]:
    batch = build_decoder(InputPlan("events"), plan).decode(chunk_of([event(members)]))
    (group,) = batch.groups
    cells = {name: column.cells()[0] for name, column in group.columns.items()}
    rejects = {reason: count for (_, reason), count in batch.value_rejects.items()}
    return {name: cell for name, cell in cells.items() if cell is not ABSENT and name != "serving_error"}, rejects


V = ValueReject
LONG = "9" * 5_000


@pytest.mark.parametrize(
    ("text", "cell", "reject"),
    [
        ("1", 1.0, None),
        ("-0.0", 0.0, None),
        ("5e-324", 5e-324, None),
        ("9007199254740993", 9007199254740992.0, None),  # beyond 2^53 integers become floats
        ("18446744073709551616", 18446744073709551616.0, None),
        ("null", None, None),
        ("true", True, None),  # a boolean is no number: its series decides
        ('"1"', "1", None),  # nor is a text of digits
        ('"caf\\u00e9"', "caf\u00e9", None),
        ("1e400", INVALID, V.NON_FINITE),
        ("-1e400", INVALID, V.NON_FINITE),
        ("NaN", INVALID, V.NON_FINITE),
        ("Infinity", INVALID, V.NON_FINITE),
        (LONG, INVALID, V.NON_FINITE),
        ("[1]", INVALID, V.UNSUPPORTED),
        ('{"a": 1}', INVALID, V.UNSUPPORTED),
    ],
)
def test_a_bad_value_costs_that_value_alone(text: str, cell: Cell, reject: ValueReject | None) -> None:
    """The event counts; the value is what it is, or invalid for a reason."""
    cells, rejects = cells_of(f'"features": {{"x": {text}, "y": 2}}')

    assert cells == {"feature:x": cell, "feature:y": 2.0}
    assert rejects == ({} if reject is None else {reject: 1})


@pytest.mark.parametrize(
    ("members", "prediction", "confidence", "reject"),
    [
        ('"prediction": 0.7', 0.7, ABSENT, None),  # regression
        ('"prediction": "ok"', "ok", ABSENT, None),
        ('"prediction": true', True, ABSENT, None),
        ('"prediction": null', None, ABSENT, None),
        ('"prediction": {"ok": 0.25, "fraud": 0.75}', "fraud", 0.75, None),
        ('"prediction": {"b": 0.5, "a": 0.5}', "a", 0.5, None),  # of equal ones the smallest name
        ('"prediction": {"only": 1}', "only", 1.0, None),
        ('"prediction": {"ok": 0.25, "fraud": 0.75}, "confidence": 0.9', "fraud", 0.9, None),
        ('"prediction": {"ok": 0.25, "fraud": 0.75}, "confidence": null', "fraud", 0.75, None),
        ('"prediction": "ok", "confidence": 0.9', "ok", 0.9, None),
        ('"prediction": {"ok": 0.4, "fraud": 0.599}', "fraud", 0.599, None),  # the sum may miss one by 0.001
        ('"prediction": {"ok": 0.4, "fraud": 0.5989}', INVALID, ABSENT, V.OUT_OF_DOMAIN),
        ('"prediction": {"ok": 1.25, "fraud": -0.25}', INVALID, ABSENT, V.OUT_OF_DOMAIN),
        ('"prediction": {}', INVALID, ABSENT, V.OUT_OF_DOMAIN),
        ('"prediction": {"ok": "1"}', INVALID, ABSENT, V.WRONG_TYPE),
        ('"prediction": {"ok": true}', INVALID, ABSENT, V.WRONG_TYPE),
        ('"prediction": {"ok": NaN, "fraud": 1}', INVALID, ABSENT, V.NON_FINITE),
        ('"prediction": [0.25, 0.75]', INVALID, ABSENT, V.UNSUPPORTED),
        ('"prediction": {' + ",".join(f'"c{n}": 0' for n in range(256)) + ', "z": 1}', INVALID, ABSENT, V.OVER_LIMIT),
        ('"confidence": 1.1', ABSENT, INVALID, V.OUT_OF_DOMAIN),
        ('"confidence": "high"', ABSENT, INVALID, V.WRONG_TYPE),
    ],
)
def test_a_prediction_is_a_number_or_a_class(
    members: str, prediction: Cell, confidence: Cell, reject: ValueReject | None
) -> None:
    """Probabilities give their largest class and its probability; what contradicts itself is left out."""
    cells, rejects = cells_of(members)

    assert cells.get("prediction", ABSENT) == prediction
    assert cells.get("confidence", ABSENT) == confidence
    assert rejects == ({} if reject is None else {reject: 1})


@pytest.mark.parametrize(
    ("text", "failed"),
    [("true", True), ('"timeout"', True), ("false", False), ("null", False), ('""', False), ("1", INVALID)],
)
def test_an_error_is_true_or_a_class_of_errors(text: str, failed: Cell) -> None:
    """A serving failure; features and prediction may then be missing."""
    batch = build_decoder(InputPlan("events"), PLAN).decode(chunk_of([with_("error", text)]))

    assert batch.groups[0].columns["serving_error"].cells() == [failed]


@pytest.mark.parametrize(
    ("text", "segment", "reject"),
    [
        ('"web"', "web", None),
        ("true", "true", None),
        ("7", "7", None),
        ("0.5", "0.5", None),
        ("null", None, None),
        ('""', None, V.INVALID_NAME),
        ('"a\\u0000"', None, V.INVALID_NAME),
        ('"\\ud800"', None, V.INVALID_NAME),
        ("1e400", None, V.NON_FINITE),
        ("[1]", None, V.UNSUPPORTED),
    ],
)
def test_a_segment_is_a_short_text(text: str, segment: str | None, reject: ValueReject | None) -> None:
    """Numbers and booleans are written as text; what cannot be a label is no segment."""
    batch = build_decoder(InputPlan("events"), PLAN).decode(chunk_of([with_("segments", f'{{"channel": {text}}}')]))

    assert batch.groups[0].segments == {"channel": [segment]}
    assert dict(batch.value_rejects) == ({} if reject is None else {("fraud", reject): 1})


def test_features_over_the_limit_are_named_not_counted() -> None:
    """Of 600 features the 512 of smallest name count; the others are left-out names of this event alone."""
    names = [f"f{n:03d}" for n in range(600)]
    batch = build_decoder(InputPlan("events"), PLAN).decode(
        chunk_of([with_("features", json.dumps(dict.fromkeys(reversed(names), 1)))])
    )
    (group,) = batch.groups

    assert sorted(name for name in group.columns if name.startswith("feature:"))[-1] == "feature:f511"
    assert group.undeclared == {0: tuple(names[512:])}
    assert batch.value_rejects["fraud", ValueReject.OVER_LIMIT] == 88


def test_a_bad_feature_name_costs_that_feature_alone() -> None:
    """Control characters, empty and reserved names, and names beyond 128 bytes."""
    bad = ["", "__index_level_0__", "a\x00", "\x1b[31m", "x" * 129, "\u00e9" * 65]
    batch = build_decoder(InputPlan("events"), PLAN).decode(
        chunk_of([with_("features", json.dumps({**dict.fromkeys(bad, 1), "petal width (cm)": 1}))] * 3)
    )
    (group,) = batch.groups

    assert [name for name in group.columns if name.startswith("feature:")] == ["feature:petal width (cm)"]
    assert dict(batch.value_rejects) == {("fraud", ValueReject.INVALID_NAME): 3 * len(bad)}


def test_of_equal_names_the_last_counts() -> None:
    """JSON leaves it open; most decoders do so."""
    cells, _ = cells_of('"features": {"x": "oops", "x": 2}, "features": {"x": 1, "x": 3}')

    assert cells == {"feature:x": 3.0}


def test_tombstones_are_counted_and_skipped() -> None:
    """A null value is no event and no error."""
    batch = build_decoder(InputPlan("events"), PLAN).decode(chunk_of([None, *USUAL, None]))

    assert (batch.read, batch.tombstones, len(batch.rejects), batch.offsets.tolist()) == (5, 2, 0, [101, 102, 103])


def test_the_record_lends_its_time_only_if_told_to() -> None:
    """`time.fallback: record` takes the record's time for an event without one, and counts that."""
    plan = Plan(time=TimePlan(fallback="record"))
    batch = build_decoder(InputPlan("events"), plan).decode(chunk_of([without("timestamp"), event()]))

    assert batch.event_ms.tolist() == [T0_MS + 100, 1795331967684]
    assert batch.time_fallbacks == 1


def test_the_input_may_name_the_model() -> None:
    """An event's own model wins over the input's."""
    decoder = build_decoder(InputPlan("events", model="churn"), PLAN)
    batch = decoder.decode(chunk_of([without("model"), event()]))

    assert sorted(group.model for group in batch.groups) == ["churn", "fraud"]


def test_hostile_records_cost_little() -> None:
    """A hundred records made to be slow or large are refused in seconds and in a few megabytes."""
    million_keys = b"{" + b",".join(b'"k%d":1' % n for n in range(1_000_000)) + b"}"
    hostile = [
        million_keys,
        b'{"x": "' + b"y" * 10_000_000 + b'"}',
        b'"\\' * 32_000,
        b'{"a":' * 10_000,
        b"[" * 65_000,
        with_("features", "{" + ",".join(f'"{n}":' + "9" * 50 for n in range(1_000)) + "}"),
        with_("x", "9" * 65_000),
        with_("x", '"' + "\\ud800" * 10_000 + '"'),
        with_("x", "[" * 32 + '"' * 30_000),
    ]
    decoder = build_decoder(InputPlan("events"), PLAN)
    before = resource.getrusage(resource.RUSAGE_SELF)
    decoder.decode(chunk_of(hostile * 11))
    after = resource.getrusage(resource.RUSAGE_SELF)

    assert after.ru_utime - before.ru_utime < 20  # seconds of this process; measured 0.5
    assert after.ru_maxrss - before.ru_maxrss < 200_000  # KiB
    assert time.get_clock_info("process_time").monotonic


def test_a_format_that_does_not_exist_is_named() -> None:
    """The message says which formats there are."""
    with pytest.raises(ValueError, match=r"inputs\.format: must be one of native.*, got 'nativ'"):
        build_decoder(InputPlan("events", format="nativ"), PLAN)


def test_an_identity_from_nowhere_is_named() -> None:
    """The message says where an identity can come from."""
    with pytest.raises(ValueError, match=r"inputs\.event_id: must be field, record\.key or record\.offset"):
        build_decoder(InputPlan("events", params=(("event_id", "header"),)), PLAN)
