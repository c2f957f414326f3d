"""`backtest --truth FILE`: what the alerts are worth, given where the data truly changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.notes.fired_alerts import Fired, column_names, series_name
from stream_monitor.cli.output import emit, note, say, table

if TYPE_CHECKING:
    from stream_monitor.core.canonical import Json
    from stream_monitor.lab.labelled import Scorecard, Truth
    from stream_monitor.lab.scores import Change
    from stream_monitor.runtimes.backtest.prepared import Prepared


def read_truth(path: Path, prepared: Prepared, known: Collection[str]) -> Truth:
    """Read known changes; what goes by the name of its column or series gets the one that is told.

    Args:
        path: of the file.
        prepared: the backtest; its rows become places in the order of time, and so do instants.
        known: names under which alerts are told.

    Raises:
        CommandError: the file cannot be used, or names a series that the judged file does not have.
    """
    from stream_monitor.lab.labelled import EVERYTHING, Truth, TruthError, read_truth
    from stream_monitor.runtimes.replay import is_export

    if is_export(path):
        raise CommandError(f"--truth: {path}: is an export of topics: known changes are rows, instants or spans")
    try:
        changes = read_truth(path, prepared.row_of_stamp).changes
    except TruthError as error:
        raise CommandError(f"--truth: {error}") from None
    columns = column_names(prepared.layout)
    found: dict[str, set[Change]] = {}
    for name, own in changes.items():
        told = columns.get(name) or series_name(name)
        if told not in {EVERYTHING, *known}:
            some = ", ".join(sorted(known)[:10])
            raise CommandError(f"--truth: {path}: series: must be one of the file ({some} ...), got {name!r}")
        found.setdefault(told, set()).update(_in_time(change, prepared) for change in own)
    return Truth({name: tuple(sorted(own)) for name, own in found.items()})


def _in_time(change: Change, prepared: Prepared) -> Change:
    """Return a change of rows of the file as one of places in the order of time."""
    if prepared.in_order:
        return change
    end = change.end if math.isinf(change.end) else float(prepared.place_of_row(int(change.end)))
    return replace(change, start=float(prepared.place_of_row(int(change.start))), end=end)


def score(
    fired: Iterable[Fired],
    truth: Truth,
    *,
    watched: Sequence[str],
    judged_from: int,
    rows: int,
    max_delay: int | None,
) -> Scorecard:
    """Hold alerts against known changes; arguments as of `lab.labelled.scorecard`."""
    from stream_monitor.lab.labelled import Told, scorecard

    return scorecard(
        [Told(alert.seen - 1, alert.name) for alert in fired],
        truth,
        series=watched,
        judged_from=judged_from,
        rows=rows,
        max_delay=math.inf if max_delay is None else max_delay,
    )


def say_scores(card: Scorecard, row_of: Callable[[int], int], *, as_json: bool) -> None:
    """Write the scores: a table for people, one object for programs; `row_of` finds the row at a place in time."""
    if card.left_out:
        note(f"{card.left_out} known changes lie in the reference rows or beyond the file: not counted")
    if as_json:
        emit({"scores": _scores(card)})
        return
    say()
    table(["score", "value"], [[name, _shown(value)] for name, value in _scores(card).items()])
    rows = [
        [stream or "(file)", *(f"{row_of(int(change.start)):,}", _delay(delay), "")]
        for stream, matched in zip(card.streams, card.matches, strict=True)
        for change, delay in zip(matched.changes, matched.delays, strict=True)
    ]
    false = [
        [stream or "(file)", "", "", f"{row_of(int(alarm)):,}"]
        for stream, matched in zip(card.streams, card.matches, strict=True)
        for alarm in matched.false
    ]
    say()
    table(["series", "true change", "delay in rows", "false alarm at row"], rows + false)


def _scores(card: Scorecard) -> dict[str, Json]:
    found = card.found
    return {
        "streams": found.streams,
        "changes": found.changes,
        "hits": found.hits,
        "false alarms": found.false,
        "false alarms per stream": _rounded(found.false_per_stream),
        "precision": _rounded(found.precision),
        "recall": _rounded(found.recall),
        "F1": _rounded(found.f1),
        "delay, median (rows)": _rounded(found.median_delay),
        "delay, 90 % (rows)": _rounded(found.worst_tenth),
        "detected without false alarm before": _rounded(card.detected),
        "changed streams with a false alarm before": _rounded(card.early),
        "streams with a false alarm before any change": _limits(
            card.false_alarm.share, card.false_alarm.lower, card.false_alarm.upper
        ),
        "rows to a false alarm (ARL)": _limits(card.run_length.mean, card.run_length.lower, card.run_length.upper),
        "episode recall": None if card.episodes is None else _rounded(card.episodes),
    }


def _limits(value: float, lower: float, upper: float) -> dict[str, Json]:
    return {"value": _rounded(value), "lower 95 %": _rounded(lower), "upper 95 %": _rounded(upper)}


def _rounded(value: float) -> float | str | None:
    """Return a number that JSON can hold: infinity as a word, what is not defined as nothing."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "inf"
    return round(value, 4) if abs(value) < 1_000 else round(value)


def _shown(value: Json) -> str:
    match value:
        case None:
            return "-"
        case "inf":
            return "never"
        case {"value": middle, "lower 95 %": lower, "upper 95 %": upper}:
            return f"{_shown(middle)} ({_shown(lower)} to {_shown(upper)})"
        case int() | float():
            return f"{value:,}"
        case _:
            return str(value)


def _delay(delay: float) -> str:
    return "missed" if math.isinf(delay) else f"{delay:,.0f}"
