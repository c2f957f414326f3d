"""Many time stamps at once are read as each alone would be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_monitor.core.time import parse_instant
from stream_monitor.formats.stamps import instants_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ELSEWHERE = timezone(timedelta(hours=-9, minutes=-30))
moments = st.tuples(st.integers(-(10**8), 4 * 10**12), st.sampled_from([UTC, ELSEWHERE])).map(
    lambda pair: (EPOCH + timedelta(milliseconds=pair[0])).astimezone(pair[1])
)
near = st.integers(0, 200_000).map(lambda ms: datetime(2026, 11, 22, 7, 19, tzinfo=UTC) + timedelta(milliseconds=ms))
digits = st.sampled_from(["seconds", "milliseconds", "microseconds"])
good = st.tuples(near | moments, digits).map(lambda pair: pair[0].isoformat(timespec=pair[1]))
zulu = good.map(lambda text: text.replace("+00:00", "Z"))
edited = st.tuples(zulu, st.integers(0, 30), st.sampled_from("0123456789:.-+TZzt /\u0663")).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
)
stamps = zulu | good | edited | st.sampled_from(["", "now", "2026-11-22T07:19:60.000Z", "2026-02-30T00:00:00.000Z"])


def one_by_one(texts: list[str]) -> tuple[list[int], list[int]]:
    instants, bad = [], []
    for at, text in enumerate(texts):
        try:
            instants.append(parse_instant(text))
        except ValueError:
            instants.append(0)
            bad.append(at)
    return instants, bad


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(stamps, max_size=30) | st.lists(zulu, min_size=16, max_size=60) | st.lists(edited, min_size=16))
def test_reading_many_is_reading_each(texts: list[str]) -> None:
    """Whatever the forms and errors, the instants and the bad positions are those of the exact parser."""
    instants, bad = instants_of(texts)

    assert one_by_one(texts) == (instants.tolist(), bad)


@pytest.mark.parametrize(
    "form",
    [
        "2026-11-22T07:19:{:02d}Z",
        "2026-11-22T07:19:{:02d}.684Z",
        "2026-11-22t07:19:{:02d}.684999z",
        "2026-11-22T07:{:02d}:27.684+01:00",
    ],
)
def test_each_common_form_is_read_at_once(form: str) -> None:
    """The forms that loggers write: with and without fraction, Z or offset, over several minutes."""
    texts = [form.format(n) for n in range(60)]
    instants, bad = instants_of(texts)

    assert one_by_one(texts) == (instants.tolist(), bad)
    assert not bad
