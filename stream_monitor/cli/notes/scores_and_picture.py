"""What `backtest` does beside printing alerts: scores against known changes, and a picture of it all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stream_monitor.cli.notes.fired_alerts import ToldAlerts, known_names, watched_names
from stream_monitor.cli.output import note
from stream_monitor.cli.plotting import Plotting
from stream_monitor.cli.scoring import read_truth, say_scores, score

if TYPE_CHECKING:
    from stream_monitor.runtimes.backtest.prepared import Prepared
    from stream_monitor.runtimes.backtest.renewal import Renewed
    from stream_monitor.runtimes.local import LocalAlert, LocalPipeline


class Aftermath:
    """Follows a backtest of rows and speaks at its end.

    Args:
        prepared: the backtest.
        title: of the picture.
        truth: file of known changes, None for no scores.
        max_delay: rows within which an alert finds a change, None for any.
        plot: picture to write, None for none.
    """

    def __init__(
        self, prepared: Prepared, *, title: str, truth: Path | None, max_delay: int | None, plot: Path | None
    ) -> None:
        self._prepared = prepared
        self._title = title
        self._max_delay = max_delay
        known = known_names(prepared.layout, [baseline for baseline, _ in prepared.baselines])
        self._truth = None if truth is None else read_truth(truth, prepared, known)
        self._told = ToldAlerts(prepared.place)
        self._judged_from = prepared.place(min(from_ms for _, from_ms in prepared.baselines))
        self._plotting = None if plot is None else Plotting(plot, prepared.place, [(0, self._judged_from)])

    def take(self, alert: LocalAlert) -> None:
        """Take an alert event."""
        self._told.take(alert)

    def renewed(self, made: Renewed) -> None:
        """Take a new reference."""
        if self._plotting is not None:
            self._plotting.references.append((self._prepared.place(made.since_ms), self._prepared.place(made.from_ms)))

    def look(self, pipeline: LocalPipeline, seen: int) -> None:
        """Note the evidence after that many rows."""
        if self._plotting is not None:
            self._plotting.look(pipeline, seen)

    def speak(self, pipeline: LocalPipeline, *, as_json: bool) -> None:
        """Write what was asked for; all rows are judged."""
        rows, fired = self._prepared.seen.rows, self._told.fired
        if self._truth is not None:
            card = score(
                fired,
                self._truth,
                watched=watched_names(pipeline),
                judged_from=self._judged_from,
                rows=rows,
                max_delay=self._max_delay,
            )
            say_scores(card, self._prepared.row_of_place, as_json=as_json)
        if self._plotting is not None:
            shown = self._plotting.write(
                self._prepared.rows, count=rows, title=self._title, fired=fired, truth=self._truth
            )
            note(f"{self._plotting.path}: {shown} series")
