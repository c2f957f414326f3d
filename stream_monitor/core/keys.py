"""Stable hashes: the identity of a row, the judge partition of a model, the fingerprint of an alert.

All three are fixed formats that other programs compute alike; none depends on the process, platform or Python version.

>>> select, tie = row_hashes("fraud", ["01JD9X2M7Q-17"])
>>> f"{int(select[0]):016x}", int(tie[0])
('13c05aba33a0af1d', 6737748448912084)
>>> judge_partition("fraud", 4)
2
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from xxhash import xxh3_128_digest

from stream_monitor.core.arrays import Int64, UInt64

ROW_HASH_VERSION = "v1"
"""Name of the row hash in baselines."""

TIE_BITS = 53
"""Bits of a tie-breaker: the most that a JSON number carries in every language."""

_UNUSED_BITS = np.uint64(64 - TIE_BITS)
_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK_32 = 0xFFFFFFFF
_MASK_64 = 0xFFFFFFFFFFFFFFFF
_MURMUR_SEED = 0x9747B28C
_MURMUR_FACTOR = 0x5BD1E995


def row_hashes(model: str, event_ids: Sequence[str], rows: Sequence[int] | None = None) -> tuple[UInt64, Int64]:
    """Return the two independent hashes of each row: which rows are selected, and how ties are broken.

    XXH3-128 of `model 00 event_id 00 row` in UTF-8. The high 64 bits select (smallest first), the top 53 of the low 64
    break ties. One hash for both would make the selected rows win every tie, and the null hypothesis would be wrong.

    Args:
        model: name of the model.
        event_ids: one per row, without lone surrogates.
        rows: number of the row inside its record; None when each record holds one row (row 0).

    Returns:
        `select` uint64 of shape (n,) and `tie` int64 of shape (n,), 0 <= tie < 2^53.
    """
    if rows is None:
        return split_digests(row_digests(model, event_ids))
    prefix = f"{model}\x00"
    return _split(
        [
            xxh3_128_digest(f"{prefix}{event_id}\x00{row}".encode())
            for event_id, row in zip(event_ids, rows, strict=True)
        ]
    )


def row_digests(model: str, event_ids: Sequence[str]) -> bytes:
    """Return the XXH3-128 digests of rows, 16 bytes each, of records that hold one row.

    With `split_digests` it is `row_hashes` in two steps: digests of many small blocks are split at once.
    """
    parts = f"\x000\n{model}\x00".join(event_ids).encode().split(b"\n")  # one encoding for all: a third less time
    if len(parts) == len(event_ids):
        parts[0] = f"{model}\x00".encode() + parts[0]
        parts[-1] += b"\x000"
        return b"".join(map(xxh3_128_digest, parts))
    return b"".join([xxh3_128_digest(f"{model}\x00{event_id}\x000".encode()) for event_id in event_ids])


def split_digests(digests: bytes) -> tuple[UInt64, Int64]:
    """Return the selection hash and the tie-breaker in each digest of 16 bytes."""
    halves = np.frombuffer(digests, dtype=">u8").reshape(-1, 2)
    return halves[:, 0].astype(np.uint64), (halves[:, 1].astype(np.uint64) >> _UNUSED_BITS).astype(np.int64)


def file_row_hashes(model: str, rows: Iterable[int]) -> tuple[UInt64, Int64]:
    """Return the hashes of rows of a file without event ids: `model 00 row`, the row counted from 0."""
    return _split([xxh3_128_digest(f"{model}\x00{row}".encode()) for row in rows])


def offset_row_hashes(topic: str, partition: int, offsets: Iterable[int]) -> tuple[UInt64, Int64]:
    """Return the hashes of rows that are named by their place in Kafka: `topic 00 partition 00 offset`."""
    return _split([xxh3_128_digest(f"{topic}\x00{partition}\x00{offset}".encode()) for offset in offsets])


def judge_partition(model: str, partitions: int) -> int:
    """Return the partition of a model's records, as Kafka's Java client computes it from the key.

    >>> [judge_partition(model, 4) for model in ("fraud", "churn")]
    [2, 1]
    """
    return (_murmur2(model.encode()) & 0x7FFFFFFF) % partitions


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return Alertmanager's fingerprint of a label set: 16 hex digits.

    FNV-1a, 64 bits, over the labels sorted by name, each as name, byte FF, value, byte FF. Empty values do not count:
    Alertmanager removes them before hashing.

    >>> fingerprint({"alertname": "FeatureDrift", "model": "fraud", "version": "7", "series": "feature:amount",
    ...              "rule": "drift", "severity": "warning"})
    'b371c53ded674fc8'
    """
    digest = _FNV_OFFSET
    for name in sorted(labels):
        if labels[name]:
            for byte in b"%b\xff%b\xff" % (name.encode(), labels[name].encode()):
                digest = ((digest ^ byte) * _FNV_PRIME) & _MASK_64
    return f"{digest:016x}"


def _split(digests: list[bytes]) -> tuple[UInt64, Int64]:
    return split_digests(b"".join(digests))


@lru_cache(maxsize=4096)
def _murmur2(key: bytes) -> int:
    """Return MurmurHash2 as Kafka's `Utils.murmur2` does, as an unsigned 32-bit number.

    Source: Apache Kafka, org.apache.kafka.common.utils.Utils; Austin Appleby, MurmurHash2.
    """
    digest = (_MURMUR_SEED ^ len(key)) & _MASK_32
    whole = len(key) - len(key) % 4
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * _MURMUR_FACTOR & _MASK_32
        word = (word ^ word >> 24) * _MURMUR_FACTOR & _MASK_32
        digest = digest * _MURMUR_FACTOR & _MASK_32 ^ word
    if whole < len(key):
        digest = (digest ^ int.from_bytes(key[whole:], "little")) * _MURMUR_FACTOR & _MASK_32
    digest = (digest ^ digest >> 13) * _MURMUR_FACTOR & _MASK_32
    return digest ^ digest >> 15
