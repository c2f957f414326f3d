"""The days on which the tests of Kafka are run: each comes shortly after the start, whenever that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.clocks import CLOCKS, LEAD, clocks_change, environment, new_year

NOW = datetime(2027, 2, 27, 12, 30, tzinfo=UTC)


def test_clocks_are_put_forward_and_back_when_the_zone_says_so() -> None:
    """The last Sunday of March at 1:00 UTC in Berlin; in New York the first of November, at 6:00 UTC."""
    assert clocks_change(NOW - timedelta(days=1), "Europe/Berlin", forward=True) == datetime(2028, 3, 26, 1, tzinfo=UTC)
    assert clocks_change(NOW, "America/New_York", forward=False) == datetime(2027, 11, 7, 6, tzinfo=UTC)
    with pytest.raises(ValueError, match="does not change its clocks"):
        clocks_change(NOW, "Asia/Tokyo", forward=True)


@pytest.mark.parametrize("month", [1, 11, 12])
def test_a_new_year_lies_ahead(month: int) -> None:
    """At least a month, so that the clock is shifted on every day of the year."""
    now = datetime(2027, month, 5, tzinfo=UTC)

    assert timedelta(days=29) < new_year(now) - now
    assert new_year(now).timetuple()[:5] == (2029 if month == 12 else 2028, 1, 1, 0, 0)


def test_every_process_of_a_run_has_the_same_shift_and_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shift is from now on, not an instant at which each process would begin; a given broker is left out."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "elsewhere:9092")
    for clock in CLOCKS:
        found = environment(clock, "waits.so:faketime.so", NOW)
        begins = NOW + timedelta(seconds=int(found["FAKETIME"]))

        assert begins < clock.moment(NOW) <= begins + LEAD + timedelta(seconds=1)
        assert (found["TZ"], found["LD_PRELOAD"]) == (str(ZoneInfo(clock.zone)), "waits.so:faketime.so")
        assert "KAFKA_BOOTSTRAP_SERVERS" not in found
