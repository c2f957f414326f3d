"""`check` fits a screen: a summary without `-v`, everything with it, and everything for programs."""

from __future__ import annotations

import os
import random
from pathlib import Path

import orjson
import pytest

from stream_monitor.cli.delays import FEW, short_table
from stream_monitor.cli.failures import Exit
from stream_monitor.cli.main import run_command
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.outlook import SeriesOutlook, ShiftOutlook, Unit
from stream_monitor.core.plan import Plan

BASE = ["check", "--set", "group=g", "-X", "bootstrap.servers=a:1"]
NUMBERS = [f"feature_number_{number:02}" for number in range(20)]
TEXTS = [f"feature_category_{number}" for number in range(10)]
LINES, WIDTH = 30, 100


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("STREAM_MONITOR_")]:
        monkeypatch.delenv(name)


def document_of(folder: Path, *, numbers: list[str], texts: list[str], rows: int = 1500) -> str:
    """Return the file of a baseline with these features."""
    chance = random.Random(3)
    table, document = folder / "rows.csv", folder / "baseline.json"
    lines = [
        ",".join([*(f"{chance.gauss(0, 9):.3f}" for _ in numbers), *(chance.choice("abcde") for _ in texts)])
        for _ in range(rows)
    ]
    table.write_text("\n".join([",".join([*numbers, *texts]), *lines]) + "\n")
    arguments = ["baseline", "build", str(table), "--model", "fraud", "--version", "7", "--to", str(document)]
    assert run_command(arguments) == 0
    return str(document)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> str:
    return document_of(tmp_path_factory.mktemp("wide"), numbers=NUMBERS, texts=TEXTS)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Return what a check that is good prints."""
    capsys.readouterr()
    assert run_command([*BASE, *arguments]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("rate", ["20", "0.5", "0.02"])
def test_a_model_of_30_features_fits_a_screen(rate: str, document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the traffic, so with warnings about each of its series, too."""
    lines = printed(capsys, "--baseline", document, "--rate", rate)

    assert len(lines) <= LINES
    assert [] == [line for line in lines if len(line) > WIDTH]


def test_alike_series_share_a_row_with_the_slowest(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With how many they are; what is said of each stands behind -v."""
    short = printed(capsys, "--baseline", document, "--rate", "20")
    whole = printed(capsys, "--baseline", document, "--rate", "20", "-v")
    (row,) = [line.split() for line in short if line.startswith("  feature:*") and "rank" in line]
    each = [line for line in whole if line.startswith("feature:feature_number")]
    (report, _) = orjson.loads("".join(printed(capsys, "--baseline", document, "--rate", "20", "--format", "json")))[
        "models"
    ]
    slowest = max(item["shifts"][-1]["within_s"] for item in report["series"] if item["series"].startswith("feature:f"))

    assert ["feature:*", "20", "rank_shiryaev_roberts"] == row[:3]
    assert 20 == len(each)
    assert f"{slowest:g}s" == row[-1]
    assert 1 + 30 * 3 + 10 == len(report["series"])


def outlook(name: str, *shifts: tuple[int | None, bool], segment: str = "", guarantee: str = "bound") -> SeriesOutlook:
    """Return a series with the panes that each shift takes, and whether it raises an alert."""
    found = tuple(ShiftOutlook(0.1, 1.0, Unit.VALUE, within, within, alerts) for within, alerts in shifts)
    return SeriesOutlook(name, SeriesKind.NUMERIC, "d", 0.1, 7.0, guarantee, 50.0, found, segment)


def test_the_slowest_of_alike_series_speaks() -> None:
    """And a shift that is below the floor for one of them is marked."""
    alike = [outlook(f"feature:{number}", (number, True), (2, True), (3, True), (4, True)) for number in range(1, 13)]
    last = outlook("feature:last", (1, True), (None, True), (1, False), (4, True))
    (_, by_time), (_, by_events) = (short_table(Plan(), rate, [*alike, last]) for rate in (5.0, None))

    assert ["feature:*", "13", "d", "3m", "not", "seen", "70s*", "80s"] == by_time.split()
    assert ["feature:*", "13", "d", "600", "not", "seen", "150*", "200"] == by_events.split()


def test_what_differs_is_not_alike() -> None:
    """Segments, other families and other guarantees have rows of their own; a long name is cut."""
    every = ((1, True),) * 4
    series = [outlook(f"feature:{number}", *every) for number in range(13)]
    series += [outlook("latency", *every), outlook("feature:0", *every, segment="channel=web")]
    differing = [*series, outlook("feature:x", *every, guarantee="calibrated")]

    assert ["feature:*", "latency", "feature:*"] == [line.split()[0] for line in short_table(Plan(), 5.0, series)[1:]]
    assert "bound" not in " ".join(short_table(Plan(), 5.0, series))
    assert 4 == len(short_table(Plan(), 5.0, differing)[1:])
    assert "calibrated" in " ".join(short_table(Plan(), 5.0, differing))
    assert max(map(len, short_table(Plan(), 5.0, [outlook("x" * 160, *every)]))) < WIDTH


def test_a_detector_without_evidence_says_so() -> None:
    """In the short table, too, among alike ones and alone."""
    told = [short_table(Plan(), 5.0, [outlook(f"feature:{n}") for n in range(count)])[-1] for count in (2, 20)]

    assert [True, True] == ["not known for this detector" in line for line in told]


def test_a_few_series_have_a_row_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the size of each shift."""
    document = document_of(tmp_path, numbers=["amount"], texts=["channel"])
    lines = printed(capsys, "--baseline", document, "--rate", "20")
    rows = [line for line in lines if line.startswith(("  feature:", "  missing:"))]

    assert len(rows) <= FEW
    assert any(line.startswith("  feature:amount") and " pp" not in line and " in " in line for line in rows)
    assert len(lines) <= LINES


def test_warnings_about_single_series_share_a_line(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Five names and how many more; with -v and for programs each stands alone."""
    arguments = ("--baseline", document, "--rate", "0.5")
    short = " ".join(" ".join(printed(capsys, *arguments)).split())
    whole = [line for line in printed(capsys, *arguments, "-v") if line.startswith("warning: ")]
    told = orjson.loads("".join(printed(capsys, *arguments, "--format", "json")))["warnings"]

    assert len(told) == len(whole) >= 20
    assert 1 <= short.count("warning: ") <= 6
    assert "feature:feature_number_00, feature:feature_number_01, " in short
    assert " more (-v) (model fraud) passes its floor" in short


def test_of_many_models_each_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """And of very many the first."""
    models = ", ".join(f"{{name: m{number:02}}}" for number in range(40))
    lines = printed(capsys, "--set", f"models=[{models}]")

    assert len(lines) <= LINES
    assert any(line.startswith("model m00: no baseline known, ") for line in lines)
    assert "... and 31 more models (-v)" in lines
    assert 41 == len(
        [line for line in printed(capsys, "--set", f"models=[{models}]", "-v") if line.startswith("model ")]
    )


@pytest.mark.parametrize(
    ("more", "code", "last"),
    [
        ((), 0, "good; --connect compares with the cluster"),
        (("--set", "rules=[]"), 0, "good, with 1 warning: workers run; look whether"),
        (("--set", "rules=[]", "--strict"), Exit.UNEXPECTED, "not good: 1 warning, which --strict counts as errors"),
    ],
)
def test_the_last_line_says_what_to_do(
    more: tuple[str, ...], code: int, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong, and the next step."""
    assert run_command([*BASE, *more]) == code
    out, err = capsys.readouterr()

    assert (out + err).splitlines()[-1].startswith(last)
