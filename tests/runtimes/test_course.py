"""Files whose rows hang together, judged without a word from the user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from stream_monitor.config import Settings, load
from stream_monitor.config.yaml_text import Plain
from stream_monitor.core.arrays import Float64
from stream_monitor.core.baseline import ReferenceTable
from stream_monitor.core.keys import file_row_hashes
from stream_monitor.core.study.repetition import NO_SEASON, Courses, season_of
from stream_monitor.lab.generators import (
    Autoregressive,
    Held,
    Law,
    Normal,
    NumberStream,
    Overdispersed,
    Regimes,
    Seasonal,
    Shift,
    Step,
    write_csv,
)
from stream_monitor.runtimes.backtest.prepare import prepare_rows
from stream_monitor.runtimes.backtest.prepared import Prepared
from tests.runtimes.backtested import fired_events

ROWS = 2_000


def prepare(path: Path, baseline: Path | None = None) -> Prepared:
    """Look at a file as `backtest FILE`, or `backtest FILE --baseline REFERENCE`, does."""

    def settings(base: Plain) -> Settings:
        return load(environ={}, needs_group=False, base=base)

    return prepare_rows(
        path,
        baseline=baseline,
        model="m",
        settings=settings,
    )


def fired(prepared: Prepared) -> list[int]:
    """Return the rows at which an alert fired beside the first reference."""
    return [row for row, _ in fired_events(prepared, renews=False)]


def told(prepared: Prepared) -> list[int]:
    """Return the rows at which an alert fired, with a new reference behind each."""
    return [row for row, _ in fired_events(prepared)]


def file(folder: Path, law: Law, *, seed: int = 1, shift: float = 0.0) -> Path:
    """A file of one column that moves by `shift` standard deviations in the middle."""
    write_csv(folder / "f.csv", {"x": NumberStream(law, ROWS, seed, (Shift(shift, Step(ROWS // 2)),))})
    return folder / "f.csv"


def course(**columns: Float64) -> Courses:
    """Rows of one model."""
    rows = next(iter(columns.values())).size
    select, tie = file_row_hashes("m", range(rows))
    named = {f"feature:{name}": values for name, values in columns.items()}
    return {("m", ""): ReferenceTable(named, select, tie, np.arange(rows))}


def season_rows(found: Courses) -> int:
    """Return the season of rows a second apart, beside panes of 10."""
    return season_of(found, pane_rows=10, step_ms=1_000, cell_ms=1_000).rows


def wave(period: int, seed: int = 1) -> Float64:
    """A season beside noise."""
    return Seasonal(period, 2.0).draw(ROWS, np.random.default_rng(seed))


@pytest.mark.parametrize("law", [Overdispersed(50, 0.3), Held(20), Autoregressive(0.95), Regimes(50, quiet=True)])
def test_rows_that_hang_together_raise_no_alarm(law: Law, tmp_path: Path) -> None:
    """A shared effect of fifty rows, a sensor that sticks, a slow one, bursts: nothing has changed in two files."""
    for seed in range(2):
        assert fired(prepare(file(tmp_path, law, seed=seed))) == []


@pytest.mark.parametrize("law", [Overdispersed(50, 0.1), Autoregressive(0.9), Seasonal(24, 2.0), Seasonal(200, 2.0)])
def test_a_change_is_told_all_the_same(law: Law, tmp_path: Path) -> None:
    """Two standard deviations in the middle, in rows that hang together or repeat themselves; nothing before it."""
    told = fired(prepare(file(tmp_path, law, shift=2.0)))

    assert told
    assert min(told) > ROWS // 2


def test_the_notes_say_what_was_seen(tmp_path: Path) -> None:
    """Dependence with its factor, a season with its length."""
    slow = "\n".join(prepare(file(tmp_path, Autoregressive(0.95))).notes)
    seasonal = "\n".join(prepare(file(tmp_path, Seasonal(24, 2.0))).notes)

    assert "rows say as much as one" in slow
    assert "rows repeat themselves after 24" in seasonal
    assert "rows say as much as one" not in seasonal


def test_a_season_of_even_time_stamps_is_a_pane_of_time(tmp_path: Path) -> None:
    """Hourly rows with a daily wave are judged day by day."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    lines = [f"{(start + timedelta(hours=row)).isoformat()},{x:.6g}" for row, x in enumerate(wave(24).tolist())]
    (tmp_path / "f.csv").write_text("timestamp,x\n" + "\n".join(lines) + "\n")
    prepared = prepare(tmp_path / "f.csv")

    assert prepared.settings.plan.detection.pane_ms == 24 * 3_600_000
    assert prepared.timed


