"""The only home of the Kafka client: settings, topics, readers and the workers.

`profile/` counts input events into `drift-profiles`, `judge/` folds that log into alerts. `lives` is the frame of every
worker: it opens the clients, runs the loop over them, and opens them anew after an error that new clients mend. A
worker is *given* its decoders, its plan and its observer; it decides nothing that `core` could decide.

A new role is a package here with a worker in the frame (`JudgeWorker` is the short example), its lines in
`permissions`, its loop in `observer.Loop`, and an entry in `runtimes.roles.ROLES`.
"""
