"""Nobody may change what a live worker stands on: a group is asked for its members first."""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package has no __all__
    AdminClient,
    ConsumerGroupDescription,
)

from stream_monitor.kafka.clients import patiently
from stream_monitor.kafka.errors import Stop

_REQUEST_S = 15.0
_POLL_S = 0.5


class GroupBusy(Stop):
    """Workers are members of the group whose state is to be changed."""

    exit_code = 2


def members(admin: AdminClient, group_id: str) -> tuple[str, ...]:
    """Return the names of the group's members, each with its host; none when the group does not exist.

    Raises:
        Stop: the cluster refuses us.
        KafkaException: it does not answer.
    """

    def ask(left_s: float) -> ConsumerGroupDescription:
        (future,) = admin.describe_consumer_groups([group_id], request_timeout=left_s).values()
        found: ConsumerGroupDescription = future.result()
        return found

    described = patiently(ask, f"describe group {group_id}", timeout_s=_REQUEST_S)
    return tuple(sorted(f"{m.group_instance_id or m.client_id} on {m.host.lstrip('/')}" for m in described.members))


def require_none(admin: AdminClient, group_id: str, *, wait_s: float = 0.0) -> None:
    """Return when the group has no members.

    Args:
        admin: the client.
        group_id: the group.
        wait_s: how long to wait for the last one to leave.

    Raises:
        GroupBusy: it still has some; they are named.
    """
    deadline = time.monotonic() + wait_s
    while True:
        found = members(admin, group_id)
        if not found:
            return
        if time.monotonic() >= deadline:
            raise GroupBusy(
                f"group {group_id} has members: {', '.join(found)}; stop these workers first. A worker that was stopped"
                " stays a member until its session has timed out (session.timeout.ms): --wait 60s waits for that"
            )
        time.sleep(min(_POLL_S, max(0.0, deadline - time.monotonic())))


def existing_groups(admin: AdminClient, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return which of these groups exist.

    Raises:
        KafkaException: the cluster does not answer.
    """
    listed = admin.list_consumer_groups(request_timeout=_REQUEST_S).result()
    known = {group.group_id for group in listed.valid}
    return tuple(group for group in wanted if group in known)


def delete_groups(admin: AdminClient, groups: Sequence[str]) -> None:
    """Delete groups without members, with their offsets.

    Raises:
        KafkaException: the cluster refuses.
    """
    if groups:
        for future in admin.delete_consumer_groups(list(groups), request_timeout=_REQUEST_S).values():
            future.result()
