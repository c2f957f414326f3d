"""The topics of the product: what they must look like, how they are made, and whether the broker agrees.

Only `create` makes topics, and only after its plan was printed; workers verify and refuse to start on a difference that
would break a promise.

>>> [spec.name for spec in plan_topics(TopicNames(), partitions=4, replication=1)][:2]
['drift-profiles', 'drift-baselines']
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package has no __all__
    AdminClient,
    ConfigResource,
    ResourceType,
    TopicDescription,
)
from confluent_kafka.cimpl import NewTopic

from stream_monitor.kafka.clients import patiently
from stream_monitor.kafka.errors import Misconfigured, kafka_error, stop_for

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MAX_PARTITIONS = 16
"""Every chunk writes a progress record to each partition of `drift-profiles`."""

_AT_LEAST = {"retention.ms": DAY_MS, "max.message.bytes": 1_048_588}
_WHY = {
    "retention.ms": "a judge that was away for longer cannot restore its state",
    "max.message.bytes": "records of this size are written to it",
}

_REQUEST_TIMEOUT_S = 15.0
_FIRST_ANSWER_S = 3.0
_VISIBLE_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class TopicNames:
    """Names of our own topics."""

    profiles: str = "drift-profiles"
    baselines: str = "drift-baselines"
    alerts: str = "drift-alerts"
    alert_state: str = "drift-alert-state"
    judge_state: str = "drift-judge-state"
    dead_letters: str = "drift-dead-letters"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it has to be.

    Attributes:
        config: settings written when the topic is made.
        required: of these, the ones without which a promise breaks; a difference stops the start.
    """

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]
    required: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the broker has it."""

    name: str
    topic_id: str
    partitions: int
    replication: int
    config: Mapping[str, str]


class Weight(StrEnum):
    """Whether a difference stops the start."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement of the plan and the broker, with what mends it."""

    topic: str
    setting: str
    expected: str
    found: str
    weight: Weight
    fix: str

    def __str__(self) -> str:
        return f"topic {self.topic}: {self.setting}: must be {self.expected}, is {self.found}: {self.fix}"


def plan_topics(names: TopicNames, *, partitions: int = 4, replication: int = 3) -> tuple[TopicSpec, ...]:
    """Return every topic of ours, in the order in which they are shown and made.

    Args:
        names: what they are called.
        partitions: of `drift-profiles` and the topics of the judge, 1 to 16: the parallelism of judging.
        replication: copies of each record; 1 on a single broker.

    Raises:
        ValueError: partitions or replication out of range.
    """
    if not 1 <= partitions <= MAX_PARTITIONS:
        raise ValueError(f"topics.partitions: must be 1 to {MAX_PARTITIONS}, got {partitions}")
    if replication < 1:
        raise ValueError(f"topics.replication: must be at least 1, got {replication}")
    safe = {
        "max.message.bytes": str(_AT_LEAST["max.message.bytes"]),
        "min.insync.replicas": "2" if replication >= 3 else "1",
        "unclean.leader.election.enable": "false",
    }
    kept = {**safe, "cleanup.policy": "delete", "retention.bytes": "-1"}
    compacted = {**safe, "cleanup.policy": "compact", "segment.ms": str(HOUR_MS), "min.cleanable.dirty.ratio": "0.2"}
    broker_time = {"message.timestamp.type": "LogAppendTime"}
    event_time = {"message.timestamp.type": "CreateTime"}
    clock = frozenset({"cleanup.policy", "message.timestamp.type"})
    cleanup = frozenset({"cleanup.policy"})
    month, week = {"retention.ms": str(30 * DAY_MS)}, {"retention.ms": str(7 * DAY_MS)}

    def spec(name: str, count: int, config: Mapping[str, str], required: frozenset[str]) -> TopicSpec:
        return TopicSpec(name, count, replication, dict(config), required)

    return (
        spec(names.profiles, partitions, {**kept, **month, **broker_time}, clock),
        spec(names.baselines, 1, {**compacted, **broker_time}, clock),
        spec(names.alerts, partitions, {**kept, **month, **event_time}, clock),
        spec(names.alert_state, partitions, compacted, cleanup),
        spec(names.judge_state, partitions, compacted, cleanup),
        spec(names.dead_letters, partitions, {**kept, **week, **broker_time}, clock),
    )


