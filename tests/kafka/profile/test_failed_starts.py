"""What a worker makes of a start that fails; the clients are made up, the reasons are not."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.formats import build_decoder
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.errors import Fatal, NotAuthorised, Stop
from stream_monitor.kafka.profile import ProfileJob, ProfileWorker, Tuning
from stream_monitor.kafka.profile import profile_worker as module

TIMED_OUT = KafkaException(KafkaError(KafkaError._TIMED_OUT, "no answer"))
REFUSED = NotAuthorised("talk to the cluster: _AUTHENTICATION: SASL authentication error")


def life(raises: Exception, failed: Stop | None) -> type:
    """Return a life whose start raises, after a client told its callback what is wrong."""

    class Failing:
        def __init__(self, *_: object, **__: object) -> None:
            self.failed = failed

        def open(self) -> None:
            raise raises

        def close(self) -> None: ...

    return Failing


def worker() -> ProfileWorker:
    plan = Plan(inputs=(InputPlan("in"),))
    decoders = {"in": build_decoder(plan.inputs[0], plan)}
    return ProfileWorker(
        ProfileJob(
            KafkaSettings({"bootstrap.servers": "localhost:1"}), plan, "g", "a", decoders, tuning=Tuning(away_s=0.0)
        )
    )


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        (REFUSED, NotAuthorised),  # the call that waits only runs out of time: the first cause is what is wrong
        (None, Fatal),  # a broker that is away, and for too long
    ],
)
def test_a_refused_client_ends_the_start_with_its_own_reason(
    monkeypatch: pytest.MonkeyPatch, failed: Stop | None, expected: type[Stop]
) -> None:
    """Exit code 5 at once, not 3 after the time for an outage."""
    monkeypatch.setattr(module, "ProfileLife", life(TIMED_OUT, failed))
    with pytest.raises(expected) as raised:
        worker().run()

    assert type(raised.value) is expected


def test_an_error_of_authentication_that_a_call_raises_is_one_of_authorisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same exit code, whether the callback or the call brings it."""
    error = KafkaException(KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED, "wrong password"))
    monkeypatch.setattr(module, "ProfileLife", life(error, None))
    with pytest.raises(NotAuthorised, match="wrong password"):
        worker().run()
