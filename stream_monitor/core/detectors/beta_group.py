"""Series whose shares of some bins may not move: what BetaBernoulli and BetaCategories run.

A part is a bin, or a run of them. What is known of its share is Beta(k+1, m-k) where it is tested upwards and
Beta(k, m-k+1) where downwards, k of m events so far having been in it: the two laws whose quantiles are the limits of
Clopper and Pearson. A pane is a run of a Beta-binomial law of that kind; the alternatives have the same number of
pseudo-events at other odds. Every pane is learnt, so the null of a short reference grows sharper with time, which an
interval for the share never does.

The mean of e over reference and pane was at most 1 for every share, reference and pane that were enumerated
(`tests/core/detectors/test_beta.py`); for a sum over many panes it is measured, not proved. The evidence of a series is
the mean over its parts.

Source: Clopper & Pearson (1934), doi:10.1093/biomet/26.4.404; Shin, Ramdas & Rinaldo (2024), arXiv:2203.03532.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from stream_monitor.core.arrays import Bool, Float64, Int64, Intp
from stream_monitor.core.detectors import shiryaev_roberts
from stream_monitor.core.detectors.arithmetic import log, log_rising
from stream_monitor.core.detectors.group import ChangeRange, SeriesReference
from stream_monitor.core.detectors.parts import NO_BIN, inside_and_outside, pooled
from stream_monitor.core.detectors.rows import Rows
from stream_monitor.core.detectors.strata import before, of_panes
from stream_monitor.core.detectors.sums import STARTS, SumsWithStarts

ODDS_RATIOS = (1.15, 1.4, 2.0, 4.0, 16.0)
"""Of the alternatives, upwards; a category that half of the reference rows have not may come with any share."""

ALTERNATIVES = 2 * len(ODDS_RATIOS)  # up, then down

_NOTHING = 2.0**-30
"""Stands for no event: a share of which nothing else is known cannot be tested, and e is then at most 1."""


class Share(NamedTuple):
    """Neighbouring bins `first..last` whose share is tested, and the reference events inside and outside.

    `both` is False where only a growing share is drift.
    """

    first: int
    last: int
    inside: int
    outside: int
    both: bool


_FIXED = ("first", "last", "both")
_LEARNT = ("inside", "outside")


class Shares(Protocol):
    """What gives a series its parts."""

    @property
    def fingerprint(self) -> str:
        """Names every parameter."""
        ...

    @property
    def strata(self) -> int:
        """Number of references of a series."""
        ...

    def parts(self, reference: SeriesReference, whole: SeriesReference) -> Sequence[Share]:
        """Return the tested bins of a series with the events of one stratum; all strata together say what is tested."""
        ...


class BetaGroup(SumsWithStarts):
    """Series with the same number of bins."""

    guarantee = "calibrated"

    def __init__(self, shares: Shares, bins: int, *, most_parts: int, state: bytes | None = None) -> None:
        self._shares = shares
        self._rows = Rows(
            f"{shares.fingerprint}/{bins}",
            ints={
                **dict.fromkeys(_FIXED, (most_parts,)),
                **dict.fromkeys(_LEARNT, (shares.strata, most_parts)),
                "stepped": (),
            },
            floats={"design_effect": (), **dict.fromkeys(("log_r", *STARTS), (most_parts * ALTERNATIVES,))},
            later=STARTS,
            state=state,
        )

    def add(self, *references: SeriesReference) -> int:
        """Start a series."""
        whole = pooled(references)
        by_stratum = [self._shares.parts(reference, whole) for reference in references]
        parts = by_stratum[0]
        row = self._rows.add()
        self._rows.ints["first"][row] = NO_BIN
        for name in _FIXED:
            self._rows.ints[name][row, : len(parts)] = [getattr(part, name) for part in parts]
        for name in _LEARNT:
            self._rows.ints[name][row, :, : len(parts)] = [[getattr(part, name) for part in own] for own in by_stratum]
        self._rows.floats["design_effect"][row] = whole.design_effect
        self._rows.floats["log_r"][row] = -np.inf
        return row

    def step(self, rows: Intp, counts: Int64, stratum: int = 0) -> Float64:
        """Take one pane; a row without events does not step."""
        filled = counts.any(axis=1)
        live = rows[filled]
        if live.size:
            ints = self._rows.ints
            within, without = self._split(live, counts[filled])
            known = _Known(
                ints["inside"][live, stratum], ints["outside"][live, stratum], self._rows.floats["design_effect"][live]
            )
            log_e = known.log_e(within, without).reshape(live.size, -1)
            self._advance(live, log_e)
            ints["inside"][live, stratum] += within
            ints["outside"][live, stratum] += without
            ints["stepped"][live] += 1
        return self.log_evidence(rows)

    def absorb(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Add counts to what is known of the shares."""
        self._learn(row, counts, stratum)

    def forget(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Take counts out of it again."""
        self._learn(row, -counts, stratum)

    def change_range(self, row: int, panes: Int64, strata: Intp | None = None) -> ChangeRange:
        """Return when the change began, in panes."""
        used = shiryaev_roberts.stepped_panes(panes, int(self._rows.ints["stepped"][row]))
        if not used.size:
            return ChangeRange(-1, -1, -1)
        same = np.full(used.size, row)
        within, without = self._split(same, panes[used])
        own = of_panes(panes, strata)[used]
        known = _Known(
            before(self._rows.ints["inside"][row], within, own),
            before(self._rows.ints["outside"][row], without, own),
            self._rows.floats["design_effect"][same],
        )
        log_e = known.log_e(within, without).reshape(used.size, -1)
        log_weights = self._log_weights(np.array([row]))[0]
        return shiryaev_roberts.change_range(
            self._rows.floats["log_r"][row], log_e, log_weights, self._starts(row)
        ).among(used)

    def _learn(self, row: int, counts: Int64, stratum: int) -> None:
        within, without = self._split(np.array([row]), counts[None])
        self._rows.ints["inside"][row, stratum] += within[0]
        self._rows.ints["outside"][row, stratum] += without[0]

    def _used(self, rows: Intp) -> Bool:
        used: Bool = self._rows.ints["first"][rows] != NO_BIN
        return used

    def _split(self, rows: Intp, counts: Int64) -> tuple[Int64, Int64]:
        """Return the events inside and outside of each part, shape (rows, parts); none of a part that is not used."""
        used = self._used(rows)
        first, last = (np.where(used, self._rows.ints[name][rows], 0) for name in ("first", "last"))
        within, without = inside_and_outside(first, last, counts)
        return np.where(used, within, 0), np.where(used, without, 0)

    def _log_weights(self, rows: Intp) -> Float64:
        """Return weights of shape (rows, parts x alternatives): equal over parts, then over sides and ratios."""
        used, both = self._used(rows), self._rows.ints["both"][rows] == 1
        parts = np.maximum(used.sum(axis=1), 1)
        alternatives = np.where(both, ALTERNATIVES, len(ODDS_RATIOS)) * parts[:, None]
        each = np.where(used, -log(alternatives.astype(np.float64)), -np.inf)
        sides = np.stack([each, np.where(both, each, -np.inf)], axis=-1)
        return np.repeat(sides, len(ODDS_RATIOS), axis=-1).reshape(rows.size, -1)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of shares: events inside and outside so far, shape (rows, parts), and d, shape (rows,)."""

    inside: Int64
    outside: Int64
    design_effect: Float64

    def log_e(self, within: Int64, without: Int64) -> Float64:
        """Return ln e of a pane, shape (rows, parts, alternatives): upwards, then downwards; both of shape
        (rows, parts).
        """
        d = self.design_effect[:, None]
        k, rest = self.inside / d, self.outside / d
        s, f = within / d, without / d
        up = _log_e_of_more(k + 1.0, np.maximum(rest, _NOTHING), s, f)
        down = _log_e_of_more(rest + 1.0, np.maximum(k, _NOTHING), f, s)
        return np.concatenate([up, down], axis=-1)


def _log_e_of_more(a: Float64, b: Float64, s: Float64, f: Float64) -> Float64:
    """Return ln e of s successes and f failures where Beta(a, b) is known and the odds are r times as large.

    All are of shape (rows, parts); the result is of shape (rows, parts, ratios).
    """
    r = np.array(ODDS_RATIOS)
    total = (a + b)[..., None]
    odds = a[..., None] * r + b[..., None]
    more, less = total * (a[..., None] * r) / odds, total * b[..., None] / odds
    x = np.concatenate([more, less, a[..., None], b[..., None]], axis=-1)
    c = np.concatenate([*[s[..., None]] * r.size, *[f[..., None]] * r.size, s[..., None], f[..., None]], axis=-1)
    rising = log_rising(x, c)
    log_e: Float64 = rising[..., : r.size] + rising[..., r.size : 2 * r.size] - rising[..., -2:-1] - rising[..., -1:]
    return log_e
