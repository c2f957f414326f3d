"""Adding profiles: exact, and the same to the byte in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.profile import (
    ChunkSource,
    Example,
    OffsetRange,
    Profile,
    ProfileKey,
    ProfileRecord,
    SeriesCounts,
    Undeclared,
    encode,
    merge_profiles,
)
from stream_monitor.core.profile.merge import smallest_names
from tests import instants

KEY = ProfileKey("fraud", "7", "", instants.T0_MS, 10_000, late=False, baseline="sha256:0f")
PLACE = ("events", 2)
SOURCE = ChunkSource(*PLACE, epoch=0, seq=163, lease=4)

counts = st.builds(
    SeriesCounts,
    bins=st.lists(st.integers(0, 9), min_size=5, max_size=5).map(lambda bins: np.array(bins, dtype=np.int64)),
    sparse=st.booleans(),
    missing=st.integers(0, 9),
    absent=st.integers(0, 9),
    invalid=st.integers(0, 9),
    minimum=st.none() | st.integers(-9, 0).map(float),
    maximum=st.none() | st.integers(0, 9).map(float),
    distinct=st.none() | st.binary(min_size=4, max_size=4),
).filter(lambda c: (c.minimum is None) == (c.maximum is None))
names = st.lists(st.text(min_size=1, max_size=3), unique=True)
parts = st.builds(
    Profile,
    key=st.just(KEY),
    rows=st.fixed_dictionaries({"inference": st.integers(0, 50)}),
    demand=st.integers(0, 500),
    series=st.dictionaries(st.sampled_from(["feature:a", "feature:b", "latency"]), counts),
    offsets=st.tuples(st.integers(0, 9), st.integers(10, 19)).map(lambda pair: {PLACE: OffsetRange(*pair)}),
    examples=st.lists(
        st.builds(Example, st.integers(0, 9), st.just("id"), st.integers(0, 9), *map(st.just, PLACE))
    ).map(tuple),
    undeclared=names.map(lambda found: Undeclared(len(found), smallest_names(found))),
)


def written(profile: Profile) -> bytes:
    return encode(ProfileRecord(SOURCE, 0, (0, 1), profile))


@given(st.lists(parts, min_size=1, max_size=5), st.data())
def test_order_and_grouping_do_not_matter(profiles: list[Profile], data: st.DataObject) -> None:
    """Merging is associative and commutative to the byte."""
    order = data.draw(st.permutations(profiles))
    cut = data.draw(st.integers(0, len(order)))
    grouped = [merge_profiles(half) for half in (order[:cut], order[cut:]) if half]

    assert written(merge_profiles(profiles)) == written(merge_profiles(grouped))


@given(parts)
def test_a_sum_of_one_is_itself(profile: Profile) -> None:
    """Merging a single profile changes nothing but the order and number of its examples."""
    assert written(merge_profiles([profile])) == written(merge_profiles([merge_profiles([profile])]))
    assert merge_profiles([profile]).series == profile.series


def test_profiles_of_different_keys_are_never_added() -> None:
    """Counts of two baselines live on different grids."""
    other = ProfileKey("fraud", "7", "", KEY.pane_ms, 10_000, late=False, baseline="sha256:e3")
    profiles = [Profile(key, {"inference": 1}, 1, {}, {PLACE: OffsetRange(1, 1)}) for key in (KEY, other)]

    with pytest.raises(ValueError, match="share their key"):
        merge_profiles(profiles)


def test_a_sum_of_nothing_is_refused() -> None:
    """Nothing has no key."""
    with pytest.raises(ValueError, match="at least one"):
        merge_profiles([])
