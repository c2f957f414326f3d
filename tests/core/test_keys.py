"""Stable hashes: vectors of Kafka, Alertmanager and the row identity."""

from __future__ import annotations

import pytest
import xxhash

from stream_monitor.core.arrays import Int64, UInt64
from stream_monitor.core.keys import (
    _murmur2,
    file_row_hashes,
    fingerprint,
    judge_partition,
    offset_row_hashes,
    row_hashes,
)

LABELS = {
    "alertname": "FeatureDrift",
    "model": "fraud",
    "version": "7",
    "series": "feature:amount",
    "rule": "drift",
    "severity": "warning",
}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_is_that_of_kafka(key: str, expected: int) -> None:
    """The vectors of Kafka's own UtilsTest give the same signed numbers."""
    unsigned = _murmur2(key.encode())

    assert expected == unsigned - ((unsigned >> 31) << 32)


def test_a_model_has_one_judge_partition() -> None:
    """The sign bit is cut off, as Kafka's toPositive does, then the remainder is taken."""
    assert (-973932308 & 0x7FFFFFFF) % 6 == judge_partition("21", 6)


def test_the_fingerprint_is_that_of_alertmanager() -> None:
    """The labels of the documented alert, with and without a segment, and in any order."""
    reordered = dict(reversed(LABELS.items()))

    assert ["b371c53ded674fc8", "285229d93c79fb11", "b371c53ded674fc8"] == [
        fingerprint(LABELS),
        fingerprint({**LABELS, "segment": "country=DE"}),
        fingerprint({**reordered, "empty": ""}),
    ]


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        pytest.param("fraud\x00ev-ü\x000", row_hashes("fraud", ["ev-ü"]), id="an event of one row"),
        pytest.param("fraud\x00ev-ü\x0012", row_hashes("fraud", ["ev-ü"], [12]), id="row 12 of its record"),
        pytest.param("fraud\x0041", file_row_hashes("fraud", [41]), id="a row of a file"),
        pytest.param("events\x003\x0099", offset_row_hashes("events", 3, [99]), id="a place in Kafka"),
    ],
)
def test_a_row_is_hashed_by_its_identity(text: str, hashes: tuple[UInt64, Int64]) -> None:
    """The high 64 bits of XXH3-128 select rows, the top 53 of the low 64 break ties."""
    digest = xxhash.xxh3_128_intdigest(text.encode())

    assert ([digest >> 64], [(digest & (1 << 64) - 1) >> 11]) == (hashes[0].tolist(), hashes[1].tolist())


def test_no_rows_have_no_hashes() -> None:
    """An empty chunk gives empty arrays of the right types."""
    select, tie = row_hashes("fraud", [])

    assert ("uint64", 0, "int64", 0) == (str(select.dtype), select.size, str(tie.dtype), tie.size)
