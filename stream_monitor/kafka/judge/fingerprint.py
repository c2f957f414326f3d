"""What else decides an alert: the arithmetic of this machine and the versions of the algorithms.

Both are written with every commit, so that a restore that ends in another state can name a suspect (H22).
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version

import numpy as np
from scipy import special

_INPUTS = 1000


@cache
def arithmetic_fingerprint() -> str:
    """Return 16 hex digits of SHA-256 over the special functions at 1,000 fixed points.

    >>> len(arithmetic_fingerprint())
    16
    """
    x = np.linspace(0.01, 5000.0, _INPUTS)
    values = (special.gammaln(x), special.digamma(x), np.exp(-x / 100.0), np.log(x), np.log1p(1.0 / x), np.sqrt(x))
    return hashlib.sha256(b"".join(v.astype("<f8").tobytes() for v in values)).hexdigest()[:16]


@cache
def algorithm_versions() -> dict[str, str]:
    """Return the versions of what computes: this program, river, NumPy, SciPy."""
    return {name: version(name) for name in ("numpy", "river", "scipy", "stream-monitor")}