def create_topics(admin: AdminClient, specs: Iterable[TopicSpec]) -> tuple[str, ...]:
    """Make the topics that do not exist yet and return their names; existing ones are left alone.

    Raises:
        Stop: the cluster refuses.
    """
    specs = tuple(specs)
    # A broker that has just started may not know its controller yet, and the client asks for it once a call.
    existing = patiently(
        lambda left_s: describe_topics(admin, [spec.name for spec in specs], timeout_s=min(left_s, _FIRST_ANSWER_S)),
        "describe topics",
        timeout_s=_REQUEST_TIMEOUT_S,
    )
    wanted = [
        NewTopic(s.name, num_partitions=s.partitions, replication_factor=s.replication, config=dict(s.config))
        for s in specs
        if s.name not in existing
    ]
    if not wanted:
        return ()
    made = []
    for name, future in admin.create_topics(wanted, request_timeout=_REQUEST_TIMEOUT_S).items():
        try:
            future.result()
            made.append(name)
        except KafkaException as error:
            _accept(error, {KafkaError.TOPIC_ALREADY_EXISTS}, f"create topic {name}")
    _wait_until_known(admin, made)
    return tuple(made)


def _wait_until_known(admin: AdminClient, names: Sequence[str]) -> None:
    """Return when the brokers answer for new topics: creation is acknowledged before every broker has heard of it."""
    deadline = time.monotonic() + _REQUEST_TIMEOUT_S
    while names and len(describe_topics(admin, names)) < len(names) and time.monotonic() < deadline:
        time.sleep(_VISIBLE_POLL_S)


def delete_topics(admin: AdminClient, names: Sequence[str]) -> None:
    """Delete topics; one that does not exist is passed over.

    Raises:
        Stop: the cluster refuses.
    """
    for name, future in admin.delete_topics(list(names), request_timeout=_REQUEST_TIMEOUT_S).items():
        try:
            future.result()
        except KafkaException as error:
            _accept(error, {KafkaError.UNKNOWN_TOPIC_OR_PART}, f"delete topic {name}")


def verify_topics(admin: AdminClient, specs: Iterable[TopicSpec]) -> tuple[Difference, ...]:
    """Compare all topics with the broker; the number of partitions is taken from `drift-profiles`, the first of them.

    Raises:
        Stop: the cluster refuses.
    """
    specs = tuple(specs)
    states = describe_topics(admin, [spec.name for spec in specs])
    return tuple(
        difference
        for spec in specs
        for difference in _differences(spec, states.get(spec.name), states.get(specs[0].name))
    )


