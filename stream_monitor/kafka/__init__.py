"""The only home of the Kafka client: settings, topics, readers and the two workers.

`profile/` counts input events into `drift-profiles`, `judge/` folds that log into alerts. A worker is *given* its
decoders, its plan and its observer; it decides nothing that `core` could decide.
"""
