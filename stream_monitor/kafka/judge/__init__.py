"""The judge worker: folds partitions of `drift-profiles` and publishes their alerts, each exactly once.

`judge_worker` puts its lives into the frame of every role (`kafka.lives`). `judge_life` opens and closes the clients of
one life, `judge_loop` folds and commits. `restore` brings a partition from its `stored_state` to the committed
position, `partition` holds it while it is live, `transactional_writer` (or `repeating_writer`) commits, with
`proposals` of baselines. `state_records` and `snapshot_blocks` say what `drift-judge-state` holds.
The steps are those of docs/protocol.md.
"""

from stream_monitor.kafka.judge.judge_job import JudgeJob
from stream_monitor.kafka.judge.judge_worker import JudgeWorker
from stream_monitor.kafka.judge.tuning import JudgeTuning

__all__ = ["JudgeJob", "JudgeTuning", "JudgeWorker"]
