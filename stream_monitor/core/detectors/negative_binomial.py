"""NegativeBinomial: has the demand per pane, or its spread, left what the first panes showed?

Real demand scatters more than a Poisson count. With mean μ and variance μ + μ²/κ, `log e = x ln r + (x + κ) ln((κ +
μ)/(κ + r μ))`; at the upper limit of the mean for r > 1, the lower one for r < 1, and a lower limit of κ, `E[e] <= 1`
for every mean inside the limits and every larger κ, Poisson included, on any path in time.

The reference is the series' own: the first pane of a model may be cut, the next 200 are collected; until then M = 0. An
empty pane is data here: silence is the change to find. Strata warm up one by one, each on its own first panes.

Promise: expected alarms in n panes at most n/A while the demand stays inside the limits. Seasons are outside of them,
unless they are strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, ndtri

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.detectors import shiryaev_roberts
from stream_monitor.core.detectors.arithmetic import log
from stream_monitor.core.detectors.group import ChangeRange, SeriesReference
from stream_monitor.core.detectors.rows import Rows
from stream_monitor.core.detectors.strata import of_panes, suffix

_RATIOS = np.array([1.03, 1.1, 1.25, 1.6, 2.5, 1 / 1.03, 1 / 1.1, 1 / 1.25, 1 / 1.6, 1 / 2.5])
_LOG_RATIOS = log(_RATIOS)
_RUN_LENGTHS = (1, 2, 4, 8, 16)
_FEWEST_RUNS = 12
_POISSON = 1e9  # a κ that is as good as infinite


@dataclass(frozen=True, slots=True)
class DemandLimits:
    """What the first panes allow: limits of the mean per pane, and the lower limit of κ."""

    lower: float
    upper: float
    kappa: float


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """The detector by its parameters.

    Attributes:
        miss: probability that the limits do not hold, half for the mean, half for the spread.
        reference_panes: panes of the series' own reference, in each stratum.
        strata: references of a series, each with its share of `miss`.
    """

    miss: float = 1e-3
    reference_panes: int = 200
    strata: int = 1

    @property
    def fingerprint(self) -> str:
        """Class, format and parameters."""
        return f"negative_binomial/1/{self.miss!r}/{self.reference_panes}{suffix(self.strata)}"

    def build(self, layout: int = 1, state: bytes | None = None) -> NegativeBinomialGroup:
        """Return a group of counts; the layout is always one bin."""
        if layout != 1:
            raise ValueError(f"layout: negative_binomial has one count a pane, got {layout}")
        return NegativeBinomialGroup(self, state)

    def limits(self, panes: Int64) -> DemandLimits:
        """Return the limits from reference panes, shape (panes,)."""
        count, miss = panes.size, self.miss / self.strata
        total = float(panes.sum())
        mean = total / count
        variance = float(((panes - mean) ** 2).sum()) / (count - 1)
        inflation = _dependence(panes, mean, variance)
        error = float(ndtri(1.0 - miss / 4)) * float(np.sqrt(inflation * variance / count))
        half = miss / 4
        poisson_low = float(chdtri(2 * total, 1.0 - half)) / (2 * count) if total else 0.0
        poisson_high = float(chdtri(2 * total + 2, half)) / (2 * count)
        lower = max(0.0, min(mean - error, poisson_low))
        upper = max(mean + error, poisson_high)
        freedom = (count - 1) / inflation
        spread = variance * freedom / float(chdtri(freedom, 1.0 - miss / 2))
        excess = spread - mean
        kappa = min(_POISSON, mean * mean / excess) if excess > 0 else _POISSON
        return DemandLimits(_rounded(lower), _rounded(upper), _rounded(kappa))


def alternatives(limits: DemandLimits) -> tuple[Float64, Float64]:
    """Return ln e of each alternative as (per event, constant) of a pane, each of shape (alternatives,)."""
    mean = np.where(_RATIOS > 1.0, limits.upper, limits.lower)
    shrunk = log((limits.kappa + mean) / (limits.kappa + _RATIOS * mean))
    return _LOG_RATIOS + shrunk, limits.kappa * shrunk


def _dependence(panes: Int64, mean: float, variance: float) -> float:
    """Return by how much the variance of run sums exceeds that of independent panes: the largest clear excess, else
    1.
    """
    if not variance:
        return 1.0
    lengths = [length for length in _RUN_LENGTHS[1:] if panes.size // length >= _FEWEST_RUNS]
    worst = 1.0
    for length in lengths:
        runs = panes.size // length
        sums = (panes[: runs * length].reshape(runs, length) - mean).sum(axis=1)
        ratio = float((sums**2).sum()) / (runs * length * variance)
        if ratio > float(chdtri(runs, 0.01 / len(lengths))) / runs:
            worst = max(worst, ratio)
    return worst


def _rounded(value: float) -> float:
    """Return nine digits: a last bit of a quantile function decides nothing."""
    return float(f"{value:.8e}")


class NegativeBinomialGroup:
    """Demand series; counts have shape (k, 1)."""

    guarantee = "bound"

    def __init__(self, spec: NegativeBinomial, state: bytes | None = None) -> None:
        self._spec = spec
        self._rows = Rows(
            spec.fingerprint,
            ints={"panes": (spec.strata,), "reference": (spec.strata, spec.reference_panes), "stepped": ()},
            floats={"limits": (spec.strata, 3), "log_r": (_RATIOS.size,)},
            state=state,
        )
        self._log_weights = np.full(_RATIOS.size, -float(log(np.array([float(_RATIOS.size)]))[0]))

    def add(self, *references: SeriesReference) -> int:
        """Start a series; whatever references are given are left alone."""
        row = self._rows.add()
        self._rows.floats["log_r"][row] = -np.inf
        return row

    def remove(self, row: int) -> None:
        """Forget a series."""
        self._rows.remove(row)

    def limits(self, row: int, stratum: int = 0) -> DemandLimits | None:
        """Return the limits of a stratum; None while it warms up."""
        if not self._ready(row, stratum):
            return None
        return DemandLimits(*(float(x) for x in self._rows.floats["limits"][row, stratum]))

    def reference_mean(self, row: int, stratum: int = 0) -> float | None:
        """Return the mean count per pane of a stratum's reference; None while it warms up."""
        return float(self._rows.ints["reference"][row, stratum].mean()) if self._ready(row, stratum) else None

    def step(self, rows: Intp, counts: Int64, stratum: int = 0) -> Float64:
        """Take one pane, empty or not."""
        ready = self._rows.ints["panes"][rows, stratum] > self._spec.reference_panes
        for row, count in zip(rows[~ready], counts[~ready, 0], strict=True):
            self._collect(int(row), int(count), stratum)
        live = rows[ready]
        if live.size:
            log_r = self._rows.floats["log_r"]
            own = np.full(live.size, stratum)
            log_r[live] = shiryaev_roberts.advance(log_r[live], self._log_e(live, counts[ready, 0], own))
            self._rows.ints["stepped"][live] += 1
        return self.log_evidence(rows)

    def log_evidence(self, rows: Intp) -> Float64:
        """Return log M (nats); -inf while a row warms up."""
        return shiryaev_roberts.log_mixture(self._rows.floats["log_r"][rows], self._log_weights)

    def warming_up(self, row: int) -> bool:
        """Say whether the references of all strata are still collected."""
        return not any(self._ready(row, stratum) for stratum in range(self._spec.strata))

    def restart(self, row: int) -> None:
        """Set M to 0."""
        self._rows.floats["log_r"][row] = -np.inf
        self._rows.ints["stepped"][row] = 0

    def absorb(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Do nothing: the limits are fixed."""

    def forget(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Do nothing: the limits are fixed."""

    def change_range(self, row: int, panes: Int64, strata: Intp | None = None) -> ChangeRange:
        """Return when the change began, in panes."""
        within = of_panes(panes, strata)
        ready = np.flatnonzero([self._ready(row, stratum) for stratum in within.tolist()])
        used = ready[max(0, ready.size - int(self._rows.ints["stepped"][row])) :]
        log_e = self._log_e(np.full(used.size, row), panes[used, 0], within[used])
        return shiryaev_roberts.change_range(self._rows.floats["log_r"][row], log_e, self._log_weights).among(used)

    def dump(self) -> bytes:
        """Return the state."""
        return self._rows.dump()

    def _ready(self, row: int, stratum: int) -> bool:
        return bool(self._rows.ints["panes"][row, stratum] > self._spec.reference_panes)

    def _collect(self, row: int, count: int, stratum: int) -> None:
        seen = int(self._rows.ints["panes"][row, stratum])
        if seen:  # the pane in which the model appeared may be cut
            self._rows.ints["reference"][row, stratum, seen - 1] = count
        self._rows.ints["panes"][row, stratum] = seen + 1
        if seen == self._spec.reference_panes:
            limits = self._spec.limits(self._rows.ints["reference"][row, stratum])
            self._rows.floats["limits"][row, stratum] = (limits.lower, limits.upper, limits.kappa)

    def _log_e(self, rows: Intp, counts: Int64, strata: Intp) -> Float64:
        limits = self._rows.floats["limits"][rows, strata]
        mean = np.where(_RATIOS > 1.0, limits[:, 1:2], limits[:, 0:1])
        kappa = limits[:, 2:3]
        x = counts[:, None].astype(np.float64)
        return x * _LOG_RATIOS + (x + kappa) * log((kappa + mean) / (kappa + _RATIOS * mean))
