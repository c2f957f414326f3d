"""E-values of one pane of a grid against its exact null, for every alternative of a mixture, many series at once.

Null: the ordered run of bins is Dirichlet-multinomial with parameters alpha = spacings + counts so far. A tilted
alternative is one with the same total, `alpha_kj = S alpha_j g_kj / sum_i alpha_i g_ki`; an adaptive one has the bin
shares of its memory of the last events. Both are laws on runs that the past fixes, so that `E[e | past] = 1` exactly.

With a design effect d every count and parameter is divided by d, null and alternatives alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors.arithmetic import LN2, exp, log, log_rising, ordered_sum
from stream_monitor.core.detectors.mixtures import Mixture, Tilts

_MEMORY_PRIOR = 50.0  # events' worth of the reference's bin shares in an adaptive alternative
_FADED = 20.0  # half-lives
_SPLIT = 20  # bits: alpha and tilts are multiplied in two halves, exact up to 2^54 events


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A mixture over one grid, ready to be evaluated.

    Attributes:
        tilts: ratios, half-lives and weights.
        ratios_of_bin: the tilts as floats, shape (bins, tilts).
        log_ratios_of_bin: their logarithms.
        prior: pseudo-events per bin of the adaptive alternatives, shape (bins,).
    """

    tilts: Tilts
    ratios_of_bin: Float64
    log_ratios_of_bin: Float64
    prior: Float64

    @classmethod
    def over(cls, spacings: Int64, mixture: Mixture) -> Alternatives:
        """Return the mixture over the grid with these spacings."""
        tilts = mixture.tilts(spacings)
        shares = spacings / float(spacings.sum())
        ratios = np.ascontiguousarray(tilts.ratios.T).astype(np.float64)
        return cls(tilts, ratios, log(ratios), _MEMORY_PRIOR * shares)

    @property
    def count(self) -> int:
        """Number of alternatives: tilts, then adaptive ones."""
        return self.tilts.weights.size

    def log_e_values(self, null: Null, counts: Int64) -> Float64:
        """Return ln e of one pane, shape (series, alternatives).

        Args:
            null: parameters before the pane, of the same series.
            counts: events per bin, shape (series, bins); each row holds at least one event.
        """
        f, j = np.nonzero(counts)  # row-major: the cells of a series lie together
        start = np.searchsorted(f, np.arange(counts.shape[0]))
        d = null.design_effect
        c = counts[f, j] / d[f]
        n = counts.sum(axis=1) / d
        total = null.alpha.sum(axis=1) / d
        x = null.alpha[f, j] / d[f]
        scale = total[:, None] / (self._normalisers(null.alpha) / d[:, None])
        remembered = self.prior[j][:, None] + null.memory[f, :, j]
        strength = _MEMORY_PRIOR + ordered_sum(null.memory)

        # One call for all special functions: a small group costs little more than its numbers.
        few = np.concatenate([x, total, strength.ravel(), remembered.ravel(), scale.ravel()])
        log_few = log(few)
        plain = few.size - scale.size
        log_scale = log_few[plain:].reshape(scale.shape)
        tilted = x[:, None] * self.ratios_of_bin[j] * scale[f]
        log_tilted = log_few[: x.size, None] + self.log_ratios_of_bin[j] + log_scale[f]
        memories, tilts = strength.shape[1], scale.shape[1]
        rising = log_rising(
            np.concatenate([few[:plain], tilted.ravel()]),
            np.concatenate([c, n, np.repeat(n, memories), np.repeat(c, memories), np.repeat(c, tilts)]),
            np.concatenate([log_few[:plain], log_tilted.ravel()]),
        )
        null_cells, whole, memory_whole, memory_cells, tilted_cells = np.split(
            rising, np.cumsum([x.size, n.size, strength.size, remembered.size])
        )
        null_terms = np.add.reduceat(null_cells, start)[:, None]
        by_tilt = np.add.reduceat(tilted_cells.reshape(-1, tilts), start, axis=0)
        by_memory = np.add.reduceat(memory_cells.reshape(-1, memories), start, axis=0)
        by_memory -= memory_whole.reshape(strength.shape)
        return np.concatenate([by_tilt - null_terms, by_memory + (whole[:, None] - null_terms)], axis=1)

    def after(self, memory: Float64, counts: Int64, design_effect: Float64) -> Float64:
        """Return the memories after a pane: faded by its events, then with them, shape (series, half-lives, bins)."""
        n = counts.sum(axis=1) / design_effect
        fading = exp(-LN2 * n[:, None] / np.array(self.tilts.half_lives))
        return memory * fading[:, :, None] + (counts / design_effect[:, None])[:, None, :]

    def before(self, memory: Float64, panes: Int64, design_effect: float) -> Float64:
        """Return what the memories of one series, shape (half-lives, bins), were before these panes, oldest first.

        What has faded to a millionth cannot be told from rounding any more and is taken as nothing.
        """
        n = panes.sum(axis=1) / design_effect
        later = n[::-1].cumsum()[::-1]
        half_lives = np.array(self.tilts.half_lives)[:, None]
        fading = exp(-LN2 * (later - n) / half_lives)
        since = (fading[:, :, None] * (panes / design_effect)).cumsum(axis=1)[:, -1]
        ages = later[0] / half_lives
        grown = (memory - since) * exp(LN2 * np.minimum(ages, _FADED))
        return np.where(ages < _FADED, np.maximum(grown, 0.0), 0.0)

    def _normalisers(self, alpha: Int64) -> Float64:
        """Return sum_j alpha_j g_kj as integer arithmetic gives it: no BLAS, whose order of summation varies."""
        ratios = self.tilts.ratios.T
        high = (alpha >> _SPLIT) @ ratios
        low = (alpha & ((1 << _SPLIT) - 1)) @ ratios
        return high.astype(np.float64) * float(1 << _SPLIT) + low.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Null:
    """State of the null and of the adaptive alternatives before a pane, one row a series.

    Attributes:
        alpha: spacings + counts of all panes before, shape (series, bins).
        memory: fading counts of the adaptive alternatives, shape (series, half-lives, bins).
        design_effect: shape (series,).
    """

    alpha: Int64
    memory: Float64
    design_effect: Float64
