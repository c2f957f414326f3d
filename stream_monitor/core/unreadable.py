"""How many of a partition's last records were unreadable, in a few numbers that travel with its chain.

The last 10,000 records are ten blocks of a thousand; what lay before the first record counts as readable. Blocks are
counted from record to record, so the numbers do not depend on where chunks end, and a worker that starts again goes on
where the last one stood.

>>> state = Unreadable().after(1_500, range(1_500))
>>> state.bad, state.run, state.encode()
(1500, 1500, [500, 500, 1500, 1000])
>>> state.after(9_000, []).bad
500
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Int64

BLOCK = 1_000
BLOCKS = 10
WINDOW = BLOCK * BLOCKS
"""Records of a partition over which the share of unreadable ones is taken."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The state after some records.

    Attributes:
        records: of the block that is not full yet.
        in_block: unreadable ones among them.
        run: unreadable ones in a row, up to the last record.
        blocks: unreadable ones of the full blocks before, oldest first, at most nine, without leading zeros.
    """

    records: int = 0
    in_block: int = 0
    run: int = 0
    blocks: tuple[int, ...] = ()

    @property
    def bad(self) -> int:
        """Unreadable ones in the window: nine full blocks and the one that is not."""
        return sum(self.blocks) + self.in_block

    def after(self, records: int, rejected: Sequence[int]) -> Unreadable:
        """Return the state after more records.

        Args:
            records: how many.
            rejected: ascending positions of the unreadable ones among them.
        """
        if not rejected and not self.bad and not self.run:
            return Unreadable((self.records + records) % BLOCK)
        counts = self._blocks(records, rejected)
        full, in_block = counts[:-1].tolist(), int(counts[-1])
        run = self.run + records if len(rejected) == records else _last_run(records, rejected)
        blocks = tuple(full[-(BLOCKS - 1) :])
        first = next((at for at, count in enumerate(blocks) if count), len(blocks))
        return Unreadable((self.records + records) % BLOCK, in_block, run, blocks[first:])

    def worst(self, records: int, rejected: Sequence[int]) -> int:
        """Return the most unreadable ones that any window holds which ends with a block of more records, or with them.

        Args:
            records: as of `after`.
            rejected: likewise.
        """
        counts = np.concatenate([np.zeros(BLOCKS - 1, dtype=np.int64), self._blocks(records, rejected)])
        sums = np.concatenate([[0], np.cumsum(counts)])
        return int((sums[BLOCKS:] - sums[:-BLOCKS]).max())

    def longest_run(self, records: int, rejected: Sequence[int]) -> int:
        """Return the longest run of unreadable ones, the one that goes on from before included.

        Args:
            records: as of `after`.
            rejected: likewise.
        """
        good = np.delete(np.arange(records), np.asarray(rejected, dtype=np.int64))
        if not good.size:
            return self.run + records
        inside = int(np.diff(good).max(initial=1)) - 1
        first, last = int(good[0]), records - 1 - int(good[-1])
        return max(self.run + first if first else 0, inside, last)

    def encode(self) -> list[int]:
        """Return the state as a list of numbers, empty when nothing was unreadable lately."""
        return [self.records, self.in_block, self.run, *self.blocks] if self.bad or self.run else []

    @staticmethod
    def decode(numbers: Sequence[int]) -> Unreadable:
        """Return the state of a list that `encode` made; another list says nothing.

        >>> Unreadable.decode([1, 2])
        Unreadable(records=0, in_block=0, run=0, blocks=())
        """
        if len(numbers) < 3 or len(numbers) > BLOCKS + 2 or min(numbers) < 0 or numbers[0] >= BLOCK:
            return Unreadable()
        return Unreadable(numbers[0], numbers[1], numbers[2], tuple(numbers[3:]))

    def _blocks(self, records: int, rejected: Sequence[int]) -> Int64:
        """Return the unreadable ones by block: those known, and those that more records fill or begin."""
        ends = self.records + records
        places = (np.asarray(rejected, dtype=np.int64) + self.records) // BLOCK
        counts = np.bincount(places, minlength=ends // BLOCK + 1).astype(np.int64)
        counts[0] += self.in_block
        return np.concatenate([np.array(self.blocks, dtype=np.int64), counts])


NONE_UNREADABLE = Unreadable()
"""Of a partition that has no record yet, or none lately that was unreadable."""


def _last_run(records: int, rejected: Sequence[int]) -> int:
    """Return how many of the last records are unreadable, when not all are."""
    bad = set(rejected)
    last_good = next(at for at in range(records - 1, -1, -1) if at not in bad)
    return records - 1 - last_good
