"""What a profile worker remembers over the lives of its clients."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event

from stream_monitor.kafka.broker_wait import BrokerWait
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.profile.own_leases import OwnLeases


@dataclass(frozen=True, slots=True)
class ProfileMemory:
    """Outlives the clients.

    Attributes:
        leases: that this process took.
        outage: that brokers were away: a member that comes back may be fenced by itself.
        waiting: what of the brokers the loop waits for.
        stalled: set by the watch on the loop when it reported that the loop stands still.
    """

    leases: OwnLeases = field(default_factory=OwnLeases)
    outage: OutageWatch = field(default_factory=OutageWatch)
    waiting: BrokerWait = field(default_factory=BrokerWait)
    stalled: Event = field(default_factory=Event)
