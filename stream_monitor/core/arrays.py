"""Types of the arrays that travel through the core: the element type is part of every signature."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
"""Counts, offsets, instants, tie-breakers."""

UInt64 = npt.NDArray[np.uint64]
"""Selection hashes."""

Float64 = npt.NDArray[np.float64]
"""Values, edges."""

Intp = npt.NDArray[np.intp]
"""Positions in other arrays."""

Bool = npt.NDArray[np.bool_]
"""Masks."""
