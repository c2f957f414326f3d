"""Reading fast and reading exactly are the same reading."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_monitor.core.plan import InputPlan, LimitsPlan, ModelPlan, Plan, TimePlan
from stream_monitor.formats.native import NativeDecoder
from tests.laws.native_events import chunk_of, events, facts_of

PLAN = Plan(
    models=(
        ModelPlan("fraud", exclude=("debug_*",), segments=("channel", "tier")),
        ModelPlan("churn"),
    ),
    limits=LimitsPlan(event_bytes=2_000, features=5),
)
INPUTS = {
    "field": InputPlan("events"),
    "record.offset": InputPlan("events", params=(("event_id", "record.offset"),)),
    "record.key": InputPlan("events", model="fraud", params=(("event_id", "record.key"),)),
}
keys = st.sampled_from([b"k1", b"k2", b"", b"\xff", None])


@settings(max_examples=300, deadline=None)
@given(
    values=st.lists(events(), max_size=60),
    before=st.lists(events(), max_size=8),
    source=st.sampled_from(sorted(INPUTS)),
    fallback=st.sampled_from(["none", "record"]),
    key=keys,
)
def test_what_a_decoder_has_seen_never_changes_what_it_reads(
    values: list[bytes | None], before: list[bytes | None], source: str, fallback: str, key: bytes | None
) -> None:
    """A decoder that knows the shape of the traffic gives the facts that exact reading gives, for any records."""
    plan = dataclasses.replace(PLAN, time=TimePlan(fallback=fallback))
    chunk = chunk_of(values, keys=[key] * len(values))
    exact = NativeDecoder(INPUTS[source], plan, typed=False)
    learned = NativeDecoder(INPUTS[source], plan)
    learned.decode(chunk_of(before, keys=[key] * len(before)))

    expected = facts_of(exact.decode(chunk))

    assert expected == facts_of(learned.decode(chunk))
    assert expected == facts_of(learned.decode(chunk))


@settings(max_examples=100, deadline=None)
@given(values=st.lists(events(), max_size=30), cut=st.integers(0, 30))
def test_no_record_influences_another(values: list[bytes | None], cut: int) -> None:
    """Decoding a chunk in two pieces gives the rows and rejects of decoding it whole."""
    decoder = NativeDecoder(INPUTS["field"], PLAN)
    whole = facts_of(decoder.decode(chunk_of(values)))
    first = facts_of(decoder.decode(chunk_of(values[:cut])))
    second = facts_of(decoder.decode(chunk_of(values[cut:], first=100 + len(values[:cut]))))

    rows = (whole["rows"], first["rows"], second["rows"])
    assert all(isinstance(each, dict) for each in rows)
    assert rows[0] == {**rows[1], **rows[2]}  # type: ignore[dict-item]  # dictionaries by the line above


@pytest.mark.parametrize("size", [1, 63, 64, 65, 300, 3_000])
def test_an_odd_event_costs_only_itself(size: int) -> None:
    """One event with another type among many usual ones leaves all the others as they are."""
    usual = b'{"event_id": "a%d", "model": "fraud", "timestamp": "2026-11-22T07:19:27.684Z", "features": {"x": 1.5}}'
    values = [usual % n for n in range(size)]
    values[size // 2] = values[size // 2].replace(b"1.5", b'"oops"')
    decoder = NativeDecoder(InputPlan("events"), Plan())

    decoder.decode(chunk_of([usual % 0]))
    facts = facts_of(decoder.decode(chunk_of(values)))

    assert facts == facts_of(NativeDecoder(InputPlan("events"), Plan(), typed=False).decode(chunk_of(values)))
