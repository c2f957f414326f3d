"""What a judge remembers between two entries of the log: all that a snapshot writes down and a view shows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from stream_monitor.core.alerts.forgetting import Forgetting
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.judge.errors import UnknownBaseline
from stream_monitor.core.judge.log.ledger import Counters, Ledger
from stream_monitor.core.judge.log.roster import EVENTS
from stream_monitor.core.judge.model.model_state import ModelState
from stream_monitor.core.judge.outputs import Output
from stream_monitor.core.judge.standing.standing import Standing
from stream_monitor.core.judge.watch.pool import Pool
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import Undeclared
from stream_monitor.core.rules import Pane


@dataclass(eq=False, kw_only=True)
class Remembered:
    """The state of a judge, and what it is judged by.

    Attributes:
        plan: what is watched, and how.
        partition: of `drift-profiles` and `drift-alerts`.
        partitions: number of partitions of `drift-profiles`.
        source: CloudEvents source of the alerts.
        schedule: baseline by id; raises KeyError (or returns None) for an unknown one.
        rulebook: the rules of the plan.
        counters: for metrics; no decision depends on them.
        ledger: how far the log is folded, and the panes that are still open.
        pool: the detectors.
        models: by name.
        forgetting: resolved alerts that are to be forgotten.
        standing: alerts about the judge as a whole.
        undeclared: names of all models that the baselines lack.
        left_out: models and versions over the limits, by pane, of the last window.
        started_ms: start of the first pane with events, None before it.
        rolling: digest of the closed panes and of what was said about them.
    """

    plan: Plan
    partition: int
    partitions: int
    source: str
    schedule: Callable[[str], Baseline | None]
    rulebook: Rulebook
    counters: Counters = field(init=False, default_factory=Counter)
    ledger: Ledger = field(init=False)
    pool: Pool = field(init=False, default_factory=Pool)
    models: dict[str, ModelState] = field(init=False, default_factory=dict)
    forgetting: Forgetting = field(init=False)
    standing: Standing = field(init=False, default_factory=Standing)
    undeclared: Undeclared = field(init=False, default_factory=Undeclared)
    left_out: list[tuple[int, Undeclared]] = field(init=False, default_factory=list)
    started_ms: int | None = field(init=False, default=None)
    rolling: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.plan, self.counters)
        self.forgetting = Forgetting(self.plan.alerts.forget_after_ms)

    @property
    def last_pane(self) -> Pane | None:
        """The pane of events that was closed last, None before the first."""
        end_ms = self.ledger.panes[EVENTS].next_ms if EVENTS in self.ledger.panes else None
        return None if end_ms is None else Pane(end_ms - self.plan.detection.pane_ms, end_ms)

    def baseline(self, baseline_id: str) -> Baseline:
        """Return a baseline of the schedule.

        Raises:
            UnknownBaseline: there is none of that id.
        """
        if not self.has_baseline(baseline_id):
            raise UnknownBaseline(baseline_id)
        found = self.schedule(baseline_id)
        assert found is not None
        return found

    def has_baseline(self, baseline_id: str) -> bool:
        """Say whether the schedule has a baseline."""
        try:
            return self.schedule(baseline_id) is not None
        except KeyError:
            return False

    def roll(self, why: str, outputs: Iterable[Output]) -> None:
        """Add to the rolling digest what no closed pane said: what was done, and what is written of it."""
        digest = hashlib.sha256(self.rolling + f" {why}".encode())
        for output in outputs:
            digest.update(hashlib.sha256(getattr(output, "value", None) or b"").digest())
        self.rolling = digest.digest()
