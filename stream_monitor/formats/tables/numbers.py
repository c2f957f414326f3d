"""Numbers as people write them: with a currency, a percent sign or a unit, thousands set apart, negative in brackets.

Which mark stands before the decimals is decided for a column as a whole.

>>> form = number_form(["$1,204.50", "$17", "($3.20)"], fewest=3)
>>> form, form.plain(["$1,204.50", "($3.20)", "unknown"])
(NumberForm(decimal='.', unit='$'), ['1204.50', '-3.20', 'unknown'])
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from stream_monitor.formats.tables.cells import Cells
from stream_monitor.formats.tables.missing import MISSING_TEXTS
from stream_monitor.formats.tables.values import plain_cells

_FEWEST_NUMBERS = 20
"""Different numbers, above which they are amounts; `36 months` and `60 months` are two categories."""

_SHARE = 0.95
_DRESS = re.compile(r"[^\d.eE+-]")
_WRITTEN = re.compile(
    r"(?P<bracket>\()?\s*(?P<minus>[-+\u2212])?\s*(?P<before>[$€£¥₹])?\s*(?P<inner>[-+\u2212])?(?P<number>\d[\d.,]*)"
    r"\s*(?P<after>[$€£¥₹%‰]|[A-Za-zµ°]{1,10})?\s*(?(bracket)\))"
)
_SPACED = re.compile(r"(?<=\d)[ \u00a0\u202f'](?=\d{3}(?!\d))")
_STYLES: Mapping[str, re.Pattern[str]] = {
    ".": re.compile(r"(\d{1,3}(,\d{3})+|\d+)(\.\d*)?"),
    ",": re.compile(r"(\d{1,3}(\.\d{3})+|\d+)(,\d*)?"),
}


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How the numbers of a column are written.

    Attributes:
        decimal: the mark before the decimals; the other one of `.` and `,` sets thousands apart.
        unit: what stands before or behind the numbers, for example `$` or `%`; empty for nothing.
    """

    decimal: str
    unit: str

    @property
    def words(self) -> str:
        """How it is told."""
        parts = ["decimal comma"] if self.decimal == "," else []
        parts += [f"in {self.unit}"] if self.unit else []
        return ", ".join(parts) or "with thousands apart"

    def plain(self, cells: Cells) -> Cells:
        """Return cells with numbers as a program writes them; what is no number in this form stays as it is."""
        values = [cell if not isinstance(cell, str) else self.read(cell) or cell for cell in plain_cells(cells)]
        return pa.array(values, pa.string()) if isinstance(cells, pa.Array) else values

    def read(self, text: str) -> str | None:
        """Return a number as a program writes it, None for a text that is none in this form."""
        found = _WRITTEN.fullmatch(_SPACED.sub("", text.strip()))
        if found is None or not _STYLES[self.decimal].fullmatch(found["number"]):
            return None
        before, after = found["before"] or "", found["after"] or ""
        if {before, after} - {"", self.unit} or (before and after):
            return None
        number = found["number"].replace("," if self.decimal == "." else ".", "").replace(",", ".")
        signs = [found["minus"] or "", found["inner"] or "", "-" if found["bracket"] else ""]
        return ("-" if any(sign in ("-", "\u2212") for sign in signs) else "") + number


def number_form(cells: Sequence[object], *, fewest: int = _FEWEST_NUMBERS) -> NumberForm | None:
    """Return the form in which a column holds numbers, None if it is plain already or holds no numbers.

    Args:
        cells: a sample of the column.
        fewest: different numbers that there must be.
    """
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip().lower() not in MISSING_TEXTS]
    if not _DRESS.search("".join(texts)):
        return None  # most columns: nothing but plain numbers
    found = [own for text in texts if (own := _WRITTEN.fullmatch(_SPACED.sub("", text))) is not None]
    if len(found) < _SHARE * len(texts):
        return None
    units = Counter(unit for own in found if (unit := own["before"] or own["after"]))
    for decimal in _STYLES:
        form = NumberForm(decimal, max(units, key=lambda unit: units[unit], default=""))
        numbers = [number for text in texts if (number := form.read(text)) is not None]
        if len(numbers) >= _SHARE * len(texts):
            different = set(numbers)
            return form if len(different) >= fewest and not different <= set(texts) else None
    return None