def check_inputs(admin: AdminClient, topics: Sequence[str], *, allowed_lateness_ms: int) -> tuple[Difference, ...]:
    """Return what is doubtful about input topics: missing is an error, an unbounded record time is a risk (H10).

    Raises:
        Stop: the cluster refuses.
    """
    states = describe_topics(admin, topics)
    found = []
    for topic in topics:
        state = states.get(topic)
        if state is None:
            found.append(Difference(topic, "topic", "present", "missing", Weight.ERROR, "create the input topic first"))
            continue
        ahead = int(state.config.get("message.timestamp.after.max.ms") or 2**63 - 1)
        limit = max(allowed_lateness_ms // 2, 1)
        if state.config.get("message.timestamp.type") != "LogAppendTime" and ahead > limit:
            fix = (
                "one record stamped in the future makes good events late; run kafka-configs.sh --alter --entity-type"
                f" topics --entity-name {topic} --add-config message.timestamp.after.max.ms={limit}"
            )
            found.append(
                Difference(topic, "message.timestamp.after.max.ms", f"at most {limit}", str(ahead), Weight.WARNING, fix)
            )
    return tuple(found)


def require(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return the warnings among differences.

    Raises:
        Misconfigured: at least one difference is an error; the message names all of them.
    """
    differences = tuple(differences)
    errors = [str(d) for d in differences if d.weight is Weight.ERROR]
    if errors:
        raise Misconfigured("; ".join(errors))
    return differences


def describe_topics(
    admin: AdminClient, names: Sequence[str], *, timeout_s: float = _REQUEST_TIMEOUT_S
) -> dict[str, TopicState]:
    """Return the state of those topics that exist.

    Raises:
        Stop: the cluster refuses.
        KafkaException: it does not answer.
    """
    described = _described(admin, names, timeout_s=timeout_s)
    if not described:
        return {}
    configs: dict[str, dict[str, str]] = {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in described]
    for resource, future in admin.describe_configs(resources, request_timeout=timeout_s).items():
        try:
            configs[resource.name] = {key: entry.value or "" for key, entry in future.result().items()}
        except KafkaException as error:
            _accept(error, {KafkaError.UNKNOWN_TOPIC_OR_PART}, f"describe the configuration of topic {resource.name}")
    return {
        name: TopicState(
            name,
            str(topic.topic_id),
            len(topic.partitions),
            min((len(p.replicas) for p in topic.partitions), default=0),
            configs.get(name, {}),
        )
        for name, topic in described.items()
    }


def count_partitions(
    admin: AdminClient, names: Sequence[str], *, timeout_s: float = _REQUEST_TIMEOUT_S
) -> dict[str, int]:
    """Return the number of partitions of those topics that exist; who only reads may not ask for their settings.

    Raises:
        Stop: the cluster refuses us.
        KafkaException: it does not answer.
    """
    return {name: len(topic.partitions) for name, topic in _described(admin, names, timeout_s=timeout_s).items()}


def _described(admin: AdminClient, names: Sequence[str], *, timeout_s: float) -> dict[str, TopicDescription]:
    if not names:
        return {}
    described = {}
    for name, future in admin.describe_topics(TopicCollection(list(names)), request_timeout=timeout_s).items():
        try:
            described[name] = future.result()
        except KafkaException as error:
            _accept(error, {KafkaError.UNKNOWN_TOPIC_OR_PART}, f"describe topic {name}")
    return described


def _differences(spec: TopicSpec, state: TopicState | None, profiles: TopicState | None) -> Iterable[Difference]:
    if state is None:
        yield Difference(spec.name, "topic", "present", "missing", Weight.ERROR, "run 'stream-monitor topics create'")
        return
    # What was made counts, not what the configuration would make today: n is stored with the judge's state (H16).
    partitions = profiles.partitions if spec.partitions > 1 and profiles is not None else spec.partitions
    if spec.required and state.partitions != partitions and not _any_partitions(spec):
        fix = f"all topics of the judge need the {partitions} partitions of the profiles topic: make the topic anew"
        yield Difference(spec.name, "partitions", str(partitions), str(state.partitions), Weight.ERROR, fix)
    if state.replication < spec.replication:
        fix = "records may be lost with a broker; raise it, or set topics.replication to what is meant"
        yield Difference(
            spec.name, "replication", f"at least {spec.replication}", str(state.replication), Weight.WARNING, fix
        )
    for key, expected in spec.config.items():
        found = state.config.get(key, "")
        if key in _AT_LEAST:
            yield from _too_little(spec, key, found)
        elif found != expected:
            weight = Weight.ERROR if key in spec.required else Weight.WARNING
            command = "kafka-configs.sh --alter --entity-type topics"
            fix = f"run {command} --entity-name {spec.name} --add-config {key}={expected}"
            yield Difference(spec.name, key, expected, found or "unset", weight, fix)


def _any_partitions(spec: TopicSpec) -> bool:
    return spec.config.get("retention.ms") == str(7 * DAY_MS)  # dead letters go to source partition mod n


def _too_little(spec: TopicSpec, key: str, found: str) -> Iterable[Difference]:
    """Yield a difference when a limit is lower than we can live with; higher than planned is the operator's choice."""
    limit = int(found or -1)
    if 0 <= limit < _AT_LEAST[key]:
        yield Difference(spec.name, key, f"at least {_AT_LEAST[key]}", found, Weight.ERROR, f"raise {key}: {_WHY[key]}")


def _accept(error: KafkaException, codes: set[int], doing: str) -> None:
    """Return if the error is one of these; raise it otherwise, as a `Stop` where it is one."""
    inner = kafka_error(error)
    if inner.code() in codes:
        return
    stop = stop_for(inner, doing)
    if stop is not None:
        raise stop from error
    raise error
