"""Partitions that nobody takes up, and who speaks for them."""

from __future__ import annotations

from confluent_kafka import Consumer

from stream_monitor.kafka.client_settings import outsider
from stream_monitor.kafka.profile.group_coverage import Coverage, CoverageWatch, look_at_coverage
from tests.kafka.members import make_topic, member, quick_settings

A, B, C = ("in", 0), ("in", 1), ("in", 2)
LEFT_OUT = Coverage(frozenset({C}), first=A)


def test_a_partition_without_a_committed_offset_is_unclaimed(kafka: str, prefix: str) -> None:
    """Whoever has taken one up has committed for it; the group is asked without joining it."""
    topic = make_topic(kafka, f"{prefix}in", 3)
    settings = quick_settings(kafka)
    asking = Consumer(outsider(settings, group=prefix))
    with member(settings, group=prefix, instance="a", topic=topic) as a:
        a.until(lambda: len(a.owned) == 3)
        before = look_at_coverage(asking, {topic: 3}, timeout_s=10)
        errors = [a.commit(1, 0), a.commit(2, 7)]
        after = look_at_coverage(asking, {topic: 3}, timeout_s=10)
        owners = set(a.owned)
    asking.close()

    assert before == Coverage(frozenset({(topic, 0), (topic, 1), (topic, 2)}), first=None)
    assert after == Coverage(frozenset({(topic, 0)}), first=(topic, 1))
    assert (errors, owners) == ([None, None], {0, 1, 2})


def test_the_owner_of_the_first_partition_speaks_after_a_while() -> None:
    """The others keep still, and so does it while a member may still be taking the partition up."""
    watch, other = CoverageWatch(60.0), CoverageWatch(60.0)

    assert [watch.look(LEFT_OUT, owned={A}, now=now) for now in (0.0, 59.0, 60.0)] == [[], [], [C]]
    assert [other.look(LEFT_OUT, owned={B}, now=now) for now in (0.0, 59.0, 60.0)] == [[], [], []]


def test_a_new_assignment_gets_as_long_again() -> None:
    """Asking once more with every look would keep the group from ever settling."""
    watch = CoverageWatch(60.0)

    assert [watch.look(LEFT_OUT, owned={A}, now=now) for now in (0.0, 60.0, 70.0, 129.0, 131.0)] == [
        [],
        [C],
        [],
        [],
        [C],
    ]


def test_what_was_taken_up_meanwhile_is_not_forgotten() -> None:
    """Its time starts anew should it ever be without an owner again; a group that has nothing yet is just starting."""
    watch = CoverageWatch(60.0)
    looks = [(LEFT_OUT, 0.0), (Coverage(frozenset(), A), 30.0), (LEFT_OUT, 61.0), (LEFT_OUT, 120.0)]

    assert [watch.look(coverage, owned={A}, now=now) for coverage, now in looks] == [[]] * 4
    assert CoverageWatch(0.0).look(Coverage(frozenset({A, B, C})), owned=set(), now=1.0) == []
