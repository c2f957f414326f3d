"""Somebody else's data: nannyml's synthetic car loans, drift at row 25,000 of 50,000 in five of nine columns."""

from __future__ import annotations

from pathlib import Path

from bench.detection.goals.outcome import Outcome
from stream_monitor.cli.notes.fired_alerts import ToldAlerts
from stream_monitor.config import load
from stream_monitor.runtimes.backtest.prepare import prepare_rows
from stream_monitor.runtimes.backtest.rows import run_rows
from tests.car_loan import DRIFT_ROW, DRIFTED, STABLE, NotToBeHad, analysis_csv, reference_csv

_MOST = 1_000
_SERIES = {"y_pred_proba": "confidence", "y_pred": "prediction"}


def car_loan(_size: int) -> list[Outcome]:
    """Return what `backtest` finds with nothing said, alone and with the file of references."""
    goals = (
        "5 of 5 drifted columns told within 1,000 rows",
        "no alert before row 25,000",
        "no alert on a stable column",
    )
    try:
        alone, beside = _told(None), _told(reference_csv())
    except NotToBeHad as error:
        return [Outcome(f"car loan: {goal}", f"no data: {error}", None) for goal in goals]
    found = []
    for name, told in (("alone", alone), ("with its reference", beside)):
        delays = {column: _delay(told, column) for column in DRIFTED}
        in_time = sum(d is not None and d <= _MOST for d in delays.values())
        words = ", ".join(f"{column} {'never' if d is None else d}" for column, d in delays.items())
        early = sum(alert.seen <= DRIFT_ROW for alert in told.fired)
        stable = sum(alert.name in {_SERIES.get(column, column) for column in STABLE} for alert in told.fired)
        measured = (words, str(early), str(stable))
        held = (in_time == len(DRIFTED), not early, not stable)
        found += [
            Outcome(f"car loan, {name}: {goal}", words, holds)
            for goal, words, holds in zip(goals, measured, held, strict=True)
        ]
    return found


def _delay(told: ToldAlerts, column: str) -> int | None:
    name = _SERIES.get(column, column)
    return min((a.seen - DRIFT_ROW for a in told.fired if a.name == name and a.seen > DRIFT_ROW), default=None)


def _told(baseline: Path | None) -> ToldAlerts:
    path = analysis_csv()
    prepared = prepare_rows(
        path,
        baseline=baseline,
        settings=lambda base: load(environ={}, needs_group=False, base=base),
    )
    told = ToldAlerts(prepared.row)
    settings = prepared.settings
    run_rows(
        prepared.rows,
        settings.plan,
        topic=path.name,
        group=settings.group,
        partitions=settings.topics.partitions,
        baselines=prepared.baselines,
        piece_rows=prepared.pane_rows,
        on_alert=told.take,
    )
    return told
