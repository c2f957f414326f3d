"""What a worker says in its log while all is well: alerts, models, baselines, the first dead letter of a kind.

A line tells of a change, never of a state: a quiet log is a quiet monitor. Everything comes from committed state.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.judge.view.judge_view import AlertView, JudgeView
from stream_monitor.core.judge.watch.coverage import EVERYTHING, Blind
from stream_monitor.core.time import format_instant

_LOG = logging.getLogger("stream_monitor.story")

LETTERS_EVERY_S = 60.0
MAX_LINES = 20
"""Of one kind after one commit; the rest is a number."""


MAX_NAMES = 10
"""Of series that are not watched for one reason."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was said of a judge partition."""

    firing: Mapping[str, AlertView] = field(default_factory=dict)
    versions: frozenset[tuple[str, str]] = frozenset()
    baselines: frozenset[tuple[str, str, str]] = frozenset()
    coverage: Mapping[tuple[str, str], str] = field(default_factory=dict)
    compared: frozenset[tuple[str, str, str]] = frozenset()


class Narrator:
    """Turns what an observer hears into log lines.

    Args:
        monotonic: a clock that never goes back, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._known: dict[int, _Known] = {}
        self._met: set[tuple[str, str]] = set()
        self._letters: Counter[tuple[str, str]] = Counter()
        self._said: Counter[tuple[str, str]] = Counter()
        self._letters_at = monotonic()

    def judged(self, view: JudgeView) -> None:
        """Say what a commit changed; of a partition that was just taken over, only how it stands."""
        now, before = _known(view), self._known.get(view.partition)
        self._known[view.partition] = now
        if before is None:
            series = sum(item.state == "watched" for item in view.series)
            _LOG.info(
                "judge partition %d taken over; models: %d, series watched: %d, alerts firing: %d",
                view.partition,
                len(view.models),
                series,
                len(now.firing),
            )
            _say("coverage: %s", [now.coverage[each] for each in sorted(now.coverage)])
            return
        _say("first events of model %s", [_named(*pair) for pair in sorted(now.versions - before.versions)])
        _say("baseline in use: %s", [_reference(view, *each) for each in sorted(now.baselines - before.baselines)])
        changed = [line for each, line in sorted(now.coverage.items()) if before.coverage.get(each) != line]
        _say("coverage: %s", changed)
        _say("version compared: %s", [_compared(*each) for each in sorted(now.compared - before.compared)])
        _say("alert fired: %s", [_alert(now.firing[key]) for key in sorted(now.firing.keys() - before.firing.keys())])
        ended = sorted(before.firing.keys() - now.firing.keys())
        _say("alert resolved, it was: %s", [_alert(before.firing[key]) for key in ended])

    def released(self, partition: int) -> None:
        """Forget a judge partition that another worker owns now."""
        self._known.pop(partition, None)

    def dead_letter(self, topic: str, reason: str) -> None:
        """Count a dead letter; say the first one of its kind."""
        kind = topic, reason
        self._letters[kind] += 1
        if self._letters[kind] == 1:
            self._said[kind] = 1
            _LOG.warning(
                "dead letter: a record of %s was put aside (%s): stream-monitor dead-letters list --reason %s",
                topic,
                reason,
                reason,
            )

    def tick(self) -> None:
        """Say how many dead letters came, once a minute and only if some did."""
        now = self._monotonic()
        if now - self._letters_at < LETTERS_EVERY_S:
            return
        self._letters_at = now
        for (topic, reason), count in sorted(self._letters.items()):
            more = count - self._said[topic, reason]
            if more:
                self._said[topic, reason] = count
                _LOG.warning("dead letters: %d more of %s (%s), %d since the start", more, topic, reason, count)


def _known(view: JudgeView) -> _Known:
    return _Known(
        {alert.alert_id: alert for alert in view.alerts if alert.status is AlertStatus.FIRING},
        frozenset(
            {(model.model, version) for model in view.models for version in model.warming_up}
            | {(model.model, baseline.version) for model in view.models for baseline in model.baselines}
        ),
        frozenset(
            (model.model, baseline.version, baseline.id) for model in view.models for baseline in model.baselines
        ),
        _coverage(view),
        frozenset((model.model, version, found) for model in view.models for version, found in model.compared.items()),
    )


def _coverage(view: JudgeView) -> dict[tuple[str, str], str]:
    """Return what is watched of each version, and what is not and why; of traffic that comes and goes nothing."""
    watched = Counter((item.model, item.version) for item in view.coverage if item.reason in (None, Blind.NO_EVENTS))
    ignored = (None, Blind.NO_EVENTS, Blind.RARE)  # names that come and go would be a line each time
    blind: dict[tuple[str, str], dict[str, list[str]]] = {}
    for item in view.coverage:
        if item.reason not in ignored and item.reason is not None:
            name = "all series" if item.series == EVERYTHING else "/".join(filter(None, (item.segment, item.series)))
            blind.setdefault((item.model, item.version), {}).setdefault(item.reason.words, []).append(name)
    lines: dict[tuple[str, str], str] = {}
    for place in sorted({*watched, *blind}):
        groups = [f"{_listed(names)} ({words})" for words, names in sorted(blind.get(place, {}).items())]
        rest = f"; not watched: {'; '.join(groups)}" if groups else ""
        lines[place] = f"{_named(*place)}: {watched[place]} series watched{rest}"
    return lines


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMES
    return ", ".join(sorted(names)[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _say(line: str, facts: list[str]) -> None:
    for fact in facts[:MAX_LINES]:
        _LOG.info(line, fact)
    if len(facts) > MAX_LINES:
        _LOG.info(line, f"... and {len(facts) - MAX_LINES} more")


def _named(model: str, version: str) -> str:
    return f"{model} {version}".rstrip()


def _compared(model: str, version: str, found: str) -> str:
    return f"{_named(model, version)}: {found}"


def _reference(view: JudgeView, model: str, version: str, baseline: str) -> str:
    ends = next((own.last_pane_end_ms for own in view.models if own.model == model), None)
    since = "" if ends is None else f", seen at {format_instant(ends)}"
    return f"{_named(model, version)} is compared with {baseline}{since}"


def _alert(alert: AlertView) -> str:
    what = alert.summary or f"{alert.labels.get('model', '')} {alert.labels.get('series', '')}"
    return f"{what} ({alert.severity}, since {format_instant(alert.starts_ms)}, {alert.alert_id})"
