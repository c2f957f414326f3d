"""The leases that a process remembers as its own."""

from __future__ import annotations

from stream_monitor.kafka.profile.own_leases import KEPT, OwnLeases


def test_a_worker_that_lives_for_months_remembers_no_more_than_its_newest_leases() -> None:
    """Each rebalance takes a lease of each partition; memory is bounded by the partitions."""
    leases = OwnLeases()
    for lease in range(1_000):
        for partition in range(3):
            leases.add(("in", partition), lease)

    assert 3 * KEPT == len(leases)


def test_a_lease_is_known_though_a_late_commit_has_set_the_state_back() -> None:
    """The committed state may then be of a lease before the newest: it is still no crash of somebody else."""
    leases = OwnLeases()
    for lease in range(5, 8):
        leases.add(("in", 0), lease)

    assert [False, True, True, True, False] == [leases.has(("in", 0), lease) for lease in range(4, 9)]
    assert not leases.has(("in", 1), 7)