@pytest.mark.parametrize("column", ["a category", "a number"])
def test_an_uneven_week_is_no_drift_and_hides_none(column: str, tmp_path: Path) -> None:
    """Weekends differ, in rows of ten minutes whose noise hides the course; then the mix moves on every day."""
    rng, start, rows, changed = np.random.default_rng(3), datetime(2026, 3, 1, tzinfo=UTC), 12_096, 8_064
    moments = [start + timedelta(minutes=10 * row) for row in range(rows)]
    weekend = np.array([moment.weekday() >= 5 for moment in moments])
    for moves in (False, True):
        moved = 0.1 * (moves & (np.arange(rows) >= changed))
        if column == "a category":
            cells = np.where(rng.random(rows) < 0.3 + 0.4 * weekend + moved, "app", "web").tolist()
        else:
            cells = (rng.standard_normal(rows) + weekend + 3.0 * moved).round(4).tolist()
        lines = [f"{moment.isoformat()},{cell}" for moment, cell in zip(moments, cells, strict=True)]
        (tmp_path / "f.csv").write_text("timestamp,x\n" + "\n".join(lines) + "\n")
        told = fired(prepare(tmp_path / "f.csv"))

        assert [row for row in told if row < changed] == []
        assert bool(told) is moves


def test_seasons_of_several_columns_are_taken_together() -> None:
    """Waves of 6 and of 8 rows repeat themselves together after 24."""
    assert season_rows(course(a=wave(6), b=wave(8))) == 24
    assert season_rows(course(a=wave(6))) == 6
    assert season_rows(course(a=Normal().draw(ROWS, np.random.default_rng(2)))) == 1


def test_a_long_season_of_few_columns_delays_nobody() -> None:
    """One of three columns repeats itself after 200 rows: panes of 10 stay; if all do, panes are seasons.

    Noise may move a long season by a row, in each column another way.
    """
    noise = [Normal().draw(ROWS, np.random.default_rng(seed)) for seed in (2, 3)]

    assert season_rows(course(a=wave(200), b=noise[0], c=noise[1])) == 1
    assert season_rows(course(a=wave(200), b=wave(200, 2), c=wave(200, 3))) in (199, 200, 201)


def test_rows_of_several_models_have_no_season() -> None:
    """They are mixed: the next row is another model's."""
    one = course(a=wave(24))[("m", "")]

    assert season_rows({("m", ""): one, ("n", ""): one}) == 1


def test_a_day_of_uneven_time_stamps_is_a_pane(tmp_path: Path) -> None:
    """Requests come by chance, fewer at night, and their values follow the hour: a pane is a day, and nothing is told.

    The same wave on a higher level is told.
    """
    rng = np.random.default_rng(4)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    hours = np.cumsum(rng.exponential(1 / 6, 4_000) * np.where(rng.random(4_000) < 0.2, 3.0, 1.0))
    calm = 3.0 * np.sin(hours * (2 * np.pi / 24)) + rng.standard_normal(4_000)
    told = []
    for values in (calm, calm + 2.0 * (np.arange(4_000) >= 2_000)):
        rows = zip(hours.tolist(), values.tolist(), strict=True)
        lines = [f"{(start + timedelta(hours=hour)).isoformat()},{x:.6g}" for hour, x in rows]
        (tmp_path / "f.csv").write_text("timestamp,x\n" + "\n".join(lines) + "\n")
        prepared = prepare(tmp_path / "f.csv")
        told.append(fired(prepared))

        assert prepared.settings.plan.detection.pane_ms == 24 * 3_600_000

    assert told[0] == []
    assert told[1]
    assert min(told[1]) > 2_000


def test_no_season_is_seen_in_uneven_noise() -> None:
    """Cells of time without a rhythm."""
    rng = np.random.default_rng(5)
    found = course(a=rng.standard_normal(ROWS))
    table = found[("m", "")]
    uneven = {("m", ""): ReferenceTable(table.columns, table.select, table.tie, np.sort(rng.integers(0, 10**7, ROWS)))}

    assert season_of(uneven, pane_rows=10, step_ms=None, cell_ms=20_000) is NO_SEASON


def write_stamped(path: Path, values: Float64, *, start: datetime) -> Path:
    """Write a file of one column, a row a minute."""
    rows = [f"{(start + timedelta(minutes=n)).isoformat()},{x:.5f}" for n, x in enumerate(values.tolist())]
    path.write_text("timestamp,x\n" + "\n".join(rows) + "\n")
    return path


