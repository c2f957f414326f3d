"""What a process of a deployment can do: one entry of `ROLES` for each role.

`run --role`, the start's checks of topics and permissions, the loops that `/readyz` waits for, and the commands that
ask a role's consumer group all read this list. A new stage is a worker in `kafka/`, its lines in
`kafka/permissions.py`, and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from stream_monitor.config import Settings
from stream_monitor.formats import build_decoder
from stream_monitor.kafka.client_settings import Delivery, KafkaSettings
from stream_monitor.kafka.judge import JudgeJob, JudgeWorker
from stream_monitor.kafka.observer import Loop, Observer
from stream_monitor.kafka.permissions import Principal
from stream_monitor.kafka.profile import (
    DeadLetterLimits,
    OnDataLoss,
    OnExcess,
    ProfileJob,
    ProfilePolicy,
    ProfileWorker,
    StartFrom,
)
from stream_monitor.kafka.topics import TopicNames
from stream_monitor.runtimes.detectors import resolve_detectors
from stream_monitor.runtimes.rules import resolve_rules


class Engine(StrEnum):
    """What reads the input: our own loop, or a Faust app in this process."""

    DEFAULT = "default"
    FAUST = "faust"


class Worker(Protocol):
    """A loop that runs in a thread until it is asked to stop."""

    def run(self) -> None:
        """Work until stopped; raise what makes going on impossible."""

    def stop(self) -> None:
        """Ask for a clean end; from any thread, any number of times."""


@dataclass(frozen=True, slots=True)
class WorkerNeeds:
    """What the maker of a worker is given.

    Attributes:
        settings: of the process.
        kafka: of the clients.
        topics: names of our own topics.
        engine: what reads the input.
        observer: of the process: metrics and probes.
    """

    settings: Settings
    kafka: KafkaSettings
    topics: TopicNames
    engine: Engine
    observer: Observer


@dataclass(frozen=True, slots=True)
class Role:
    """One thing that a process can do.

    Attributes:
        name: as `run --role` and `/status` say it.
        loops: that `/healthz` and `/readyz` wait for.
        principal: whose lines of the table of permissions it needs; the topics in them are verified at the start.
        make: returns its worker; nothing is opened yet.
        has_group: whether it reads in a consumer group `<group>-<name>`.
    """

    name: str
    loops: tuple[Loop, ...]
    principal: Principal
    make: Callable[[WorkerNeeds], Worker]
    has_group: bool = True

    def __str__(self) -> str:
        return self.name


def _profile_worker(needs: WorkerNeeds) -> Worker:
    settings, plan = needs.settings, needs.settings.plan
    limits = settings.dead_letters
    job = ProfileJob(
        needs.kafka,
        plan,
        group=settings.group,
        instance=settings.instance,
        decoders={source.topic: build_decoder(source, plan) for source in plan.inputs},
        topics=needs.topics,
        policy=ProfilePolicy(
            StartFrom(settings.start),
            OnDataLoss(settings.on_data_loss),
            DeadLetterLimits(limits.max_share, limits.max_consecutive, OnExcess(limits.on_excess)),
        ),
        observer=needs.observer,
    )
    if needs.engine is Engine.FAUST:
        from stream_monitor.runtimes.faust import FaustProfileWorker  # noqa: PLC0415  # heavy; for those who ask only

        return FaustProfileWorker(job)
    return ProfileWorker(job)


def _judge_worker(needs: WorkerNeeds) -> Worker:
    settings, plan = needs.settings, needs.settings.plan
    return JudgeWorker(
        JudgeJob(
            needs.kafka,
            plan,
            group=settings.group,
            instance=settings.instance,
            topics=needs.topics,
            delivery=Delivery(settings.delivery),
            rules=resolve_rules(plan),
            detectors=resolve_detectors(plan),
            observer=needs.observer,
        )
    )


PROFILE: Final = Role("profile", (Loop.PROFILE,), Principal.PROFILE, _profile_worker)
JUDGE: Final = Role("judge", (Loop.JUDGE,), Principal.JUDGE, _judge_worker)

ROLES: tuple[Role, ...] = (PROFILE, JUDGE)
"""All roles; a process has both unless `--role` says otherwise."""


def consumer_groups(group: str) -> tuple[str, ...]:
    """Return the consumer groups of a deployment.

    >>> consumer_groups("fraud")
    ('fraud-profile', 'fraud-judge')
    """
    return tuple(f"{group}-{role}" for role in ROLES if role.has_group)
