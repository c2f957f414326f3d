"""A training table as the source of a baseline: which columns are features of live events, and which are doubtful.

A table for training holds what live events do not have: the label, keys of its rows. Taken for a feature, a label
would be missing from every event, and a key would drift with every new customer. So they are asked about, not taken.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from stream_monitor.config import Settings
from stream_monitor.core.baseline.table import Column
from stream_monitor.core.baseline.values import Values, values_of
from stream_monitor.core.names import LABEL, SeriesKind, feature_of, feature_series
from stream_monitor.formats.tables import Reference, TableError
from stream_monitor.runtimes.backtest.prepare import reference_rows

LABELS = frozenset(
    {
        *("label", "labels", "target", "y", "ytrue", "truth", "groundtruth", "actual", "outcome", "response", "class"),
        *("churn", "churned", "default", "defaulted", "fraud", "isfraud", "fraudulent", "converted", "conversion"),
        *("clicked", "purchased", "bought", "survived", "cancelled", "canceled", "attrition"),
    }
)
"""Names of columns that hold what a model is to predict, without case, spaces and punctuation."""

_LABEL_ENDS = ("label", "target", "truth", "outcome")
_LABEL_STARTS = ("label", "target")
_KEY_ENDS = ("id", "uuid", "guid", "key", "number", "nr")
_NEAR_UNIQUE = 0.5
"""A text of which every other one is new is no category."""

_ENOUGH_ROWS = 64
_SHORTEST_STEM = 4


class Doubt(StrEnum):
    """What a column may be instead of a feature."""

    LABEL = "label"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class DoubtfulColumn:
    """A column that may be no feature of live events."""

    column: str
    doubt: Doubt
    why: str


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """The rows of a training table.

    Attributes:
        references: of each model and version in it, without the columns that are no features.
        doubtful: columns that are to be asked about.
        label: column of the label; it is left out of the references.
        notes: what was found while the file was read.
    """

    references: Sequence[Reference]
    doubtful: Sequence[DoubtfulColumn] = ()
    label: str = ""
    notes: Sequence[str] = ()


def training_rows(
    path: Path,
    *,
    model: str,
    version: str,
    columns: Mapping[str, str],
    excluded: Collection[str],
    features: Collection[str],
    settings: Settings,
) -> TrainingRows:
    """Return the rows of a table that are the reference of live events.

    Args:
        path: of the table, or of native events.
        model: of rows that name none.
        version: of rows that name none.
        columns: column by role.
        excluded: columns that are left out.
        features: columns that are features, whatever they look like.
        settings: of the configuration.

    Raises:
        TableError: the file cannot be read as rows, or has no column of that name.
        TooManyRejects: too many of its rows cannot.
    """
    found, notes = reference_rows(path, model=model, version=version, columns=columns, settings=settings)
    names = {name for own in found for name in own.table.columns}
    for option, wanted in (("--exclude", excluded), ("--feature", features)):
        for column in wanted:
            if feature_series(column) not in names:
                known = ", ".join(sorted(filter(None, map(feature_of, names))))
                raise TableError(f"{option}: {path} has no feature {column!r}; it has {known}")
    gone = {feature_series(column) for column in excluded} | {LABEL}
    kept = [_without(own, gone) for own in found]
    doubtful = [
        column for column in _doubtful(kept) if column.column not in features and column.column not in columns.values()
    ]
    label = columns.get("label", "the column of that name") if LABEL in names else ""
    return TrainingRows(kept, doubtful, label, notes)


def _without(reference: Reference, gone: Collection[str]) -> Reference:
    table = reference.table
    columns = {name: column for name, column in table.columns.items() if name not in gone}
    return replace(reference, table=replace(table, columns=columns))


def _doubtful(references: Sequence[Reference]) -> list[DoubtfulColumn]:
    found: dict[str, DoubtfulColumn] = {}
    for own in references:
        for name, column in own.table.columns.items():
            feature = feature_of(name)
            if feature is not None and feature not in found:
                doubt = _doubt(feature, name, column, own.model)
                if doubt is not None:
                    found[feature] = doubt
    return [found[feature] for feature in sorted(found)]


def _doubt(feature: str, name: str, column: Column, model: str) -> DoubtfulColumn | None:
    plain = _plain(feature)
    if _is_label(plain, _plain(model)):
        return DoubtfulColumn(feature, Doubt.LABEL, "it is named like a label")
    values = values_of(name, column)
    distinct, present = _distinct(values), int(np.count_nonzero(values.present))
    if present < _ENOUGH_ROWS or distinct < _NEAR_UNIQUE * present:
        return None
    keyed = plain.endswith(_KEY_ENDS)
    if values.kind is SeriesKind.CATEGORICAL or (keyed and values.integral):
        return DoubtfulColumn(feature, Doubt.IDENTIFIER, f"{distinct:,} of {present:,} values differ")
    return None


def _is_label(plain: str, model: str) -> bool:
    if plain in LABELS or plain.endswith(_LABEL_ENDS) or plain.startswith(_LABEL_STARTS):
        return True
    stem = model[: max(_SHORTEST_STEM, len(model) - 2)]
    return len(model) >= _SHORTEST_STEM and plain.removeprefix("is").startswith(stem) and len(plain) <= len(model) + 4


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _distinct(values: Values) -> int:
    if values.kind is SeriesKind.CATEGORICAL:
        return len({values.categories.names[code] for code in values.categories.codes[values.present].tolist()})
    return int(np.unique(values.numbers[values.present]).size) if values.kind is SeriesKind.NUMERIC else 2
