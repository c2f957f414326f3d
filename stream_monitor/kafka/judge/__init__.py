"""The judge worker: folds partitions of `drift-profiles` and publishes their alerts, each exactly once.

`worker` makes clients until it is told to stop, `session` is one life of them: the loop. `restore` brings a partition
from its `stored_state` to the committed position, `partition` holds it while it is live, `transactional_writer` (or
`repeating_writer`) commits, with `proposals` of baselines. `records` and `snapshot` say what `drift-judge-state` holds.
The steps are those of docs/protocol.md.
"""

from stream_monitor.kafka.judge.job import JudgeJob
from stream_monitor.kafka.judge.tuning import JudgeTuning
from stream_monitor.kafka.judge.worker import JudgeWorker

__all__ = ["JudgeJob", "JudgeTuning", "JudgeWorker"]
