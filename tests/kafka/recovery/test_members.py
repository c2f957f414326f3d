"""Who is in a group, when the broker's first answer is that it does not know yet."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from stream_monitor.kafka.recovery.members import members


class LoadingCoordinator:
    """Answers the first question with "loading", as a broker does that has just started, later ones with nobody."""

    def __init__(self) -> None:
        self.asked = 0

    def describe_consumer_groups(self, groups: list[str], request_timeout: float) -> dict[str, Future[object]]:
        """Answer for one group."""
        self.asked += 1
        future: Future[object] = Future()
        if self.asked == 1:
            future.set_exception(KafkaException(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)))
        else:
            future.set_result(SimpleNamespace(members=[]))
        return {groups[0]: future}


def test_a_passing_answer_is_asked_for_again() -> None:
    """The old answer says the same for ever."""
    coordinator = LoadingCoordinator()

    assert () == members(cast("AdminClient", coordinator), "g-profile")
    assert coordinator.asked == 2
