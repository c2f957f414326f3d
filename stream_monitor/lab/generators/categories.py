"""Names drawn with fixed shares, and what may happen to them.

>>> Categorical.zipf(3).names, [round(s, 3) for s in Categorical.zipf(3).shares]
(('c0', 'c1', 'c2'), [0.545, 0.273, 0.182])
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Names = npt.NDArray[np.object_]
"""A column of names; None where a value is missing."""


@dataclass(frozen=True, slots=True)
class Categorical:
    """Independent names.

    Attributes:
        names: what may come.
        shares: how often, in the same order; sum 1.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]

    @classmethod
    def zipf(cls, count: int) -> Categorical:
        """Return names c0, c1, ... with shares as 1, 1/2, 1/3, ..."""
        weights = 1.0 / np.arange(1, count + 1)
        return cls(tuple(f"c{i}" for i in range(count)), tuple((weights / weights.sum()).tolist()))

    @classmethod
    def even(cls, count: int) -> Categorical:
        """Return names c0, c1, ... with equal shares."""
        return cls(tuple(f"c{i}" for i in range(count)), (1.0 / count,) * count)

    def draw(self, rows: int, rng: np.random.Generator) -> Names:
        """Return that many names."""
        return np.array(self.names, dtype=object)[rng.choice(len(self.names), size=rows, p=self.shares)]

    def swapped(self, first: str, second: str) -> Categorical:
        """Return the law in which two names have each other's share."""
        places = self.names.index(first), self.names.index(second)
        shares = list(self.shares)
        shares[places[0]], shares[places[1]] = shares[places[1]], shares[places[0]]
        return replace(self, shares=tuple(shares))

    def moved(self, share: float, source: str, to: str) -> Categorical:
        """Return the law in which `share` of all rows have gone from one name to another, known or new."""
        shares = dict(zip(self.names, self.shares, strict=True))
        if shares[source] < share:
            raise ValueError(f"share: {source} has {shares[source]:.3f}, cannot give {share}")
        shares[source] -= share
        shares[to] = shares.get(to, 0.0) + share
        return Categorical(tuple(shares), tuple(shares.values()))
