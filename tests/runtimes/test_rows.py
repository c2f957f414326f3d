"""Files without configuration: what is found in them, and what is left alone."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream_monitor.config import Settings, load
from stream_monitor.config.yaml_text import Plain
from stream_monitor.core.alerts.event import decode
from stream_monitor.core.study.survey import Survey
from stream_monitor.formats.tables import TableError
from stream_monitor.runtimes.backtest.prepare import prepare_rows
from stream_monitor.runtimes.backtest.prepared import Prepared
from stream_monitor.runtimes.backtest.rows import run_rows
from tests.runtimes.stories import SCENARIO, START_MS

ROWS, DRIFT = 4_000, 2_500
Columns = Mapping[str, Sequence[object]]


def _columns(seed: int = 5, *, shift: float = 1.0) -> dict[str, Sequence[object]]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=ROWS), rng.lognormal(size=ROWS)
    x[DRIFT:] += shift
    colour = rng.choice(["red", "green", "blue"], ROWS, p=[0.5, 0.3, 0.2])
    return {"x": x.round(4).tolist(), "y": y.round(3).tolist(), "colour": colour.tolist()}


def _csv(path: Path, columns: Columns) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(["" if cell is None else cell for cell in row] for row in zip(*columns.values(), strict=True))
    return path


def _settings(base: Plain) -> Settings:
    return load(environ={}, needs_group=False, base=base)


def _prepare(
    path: Path, *, baseline: Path | None = None, row_order: bool = False, columns: Mapping[str, str] | None = None
) -> Prepared:
    return prepare_rows(
        path,
        baseline=baseline,
        model="m",
        columns=columns or {},
        row_order=row_order,
        settings=_settings,
    )


def _fired(prepared: Prepared) -> dict[str, int]:
    """Return the row at which each series first fired."""
    run = run_rows(
        prepared.rows, prepared.settings.plan, topic="file", group="g", partitions=1, baselines=prepared.baselines
    )
    found: dict[str, int] = {}
    for alert in run.alerts:
        event = decode(alert.event.value)
        if event.data.reason == "fired":
            row = int(np.searchsorted(prepared.ordered_ms, alert.event.timestamp_ms))
            found.setdefault(event.data.labels["series"], row)
    return found


def test_a_shift_is_found_where_it_is(tmp_path: Path) -> None:
    """Of three columns one moves by a standard deviation at row 2,500; it alone fires, soon."""
    fired = _fired(_prepare(_csv(tmp_path / "f.csv", _columns())))

    assert ["feature:x"] == list(fired)
    assert DRIFT < fired["feature:x"] < DRIFT + 400


def test_healthy_rows_raise_nothing(tmp_path: Path) -> None:
    """A file without drift is a file without alerts."""
    assert {} == _fired(_prepare(_csv(tmp_path / "f.csv", _columns(shift=0.0))))


def test_the_kind_of_file_does_not_matter(tmp_path: Path) -> None:
    """CSV, Parquet and JSON lines of the same rows give the same alerts at the same rows."""
    columns = _columns()
    pq.write_table(pa.table(dict(columns)), tmp_path / "f.parquet")
    lines = [orjson.dumps(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]
    (tmp_path / "f.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    expected = _fired(_prepare(_csv(tmp_path / "f.csv", columns)))

    assert expected == _fired(_prepare(tmp_path / "f.parquet")) == _fired(_prepare(tmp_path / "f.jsonl"))


def test_another_file_can_be_the_reference(tmp_path: Path) -> None:
    """A target column of the training data that the traffic never had is left out, and said."""
    healthy = _columns(6, shift=0.0)
    training = _csv(tmp_path / "training.csv", {**healthy, "outcome": healthy["y"]})
    prepared = _prepare(_csv(tmp_path / "f.csv", _columns()), baseline=training)

    assert ["feature:x"] == list(_fired(prepared))
    assert any("outcome" in note for note in prepared.notes)


def test_a_storm_of_missing_values_is_found(tmp_path: Path) -> None:
    """Half of a column is lost."""
    columns = _columns(shift=0.0)
    rng = np.random.default_rng(1)
    columns["y"] = [None if i >= DRIFT and rng.random() < 0.5 else cell for i, cell in enumerate(columns["y"])]

    assert "missing:y" in _fired(_prepare(_csv(tmp_path / "f.csv", columns)))


def test_time_stamps_are_the_clock(tmp_path: Path) -> None:
    """Rows in any order of the file are judged in the order of their time stamps, none of them late."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    stamps = [(start + timedelta(minutes=i)).isoformat() for i in range(ROWS)]
    columns = {"timestamp": stamps, **_columns()}
    order = np.argsort(np.arange(ROWS) + np.random.default_rng(2).integers(0, 50, ROWS), kind="stable")
    shuffled = {name: [cells[i] for i in order] for name, cells in columns.items()}
    prepared = _prepare(_csv(tmp_path / "f.csv", shuffled))

    assert prepared.timed
    assert "2026-01-02" in prepared.when(int(prepared.ordered_ms[24 * 60]))
    assert ["feature:x"] == list(_fired(prepared))


