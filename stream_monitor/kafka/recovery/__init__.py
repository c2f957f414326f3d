"""What an operator decides when state is lost: each command says what it found and would do, and then does it.

`members` refuses to touch the state of a group that has workers. `offsets` says how committed offsets of the profile
group are mended, `offset_log` asks and commits. `gap` says what a judge partition goes on with, `judge_states`
reads and writes it. `partition_split` is `rekey`: more judge partitions, every model with its state.
"""
