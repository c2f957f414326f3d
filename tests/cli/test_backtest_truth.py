"""`backtest --truth` and `--plot` on a file whose change is known."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import orjson
import pytest

from stream_monitor.cli.main import run_command
from stream_monitor.lab.generators import (
    Categorical,
    CategoryStream,
    Normal,
    NumberStream,
    OtherShares,
    Shift,
    Step,
    Stream,
    write_csv,
    write_truth,
)


@pytest.fixture
def labelled(tmp_path: Path) -> tuple[Path, Path]:
    """Return a file of 2,000 rows in which x and c change at row 1,200, y does not; and its truth."""
    law = Categorical.even(3)
    streams: dict[str, Stream] = {
        "x": NumberStream(Normal(), 2_000, 1, (Shift(2.0, Step(1_200)),)),
        "y": NumberStream(Normal(), 2_000, 2),
        "c": CategoryStream(law, 2_000, 3, (OtherShares(law.moved(0.3, "c0", "c1"), Step(1_200)),)),
    }
    write_csv(tmp_path / "data.csv", streams)
    write_truth(tmp_path / "truth.json", streams)
    return tmp_path / "data.csv", tmp_path / "truth.json"


def test_scores_are_printed_behind_the_alerts(labelled: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Both changes found, nothing false: precision and recall 1."""
    data, truth = labelled

    assert run_command(["backtest", str(data), "--truth", str(truth)]) == 0
    lines = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    assert {"streams 3", "changes 2", "hits 2", "false alarms 0", "precision 1.0", "recall 1.0", "F1 1.0"} <= lines


def test_scores_are_an_object_for_programs(labelled: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """The last line, after the alerts; a delay of rows, not of time."""
    data, truth = labelled

    assert run_command(["--format", "json", "backtest", str(data), "--truth", str(truth)]) == 0
    scores = orjson.loads(capsys.readouterr().out.splitlines()[-1])["scores"]
    assert (scores["hits"], scores["false alarms"]) == (2, 0)
    assert 0 <= scores["delay, median (rows)"] <= 300


def test_a_shorter_delay_makes_a_late_alert_false(
    labelled: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Within one row nobody finds anything."""
    data, truth = labelled

    assert run_command(["--format", "json", "backtest", str(data), "--truth", str(truth), "--max-delay", "1"]) == 0
    scores = orjson.loads(capsys.readouterr().out.splitlines()[-1])["scores"]
    assert scores["hits"] == 0
    assert scores["delay, median (rows)"] == "inf"


def test_a_picture_shows_every_series(labelled: tuple[Path, Path], tmp_path: Path) -> None:
    """Drifted ones first, then the others."""
    data, truth = labelled
    plot = tmp_path / "out.svg"

    assert run_command(["backtest", str(data), "--truth", str(truth), "--plot", str(plot)]) == 0
    titles = [e.text for e in ET.parse(plot).iter() if e.get("class") == "h"]
    assert sorted(titles[:2], key=str) == ["c", "x"]
    assert titles[2] == "y"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--plot", "out.png"], "must be an .svg file"),
        (["--plot", "/no/such/folder/out.svg"], "there is no folder"),
        (["--truth", "/no/such/truth.json"], "cannot be read"),
    ],
)
def test_what_cannot_work_is_refused(
    labelled: tuple[Path, Path], capsys: pytest.CaptureFixture[str], extra: list[str], words: str
) -> None:
    """In one line, with the option's name."""
    data, _ = labelled

    assert run_command(["backtest", str(data), *extra]) != 0
    assert words in capsys.readouterr().err


def test_monthly_rows_of_decades_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty files of forty years are longer than a setting may be: the budget is scaled, not refused."""
    values = NumberStream(Normal(), 480, 1, (Shift(3.0, Step(240)),)).values().tolist()
    months = [f"{1980 + i // 12}-{1 + i % 12:02d}-01" for i in range(480)]
    data = tmp_path / "monthly.csv"
    data.write_text("date,value\n" + "".join(f"{m},{v:.4f}\n" for m, v in zip(months, values, strict=True)))

    assert run_command(["backtest", str(data)]) == 0
    assert "firing (fired)" in capsys.readouterr().out


def test_a_series_goes_by_any_of_its_names(labelled: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """That of its column, and that which alerts have."""
    data, _ = labelled
    truth = data.with_name("named.json")
    truth.write_text('{"feature:x": [1200], "c": [1200]}')

    assert run_command(["--format", "json", "backtest", str(data), "--truth", str(truth)]) == 0
    assert orjson.loads(capsys.readouterr().out.splitlines()[-1])["scores"]["hits"] == 2


def test_a_series_that_the_file_lacks_is_refused(
    labelled: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the pen would be a miss and a false alarm."""
    data, _ = labelled
    truth = data.with_name("named.json")
    truth.write_text('{"xx": [1200]}')

    assert run_command(["backtest", str(data), "--truth", str(truth)]) != 0
    assert "series: must be one of the file (c, x, y ...), got 'xx'" in capsys.readouterr().err


def test_rows_that_cannot_be_read_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The row of an alert is that of the file."""
    values = NumberStream(Normal(), 2_000, 1, (Shift(2.0, Step(1_200)),)).values().tolist()
    stamps = [f"2026-01-{1 + n // 1440:02d} {n // 60 % 24:02d}:{n % 60:02d}" for n in range(2_000)]
    delays = []
    for name, broken in (("good", 0), ("bad", 19)):
        data, truth = tmp_path / f"{name}.csv", tmp_path / f"{name}.json"
        rows = [f"{at},{x:.4f}" for at, x in zip(stamps, values, strict=True)]
        rows[600:600] = ["soon,0.1"] * broken
        data.write_text("timestamp,x\n" + "\n".join(rows) + "\n")
        truth.write_text(f"[{1_200 + broken}]")

        assert run_command(["--format", "json", "backtest", str(data), "--truth", str(truth)]) == 0
        delays.append(orjson.loads(capsys.readouterr().out.splitlines()[-1])["scores"]["delay, median (rows)"])

    assert delays[0] == delays[1]
