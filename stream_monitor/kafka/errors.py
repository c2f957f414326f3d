"""What can go wrong with Kafka, by what the caller does: repeat the round, restart the clients, or leave.

`Stop` and its kinds end the process, each with the exit code of its kind. `ClientRestart` closes consumer and
producer and begins again. `RoundFailed` drops the round in hand and takes the partitions up again from what is
committed.
"""

from __future__ import annotations

from enum import StrEnum

from confluent_kafka import KafkaError, KafkaException


class RestartReason(StrEnum):
    """Why a worker rebuilt its clients: the label of `restarts_total`."""

    FENCED = "fenced"
    COMMIT_UNKNOWN = "commit_unknown"
    SLOW_COMMIT = "slow_commit"
    ASSIGNMENT_LOST = "assignment_lost"
    ERROR = "error"


class Stop(Exception):
    """The process cannot go on; `exit_code` says why to the one who started it."""

    exit_code = 1


class Misconfigured(Stop):
    """The plan and the cluster disagree: topics missing or made otherwise."""

    exit_code = 2


class Fatal(Stop):
    """The client reported a fatal error, or another process runs under the same name."""

    exit_code = 3


class Unreachable(Fatal):
    """No broker answers at the addresses that the configuration names."""


class Fenced(Fatal):
    """Another process runs under the same name, or the group took this one for dead."""


class TooManyDeadLetters(Stop):
    """So many records are unreadable that the configuration must be wrong."""

    exit_code = 4


class NotAuthorised(Stop):
    """The cluster refuses us: a credential or an ACL is missing."""

    exit_code = 5


class DataLoss(Stop):
    """Input is gone before it was counted: deleted by retention, or its topic was made anew."""

    exit_code = 6


class HistoryUnusable(Stop):
    """Offsets, state or log that the worker stands on are missing or cannot be read."""

    exit_code = 7


class ClientRestart(Exception):
    """Close producer and consumer and start again: only a new generation or epoch makes late answers harmless."""

    def __init__(self, reason: RestartReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class RoundFailed(Exception):
    """Drop the chunks in hand; for the partitions still owned begin again at the committed offsets."""


_NOT_AUTHORISED = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError._AUTHENTICATION,
    }
)

_DENIED = frozenset({KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._AUTHENTICATION})
"""The brokers do not believe who we are: no other broker and no waiting helps."""

_ACLS = "'stream-monitor topics acls' prints what grants it"
_DENIED_WHAT = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: f"the user lacks an operation on a topic: {_ACLS}",
    KafkaError.GROUP_AUTHORIZATION_FAILED: f"the user may not read the groups of the configured name: {_ACLS}",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: f"the user may not write with that transactional id: {_ACLS}",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: f"the user lacks an operation on the cluster: {_ACLS}",
}

_FENCED = frozenset({KafkaError.FENCED_INSTANCE_ID, KafkaError._FENCED, KafkaError.PRODUCER_FENCED})

_RIVAL = "same group.instance.id"
"""A fatal error tells its cause only in words."""

_REFUSED = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._STATE,
    }
)

_TRANSIENT = frozenset(
    {
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.NOT_CONTROLLER,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError.THROTTLING_QUOTA_EXCEEDED,
        # A broker that comes back knows no topics at first; one that is really gone is found by its id.
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)

_LOCAL_FOR_GOOD = frozenset(
    {
        KafkaError._FATAL,
        KafkaError._FENCED,
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError._INVALID_ARG,
        KafkaError._INVALID_TYPE,
        KafkaError._NOT_IMPLEMENTED,
        KafkaError._UNSUPPORTED_FEATURE,
        KafkaError._CRIT_SYS_RESOURCE,
        KafkaError._FS,
        KafkaError._BAD_MSG,
        KafkaError._BAD_COMPRESSION,
        KafkaError._STATE,
        KafkaError._AUTO_OFFSET_RESET,
        KafkaError._LOG_TRUNCATION,
    }
)
"""Errors of the client itself (negative codes) that no waiting mends; all others are a broker that comes or goes."""


def kafka_error(error: KafkaException | KafkaError) -> KafkaError:
    """Return the error inside an exception of the client."""
    if isinstance(error, KafkaError):
        return error
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, KafkaError) else KafkaError(KafkaError.UNKNOWN, str(error))


def is_denial(error: KafkaError) -> bool:
    """Say whether the brokers refuse our credentials."""
    return error.code() in _DENIED


def is_refusal(error: KafkaError) -> bool:
    """Say whether the coordinator refused a commit for certain: the member or its generation is not current."""
    return error.code() in _REFUSED


def is_transient(error: KafkaError) -> bool:
    """Say whether the same call may succeed later without any change of ours."""
    code = error.code()
    return code in _TRANSIENT or error.retriable() or (code < 0 and code not in _LOCAL_FOR_GOOD)


def stop_for(error: KafkaError, doing: str, *, name: str = "") -> Stop | None:
    """Return the `Stop` that an error demands, or None when the worker can go on.

    Args:
        error: as the client reported it.
        doing: what was being done, for the message.
        name: `group.instance.id` or `transactional.id` of the client, named when another process has taken it.
    """
    code = error.code()
    if code in _NOT_AUTHORISED:
        what = _DENIED_WHAT.get(code, "mend kafka.sasl.* and kafka.ssl.*, or the user on the broker")
        return NotAuthorised(f"{doing}: {error.name()}: {error.str()}; {what}")
    if code in _FENCED or (code == KafkaError._FATAL and _RIVAL in error.str()):
        return Fenced(
            f"{doing}: another process runs as {name or 'this instance'}; give each worker its own --instance"
        )
    if error.fatal() or code == KafkaError._FATAL:
        return Fatal(f"{doing}: {error.name()}: {error.str()}")
    return None


def stop_or_fatal(error: KafkaError, doing: str) -> Stop:
    """Return the `Stop` that an error is for who does not try again: its own, or a fatal one."""
    return stop_for(error, doing) or Fatal(f"{doing}: {error.name()}: {error.str()}")
