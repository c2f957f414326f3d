"""New references after alerts: every change of a file is told, one change is told once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stream_monitor.config import load
from stream_monitor.core.arrays import Float64
from stream_monitor.core.batch import Batch
from stream_monitor.runtimes.backtest.prepare import prepare_rows
from stream_monitor.runtimes.backtest.prepared import Prepared
from stream_monitor.runtimes.backtest.slices import slices
from tests.runtimes.backtested import fired_events

CHANGES = (500, 1_000, 1_500)


def _prepare(path: Path, values: Float64) -> Prepared:
    path.write_text("x,colour\n" + "".join(f"{x:.4f},{'red' if x > 0.3 else 'blue'}\n" for x in values.tolist()))
    return prepare_rows(
        path,
        model="m",
        settings=lambda base: load(environ={}, needs_group=False, base=base),
    )


def _levels(seed: int, levels: tuple[float, ...]) -> Float64:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(level, size=500) for level in levels])


def _fired(prepared: Prepared, *, renews: bool) -> list[int]:
    """Return the rows at which the number fired a warning."""
    return [
        row
        for row, event in fired_events(prepared, renews=renews)
        if (event.data.labels["series"], event.data.labels["rule"]) == ("feature:x", "drift")
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_change_of_a_file_is_told(tmp_path: Path, seed: int) -> None:
    """Three changes of level give three alerts, each within 150 rows; with the first reference kept, one stays open."""
    prepared = _prepare(tmp_path / "levels.csv", _levels(seed, (0.0, 1.0, -0.5, 0.8)))

    fired = _fired(prepared, renews=True)

    assert len(fired) == len(CHANGES)
    assert all(0 < row - change <= 150 for row, change in zip(fired, CHANGES, strict=True))
    assert len(_fired(prepared, renews=False)) < len(CHANGES)


def test_a_change_that_stays_is_told_once(tmp_path: Path) -> None:
    """The new regime is the reference: nothing more is told while it lasts."""
    prepared = _prepare(tmp_path / "step.csv", _levels(3, (0.0, 1.0, 1.0, 1.0)))

    assert len(_fired(prepared, renews=True)) == 1


@pytest.mark.parametrize("seed", [3, 4])
def test_a_column_that_was_constant_is_news_at_once_whatever_it_does_later(tmp_path: Path, seed: int) -> None:
    """What comes behind the constant depends on itself, so that one row in thirty is worth one: that is no reason to
    wait for the first change, and every reason not to report the walk that follows as further ones.
    """
    rng = np.random.default_rng(seed)
    walk = np.zeros(2_000)
    for i in range(1, walk.size):
        walk[i] = 0.98 * walk[i - 1] + rng.normal()
    fired = _fired(_prepare(tmp_path / "constant.csv", np.r_[np.full(3_000, 7.0), 7.0 + walk]), renews=True)

    assert len(fired) == 1
    assert 3_000 < fired[0] <= 3_060


@pytest.mark.parametrize("length", [300, 2_000])
def test_a_number_that_freezes_is_news_within_sixty_rows_though_its_rows_depend_on_each_other(
    tmp_path: Path, length: int
) -> None:
    """Frozen values are no reference: nothing more is reported while they last, nor when they are over."""
    rng = np.random.default_rng(5)
    slow = np.zeros(5_000)
    for i in range(1, slow.size):
        slow[i] = 0.95 * slow[i - 1] + rng.normal()
    slow[3_000 : 3_000 + length] = slow[2_999]
    fired = [
        (row, event.data.labels["alertname"])
        for row, event in fired_events(_prepare(tmp_path / "frozen.csv", slow))
        if event.data.labels["series"] == "feature:x"
    ]

    assert fired == [(fired[0][0], "FrozenValues")]
    assert 3_050 <= fired[0][0] <= 3_060


def test_slices_hold_what_the_whole_holds(tmp_path: Path) -> None:
    """Rows, identities and cells of a piece are those of its slices, in order."""
    prepared = _prepare(tmp_path / "whole.csv", _levels(4, (0.0, 1.0)))
    (whole,) = prepared.rows.batches()

    pieces = list(slices(whole, rows=37))

    def cells(batch: Batch) -> list[tuple[str, list[object]]]:
        return [
            (event_id, [column.cells()[at] for column in group.columns.values()])
            for group in batch.groups
            for at, event_id in enumerate(group.event_ids)
        ]

    assert cells(whole.batch) == [row for piece in pieces for row in cells(piece.batch)]
    assert whole.batch.read == sum(piece.batch.read for piece in pieces)
    assert [piece.first for piece in pieces[1:]] == [piece.next_offset for piece in pieces[:-1]]