def test_long_gaps_in_time_make_rows_the_clock(tmp_path: Path) -> None:
    """A file with a year between two days is not judged in a million empty panes."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    stamps = [(start + timedelta(seconds=i + (3e8 if i >= ROWS // 2 else 0))).isoformat() for i in range(ROWS)]
    prepared = _prepare(_csv(tmp_path / "f.csv", {"timestamp": stamps, **_columns()}))

    assert not prepared.timed
    assert any("gaps" in note for note in prepared.notes)


def test_amounts_are_watched_as_numbers(tmp_path: Path) -> None:
    """A rise of amounts in dollars is found as soon as one of bare numbers, and how they were read is told."""
    columns = _columns()
    bare = _fired(_prepare(_csv(tmp_path / "bare.csv", {"x": columns["x"]})))
    dollars = [f"-${-float(str(x)):,.4f}" if float(str(x)) < 0 else f"${x:,.4f}" for x in columns["x"]]
    prepared = _prepare(_csv(tmp_path / "dollars.csv", {"x": dollars}))

    assert _fired(prepared) == bare != {}
    assert "read as numbers: x (in $)" in prepared.notes[0]


def test_months_are_rows_and_still_have_dates(tmp_path: Path) -> None:
    """They are of several lengths: in panes of days a year is no season of twelve rows any more."""
    months, drift = 480, 300
    rng = np.random.default_rng(3)
    yearly = 5.0 * np.sin(2 * np.pi * np.arange(months) / 12) + rng.normal(size=months)
    yearly[drift:] += 3.0
    stamps = [f"{1980 + i // 12}-{1 + i % 12:02d}-01" for i in range(months)]
    prepared = _prepare(_csv(tmp_path / "f.csv", {"date": stamps, "x": yearly.round(3).tolist()}))
    fired = _fired(prepared)

    assert (prepared.timed, prepared.pane_rows) == (False, 12)
    assert ["feature:x"] == list(fired)
    assert drift < fired["feature:x"] < drift + 84
    assert prepared.when(int(prepared.ordered_ms[drift])) == "row 300 (2005-01-01T00:00:00.000Z)"
    assert prepared.when(int(prepared.ordered_ms[-1]) + 1_000) == "row 480 (2019-12-01T00:00:00.000Z)"


@pytest.mark.parametrize("days", [[31, 28, 31], [61, 59, 61], [1, 1, 30], [7, 7, 7], [-31, -28, -31]])
def test_months_are_counted_by_the_calendar(days: list[int]) -> None:
    """One month after another or every second one; days and weeks are none, and no file is turned round."""
    start = int(datetime(2025, 1 if days[0] > 0 else 4, 1, tzinfo=UTC).timestamp()) * 1_000
    times = start + np.cumsum([0, *days]) * 86_400_000
    seen = Survey(times, {("m", "1"): times.size}, {})

    assert seen.is_monthly == (days[0] in (31, 61))


def test_each_model_has_its_own_reference(tmp_path: Path) -> None:
    """Two models in one file: only the one that drifts fires."""
    columns = _columns(shift=0.0)
    names = ["a" if i % 2 else "b" for i in range(ROWS)]
    columns["x"] = [
        float(str(cell)) + (2.0 if i >= DRIFT and names[i] == "a" else 0.0) for i, cell in enumerate(columns["x"])
    ]
    prepared = _prepare(_csv(tmp_path / "f.csv", {"model_name": names, **columns}))
    run = run_rows(
        prepared.rows, prepared.settings.plan, topic="file", group="g", partitions=2, baselines=prepared.baselines
    )

    assert {"a"} == {decode(alert.event.value).data.labels["model"] for alert in run.alerts}


def test_native_events_in_a_file_are_decoded(tmp_path: Path) -> None:
    """A file of events needs no columns: the format says what is what."""
    path = tmp_path / "events.jsonl"
    lines = [value for second in range(30) for _, value in SCENARIO.second(second, start_ms=START_MS)]
    path.write_bytes(b"\n".join([*lines[:10], b"{broken", *lines[10:]]) + b"\n")
    prepared = _prepare(path)

    assert "fraud" == prepared.baselines[0][0].model
    assert "feature:amount" in _fired(prepared)


@pytest.mark.parametrize(
    ("text", "error"),
    [("x\n1\n2\n", "at least 126 rows"), ("", "is empty"), ("x,x\n1,2\n", "twice")],
)
def test_what_cannot_be_judged_is_refused(tmp_path: Path, text: str, error: str) -> None:
    """Too short, empty, or ambiguous: told in one line."""
    path = tmp_path / "f.csv"
    path.write_text(text)

    with pytest.raises((TableError, ValueError), match=error):
        _prepare(path)
