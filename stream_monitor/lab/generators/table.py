"""A CSV file of generated streams, and the file of truth that `backtest --truth` takes.

The truth is a JSON list of `{"series", "from", "to"}`: rows, counted from 0; `to` is left out for changes that stay.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from stream_monitor.lab.generators.stream import CategoryStream, NumberStream

Stream = NumberStream | CategoryStream


def write_csv(path: Path, streams: Mapping[str, Stream]) -> None:
    """Write the values of all streams side by side, a column each; a missing value is an empty cell.

    Raises:
        ValueError: the streams differ in length.
    """
    lengths = {stream.rows for stream in streams.values()}
    if len(lengths) != 1:
        raise ValueError(f"streams: must be equally long, got {sorted(lengths)}")
    columns = [stream.values().tolist() for stream in streams.values()]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(streams) + "\n")
        for row in zip(*columns, strict=True):
            file.write(",".join(_cell(value) for value in row) + "\n")


def write_truth(path: Path, streams: Mapping[str, Stream]) -> None:
    """Write when each stream truly changed."""
    truth = [
        {"series": name, "from": change.start} | ({"to": change.end} if math.isfinite(change.end) else {})
        for name, stream in streams.items()
        for change in stream.truth
    ]
    path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def _cell(value: float | str | None) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or math.isnan(value) else f"{value:.12g}"
