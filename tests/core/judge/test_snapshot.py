"""Snapshots that cannot be used are refused, with the reason, and never half taken up."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import hypothesis.strategies as st
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from stream_monitor.core.judge import Judge, SnapshotRefused, UnknownBaseline
from stream_monitor.core.judge.stored.judge_state import Counts, JudgeState
from stream_monitor.core.plan import Plan, RulePlan
from tests.timelines.story import Timeline, minutes, shifted


def _story() -> Timeline:
    story = Timeline(rate=5.0)
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    return story


STORY = _story()
STATE = STORY.judge.dump()
HEAD = 36
"""Bytes of magic and seal."""


def resumed(state: bytes, *, plan: Plan = STORY.plan, partitions: int = 1) -> Judge:
    return Judge(
        plan,
        partition=0,
        partitions=partitions,
        source="",
        schedule=STORY.monitor.schedule.get,
        state=state,
    )


def sealed(**changes: object) -> bytes:
    """Return the state with some fields changed, sealed anew."""
    state = msgspec.structs.replace(msgspec.msgpack.decode(STATE[HEAD:], type=JudgeState), **changes)
    payload = msgspec.msgpack.encode(state, order="deterministic")
    return STATE[:4] + hashlib.sha256(payload).digest() + payload


def reason(state: bytes, *, plan: Plan = STORY.plan, partitions: int = 1) -> str:
    with pytest.raises(SnapshotRefused) as refused:
        resumed(state, plan=plan, partitions=partitions)
    return refused.value.reason


def test_the_state_of_a_story_is_taken_up() -> None:
    """The story of these tests can be resumed, open episodes included."""
    assert resumed(STATE).dump() == STATE
    assert any(watch.episodes for watch in STORY.judge.models["fraud"].watches())


@settings(max_examples=60)
@given(position=st.integers(0, len(STATE) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(position: int, bit: int) -> None:
    """Whichever byte is broken: the seal says so."""
    broken = bytearray(STATE)
    broken[position] ^= 1 << bit

    assert reason(bytes(broken)) == "corrupt"


@given(junk=st.binary(max_size=200))
def test_junk_is_no_snapshot(junk: bytes) -> None:
    """Anything else is refused, not raised about."""
    assert reason(junk) == "corrupt"


def test_a_snapshot_belongs_to_its_plan() -> None:
    """Another plan folds the log again, on purpose."""
    assert reason(STATE, plan=replace(STORY.plan, rules=STORY.plan.rules[:1])) == "plan"


def test_a_snapshot_belongs_to_its_number_of_partitions() -> None:
    """With more judges another one may own the model."""
    assert reason(STATE, partitions=2) == "partitions"


def test_another_format_is_refused() -> None:
    """A later version of the program has written it."""
    assert reason(sealed(format=99)) == "format"


def test_a_payload_of_another_shape_is_refused() -> None:
    """Sealed, but not this state."""
    payload = msgspec.msgpack.encode({"format": 1})

    assert reason(STATE[:4] + hashlib.sha256(payload).digest() + payload) == "format"


def test_broken_detectors_are_refused() -> None:
    """A detector of another version, or none, means that the log is folded again."""
    state = msgspec.msgpack.decode(STATE[HEAD:], type=JudgeState)

    assert reason(sealed(groups=[(name, layout, b"junk") for name, layout, _ in state.groups])) == "detectors"
    assert reason(sealed(groups=[])) == "corrupt"


def test_a_state_that_does_not_fit_together_is_refused() -> None:
    """Shapes are checked against what the baseline gives."""
    state = msgspec.msgpack.decode(STATE[HEAD:], type=JudgeState)
    model = state.models[0]
    watch = model.versions[0].watch
    assert watch is not None
    torn = msgspec.structs.replace(watch, ring=Counts("u1", b"\x00"))
    version = msgspec.structs.replace(model.versions[0], watch=torn)

    assert reason(sealed(models=[msgspec.structs.replace(model, versions=[version])])) == "corrupt"
    assert reason(sealed(models=[msgspec.structs.replace(model, demand=None)])) == "corrupt"


def test_a_missing_baseline_is_no_fault_of_the_snapshot() -> None:
    """The schedule is read on, then the same snapshot is taken up."""
    with pytest.raises(UnknownBaseline):
        Judge(STORY.plan, partition=0, partitions=1, source="", schedule=lambda _: None, state=STATE)


def test_counts_are_packed_as_narrow_as_they_are() -> None:
    """A pane's counts take a byte each while they are small."""
    packed = [Counts.of(np.array(values)) for values in ([0, 255], [256], [2**40])]

    assert [(counts.width, counts.array().tolist()) for counts in packed] == [
        ("u1", [0, 255]),
        ("u2", [256]),
        ("u8", [2**40]),
    ]


def test_rules_must_have_names_of_their_own() -> None:
    """Two rules of one name would share their alerts."""
    with pytest.raises(ValueError, match="rules: names must differ"):
        resumed(STATE, plan=Plan(rules=(RulePlan("a", ("*",)), RulePlan("a", ("*",)))))
