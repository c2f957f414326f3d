"""The frame of every role: lives of its clients one after another, until a stop is asked for or nothing helps.

A life opens its clients, runs on them and closes them. An error that new clients mend begins the next life after a
pause; brokers that are away are waited for, up to a limit; everything else ends the worker with the exit code of its
kind. A role brings its life and its `LifeRules`, and nothing else of this.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from confluent_kafka import KafkaException

from stream_monitor.kafka.deliveries import UndeliveredRecords
from stream_monitor.kafka.errors import (
    ClientRestart,
    Fatal,
    NotAuthorised,
    RestartReason,
    Stop,
    is_transient,
    kafka_error,
    stop_for,
)
from stream_monitor.kafka.observer import Loop, Observer
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.stop_request import StopRequest


class Runnable(Protocol):
    """Clients that are open, and the loop over them."""

    def run(self) -> None:
        """Work until a stop is asked for.

        Raises:
            ClientRestart: the next life has to go on.
            KafkaException: a call was not answered, or was refused.
            Stop: the worker cannot go on.
        """


class Life(Protocol):
    """One life of a role's clients."""

    @property
    def failed(self) -> Stop | None:
        """What a client told its callback that ends the worker; None while nothing has."""

    def open(self) -> Runnable:
        """Look at the topics and open the clients.

        Raises:
            ClientRestart: the next life has to try it.
            KafkaException: the cluster does not answer, or refuses us.
            Stop: the worker cannot go on.
        """

    def close(self) -> None:
        """Close what was opened, also after an `open` that failed half-way."""


@dataclass(frozen=True, slots=True)
class LifeRules:
    """How a role goes from one life to the next.

    Attributes:
        loop: that is not ready between two lives.
        name: `group.instance.id` of the worker, for errors.
        log: the role's.
        restarting: begins the log line of a restart; the reason follows.
        pause_s: between a failed life and the next.
        away_s: brokers that are gone for so long end the process.
        is_excused_by_outage: whether the frame asks the outage for an excuse. A loop that asks it by itself says no.
    """

    loop: Loop
    name: str
    log: logging.Logger
    restarting: str
    pause_s: float
    away_s: float
    is_excused_by_outage: bool


class Lives:
    """Begins lives of clients until a stop is asked for.

    Args:
        begin: returns a new life, with nothing open.
        rules: of the role.
        observer: hears of restarts and of readiness.
        stopping: looked at between two lives, and ends a pause.
        outage: remembers over all lives that brokers were away.
    """

    def __init__(
        self,
        begin: Callable[[], Life],
        *,
        rules: LifeRules,
        observer: Observer,
        stopping: StopRequest,
        outage: OutageWatch,
    ) -> None:
        self._begin = begin
        self._rules = rules
        self._observer = observer
        self._stopping = stopping
        self._outage = outage
        self._away_since: float | None = None

    def run(self) -> None:
        """Live until a stop is asked for.

        Raises:
            Stop: the worker cannot go on; its `exit_code` says why.
        """
        while not self._stopping.is_asked():
            self._live(self._begin())

    def _live(self, life: Life) -> None:
        try:
            opened = life.open()
            self._away_since = None
            opened.run()
        except ClientRestart as restart:
            self._restart(restart)
        except (KafkaException, UndeliveredRecords) as error:
            # A client that is refused tells its callback; the calls that wait for it only run out of time.
            if isinstance(life.failed, NotAuthorised):
                raise life.failed from error
            self._restart(self._restart_for(error))
        except Fatal as error:
            self._restart(self._excuse_of(error))
        finally:
            life.close()

    def _restart_for(self, error: KafkaException | UndeliveredRecords) -> ClientRestart:
        """Return the restart that mends an error.

        Raises:
            Stop: the cluster refuses us, the error is no passing one, or no broker has answered for too long.
        """
        if isinstance(error, KafkaException) and not is_transient(kafka_error(error)):
            return self._excuse_of(error)
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
        if now - self._away_since > self._rules.away_s:
            raise Fatal(f"no broker answered for {self._rules.away_s:g} s") from error
        return ClientRestart(RestartReason.ERROR, str(error))

    def _excuse_of(self, error: KafkaException | Fatal) -> ClientRestart:
        """Return the restart that mends an error which only looks like the end of the worker.

        Raises:
            Stop: it is the end.
        """
        excuse = excused(error, self._outage) if self._rules.is_excused_by_outage else None
        if excuse is not None:
            return excuse
        if isinstance(error, Fatal):
            raise error
        inner = kafka_error(error)
        stop = stop_for(inner, "talk to the cluster", name=self._rules.name)
        raise stop or Fatal(f"{inner.name()}: {inner.str()}") from error

    def _restart(self, restart: ClientRestart) -> None:
        # In an outage every attempt fails the same way, and the outage itself is in the log.
        level = logging.DEBUG if self._outage.look() else logging.WARNING
        self._rules.log.log(level, "%s: %s", self._rules.restarting, restart)
        self._observer.restart(restart.reason)
        self._observer.readiness(self._rules.loop, ready=False, detail=str(restart))
        self._stopping.wait(self._rules.pause_s)


def excused(error: Exception, outage: OutageWatch) -> ClientRestart | None:
    """Return the restart for an error that came soon after brokers were away, None when they were not.

    A member or a producer that comes back after an outage may be fenced by itself. Only the first question after an
    outage is answered with a restart: a true rival fences the next clients as well.
    """
    if not outage.excuses():
        return None
    return ClientRestart(RestartReason.FENCED, f"{error}, soon after brokers were away")
