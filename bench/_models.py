"""Made-up models for benches: each with the same normally distributed features, a baseline and native events."""

from __future__ import annotations

import numpy as np
import orjson

from stream_monitor.core.arrays import Float64
from stream_monitor.core.baseline import Baseline, Origin, OriginType, ReferenceTable, build_baseline
from stream_monitor.core.keys import row_hashes
from stream_monitor.core.names import PREDICTION, feature_series
from stream_monitor.core.plan import LimitsPlan

VERSION = "1"
REFERENCE_ROWS = 4_095
DISTINCT, DRIFTED = 20_000, 2_000
DRAWS = 1_000_003
"""Draws before they come again; a prime, so that then no model gets the same ones."""

MEAN, SCALE = 100.0, 30.0
SHIFT = 4.0 * SCALE
"""Of the drifted feature: what nobody could miss, so that the first drifted pane decides."""


def model_name(number: int) -> str:
    """Return the name of a model."""
    return f"model-{number:03d}"


def feature_name(number: int) -> str:
    """Return a name as long as real ones."""
    return f"feature_{number:03d}"


class Bodies:
    """Bodies of events without identity and time, made once and drawn at random: healthy, or the first feature shifted.

    There are many of them, because few that come again and again are a drift of their own, and would be found.

    Args:
        features: of each.
        seed: names the draws.
    """

    def __init__(self, features: int, *, seed: int) -> None:
        values = _draw(np.random.default_rng((seed, 1)), DISTINCT, features)
        shifted = values[:DRIFTED].copy()
        shifted[:, 0] += SHIFT
        self._healthy, self._drifted = _bodies(values), _bodies(shifted)
        self._drawn: list[int] = np.random.default_rng((seed, 3)).integers(DISTINCT, size=DRAWS).tolist()

    def body(self, number: int, *, drifted: bool = False) -> bytes:
        """Return the body of the event of that number."""
        drawn = self._drawn[number % DRAWS]
        return self._drifted[drawn % DRIFTED] if drifted else self._healthy[drawn]


def event(body: bytes, *, model: bytes, number: int, at_ms: int) -> bytes:
    """Return a native event.

    >>> event(b'"features":{}', model=b"m", number=10, at_ms=5)
    b'{"event_id":"a","model":"m","version":"1","timestamp":5,"features":{}}'
    """
    return b'{"event_id":"%x","model":"%b","version":"1","timestamp":%d,%b}' % (number, model, at_ms, body)


def baseline(number: int, features: int, *, seed: int) -> Baseline:
    """Return the baseline of a model: 4,095 rows of what healthy traffic is drawn from."""
    model = model_name(number)
    values = _draw(np.random.default_rng((seed, 2, number)), REFERENCE_ROWS, features)
    select, ties = row_hashes(model, [f"reference-{row}" for row in range(REFERENCE_ROWS)])
    columns = {feature_series(feature_name(i)): values[:, i] for i in range(features)}
    columns[PREDICTION] = _prediction(values)
    table = ReferenceTable(columns, select, ties)
    origin = Origin(OriginType.DATASET, REFERENCE_ROWS)
    return build_baseline(model, VERSION, table, origin=origin, limits=LimitsPlan())


def _draw(generator: np.random.Generator, rows: int, features: int) -> Float64:
    return np.round(generator.normal(MEAN, SCALE, (rows, features)), 4)


def _prediction(values: Float64) -> Float64:
    """Depends on the last feature, which never drifts."""
    return np.round(1.0 / (1.0 + np.exp(-(values[:, -1] - MEAN) / SCALE)), 4)


def _bodies(values: Float64) -> list[bytes]:
    names = [feature_name(i) for i in range(values.shape[1])]
    predictions = _prediction(values).tolist()
    return [
        b'"features":%b,"prediction":%.4f' % (orjson.dumps(dict(zip(names, row, strict=True))), prediction)
        for row, prediction in zip(values.tolist(), predictions, strict=True)
    ]
