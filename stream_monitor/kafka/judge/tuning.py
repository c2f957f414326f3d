"""How often a judge worker commits and how much it does at once; none of it changes what is published."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class JudgeTuning:
    """Pace and sizes of a judge worker.

    Attributes:
        commit_every_s: longest time between commits while records arrive.
        alert_gap_s: shortest time between commits when an alert waits.
        snapshot_every_s: longest time between snapshots of a partition that folds records.
        snapshot_log_bytes: log folded since the last snapshot that makes the next one due.
        transaction_bytes: most that one transaction writes before it is cut.
        block_bytes: largest block of a snapshot.
        poll_s: longest wait for records.
        batch: records folded between two looks at the clock.
        restore_slice_s: how long a restore may keep the loop from polling.
        patience_s: how long pending transactions and open ends are waited for.
        answer_s: how long a question to the broker is repeated before new clients ask it.
        flush_s: how long acknowledgements and the end of a transaction are waited for; below its timeout of 15 s.
        slow_commit_s: a commit slower than this may have been retried below us: half of the client's socket timeout.
        away_s: brokers gone for so long end the process.
        stop_budget_s: how long the last snapshot may take after the signal to stop.
    """

    commit_every_s: float = 2.0
    alert_gap_s: float = 0.1
    snapshot_every_s: float = 600.0
    snapshot_log_bytes: int = 64 * MIB
    transaction_bytes: int = 8 * MIB
    block_bytes: int = 256 * 1024
    poll_s: float = 0.1
    batch: int = 200
    restore_slice_s: float = 0.5
    patience_s: float = 60.0
    answer_s: float = 20.0
    flush_s: float = 10.0
    slow_commit_s: float = 2.5
    away_s: float = 600.0
    stop_budget_s: float = 20.0
