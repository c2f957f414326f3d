"""Judge partitions are split: each model keeps its whole state, in the partition that its records go to from now on.

The new number of partitions is a multiple of the old one, so the models of a new partition all come from one old one:
`hash mod 2n` says `hash mod n`. A new state is the old one without the models of others; nothing is merged, and
nothing starts anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from stream_monitor.core.chain import ChunkName
from stream_monitor.core.judge.log.ledger import Place
from stream_monitor.core.judge.remembered import Remembered
from stream_monitor.core.keys import judge_partition
from stream_monitor.core.profile import Undeclared


def parent(partition: int, old: int) -> int:
    """Return the old partition that a new one comes from.

    >>> [parent(partition, 2) for partition in range(6)]
    [0, 1, 0, 1, 0, 1]
    """
    return partition % old


def settle(judge: Remembered, committed: Mapping[Place, ChunkName]) -> None:
    """Fold the committed chunks that wait for a successor: it will be written to other partitions than they were.

    Args:
        judge: at the end of its log.
        committed: name of the last committed chunk of every source partition, no worker being alive.

    Raises:
        ValueError: the log does not hold a committed chunk.
    """
    for place, chain in sorted(judge.ledger.chains.items()):
        last = committed.get(place)
        if last is None:
            raise ValueError(f"{place[0]}[{place[1]}]: no committed chunk")
        chunk = chain.settle(last)
        if chunk is not None:
            judge.ledger.graft(place, chunk.profiles)


def keep_own(judge: Remembered, *, was: int) -> tuple[str, ...]:
    """Drop the models whose records go to other partitions; return those that stay.

    Args:
        judge: holds the state of its parent.
        was: number of partitions before.
    """
    for name, model in list(judge.models.items()):
        if judge_partition(name, judge.partitions) != judge.partition:
            for watch in model.watches():
                watch.leave(judge.pool)
            del judge.models[name]
    own = set(judge.models)
    for panes in judge.ledger.panes.values():
        for pane in panes.panes.values():
            pane.profiles = {key: held for key, held in pane.profiles.items() if _is_own(judge, key[0][0])}
            pane.late = {key: rows for key, rows in pane.late.items() if _is_own(judge, key[0])}
            own |= {subject[0] for subject, _ in pane.profiles}
    if judge.partition >= was:
        judge.undeclared = Undeclared()
    return tuple(sorted(own))


def _is_own(judge: Remembered, model: str) -> bool:
    return judge_partition(model, judge.partitions) == judge.partition
