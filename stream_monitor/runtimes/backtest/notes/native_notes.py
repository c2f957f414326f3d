"""Which values of native events cannot be judged: lists, texts that are numbers, identifiers; said as for tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from stream_monitor.core.names import feature_series
from stream_monitor.core.plan import Plan
from stream_monitor.formats.event import read_prediction
from stream_monitor.formats.tables.files import readable
from stream_monitor.formats.tables.json_rows import json_rows
from stream_monitor.formats.tables.values import is_plain_number
from stream_monitor.formats.tree import Tree, read_tree

_EVENTS = 10_000
_FEWEST = 64
_MOSTLY = 0.9
_MOSTLY_NUMBERS = 0.2
_NUMBERS = 0.95
_MANY = 20
_SHOWN = 10


@dataclass(slots=True)
class _Field:
    """What a field held: values in all, those that cannot be counted by what is wrong, and its texts."""

    values: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def add(self, value: Tree, wrong: str | None, line: int) -> None:
        self.values += value is not None
        if wrong is not None:
            self.wrong[wrong] += 1
            self.first.setdefault(wrong, line)
        elif isinstance(value, str):
            self.texts.append(value)

    def notes(self, name: str) -> tuple[list[str], bool]:
        """Return lines about the field, and whether it is not to be judged."""
        lines = []
        for what, count in self.wrong.most_common():
            judged = "" if count < _MOSTLY * self.values else ", not judged"
            lines.append(
                f"{name}: {what} in {count:,} of {self.values:,} events (first: line {self.first[what]:,})"
                f": invalid{judged}"
            )
        numbers = sum(map(is_plain_number, self.texts)) >= _NUMBERS * max(len(self.texts), 1)
        share = _MOSTLY_NUMBERS if numbers else _MOSTLY  # three digits repeat themselves, and are no categories
        new = len(self.texts) >= _FEWEST and len({*self.texts}) >= share * len(self.texts)
        if new:
            kind = "texts that are numbers" if numbers else "texts"
            lines.append(
                f"{name}: {kind}, {'many values are' if numbers else 'almost every value is'} new, like identifiers or"
                " free text: not judged" + ("; write them as numbers, without quotes" if numbers else "")
            )
        elif self.texts and numbers and len({*self.texts}) > _MANY:
            lines.append(f"{name}: texts that are numbers: judged as categories; write them as numbers, without quotes")
        nothing = self.values > 0 and sum(self.wrong.values()) >= _MOSTLY * self.values
        return lines, nothing or new


def native_notes(path: Path, plan: Plan) -> tuple[list[str], frozenset[str]]:
    """Return lines about the fields of the first events that hold something else than they should, and the series
    that are not to be judged.

    Raises:
        TableError: the file is damaged.
    """
    fields: dict[str, _Field] = {}
    series: dict[str, str] = {}
    with readable(path):
        for row in islice(json_rows(path), _EVENTS):
            tree = read_tree(row.value, max_bytes=plan.limits.event_bytes)
            if isinstance(tree, dict):
                for name, counted, value, wrong in _values(tree):
                    series[name] = counted
                    fields.setdefault(name, _Field()).add(value, wrong, row.line)
    lines: list[str] = []
    unjudged = set()
    for name, found in fields.items():
        own, is_unjudged = found.notes(name)
        lines += own
        if is_unjudged:
            unjudged.add(series[name])
    more = [f"and {len(lines) - _SHOWN:,} more fields like these"] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more], frozenset(unjudged)


def _values(tree: Mapping[str, Tree]) -> Iterator[tuple[str, str, Tree, str | None]]:
    """Yield name, series, value and what is wrong with it, of every field that is counted."""
    features = tree.get("features")
    for name, value in features.items() if isinstance(features, dict) else ():
        yield f"features.{name}", feature_series(name), value, _nested(value)
    if "prediction" in tree:
        value = tree["prediction"]
        reject = read_prediction(value).reject
        what = f"probabilities that are {reject.value.replace('_', ' ')}" if reject is not None else None
        yield "prediction", "prediction", value, what if isinstance(value, dict) else _nested(value)
    for name, counted, most in (("confidence", "confidence", 1.0), ("latency_ms", "latency", None)):
        if name in tree:
            yield name, counted, tree[name], _bounded(tree[name], most)


def _nested(value: Tree) -> str | None:
    match value:
        case list():
            return "a list"
        case dict():
            return "an object (flatten it: one name for each of its members)"
        case _:
            return None


def _bounded(value: Tree, most: float | None) -> str | None:
    """Say what is wrong with a number from 0 to `most`, None if nothing is."""
    match value:
        case None:
            return None
        case bool():
            return "a yes/no, not a number"
        case str():
            return "a text, not a number"
        case int() | float():
            if value != value or (value >= 0 and (most is None or value <= most)):
                return None
            return "a number below 0" if most is None else f"a number that is not from 0 to {most:g}"
        case _:
            return f"{_nested(value)}, not a number"
