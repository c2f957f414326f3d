"""The profile worker: input topics in, `drift-profiles` out, one plain commit a round.

`profile_worker` puts its lives into the frame of every role (`kafka.lives`). `profile_life` opens and closes the
clients of one life (`profile_clients`, `client_errors`); `profile_memory` is what outlives them. `profile_loop` comes
round: it leads what was fetched to its partitions (`fetched`), takes partitions up and gives them back (`membership`),
says what is due (`due_chunks`), pauses what runs ahead (`fetch_pauses`), and looks at what no client reports
(`cluster_watch`). `round` is the way of a chunk from the buffer to the commit.

The steps of docs/protocol.md are each in a file: `assignment` (3-5), `intake` (6-7), `counting` (8), `writing`
(9-10), `committing` (11-13), `idle` (14), `watchdog` (18).
"""

from stream_monitor.kafka.profile.policy import DeadLetterLimits, OnDataLoss, OnExcess, ProfilePolicy, StartFrom, Tuning
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.profile.profile_worker import ProfileWorker

__all__ = [
    "DeadLetterLimits",
    "OnDataLoss",
    "OnExcess",
    "ProfileJob",
    "ProfilePolicy",
    "ProfileWorker",
    "StartFrom",
    "Tuning",
]
