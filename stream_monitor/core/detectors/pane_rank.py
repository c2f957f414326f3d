"""PaneRank: one rank a pane, exact whatever the dependence of the events inside a pane.

A pane is its mean normal score, `y_t = sum n_j z_j / n_t`. The first 255 panes with events are the reference: order
statistics of their y are the edges of a grid of its own, ties are broken by a hash of series and pane, and each later
pane is one event for RankShiryaevRoberts. Until then the row is warming up.

Promise: with no drift the expected number of alarms in n panes is at most n/A if panes are independent of each other
(`bound_panes`), without a word about the events in them and about the baseline. Panes depend on each other when the
correlation of events lasts as long as a pane: the 255 panes of the reference tell, by their design effect; then the
test is tempered by it and the promise is approximate, or none. Only means are seen: a change of spread that leaves them
alone is not. Sizes belong to a pane: a pane of few events scatters more.

Cost: 30-60 us a series and pane, about 6 kB of state.

Sources: Shin, Ramdas & Rinaldo (2024), arXiv:2203.03532 (e-detectors); Vovk et al. (2021), arXiv:2102.10439 (ranks of
batches).
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from functools import cache

import msgspec
import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.baseline.dependence import DesignEffect, design_effect, numeric_scores
from stream_monitor.core.detectors.group import ChangeRange, SeriesReference, UnusableStateError, series_seed
from stream_monitor.core.detectors.mixtures import Mixture, normal_scores
from stream_monitor.core.detectors.rank_shiryaev_roberts import RankShiryaevRoberts
from stream_monitor.core.detectors.rows import Rows
from stream_monitor.core.detectors.strata import suffix
from stream_monitor.core.grid import NumericGrid, spacings
from stream_monitor.core.keys import TIE_BITS
from stream_monitor.core.names import BOUND_PANES, approximate, no_guarantee

REFERENCE_PANES = 255
"""Panes of a series' own reference."""

_SCORE_ONE = 1 << 20
_SALT = b"pane rank"
_FORMAT = 1
_NO_ROW = -1


class _State(msgspec.Struct, array_like=True, frozen=True):
    format: int
    rows: bytes
    ranks: bytes


@dataclass(frozen=True, slots=True)
class PaneRank:
    """The detector by its parameters.

    Attributes:
        reference_panes: panes of a series' own reference, 2^k - 1 between 63 and 65,535.
        strata: references of a series; panes are ranked within the grid of their own, and together among panes.
    """

    reference_panes: int = REFERENCE_PANES
    strata: int = 1

    @property
    def fingerprint(self) -> str:
        """Class, format, parameters and the detector of the ranks."""
        return f"pane_rank/1/{self.reference_panes}/{_RANKS.fingerprint}{suffix(self.strata)}"

    def build(self, layout: int, state: bytes | None = None) -> PaneRankGroup:
        """Return a group over the grid of m = `layout` reference values."""
        return PaneRankGroup(self, layout, state)


_RANKS = RankShiryaevRoberts(Mixture.BASE)


