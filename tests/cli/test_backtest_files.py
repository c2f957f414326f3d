"""`backtest` and `baseline build` of files as people have them: what is read, what is refused, and with which code."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest

from stream_monitor.cli.failures import Exit
from stream_monitor.cli.main import run_command
from stream_monitor.kafka.readers.record_export import encode_line
from stream_monitor.kafka.readers.stored_record import StoredRecord

ROWS, DRIFT = 1_500, 1_000
START = datetime(2026, 1, 20, tzinfo=UTC)
MOMENTS = [START + timedelta(minutes=10 * n) for n in range(ROWS)]


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("STREAM_MONITOR_")]:
        monkeypatch.delenv(name)


def numbers(seed: int = 3, *, shift: float = 1.5) -> list[float]:
    """Draws that move by some standard deviations at row 1,000."""
    x = np.random.default_rng(seed).normal(size=ROWS)
    x[DRIFT:] += shift
    return [float(value) for value in x.round(4)]


def events(x: Iterable[object], **fields: object) -> list[dict[str, object]]:
    """Native events, ten minutes apart."""
    return [
        {
            "event_id": f"e{n}",
            "model": "m",
            "timestamp": MOMENTS[n].isoformat(),
            "features": {"x": value, "z": (n * 7 % 13) / 13},
            **fields,
        }
        for n, value in enumerate(x)
    ]


def jsonl(path: Path, rows: Iterable[object]) -> Path:
    """Write rows as JSON lines."""
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run a command: its code, what it prints and what it notes."""
    code = run_command([str(own) for own in arguments])
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert "unexpected" not in printed.err
    return code, printed.out, printed.err


# --- rows that cannot be read -----------------------------------------------------------------------------------------


def test_a_file_that_is_still_written_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its last line is cut: it is rejected, with its number, and the others are judged."""
    path = jsonl(tmp_path / "a.jsonl", ({"x": x} for x in numbers()))
    path.write_bytes(path.read_bytes()[:-4])
    code, out, err = told(capsys, "backtest", path)

    assert (code, out.count("fired")) == (0, 1)
    assert "rejected: 1 x invalid_json (line 1,500: no JSON at byte" in err
    assert "1,500 rows: 1,499 counted, 1 rejected; 1 x invalid_json" in err


@pytest.mark.parametrize("command", ["backtest", "baseline build"])
@pytest.mark.parametrize(
    ("broken", "message"),
    [
        pytest.param(
            lambda e: {k: v for k, v in e.items() if k != "event_id"}, "event_id: required, got none", id="gone"
        ),
        pytest.param(lambda e: {**e, "event_id": 7}, "event_id: must be text, got an integer", id="a number"),
        pytest.param(lambda e: {**e, "model": 1.5}, "model: must be text, got a number", id="the model"),
        pytest.param(lambda e: {**e, "timestamp": "soon"}, "timestamp: must be an RFC 3339", id="the time"),
        pytest.param(lambda e: {**e, "timestamp": None}, "timestamp: required, got none", id="no time"),
    ],
)
def test_events_that_are_all_refused_say_why(
    command: str, broken: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The field, the first line, the count; it is no success, and another baseline would not help."""
    assert callable(broken)
    path = jsonl(tmp_path / "a.jsonl", map(broken, events(numbers())))
    code, out, err = told(capsys, *command.split(), path)

    assert (code, out) == (Exit.DEAD_LETTERS, "")
    assert "none of 1,500 rows can be read: 1,500 x " in err
    assert f"(line 1: {message}" in err
    assert "--baseline" not in err


