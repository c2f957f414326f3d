"""A file that is judged by itself: what a column is follows from its values, for no live event is held against it.

0 and 1 are no and yes, whatever their type; a column that never turns back is a counter or a clock; texts of which
almost every one is new are no category. Where a column of the truth stands beside one of predictions, the errors are a
series of their own, for it is they that show a concept drift.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stream_monitor.core.arrays import Float64
from stream_monitor.core.batch import Column, NumericColumn, ObjectColumn
from stream_monitor.core.names import SeriesKind
from stream_monitor.formats.tables.cells import Cells
from stream_monitor.formats.tables.missing import MISSING_TEXTS
from stream_monitor.formats.tables.stamps import stamp_form
from stream_monitor.formats.tables.values import (
    EARLIEST_MS,
    LATEST_MS,
    boolean_column,
    instants,
    is_plain_number,
    numeric_column,
    plain_cells,
    text_column,
)

DATES = "dates or times, and not the clock of the rows; --column timestamp=NAME would make them that"
ENOUGH_ROWS = 64
_FEWEST_STEPS = 20
_MOSTLY_NEW = 0.9
_FEW_WORDS = 3
_MANY_NUMBERS = 20
_MOST_CLASSES = 20
_DATED = 500
_WAITING = MISSING_TEXTS | {"pending", "unknown", "unlabeled", "unlabelled", "awaited", "tbd", "-", "--"}
_OUTCOMES = frozenset(
    {"error", "errors", "iserror", "correct", "iscorrect", "wrong", "incorrect", "misclassified", "mistake", "hit"}
)


def kind_by_values(cells: Cells, kind: SeriesKind | None) -> SeriesKind | None:
    """Return the kind of a column that looks like `kind`: numbers of two values are yes/no, or categories, and texts
    that are numbers but for a word or two (`n.v.`, `sensor off`) are numbers.
    """
    if kind is SeriesKind.CATEGORICAL and _numbers_and_words(cells):
        return SeriesKind.NUMERIC
    if kind is not SeriesKind.NUMERIC:
        return kind
    column = numeric_column(cells)
    distinct = np.unique(column.values[np.isfinite(column.values)])
    if column.invalid is not None or distinct.size != 2:
        return kind
    return SeriesKind.BINARY if distinct.tolist() == [0.0, 1.0] else SeriesKind.CATEGORICAL


def why_no_feature(cells: Cells, kind: SeriesKind | None) -> str | None:
    """Say why a column is not judged, None if it is."""
    match kind:
        case SeriesKind.NUMERIC if _never_turns(numeric_column(cells).values):
            return "it never turns back, like a counter or a clock"
        case SeriesKind.CATEGORICAL:
            texts = [value for value in text_column(cells).values if value is not None]
            if len(texts) < ENOUGH_ROWS:
                return None
            if are_dates(texts[:_DATED]):
                return DATES
            if len(set(texts)) >= _MOSTLY_NEW * len(texts):
                return "almost every value is new, like identifiers or free text"
        case _:
            pass
    return None


def are_dates(texts: Sequence[object]) -> bool:
    """Say whether texts are dates or times, ISO 8601 or any other usual form, nineteen of twenty at least."""
    written = [None if isinstance(text, str) and text.strip().lstrip("+-").isdecimal() else text for text in texts]
    _, bad = instants(written, unit="", zone="UTC")
    if bad.sum() * 20 <= len(texts):
        return True
    return stamp_form(texts) is not None and (None not in written or _run_on(texts))


def _run_on(texts: Sequence[object]) -> bool:
    """Say whether texts of digits are dates: months and days of a code are any numbers, and some are no date."""
    milliseconds, bad = instants(texts, unit="", zone="UTC")
    return not bad.any() and bool(((milliseconds >= EARLIEST_MS) & (milliseconds < LATEST_MS)).all())


@dataclass(frozen=True, slots=True)
class ErrorSeries:
    """Errors of predictions, made of two columns.

    Attributes:
        name: of the feature that they are.
        residual: truth less prediction, a number; otherwise whether they differ.
    """

    name: str
    residual: bool

    @property
    def words(self) -> str:
        """How it is told."""
        return "truth less prediction" if self.residual else "where prediction and truth differ"

    def column(self, truth: Cells, prediction: Cells, kinds: tuple[SeriesKind | None, SeriesKind | None]) -> Column:
        """Return the errors; None or NaN where one of both is missing.

        Args:
            truth: cells of a block.
            prediction: of the same rows.
            kinds: of the two columns.
        """
        numbers = [_numbers(cells, kind) for cells, kind in zip((truth, prediction), kinds, strict=True)]
        if self.residual and numbers[0] is not None and numbers[1] is not None:
            return NumericColumn(numbers[0] - numbers[1])
        if numbers[0] is not None and numbers[1] is not None:
            absent = np.isnan(numbers[0]) | np.isnan(numbers[1])
            wrong = (numbers[0] != numbers[1]).tolist()
            return ObjectColumn([None if gone else is_wrong for gone, is_wrong in zip(absent, wrong, strict=True)])
        pairs = zip(text_column(truth).values, text_column(prediction).values, strict=True)
        return ObjectColumn([None if a is None or b is None else a != b for a, b in pairs])


def error_series(
    truth: Cells,
    prediction: Cells,
    kinds: tuple[SeriesKind | None, SeriesKind | None],
    names: Collection[str],
    plain: Mapping[str, str],
) -> ErrorSeries | None:
    """Return the errors to be watched; None where the file tells them itself, or the columns cannot be compared.

    Args:
        truth: a sample of the column.
        prediction: likewise.
        kinds: of both.
        names: of the columns of the file.
        plain: the same without case and punctuation.
    """
    if _OUTCOMES & plain.keys() or None in kinds:
        return None
    numbers = [_numbers(cells, kind) for cells, kind in zip((truth, prediction), kinds, strict=True)]
    if (numbers[0] is None) != (numbers[1] is None):
        return None
    residual = not all(own is None or _are_classes(own) for own in numbers)
    free = (name for name in ("residual" if residual else "error", "prediction_error") if name not in names)
    name = next(free, None)
    return None if name is None else ErrorSeries(name, residual)


def settled(labels: Cells, predictions: Cells) -> Cells:
    """Return labels of which those that are still awaited are missing, unless a prediction may say the same."""
    waiting = _WAITING - {str(cell).strip().lower() for cell in plain_cells(predictions) if cell is not None}
    cells = plain_cells(labels)
    if not any(isinstance(cell, str) and cell.strip().lower() in waiting for cell in cells):
        return labels
    kept = [None if isinstance(cell, str) and cell.strip().lower() in waiting else cell for cell in cells]
    return pa.array(kept, pa.string()) if isinstance(labels, pa.Array) else kept


def kind_of_classes(cells: Cells, kind: SeriesKind | None) -> SeriesKind | None:
    """Return the kind of a column of classes: whole numbers of a few values are names, not amounts."""
    few = kind is SeriesKind.NUMERIC and _are_classes(numeric_column(cells).values)
    return SeriesKind.CATEGORICAL if few else kind


def _numbers_and_words(cells: Cells) -> bool:
    texts = [cell for cell in plain_cells(cells) if isinstance(cell, str) and cell.strip().lower() not in MISSING_TEXTS]
    numbers = [text for text in texts if is_plain_number(text)]
    words = {text.strip() for text in texts} - {text.strip() for text in numbers}
    return 2 * len(numbers) >= len(texts) and len(words) <= _FEW_WORDS and len(set(numbers)) > _MANY_NUMBERS


def _never_turns(values: Float64) -> bool:
    steps = np.diff(values[np.isfinite(values)])
    one_way = bool((steps >= 0).all() or (steps <= 0).all())
    return steps.size + 1 >= ENOUGH_ROWS and one_way and int(np.count_nonzero(steps)) >= _FEWEST_STEPS


def _numbers(cells: Cells, kind: SeriesKind | None) -> Float64 | None:
    match kind:
        case SeriesKind.NUMERIC:
            return numeric_column(cells).values
        case SeriesKind.BINARY:
            return np.array(
                [cell if isinstance(cell, bool) else np.nan for cell in boolean_column(cells).values], float
            )
        case _:
            return None


def _are_classes(numbers: Float64) -> bool:
    distinct = np.unique(numbers[np.isfinite(numbers)])
    return distinct.size <= _MOST_CLASSES and bool((distinct == np.floor(distinct)).all())
