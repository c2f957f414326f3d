"""What tests feed to the product is good, unless they say otherwise: a test of rejected events has shown nothing.

A harness that makes topics for a profile stage says so here, with the number of records that are to become dead
letters. When the test's function has returned, `tests/kafka/conftest.py` looks at each stage and fails the test that
was good for the wrong reason.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from stream_monitor.core.profile import ProgressRecord, decode
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.readers import read_dead_letters, read_topics


@dataclass
class Feed:
    """The stage that a test feeds.

    Attributes:
        settings: of the cluster.
        dead_letters: name of its topic.
        profiles: likewise.
        rejects: records of the input that must become dead letters; None: the test looks at them itself.
    """

    settings: KafkaSettings
    dead_letters: str
    profiles: str
    rejects: int | None = 0

    def check(self) -> None:
        """Compare the dead letters, and what the progress records say of them, with what the test said.

        Raises:
            AssertionError: other records were rejected.
        """
        if self.rejects is None:
            return
        found = Counter(letter.reason for letter in read_dead_letters(self.settings, self.dead_letters))
        assert found.total() == self.rejects, (
            f"{found.total()} records of the input were rejected ({dict(found)}), the test says {self.rejects}"
        )
        if not self.rejects:
            records = (decode(r.value or b"") for r in read_topics(self.settings, [self.profiles]) if r.key is None)
            told = sum(record.counts.rejected for record in records if isinstance(record, ProgressRecord))
            assert told == 0, f"the log speaks of {told} rejected records, and there is no dead letter"


_fed: list[Feed] = []


def feed_of(settings: KafkaSettings, *, dead_letters: str, profiles: str, rejects: int | None = 0) -> Feed:
    """Return the feed of a stage that was made for the running test; it is checked when the test's function returns."""
    feed = Feed(settings, dead_letters, profiles, rejects)
    _fed.append(feed)
    return feed


def begin() -> None:
    """Forget the feeds of the test before."""
    _fed.clear()


def check() -> None:
    """Check all feeds of this test.

    Raises:
        AssertionError: as of `Feed.check`.
    """
    for feed in _fed:
        feed.check()
