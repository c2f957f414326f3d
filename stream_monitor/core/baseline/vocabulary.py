"""Which categories of a column a baseline lists, and which names it only remembers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Bool, Int64, Intp
from stream_monitor.core.baseline.table import ReferenceTable
from stream_monitor.core.baseline.values import Values
from stream_monitor.core.canonical import canonical_json
from stream_monitor.core.names import cut_category
from stream_monitor.core.plan import LimitsPlan

OTHER_NAMES = 1_000
"""Most names written down as pooled in `other`."""

NAME_BYTES = 96 * 1024
"""Most bytes of JSON that the names of one list may take, so that a series fits into a part."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The categories of a column; which are listed and which are unseen is fixed by the rows of even parity alone.

    Rows that choose a set of names must not estimate its mass as well: names that are frequent or present by chance
    would make the reference too large, and every stream would seem to drift.

    Attributes:
        codes: position in `names` of each row's category, shape (n,); of a row without one anything.
        odd: the rows of odd parity.
        names: the categories, sorted by code point.
        listed: codes of the listed ones, ascending.
        pooled: names of the others that were met; None if they are too many to write down.
        unseen: of each code, whether no row of even parity has it.
    """

    codes: Intp
    odd: Bool
    names: Sequence[str]
    listed: Sequence[int]
    pooled: tuple[str, ...] | None
    unseen: Bool


def vocabulary(values: Values, table: ReferenceTable, limits: LimitsPlan) -> Vocabulary:
    """Return which categories are listed, at most `limits.categories`, and which are only remembered."""
    column, odd = values.categories, (table.select & np.uint64(1)).astype(np.bool_)
    names = sorted({cut_category(text) for text in column.names})
    position = {text: code for code, text in enumerate(names)}
    recode = np.array([position[cut_category(text)] for text in column.names], np.intp)
    codes = recode[column.codes]
    all_rows = np.bincount(codes[values.present], minlength=len(names))
    even_rows = all_rows - np.bincount(codes[values.present & odd], minlength=len(names))
    met = np.flatnonzero(all_rows)
    listed = _listed(names, met, even_rows, limits.categories)
    pooled = [names[code] for code in np.setdiff1d(met, listed).tolist()]
    known = len(pooled) <= OTHER_NAMES and len(list(_fitting(pooled))) == len(pooled)
    return Vocabulary(codes, odd, names, listed, tuple(pooled) if known else None, even_rows == 0)


def _listed(names: Sequence[str], met: Intp, even_rows: Int64, limit: int) -> list[int]:
    """Return the codes to list, ascending: all if they fit, else the most frequent of the even rows."""
    ranked = sorted(met.tolist(), key=lambda code: (-even_rows[code], code))
    fitting = len(list(_fitting([names[code] for code in ranked[:limit]])))
    if fitting < len(ranked):  # the list is cut: a name that only odd rows hold would be chosen by what estimates it
        ranked = [code for code in ranked if even_rows[code]]
    return sorted(ranked[:fitting])


def _fitting(names: Sequence[str]) -> Iterator[str]:
    """Yield names from the front as long as their JSON stays within the limit."""
    used = 0
    for text in names:
        used += len(canonical_json(text)) + 1
        if used > NAME_BYTES:
            return
        yield text