class PaneRankGroup:
    """Series over one grid."""

    guarantee = BOUND_PANES

    def __init__(self, spec: PaneRank, m: int, state: bytes | None = None) -> None:
        self._name = f"{spec.fingerprint}/{m}"
        self._scores = _scores(m)
        self._size = spec.reference_panes
        self._spacings = spacings(self._size)
        outer = None if state is None else self._decoded(state)
        inner_edges = self._spacings.size - 1
        self._rows = Rows(
            self._name,
            ints={
                "panes": (),
                "seed": (),
                "rank_row": (),
                "settled": (),
                "score_sums": (self._size,),
                "events": (self._size,),
                "strata": (self._size,),
                "edge_ties": (inner_edges,),
            },
            floats={"edges": (inner_edges,), "design_effect": ()},
            state=None if outer is None else outer.rows,
        )
        self._ranks = _RANKS.build(self._size, None if outer is None else outer.ranks)
        self._grids: dict[int, NumericGrid] = {}

    def add(self, *references: SeriesReference) -> int:
        """Start a series; its reference only seeds the breaking of ties. Strata have one reference of panes."""
        row = self._rows.add()
        self._rows.ints["seed"][row] = series_seed(references)
        self._rows.ints["rank_row"][row] = _NO_ROW
        return row

    def remove(self, row: int) -> None:
        """Forget a series."""
        inner = int(self._rows.ints["rank_row"][row])
        if inner != _NO_ROW:
            self._ranks.remove(inner)
        self._grids.pop(row, None)
        self._rows.remove(row)

    def step(self, rows: Intp, counts: Int64, stratum: int = 0) -> Float64:
        """Take one pane; a row without events does not step."""
        filled = counts.any(axis=1)
        live, n = rows[filled], counts[filled]
        ready = [row for row in live.tolist() if not self.warming_up(row)]
        sums, events = n @ self._scores, n.sum(axis=1)
        if ready:
            at = np.isin(live, ready)
            taken = self._rows.ints["panes"][live[at]]
            ranks = [
                self._rank(row, int(total), int(size), int(pane))
                for row, total, size, pane in zip(ready, sums[at], events[at], taken, strict=True)
            ]
            self._ranks.step(self._rows.ints["rank_row"][ready], self._one_hot(ranks))
        for row, total, size in zip(live.tolist(), sums.tolist(), events.tolist(), strict=True):
            self._keep(row, total, size, stratum)
        return self.log_evidence(rows)

    def log_evidence(self, rows: Intp) -> Float64:
        """Return log M (nats); -inf while a row warms up."""
        inner = self._rows.ints["rank_row"][rows]
        log_m = np.full(rows.size, -np.inf)
        ready = inner != _NO_ROW
        if ready.any():
            log_m[ready] = self._ranks.log_evidence(inner[ready])
        return log_m

    def warming_up(self, row: int) -> bool:
        """Say whether the reference is still collected."""
        return int(self._rows.ints["rank_row"][row]) == _NO_ROW

    def design_effect(self, row: int) -> DesignEffect:
        """Return how much less the panes of the reference say than independent ones; 1 while it is collected."""
        if self.warming_up(row):
            return DesignEffect(1.0)
        return DesignEffect(float(self._rows.floats["design_effect"][row]), bool(self._rows.ints["settled"][row]))

    def promise(self, row: int) -> str:
        """Return what the budget promises for a series: as much as its panes are independent of each other."""
        found = self.design_effect(row)
        if not found.settled:
            return no_guarantee("dependence")
        return BOUND_PANES if found.value == 1.0 else approximate("dependence")

    def restart(self, row: int) -> None:
        """Set M to 0."""
        if not self.warming_up(row):
            self._ranks.restart(int(self._rows.ints["rank_row"][row]))

    def absorb(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Do nothing: a sum of panes has no rank among panes."""

    def forget(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Take the last panes of a stratum out of the null: those that together hold as many events."""
        learnt = int(self._rows.ints["panes"][row])
        left = int(counts.sum())
        ranks: list[int] = []
        for pane in range(learnt - 1, max(self._size, learnt - self._size) - 1, -1):
            place = pane % self._size
            if self._rows.ints["strata"][row, place] != stratum:
                continue
            total, size = (int(self._rows.ints[name][row, place]) for name in ("score_sums", "events"))
            left -= size
            if left < 0:
                break
            ranks.append(self._rank(row, total, size, pane))
        if ranks:
            self._ranks.forget(int(self._rows.ints["rank_row"][row]), self._one_hot(ranks).sum(axis=0))

    def change_range(self, row: int, panes: Int64, strata: Intp | None = None) -> ChangeRange:
        """Return when the change began, in panes."""
        filled = np.flatnonzero(panes.any(axis=1))
        if self.warming_up(row) or not filled.size:
            return ChangeRange(-1, -1, -1)
        last = int(self._rows.ints["panes"][row])
        ranks = np.zeros((panes.shape[0], self._spacings.size), dtype=np.int64)
        for back, place in enumerate(filled[::-1].tolist(), 1):
            if last - back < self._size:
                break
            total, size = int(panes[place] @ self._scores), int(panes[place].sum())
            ranks[place, self._rank(row, total, size, last - back)] = 1
        return self._ranks.change_range(int(self._rows.ints["rank_row"][row]), ranks)

    def dump(self) -> bytes:
        """Return the state."""
        return msgspec.msgpack.encode(_State(_FORMAT, self._rows.dump(), self._ranks.dump()))

    def _keep(self, row: int, total: int, size: int, stratum: int) -> None:
        """Keep what a pane was; with the last one of the reference its grid is made."""
        pane = int(self._rows.ints["panes"][row])
        self._rows.ints["score_sums"][row, pane % self._size] = total
        self._rows.ints["events"][row, pane % self._size] = size
        self._rows.ints["strata"][row, pane % self._size] = stratum
        self._rows.ints["panes"][row] = pane + 1
        if pane + 1 == self._size:
            self._begin(row)

    def _begin(self, row: int) -> None:
        """Make the grid of a row from its reference and start its ranks."""
        y = self._rows.ints["score_sums"][row] / self._rows.ints["events"][row]
        ties = np.array([self._tie(row, pane) for pane in range(self._size)], dtype=np.int64)
        ordered = np.lexsort((ties, y))[self._spacings.cumsum()[:-1] - 1]
        self._rows.floats["edges"][row], self._rows.ints["edge_ties"][row] = y[ordered], ties[ordered]
        bins = self._grid(row).assign(y, ties)
        found = design_effect(bins.astype(np.intp), numeric_scores(self._spacings))
        d = float(f"{found.value:.5e}")  # a last bit of a quantile function decides nothing
        self._rows.floats["design_effect"][row], self._rows.ints["settled"][row] = d, found.settled
        own = SeriesReference(self._spacings, design_effect=d)
        self._rows.ints["rank_row"][row] = self._ranks.add(own)

    def _rank(self, row: int, total: int, size: int, pane: int) -> int:
        """Return the bin of a pane in the grid of its series."""
        return int(self._grid(row).assign(np.array([total / size]), np.array([self._tie(row, pane)]))[0])

    def _grid(self, row: int) -> NumericGrid:
        if row not in self._grids:
            edges, ties = self._rows.floats["edges"][row].copy(), self._rows.ints["edge_ties"][row].copy()
            self._grids[row] = NumericGrid(self._size, edges, ties)
        return self._grids[row]

    def _one_hot(self, ranks: list[int]) -> Int64:
        counts = np.zeros((len(ranks), self._spacings.size), dtype=np.int64)
        counts[np.arange(len(ranks)), ranks] = 1
        return counts

    def _tie(self, row: int, pane: int) -> int:
        text = b"%s %d %d" % (_SALT, int(self._rows.ints["seed"][row]), pane)
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> (64 - TIE_BITS)

    def _decoded(self, state: bytes) -> _State:
        try:
            outer = msgspec.msgpack.decode(state, type=_State)
        except msgspec.MsgspecError as error:
            raise UnusableStateError(f"state of {self._name}: {error}") from error
        if outer.format != _FORMAT:
            raise UnusableStateError(f"state of {self._name}: format {outer.format}")
        return outer


@cache
def _scores(m: int) -> Int64:
    """Return the normal score of the mid rank of each bin times 2^20, rounded, shape (bins,)."""
    a = [int(size) for size in spacings(m)]
    halves = (a[0], *(left + right for left, right in itertools.pairwise(a)), a[-1])
    return np.array([round(z * _SCORE_ONE) for z in normal_scores(halves)], dtype=np.int64)