@pytest.mark.parametrize("command", ["backtest", "baseline build"])
def test_too_many_bad_rows_end_with_a_code_of_their_own(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a worker does; who wants the others judged says so."""
    rows = events(numbers())
    for row in rows[:200]:
        del row["timestamp"]
    path = jsonl(tmp_path / "a.jsonl", rows)
    code, _, err = told(capsys, *command.split(), path)
    assert code == Exit.DEAD_LETTERS
    assert (
        "200 of 1,500 rows cannot be read, and dead_letters.max_share allows 10%: 200 x missing_field (line 1: " in err
    )

    code, _, err = told(capsys, *command.split(), path, "--set", "dead_letters.max_share=0.2")
    assert code == 0
    assert "rejected: 200 x missing_field (line 1: timestamp: required, got none)" in err


def test_a_bad_row_of_a_csv_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its line; those behind it keep their numbers."""
    lines = ["x,y", *(f"{x},{n * 7 % 13}" for n, x in enumerate(numbers()))]
    lines.insert(301, "half a")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    code, out, err = told(capsys, "backtest", path)

    assert (code, out.count("fired")) == (0, 1)
    assert "rejected: 1 x bad_shape (line 302: must hold 2 cells, as most rows do, got 1)" in err
    assert "1,501 rows: 1,500 counted, 1 rejected" in err


def test_values_that_are_not_finite_cost_themselves_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the event nor its time stamp, however far apart events are; their rise is told."""
    rng = np.random.default_rng(1)
    lines = [
        orjson.dumps(event).replace(b'"x":0.5,', b'"x":' + (b"NaN", b"Infinity", b"1e400")[n % 3] + b",")
        for n, event in enumerate(
            events(0.5 if rng.random() < (0.3 if n > DRIFT else 0.01) else x for n, x in enumerate(numbers(shift=0.0)))
        )
    ]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines))
    code, out, err = told(capsys, "backtest", path)

    assert code == 0
    assert "1,500 rows: 1,500 counted" in err
    assert "invalid values of x" in out


# --- where a file comes from ------------------------------------------------------------------------------------------


class _Input:
    """Standard input that holds bytes."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("command", ["backtest", "baseline build"])
def test_a_file_may_come_through_a_pipe(
    command: str, pack: object, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` is standard input, whatever it holds."""
    assert callable(pack)
    content = jsonl(tmp_path / "a.jsonl", events(numbers())).read_bytes()
    monkeypatch.setattr("sys.stdin", _Input(pack(content)))
    code, out, err = told(capsys, *command.split(), "-")

    assert code == 0
    assert "m" in out
    assert command != "backtest" or "1,500 rows: 1,500 counted" in err


@pytest.mark.parametrize("name", ["a.json", "a.jsonl.gz", "a.txt", "a"])
def test_events_are_known_by_what_they_are(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Packed or not, whatever the file is called, one a line or in an array."""
    path = tmp_path / name
    rows = events(numbers())
    content = (
        orjson.dumps(rows, option=orjson.OPT_INDENT_2) if name == "a.json" else b"\n".join(map(orjson.dumps, rows))
    )
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    code, out, err = told(capsys, "backtest", path)

    assert (code, out.count("fired")) == (0, 1)
    assert "native events" in err


def test_a_folder_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, with what to do."""
    code, _, err = told(capsys, "backtest", tmp_path)

    assert code == Exit.USAGE
    assert "is a folder: name one file in it" in err


# --- exports ----------------------------------------------------------------------------------------------------------


def export(path: Path, rows: Iterable[object], topic: str = "inference-events") -> Path:
    """Write events as an export of two partitions of a topic."""
    records = [
        StoredRecord(topic, n % 2, n // 2, int(MOMENTS[n].timestamp()) * 1_000, None, orjson.dumps(row))
        for n, row in enumerate(rows)
    ]
    path.write_bytes(b"".join(map(encode_line, records)))
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.export", "a.csv", "a.jsonl.gz"])
def test_an_export_is_known_by_what_it_is(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A baseline is made of the events in it, not of the columns of the export."""
    path = export(tmp_path / name, events(numbers()))
    if name.endswith("gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    code, out, _ = told(capsys, "baseline", "build", path)

    assert code == 0
    assert "of m: 1,500 rows" in out
    assert "feature:x" in out
    assert "offset" not in out


def test_an_export_may_be_the_reference_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its events are the rows that the file is compared with."""
    path = jsonl(tmp_path / "a.jsonl", events(numbers()))
    reference = export(tmp_path / "b.jsonl", events(numbers(7, shift=0.0)))
    code, out, err = told(capsys, "backtest", path, "--baseline", reference)

    assert (code, out.count("fired")) == (0, 1)
    assert "baseline of m: b.jsonl: 1,500 rows" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("baseline", "build", "OTHER"), "is an export of clicks, and the plan reads inference-events: name the topic"),
        (("backtest", "FILE", "--baseline", "OTHER"), "is an export of clicks, and the plan reads inference-events"),
        (("backtest", "FILE", "--truth", "OTHER"), "is an export of topics: known changes are rows"),
        (("backtest", "OTHER"), "holds clicks, and the plan reads inference-events or drift-profiles"),
    ],
)
def test_an_export_that_does_not_fit_is_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the topics in it and what is wanted."""
    files = {
        "FILE": jsonl(tmp_path / "a.jsonl", events(numbers())),
        "OTHER": export(tmp_path / "b.jsonl", events(numbers()), "clicks"),
    }
    code, _, err = told(capsys, *(files.get(own, own) for own in arguments))

    assert code == Exit.USAGE
    assert message in err


@pytest.mark.parametrize(
    ("topic", "change", "message"),
    [
        ("inference-events", lambda lines: [*lines, *lines], "offset 0 must be 750 or more"),
        ("inference-events", lambda lines: lines[::-1], "must be 750 or more: an export holds each record once"),
        ("drift-profiles", lambda lines: lines, "drift-profiles-0 offset 0: record of drift-profiles"),
    ],
    ids=["twice", "backwards", "no profiles"],
)
def test_an_export_that_was_joined_or_is_none_of_ours_is_refused(
    topic: str,
    change: Callable[[list[bytes]], list[bytes]],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Records that are there twice would count twice, and the files of two exports joined may hold them so."""
    path = export(tmp_path / "a.jsonl", events(numbers()), topic)
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    code, out, err = told(capsys, "backtest", path)

    assert (code, out) == (Exit.USAGE, "")
    assert message in err


@pytest.mark.parametrize("kind", ["gzip", "zip"])
@pytest.mark.parametrize("arguments", [("backtest",), ("baseline", "build")], ids=" ".join)
def test_a_packed_file_that_is_damaged_says_so(
    arguments: tuple[str, ...], kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with its name; the first block of what is packed has a type that no block has."""
    path, plain = tmp_path / "a.csv", b"a,b\n" + b"1,2\n3,4\n" * 500
    if kind == "gzip":
        path.write_bytes(gzip.compress(plain))
        begins = 10
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", plain)
        begins = 30 + len("a.csv")
    damaged = bytearray(path.read_bytes())
    damaged[begins] |= 0b111
    path.write_bytes(damaged)
    code, out, err = told(capsys, *arguments, path)

    assert (code, out) == (Exit.USAGE, "")
    assert f"{path}: cannot be read: Error -3 while decompressing data: invalid block type" in err


@pytest.mark.parametrize(
    ("source", "option", "message"),
    [
        ("export", ("--baseline", "x.csv"), "--baseline: is for a file of rows: of topics the configuration says it"),
        ("export", ("--segment", "z"), "--segment: is for a file of rows"),
        ("export", ("--model", "m"), "--model: is for a file of rows"),
        ("export", ("--row-order",), "--row-order: records of topics have times"),
        ("export", ("--max-delay", "0"), "--max-delay: needs a file of rows"),
        ("export", ("--since", "2h"), "--since: only profiles on Kafka are cut by time"),
        ("rows", ("--until", "2h"), "--until: only profiles on Kafka are cut by time"),
        ("rows", ("--partitions", "events=2"), "--partitions: only exported topics have partitions"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_an_option_that_a_source_has_no_use_for_is_refused(
    source: str, option: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unheard, it would seem to be obeyed: alerts against another reference than the one that was named."""
    make = export if source == "export" else jsonl
    code, out, err = told(capsys, "backtest", make(tmp_path / "a.jsonl", events(numbers())), *option)

    assert (code, out) == (Exit.USAGE, "")
    assert message in err


def test_events_of_a_model_that_nobody_listed_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who configures one model keeps the others, unless he says that there are no others."""
    path = export(tmp_path / "a.jsonl", events(numbers()))
    slowly = ("--set", "detection.pane=6h", "--set", "detection.window=12h")  # events are ten minutes apart
    wanted = (*slowly, "--set", "models=[{name: churn, baseline: {events: 255}}]")
    code, _, err = told(capsys, "backtest", path, *wanted)
    assert code == 0
    assert "1,500 rows: 1,500 counted" in err

    code, _, err = told(capsys, "backtest", path, *wanted, "--set", "models_only=true")
    assert code == Exit.DEAD_LETTERS
    assert "nothing was counted: 1,500 x unknown_model" in err

    code, _, err = told(capsys, "baseline", "build", path, *wanted, "--set", "models_only=true")
    assert code == Exit.DEAD_LETTERS
    assert "1,500 x unknown_model (inference-events-0 offset 0: model: must be one of `models`, got m)" in err


# --- what is said of a file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            lambda _, e: {**e, "features": {"x": str(e["features"]["x"]), "z": e["features"]["z"]}},
            "features.x: texts that are numbers, many values are new, like identifiers or free text: not judged",
            id="numbers in quotes",
        ),
        pytest.param(
            lambda n, e: {**e, "features": {**e["features"], "who": f"c{n * 7919 % 100_003}"}},
            "features.who: texts, almost every value is new, like identifiers or free text: not judged",
            id="identifiers",
        ),
        pytest.param(
            lambda _, e: {**e, "features": {**e["features"], "tags": [1, 2]}},
            "features.tags: a list in 1,500 of 1,500 events (first: line 1): invalid, not judged",
            id="lists",
        ),
        pytest.param(
            lambda n, e: {**e, "features": {**e["features"], "geo": {"lat": 1.5} if n > 700 else 0.5}},
            "features.geo: an object (flatten it: one name for each of its members) in 799 of 1,500 events"
            " (first: line 702): invalid",
            id="objects in some events",
        ),
        pytest.param(
            lambda _, e: {**e, "prediction": [0.1, 0.9]},
            "prediction: a list in 1,500 of 1,500 events (first: line 1): invalid, not judged",
            id="a prediction in a list",
        ),
        pytest.param(
            lambda _, e: {**e, "confidence": 87.5},
            "confidence: a number that is not from 0 to 1 in 1,500 of 1,500 events (first: line 1): invalid, not",
            id="a percentage",
        ),
        pytest.param(
            lambda _, e: {**e, "latency_ms": "12"},
            "latency_ms: a text, not a number in 1,500 of 1,500 events (first: line 1): invalid, not judged",
            id="a latency in quotes",
        ),
        pytest.param(
            lambda _, e: {**e, "prediction": {"a": 0.9, "b": 0.9}},
            "prediction: probabilities that are out of domain in 1,500 of 1,500 events (first: line 1): invalid",
            id="probabilities that are none",
        ),
    ],
)
def test_native_values_that_cannot_be_judged_are_named(
    change: object, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The field, the count and the first line; the others are judged."""
    assert callable(change)
    path = jsonl(tmp_path / "a.jsonl", [change(n, event) for n, event in enumerate(events(numbers()))])
    code, out, err = told(capsys, "backtest", path)

    assert words in err
    assert code == 0
    assert "features.x" in words or "m: x rose" in out


@pytest.mark.parametrize("late", ["", "pending", "NaN", "unknown"])
def test_late_labels_are_no_drift(late: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the newest rows are not there yet: it is said, and errors are judged up to there."""
    rng = np.random.default_rng(9)
    predictions = rng.random(ROWS) < 0.3
    labels = predictions ^ (rng.random(ROWS) < 0.1)
    path = tmp_path / "a.csv"
    lines = [
        f"{MOMENTS[n].isoformat()},{int(predictions[n])},{late if n >= 1_200 else int(labels[n])},{rng.random():.4f}"
        for n in range(ROWS)
    ]
    path.write_text("\n".join(["timestamp,prediction,label,x", *lines]))
    code, out, err = told(capsys, "backtest", path)

    assert (code, out) == (0, "")
    assert "labels in label end before row 1,200: error is judged up to there" in err


def test_a_column_that_comes_to_life_is_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Empty in the reference, full later: told where it happens; one that stays empty is not."""
    x = numbers(shift=0.0)
    path = tmp_path / "a.csv"
    lines = [f"{x[n]},{'' if n < DRIFT else n * 7 % 13},," for n in range(ROWS)]
    path.write_text("\n".join(["x,late,never,word", *lines]))
    code, out, err = told(capsys, "backtest", path)
    row = int(out.split("row ")[1].split()[0].replace(",", ""))

    assert (code, out.count("fired")) == (0, 1)
    assert "late: missing 100 " in out
    assert DRIFT < row < DRIFT + 100
    assert "judged is whether there is one: late" in err
    assert "not watched, no value in the reference: never, word" in err


def test_a_column_that_comes_to_life_in_native_events_is_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reference knows nothing of its values, so the column is a new one; what stays empty is no news."""
    rows = events(numbers(shift=0.0))
    for n, row in enumerate(rows):
        row["features"] |= {"late": n * 5 % 11 if n >= DRIFT else None, "never": None}  # type: ignore[operator]
    _, out, _ = told(capsys, "backtest", jsonl(tmp_path / "a.jsonl", rows))

    fired = [line for line in out.splitlines() if "(fired)" in line]
    assert len(fired) == 1
    assert "late is new, the baseline lacks it" in fired[0]
    assert DRIFT <= int(fired[0].split()[1].replace(",", "")) < DRIFT + 100


def test_a_training_table_says_which_columns_are_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are in no reference: nobody could tell from a list of the others."""
    table = tmp_path / "t.csv"
    table.write_text("x,gone,few\n" + "".join(f"{x},,{n if n < 62 else ''}\n" for n, x in enumerate(numbers())))
    code, _, err = told(capsys, "baseline", "build", table)

    assert code == 0
    assert "not watched, fewer than 63 values: few, gone; live events that have values give it a reference" in err


@pytest.mark.parametrize(("share", "becomes"), [(0.005, 0.015), (0.02, 0.006)])
def test_a_rare_event_that_triples_is_found(
    share: float, becomes: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its effect is measured over as many rows as it needs, and where it began lies far before the last window."""
    changed, rows = 12_000, 20_000
    draws = np.random.default_rng(11).random(rows)
    rare = draws < np.where(np.arange(rows) < changed, share, becomes)
    file = tmp_path / "rare.csv"
    file.write_text("rare\n" + "".join(f"{int(own)}\n" for own in rare))
    _, out, _ = told(capsys, "backtest", file, "--format", "json")

    alert = orjson.loads(out.splitlines()[0])
    found, first, last = (
        datetime.fromisoformat(own).timestamp()
        for own in (alert["time"], *alert["data"]["evidence"]["change"].values())
    )
    assert changed < found < changed + 5_000
    assert first <= changed <= last


def test_types_that_differ_from_the_reference_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Texts there and numbers here cannot be compared; 1 and 1.0, True and 1 can."""
    x = numbers(shift=0.0)
    reference, path = tmp_path / "r.csv", tmp_path / "a.csv"
    texts = ("00512", "00734", "01067")
    old = [f"{value},{texts[n % 3]},{n % 2 == 0},{n % 7}" for n, value in enumerate(numbers(4, shift=0.0))]
    new = [f"{value},{int(texts[n % 3])},{int(n % 2 == 0)},{n % 7}.0" for n, value in enumerate(x)]
    reference.write_text("\n".join(["x,zip,flag,n", *old]))
    path.write_text("\n".join(["x,zip,flag,n", *new]))
    code, out, err = told(capsys, "backtest", path, "--baseline", reference)

    assert (code, out) == (0, "")
    assert "left out: zip (texts in the reference, numbers in the file)" in err
    assert "not watched" not in err


# --- silence ----------------------------------------------------------------------------------------------------------


def test_a_file_without_a_feature_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was judged: silence is no answer."""
    path = tmp_path / "a.csv"
    path.write_text("id\n" + "".join(f"{n}\n" for n in range(ROWS)))
    code, _, err = told(capsys, "backtest", path)

    assert code != 0
    assert "raised an alert" not in err


def test_silence_without_a_promise_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a random walk no false-alarm rate can be promised."""
    walk = np.cumsum(np.random.default_rng(4).normal(size=ROWS)).round(3)
    path = tmp_path / "a.csv"
    path.write_text("n,x\n" + "".join(f"{n},{x}\n" for n, x in enumerate(walk)))
    _, _, err = told(capsys, "backtest", path)

    assert "none of them has a promise about false alarms (dependence: 1)" in err


# --- rows of the file -------------------------------------------------------------------------------------------------


def shuffled(tmp_path: Path, *, old: bool = False) -> tuple[Path, list[int]]:
    """A file whose rows are in no order, and the row of the file at each place in time."""
    order = [int(n) for n in np.random.default_rng(8).permutation(ROWS)]
    x = numbers()
    lines = ["ts,x", *(f"{MOMENTS[n].isoformat()},{x[n]}" for n in order)]
    if old:
        lines.append(f"{(START - timedelta(days=400)).isoformat()},0.1")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n")
    rows = sorted(range(ROWS), key=lambda row: order[row])
    return path, rows


@pytest.mark.parametrize("old", [False, True], ids=["in time", "one stamp far away"])
def test_a_row_is_named_by_its_number_in_the_file(
    old: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever its place in time, and known changes are rows of the file as well."""
    path, rows = shuffled(tmp_path, old=old)
    (tmp_path / "t.csv").write_text(f"{rows[DRIFT]}\n")
    code, out, err = told(capsys, "backtest", path, "--truth", tmp_path / "t.csv", "--max-delay", "200")
    row, moment = out.split("row ")[1].split(" (")[:2]
    at = datetime.fromisoformat(moment.split(")")[0])

    assert code == 0
    assert "each is named by its number in the file" in err
    assert MOMENTS[rows.index(int(row.replace(",", "")))] == at
    assert MOMENTS[DRIFT] < at < MOMENTS[DRIFT + 200]
    assert [line.split()[-1] for line in out.splitlines() if line.startswith(("hits", "false alarms  "))] == ["1", "0"]
    assert f"{rows[DRIFT]:,}" in out.split("true change")[1]


@pytest.mark.parametrize("far", [-400, 4_000], ids=["old", "in the future"])
def test_one_stamp_far_away_costs_the_order_of_no_row(
    far: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows sorted by entity are judged in the order of time, spaced evenly."""
    rng = np.random.default_rng(5)
    lines = ["ts,driver,x"]
    for driver in range(5):
        for hour in range(300):
            x = rng.normal() + driver + (2.0 if hour >= 200 else 0.0)
            lines.append(f"{(START + timedelta(hours=hour)).isoformat()},d{driver},{x:.4f}")
    lines.insert(700, f"{(START + timedelta(days=far)).isoformat()},d1,0.1")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    code, out, err = told(capsys, "backtest", path)
    fired = [line for line in out.splitlines() if "fired" in line]

    assert code == 0
    assert "have long gaps: rows are taken in the order of their times, a second apart" in err
    assert len(fired) == 1
    assert ": x rose" in fired[0]
    assert (
        START + timedelta(hours=200)
        < datetime.fromisoformat(fired[0].split("(")[1].split(")")[0])
        < START + timedelta(hours=240)
    )
