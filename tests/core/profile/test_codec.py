"""Records of `drift-profiles` are read and written to the byte, and nothing unknown is skipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stream_monitor.core.canonical import canonical_json
from stream_monitor.core.chain import ChunkName
from stream_monitor.core.profile import (
    Example,
    MalformedRecord,
    OffsetRange,
    ProfileRecord,
    ProgressRecord,
    SeriesCounts,
    UnknownRecord,
    chunk_digest,
    decode,
    encode,
)

HERE = Path(__file__).parent
VECTORS = {name: json.loads((HERE / f"{name}.json").read_text()) for name in ("profile_record", "progress_record")}


def with_changes(name: str, **changes: object) -> bytes:
    return json.dumps(VECTORS[name] | changes).encode()


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_the_reference_records_survive_a_round_trip(name: str) -> None:
    """What the description of the format shows is what we write, to the byte."""
    value = canonical_json(VECTORS[name])

    assert value == encode(decode(value))


def test_a_profile_record_says_what_was_counted() -> None:
    """Every field of the reference record is found again in its type."""
    record = decode(canonical_json(VECTORS["profile_record"]))

    assert isinstance(record, ProfileRecord)
    profile = record.profile
    assert (profile.key.model, profile.key.version, profile.key.segment, profile.key.late) == ("fraud", "7", "", False)
    assert profile.offsets == {("inference-events", 2): OffsetRange(81203, 81699)}
    assert profile.series["feature:country"].dense(5).tolist() == [78, 240, 142, 36, 4]
    assert np.flatnonzero(profile.series["feature:refund"].dense(34)).tolist() == [3, 17]
    assert profile.series["serving_error"] == SeriesCounts(np.array([497, 3]))
    assert profile.examples == (Example(0x0003F1A27BE09C44, "01JD9X2M7Q-17", 81233, "inference-events", 2),)
    assert profile.events == 500


def test_a_progress_record_says_how_far_its_partition_is() -> None:
    """Every field of the reference record is found again in its type."""
    record = decode(canonical_json(VECTORS["progress_record"]))

    assert isinstance(record, ProgressRecord)
    assert record.source.name == ChunkName(163, 4)
    assert record.prev == ChunkName(162, 4)
    assert (record.first, record.next, record.records, record.watermark_ms) == (81200, 81702, 1, 1795331968000)
    assert record.counts.read == record.counts.counted + record.counts.rejected
    idle = decode(with_changes("progress_record", idle_until_ms=70, max_ms=80))
    assert isinstance(idle, ProgressRecord)
    assert (idle.idle_until_ms, idle.max_ms) == (70, 80)


def test_unknown_keys_are_ignored() -> None:
    """A reader of version N reads what a later writer of version N has added."""
    assert decode(with_changes("progress_record", colour="blue")) == decode(with_changes("progress_record"))


@pytest.mark.parametrize("changes", [{"kind": "rumour"}, {"schema_version": 2}])
def test_unknown_kinds_and_versions_stop_the_reader(changes: dict[str, object]) -> None:
    """Skipping a fact would change every alert that follows, so the reader must stop."""
    with pytest.raises(UnknownRecord):
        decode(with_changes("profile_record", **changes))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b"{}",
        b'{"kind": "profile", "schema_version": 1}',
        b"\xff\xfe",
        with_changes("profile_record", demand="many"),
        with_changes("profile_record", series={"feature:x": {"sparse": [[3, 1], [3, 1]]}}),
        with_changes("profile_record", series={"feature:x": {"sparse": [[-1, 1]]}}),
        with_changes("profile_record", series={"feature:x": {"sparse": [[10**9, 1]]}}),
        with_changes("profile_record", series={"feature:x": {"bins": [10**30]}}),
        with_changes("profile_record", examples=[{"hash": "zz", "event_id": "a", "offset": 1}]),
    ],
)
def test_broken_records_are_told_from_unknown_ones(value: bytes) -> None:
    """Bytes that are no record raise one error, whatever is wrong with them."""
    with pytest.raises(MalformedRecord):
        decode(value)


def test_a_number_that_is_none_is_refused() -> None:
    """The encoder would silently write null for NaN."""
    record = decode(canonical_json(VECTORS["profile_record"]))
    assert isinstance(record, ProfileRecord)
    series = dict(record.profile.series)
    series["feature:amount"] = SeriesCounts(np.array([1]), minimum=float("nan"), maximum=1.0)
    broken = ProfileRecord(
        record.source,
        0,
        (0, 1),
        type(record.profile)(record.profile.key, {}, 0, series, record.profile.offsets),
    )

    with pytest.raises(ValueError, match="not a JSON number"):
        encode(broken)


def test_more_filled_bins_than_the_grid_has_are_refused() -> None:
    """Counts of another grid must not pass for this one's."""
    with pytest.raises(ValueError, match="at most the grid's 2"):
        SeriesCounts(np.array([1, 2, 3])).dense(2)


def test_the_digest_of_a_chunk_depends_on_where_records_end() -> None:
    """The length before each value keeps two records from passing for one."""
    assert (
        len({chunk_digest([b"ab", b"c"]), chunk_digest([b"a", b"bc"]), chunk_digest([b"abc"]), chunk_digest([])}) == 4
    )
    assert chunk_digest([]) == "e3b0c44298"
