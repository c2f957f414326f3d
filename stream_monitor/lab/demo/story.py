"""What happens in a demo, held against the truth of its scenario.

An alert is right when its series was being changed by a drift at the alert's start; a drift is found when the series
that gives it away had a right alert. A drift that began only moments ago is not yet due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from stream_monitor.core.canonical import Json
from stream_monitor.lab.drifts import Drift

DUE_AFTER_S = 12.0
"""Seconds a drift may last before it must have been found: lateness, evidence, two panes in a row, two chunks."""
AFTERMATH_S = 5.0
"""Seconds after the end of a drift in which an alert may still open: its pane was drifted, its verdict came later."""


@dataclass(frozen=True, slots=True)
class AlertNotice:
    """One event of the alert topic, as far as a person wants to see it."""

    alert_id: str
    status: str
    reason: str
    series: str
    rule: str
    severity: str
    summary: str
    starts_at: str
    time: str
    starts_ms: int

    @classmethod
    def decode(cls, value: bytes) -> AlertNotice:
        """Read the value of a record of the alert topic."""
        event = orjson.loads(value)
        data = event["data"]
        labels = data["labels"]
        return cls(
            alert_id=data["alert_id"],
            status=data["status"],
            reason=data["reason"],
            series=labels.get("series", ""),
            rule=labels["rule"],
            severity=labels["severity"],
            summary=data["annotations"]["summary"],
            starts_at=data["startsAt"],
            time=event["time"],
            starts_ms=int(data["alert_id"].rsplit("-", 1)[1]),
        )


@dataclass(slots=True)
class Story:
    """The alerts of a run against the drifts of its scenario.

    Attributes:
        start_ms: event time of second 0.
        notices: every alert event seen, in order of arrival.
    """

    start_ms: int
    notices: list[AlertNotice] = field(default_factory=list)

    def add(self, notices: Sequence[AlertNotice]) -> None:
        """Take note of alert events as they arrive."""
        self.notices.extend(notices)

    @property
    def fired(self) -> list[AlertNotice]:
        """The alert events that told an operator of something new."""
        return [notice for notice in self.notices if notice.reason == "fired"]

    @property
    def open(self) -> Mapping[str, AlertNotice]:
        """The latest event of every alert that has not been resolved, by alert id."""
        latest = {notice.alert_id: notice for notice in self.notices}
        return {key: notice for key, notice in latest.items() if notice.status != "resolved"}

    def explains(self, drift: Drift, notice: AlertNotice) -> bool:
        """Say whether an alert started while the drift was changing its series."""
        second = (notice.starts_ms - self.start_ms) / 1000
        return notice.series in drift.changes and drift.at_s - 1.0 <= second <= drift.until_s + AFTERMATH_S

    def found(self, drift: Drift) -> bool:
        """Say whether the series that gives the drift away had a right alert."""
        return any(notice.series == drift.signature and self.explains(drift, notice) for notice in self.fired)

    def verdict(self, injected: Sequence[Drift], *, at_s: float) -> Verdict:
        """Hold the alerts against the drifts that had begun by `at_s` seconds."""
        due = [drift for drift in injected if self.found(drift) or at_s - drift.at_s >= DUE_AFTER_S]
        return Verdict(
            found=tuple(drift.title for drift in due if self.found(drift)),
            missed=tuple(drift.title for drift in due if not self.found(drift)),
            not_due=tuple(drift.title for drift in injected if drift not in due),
            wrong=tuple(
                f"{notice.series} ({notice.rule})"
                for notice in self.fired
                if not any(self.explains(drift, notice) for drift in injected)
            ),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a demo in one line."""

    found: tuple[str, ...]
    missed: tuple[str, ...]
    not_due: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Every drift that was due is found, at least one was, and nothing else alarmed."""
        return bool(self.found) and not self.missed and not self.wrong

    @property
    def word(self) -> str:
        """The verdict in one or three words."""
        return "PASS" if self.good else "FAIL" if self.missed or self.wrong else "NOTHING DUE YET"

    def as_json(self) -> dict[str, Json]:
        """Return the verdict for programs: names of drifts by what became of them, and of false alarms."""
        return {
            "verdict": self.word.lower().replace(" ", "_"),
            "found": list(self.found),
            "missed": list(self.missed),
            "just_begun": list(self.not_due),
            "false_alarms": list(self.wrong),
        }

    def __str__(self) -> str:
        parts = [f"{len(self.found)} of {len(self.found) + len(self.missed)} drifts found"]
        if self.missed:
            parts.append(f"missed: {', '.join(self.missed)}")
        if self.not_due:
            parts.append(f"just begun: {', '.join(self.not_due)}")
        parts.append(f"false alarms: {', '.join(self.wrong)}" if self.wrong else "no false alarm")
        return f"{self.word}: {'; '.join(parts)}"
