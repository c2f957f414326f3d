"""What becomes of a judge's proposal: nothing automatic is written where an operator's activation counts or will."""

from __future__ import annotations

import pytest

from stream_monitor.core.baseline import (
    Baseline,
    BinaryBaseline,
    Origin,
    OriginType,
    Schedule,
    activation_record,
    end_record,
    gathering_record,
    supplement_record,
)
from stream_monitor.core.judge import BaselineProposal, GatheringRequest, proposal_record, why_unwanted

NOW_MS = 1_795_332_000_000
LATER_MS = NOW_MS + 480_000


def document(rows: int, origin: OriginType = OriginType.DATASET) -> Baseline:
    """Return a small document; another number of rows makes another one."""
    return Baseline("fraud", "7", Origin(origin, rows), {"latency": BinaryBaseline("latency", rows, (rows, 0))})


OPERATORS, AUTOMATIC = document(64), document(65, OriginType.FIRST_EVENTS)
PROPOSAL = BaselineProposal("fraud", "7", AUTOMATIC)
SUPPLEMENT = BaselineProposal("fraud", "7", AUTOMATIC, extends=OPERATORS.id)


def schedule(*records: tuple[bytes, bytes]) -> Schedule:
    """Return a schedule with both documents and these records."""
    found = Schedule()
    for key, value in (*OPERATORS.parts(), *AUTOMATIC.parts(), *records):
        found.apply(key, value, found.next_offset, NOW_MS)
    return found


def active(from_ms: int, *, automatic: bool = False) -> tuple[bytes, bytes]:
    """Return an activation of the operator's document."""
    return activation_record("fraud", "7", OPERATORS.id, from_ms, automatic=automatic)


@pytest.mark.parametrize(
    ("from_ms", "automatic", "why"),
    [
        pytest.param(0, False, "an operator's baseline", id="counts"),
        pytest.param(LATER_MS, False, "an operator's baseline", id="is scheduled"),
        pytest.param(LATER_MS, True, "an automatic baseline", id="another judge was first"),
    ],
)
def test_no_baseline_is_proposed_beside_another(from_ms: int, automatic: bool, why: str) -> None:
    """Whether it counts already or is scheduled; an activation that ends is no reason any more."""
    known = schedule(active(from_ms, automatic=automatic))
    found = why_unwanted(PROPOSAL, known, NOW_MS)

    assert found is not None
    assert found.startswith(why)
    (own,) = known.activations
    key, value = end_record(own, max(from_ms, NOW_MS))
    known.apply(key, value, known.next_offset, NOW_MS)
    assert why_unwanted(PROPOSAL, known, NOW_MS) is None


def test_without_any_activation_the_first_events_become_the_baseline() -> None:
    """Its record says that no operator wrote it."""
    key, value = proposal_record(PROPOSAL, LATER_MS)

    assert why_unwanted(PROPOSAL, schedule(), NOW_MS) is None
    known = schedule((key, value))
    assert [own.automatic for own in known.activations] == [True]


def test_a_supplement_is_wanted_once_while_its_baseline_counts() -> None:
    """Not without the baseline, not twice, again after a request."""
    record = supplement_record("fraud", "7", AUTOMATIC.id, LATER_MS, extends=OPERATORS.id)
    request = gathering_record("fraud", "7", NOW_MS)

    assert why_unwanted(SUPPLEMENT, schedule(), NOW_MS) is not None
    assert why_unwanted(SUPPLEMENT, schedule(active(0)), NOW_MS) is None
    assert why_unwanted(SUPPLEMENT, schedule(active(0), record), NOW_MS) is not None
    assert why_unwanted(SUPPLEMENT, schedule(active(0), record, request), NOW_MS) is None


def test_rows_are_not_asked_for_twice() -> None:
    """While they are gathered, another request changes nothing."""
    wish = GatheringRequest("fraud", "7")
    key, value = proposal_record(wish, NOW_MS)
    record = supplement_record("fraud", "7", AUTOMATIC.id, NOW_MS, extends=OPERATORS.id)
    known = schedule(active(0), record)

    assert why_unwanted(wish, known, NOW_MS) is None
    known.apply(key, value, known.next_offset, NOW_MS)
    assert why_unwanted(wish, known, NOW_MS) is not None