def test_a_drift_that_comes_and_goes_is_no_dependence_beside_a_long_reference(tmp_path: Path) -> None:
    """Nine stretches of 300 rows look like slow rows within the file; a reference in order of time knows better."""
    rng, start = np.random.default_rng(7), datetime(2026, 1, 1, tzinfo=UTC)
    values = rng.standard_normal(6_000)
    for first in range(400, 5_800, 600):
        values[first : first + 300] += 1.0
    data = write_stamped(tmp_path / "data.csv", values, start=start + timedelta(days=10))
    reference = write_stamped(tmp_path / "reference.csv", rng.standard_normal(3_000), start=start)
    short = write_stamped(tmp_path / "short.csv", rng.standard_normal(500), start=start)

    told = fired(prepare(data, reference))

    assert told
    assert 400 <= told[0] <= 700
    assert fired(prepare(data, short)) == []


def test_errors_that_are_made_of_two_columns_have_a_reference_too(tmp_path: Path) -> None:
    """The reference has the same two columns."""
    rng = np.random.default_rng(3)
    for name, rate in (("reference", 0.1), ("data", 0.5)):
        truth = rng.integers(0, 2, 1_000)
        told = np.where(rng.random(1_000) < rate, 1 - truth, truth)
        (tmp_path / f"{name}.csv").write_text(
            "y_true,y_pred\n" + "".join(f"{a},{b}\n" for a, b in zip(truth, told, strict=True))
        )
    prepared = prepare(tmp_path / "data.csv", tmp_path / "reference.csv")

    assert "feature:error" in prepared.baselines[0][0].series
    assert fired(prepared)


@pytest.mark.parametrize(("rows", "size"), [(2_000, 2.0), (10_000, 1.0)])
def test_each_of_ten_regimes_is_told(tmp_path: Path, rows: int, size: float) -> None:
    """None passes for dependence, and the reference, a fifth of the file, ends where the second one begins."""
    length = rows // 10
    levels = size * np.repeat([0.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 2.0, 1.0, 0.0], length)
    values = levels + np.random.default_rng(4).standard_normal(rows)
    (tmp_path / "f.csv").write_text("x\n" + "".join(f"{value:.4f}\n" for value in values))
    prepared = prepare(tmp_path / "f.csv")
    found = told(prepared)

    assert any("it ends where x jumps" in note for note in prepared.notes)
    assert [length * place < row <= length * place + 100 for place, row in enumerate(found, start=1)] == [True] * 9


@pytest.mark.parametrize(("rows", "size"), [(2_000, 1.0), (10_000, 0.5)])
def test_small_jumps_between_ten_regimes_are_told(tmp_path: Path, rows: int, size: float) -> None:
    """Of nine changes nine of ten at least, before the next one, and nothing else."""
    length, files = rows // 10, 5
    levels = size * np.repeat([0.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 2.0, 1.0, 0.0], length)
    hits, others = 0, 0
    for seed in range(files):
        values = levels + np.random.default_rng(seed).standard_normal(rows)
        (tmp_path / "f.csv").write_text("x\n" + "".join(f"{value:.4f}\n" for value in values))
        regimes = [(row - 1) // length for row in told(prepare(tmp_path / "f.csv"))]
        hits += len(set(regimes) - {0})
        others += len(regimes) - len(set(regimes) - {0})

    assert hits >= 0.9 * 9 * files
    assert others <= 1


@pytest.mark.parametrize("at", [150, 300])
def test_a_change_within_the_first_fifth_is_told(tmp_path: Path, at: int) -> None:
    """It is the end of the reference, and found like any other."""
    values = np.random.default_rng(6).standard_normal(ROWS)
    values[at:] += 1.5
    (tmp_path / "f.csv").write_text("x\n" + "".join(f"{value:.4f}\n" for value in values))
    (row,) = told(prepare(tmp_path / "f.csv"))

    assert at < row <= at + 100


def test_jumps_beside_a_season_are_told(tmp_path: Path) -> None:
    """Hours of a day, and every third week another level."""
    day, rows = 24, 2_016
    values = 3.0 * np.sin(np.arange(rows) * (2 * np.pi / day)) + 2.0 * np.repeat([0.0, 1.0, 0.0, 1.0], rows // 4)
    values += np.random.default_rng(7).standard_normal(rows)
    (tmp_path / "f.csv").write_text("x\n" + "".join(f"{value:.4f}\n" for value in values))
    found = told(prepare(tmp_path / "f.csv"))

    assert [place * 504 < row <= place * 504 + 6 * day for place, row in enumerate(found, start=1)] == [True] * 3
