"""The command line with a judge that commits what it has folded at once, each time with a snapshot of its state."""

from __future__ import annotations

import functools

from stream_monitor.cli.main import main
from stream_monitor.kafka.judge import JudgeJob, JudgeTuning
from stream_monitor.runtimes import roles

TUNING = JudgeTuning(commit_every_s=0.0, alert_gap_s=0.0, snapshot_every_s=0.0, batch=10)

if __name__ == "__main__":
    setattr(roles, "JudgeJob", functools.partial(JudgeJob, tuning=TUNING))  # noqa: B010  a pace that no setting has
    main()
