"""What `backtest` prints of any source: alerts as they come, totals at the end, and whether anything was judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import note, say
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.core.alerts.event import AlertCloudEvent
    from stream_monitor.core.judge import SeriesView
    from stream_monitor.runtimes.local import LocalAlert, LocalPipeline

WhenOf = Callable[[int], str]
"""Says when an instant was, in the words of the source."""

_REASONS = 3


class AlertPrinter:
    """Prints alerts as they come, and totals at the end."""

    def __init__(self, options: GlobalOptions, when: WhenOf) -> None:
        self._options = options
        self._when = when
        self._fired: dict[str, None] = {}

    def __call__(self, alert: LocalAlert) -> None:
        """Print one alert event."""
        from stream_monitor.core.alerts.event import decode

        event = decode(alert.event.value)
        if event.data.reason == "fired":
            labels = event.data.labels
            named = (labels.get("segment", ""), labels.get("series", labels["alertname"]))
            self._fired[" ".join(part for part in named if part)] = None
        if self._options.json:
            say(alert.event.value.decode())
        elif event.data.reason != "reminder":
            say(_line(event, alert.event.timestamp_ms, self._when))

    def totals(self, pipeline: LocalPipeline) -> None:
        """Print what was read and what was found."""
        totals = pipeline.totals
        if totals.read:
            parts = [f"{totals.read:,} rows: {totals.counted:,} counted"]
            parts += [
                f"{count:,} {word}" for word, count in (("late", totals.late), ("rejected", totals.rejected)) if count
            ]
            note(", ".join(parts) + "".join(f"; {count:,} x {why}" for why, count in totals.reasons.most_common(5)))
        failures = sum((Counter(dict(view.counters)) for view in pipeline.views), Counter[tuple[str, ...]]())
        for (family, *labels), count in sorted(failures.items()):
            if family == "detector_failures_total":
                note(f"detector {labels[1]} failed on {count} series of {labels[0]}, which it watched no more")
        judged = _judged(pipeline)
        if judged:
            note(f"{len(self._fired)} of {len(judged)} series raised an alert: {', '.join(self._fired) or 'none'}")
            promise = promise_note(judged)
            if promise:
                note(promise)

    def check(self, pipeline: LocalPipeline) -> None:
        """Refuse to call silence a good result where nothing could have spoken.

        Raises:
            CommandError: no event was counted, or no series was judged.
        """
        totals = pipeline.totals
        if totals.read and not totals.counted + totals.late:
            reasons = ", ".join(f"{count:,} x {why}" for why, count in totals.reasons.most_common(5))
            raise CommandError(f"nothing was counted: {reasons or 'no row holds an event'}", Exit.DEAD_LETTERS)
        if _judged(pipeline):
            return
        warming = {
            f"{model.model} {version}".strip(): share
            for view in pipeline.views
            for model in view.models
            for version, share in model.warming_up.items()
        }
        why = "; ".join(
            f"{name} has {share:.0%} of the events of its first baseline" for name, share in sorted(warming.items())
        )
        raise CommandError(
            f"nothing was judged: {why or 'no model has a baseline with a series that a rule watches'}", Exit.UNEXPECTED
        )


def promise_note(judged: Iterable[SeriesView]) -> str:
    """Return a line about the series of which neither silence nor an alert has a promise; nothing if all have one."""
    judged = list(judged)
    without = Counter(own.guarantee.partition(":")[2] for own in judged if own.guarantee.startswith("none:"))
    if not without:
        return ""
    count = sum(without.values())
    whose = "none of them has a promise" if count == len(judged) else f"{count} of them have no promise"
    reasons = ", ".join(f"{reason}: {own}" for reason, own in without.most_common(_REASONS))
    return f"{whose} about false alarms ({reasons}): there, neither an alert nor silence says much"


def _judged(pipeline: LocalPipeline) -> list[SeriesView]:
    """Return the series that a rule watches."""
    return [series for view in pipeline.views for series in view.series if series.guarantee]


def _line(event: AlertCloudEvent, at_ms: int, when: WhenOf) -> str:
    data = event.data
    severity = data.labels.get("severity", "")
    line = f"{when(at_ms)}  {data.status} ({data.reason})  {severity}  {data.annotations.summary}"
    change = data.evidence.change
    if data.status == "firing" and change is not None:
        from stream_monitor.core.time import parse_instant

        line += f"; began between {when(parse_instant(change.from_))} and {when(parse_instant(change.to))}"
    return line


def instant(at_ms: int) -> str:
    """Return an instant as RFC 3339."""
    from stream_monitor.core.time import format_instant

    return format_instant(at_ms)
