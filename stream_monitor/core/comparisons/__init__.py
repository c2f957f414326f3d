"""Comparisons: how far a window lies from its reference, by counts; the effect size of rules and what dashboards show.

To add one: a file with a `Comparison`, and a line in `COMPARISONS`; the laws in `tests/laws/test_comparisons.py`
follow.
"""

from __future__ import annotations

from stream_monitor.core.comparisons.chi_square import ChiSquare
from stream_monitor.core.comparisons.comparison import Comparison, Reference
from stream_monitor.core.comparisons.hellinger import Hellinger
from stream_monitor.core.comparisons.jensen_shannon import JensenShannon
from stream_monitor.core.comparisons.kolmogorov_smirnov import KolmogorovSmirnov
from stream_monitor.core.comparisons.linf import LInfinity
from stream_monitor.core.comparisons.mixture import mixed
from stream_monitor.core.comparisons.psi import PopulationStabilityIndex
from stream_monitor.core.comparisons.total_variation import TotalVariation
from stream_monitor.core.comparisons.wasserstein import Wasserstein, WassersteinSigma

__all__ = ["COMPARISONS", "Comparison", "Reference", "comparison", "mixed"]

COMPARISONS: tuple[Comparison, ...] = (
    PopulationStabilityIndex(),
    JensenShannon(),
    KolmogorovSmirnov(),
    Wasserstein(),
    WassersteinSigma(),
    Hellinger(),
    LInfinity(),
    ChiSquare(),
    TotalVariation(),
)
"""Every comparison, in the order in which they are shown."""


def comparison(name: str) -> Comparison:
    """Return a comparison by its name.

    Raises:
        ValueError: there is none of that name.
    """
    for found in COMPARISONS:
        if found.name == name:
            return found
    raise ValueError(f"comparison: must be one of {', '.join(c.name for c in COMPARISONS)}, got {name!r}")
