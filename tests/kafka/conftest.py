"""The Kafka tests' broker: a real Apache Kafka, started once, and brokers of one's own for tests that kill them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from stream_monitor.lab.broker import Broker, BrokerUnavailable
from tests import needs
from tests.kafka import feeds
from tests.kafka.brokers import GIVEN, any_broker, jars_missing, own_until_end

NEED = "a Kafka broker"


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Fail a test whose good events were rejected: whatever it found, it found of nothing."""
    feeds.begin()
    result = yield
    feeds.check()  # while the test's brokers are still there
    return result


class BrokerFactory(Protocol):
    """Starts a broker that ends with the test."""

    def __call__(
        self, data: Path | None = None, *, overrides: Mapping[str, str] | None = None, proxied: str | None = None
    ) -> Broker:
        """Return a running broker; arguments as of `Broker`."""


@pytest.fixture(scope="session")
def _broker() -> Iterator[str | BrokerUnavailable]:
    """Address of the shared broker, or why there is none: found out once, said by every test that wanted it."""
    with ExitStack() as stack:
        try:
            found: str | BrokerUnavailable = stack.enter_context(any_broker())
        except BrokerUnavailable as error:
            if os.environ.get(GIVEN):
                raise  # whoever names a broker wants it tested
            found = error
        yield found


@pytest.fixture
def kafka(_broker: str | BrokerUnavailable) -> str:
    """Bootstrap servers of a broker shared by all tests: use `prefix` in every name, and delete no topic of others."""
    if isinstance(_broker, BrokerUnavailable):
        needs.missing(NEED, str(_broker))
    return _broker


@pytest.fixture
def prefix() -> str:
    """Beginning of topic, group and transaction names that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}-"


@pytest.fixture
def own_broker() -> Iterator[BrokerFactory]:
    """Start brokers that a test may kill, freeze or configure: `own_broker(data=..., overrides=..., proxied=...)`."""
    yield from _factory()


@pytest.fixture(scope="module")
def module_broker() -> Iterator[BrokerFactory]:
    """Start brokers of their own settings for all tests of a file."""
    yield from _factory()


def _factory() -> Iterator[BrokerFactory]:
    reason = jars_missing()
    if reason is not None:
        needs.missing(NEED, reason)
    with ExitStack() as stack:

        def start(
            data: Path | None = None, *, overrides: Mapping[str, str] | None = None, proxied: str | None = None
        ) -> Broker:
            broker = Broker(data, overrides=overrides, proxied=proxied)
            try:
                broker.start()
            except BrokerUnavailable as error:
                needs.missing(NEED, str(error))
            stack.enter_context(own_until_end(broker))
            return broker

        yield start
