"""The schedule: which baseline is active in a pane, and which activations are void."""

from __future__ import annotations

import pytest

from stream_monitor.core.baseline import (
    Applied,
    Baseline,
    BinaryBaseline,
    Origin,
    OriginType,
    Schedule,
    activation_lead_ms,
    activation_record,
    end_record,
    gathering_record,
    proposed_activation_ms,
    start_record,
    supplement_record,
)
from stream_monitor.core.plan import TimePlan
from tests import instants

LEAD_MS = 420_000
T0 = instants.T0_MS + 40_000
PANE_MS = 10_000


def baseline(model: str, version: str, rows: int) -> Baseline:
    """Return a small baseline; another number of rows makes another document."""
    errors = BinaryBaseline("serving_error", rows, (rows, 0))
    return Baseline(model, version, Origin(OriginType.DATASET, rows), {"serving_error": errors})


OLD, NEW = baseline("fraud", "7", 64), baseline("fraud", "7", 65)


class Log:
    """A topic of baselines: records get offsets and broker times, and are folded at once."""

    def __init__(self, group: str = "g", lead_ms: int = LEAD_MS) -> None:
        self.schedule = Schedule(group=group, lead_ms=lead_ms)
        self.offset = 100

    def write(self, record: tuple[bytes, bytes | None], at_ms: int = T0) -> Applied:
        self.offset += 2  # transactions leave gaps
        return self.schedule.apply(*record, self.offset, at_ms)

    def publish(self, document: Baseline) -> None:
        for part in document.parts():
            self.write(part)


def test_a_baseline_is_active_from_its_pane_on() -> None:
    """Before it there is none, and an older one stays the right one for older panes."""
    log = Log()
    log.publish(OLD)
    log.publish(NEW)
    log.write(activation_record("fraud", "7", OLD.id, T0))
    log.write(activation_record("fraud", "7", NEW.id, T0 + PANE_MS))
    found = [log.schedule.at("fraud", "7", T0 + pane * PANE_MS) for pane in (-1, 0, 1, 2)]

    assert [None, OLD.id, NEW.id, NEW.id] == [None if item is None else item.id for item in found]


def test_another_version_has_no_part_in_it() -> None:
    """A baseline speaks for exactly one version; an unknown one is in warm-up."""
    log = Log()
    log.publish(OLD)
    log.write(activation_record("fraud", "7", OLD.id, 0))

    assert [None, None, None] == [log.schedule.at(*name, T0) for name in (("fraud", ""), ("fraud", "8"), ("x", "7"))]


def test_the_order_of_activations_in_the_log_does_not_matter() -> None:
    """The schedule is all activations, sorted by their pane."""
    log = Log()
    log.publish(OLD)
    log.publish(NEW)
    log.write(activation_record("fraud", "7", NEW.id, T0 + PANE_MS))
    log.write(activation_record("fraud", "7", OLD.id, T0))

    assert (OLD.id, NEW.id) == tuple(item.baseline for item in log.schedule.activations)
    assert log.schedule.get(OLD.id) is log.schedule.at("fraud", "7", T0)


@pytest.mark.parametrize(
    ("ahead_ms", "applied"),
    [
        pytest.param(LEAD_MS, Applied.ACTIVATION, id="just in time"),
        pytest.param(LEAD_MS - 1, Applied.VOID, id="a millisecond too late"),
        pytest.param(-LEAD_MS, Applied.VOID, id="into the past"),
    ],
)
def test_after_the_start_an_activation_needs_its_lead(ahead_ms: int, applied: Applied) -> None:
    """One that could reach panes counted by now is void for everybody, judged by its broker time."""
    log = Log()
    log.write(start_record("g", "0", {"inference-events": 6}))
    log.publish(NEW)

    assert applied is log.write(activation_record("fraud", "7", NEW.id, T0 + ahead_ms), T0)
    assert (log.schedule.at("fraud", "7", T0 + 10 * LEAD_MS) is None) == (applied is Applied.VOID)
    assert (applied is Applied.VOID) == (len(log.schedule.void) == 1)


@pytest.mark.parametrize("reader_lead_ms", [LEAD_MS // 10, LEAD_MS, 10 * LEAD_MS])
def test_the_lead_that_was_kept_decides_whatever_is_configured_later(reader_lead_ms: int) -> None:
    """A change of `time.max_future` neither voids what counts nor revives what was void."""
    log = Log(lead_ms=reader_lead_ms)
    log.write(start_record("g", "0", {"inference-events": 6}))
    for document in (OLD, NEW):
        log.publish(document)
    in_time, too_late = T0 + LEAD_MS, T0 + LEAD_MS - PANE_MS

    assert Applied.VOID is log.write(activation_record("fraud", "7", NEW.id, too_late, lead_ms=LEAD_MS), T0)
    assert Applied.ACTIVATION is log.write(activation_record("fraud", "7", OLD.id, in_time, lead_ms=LEAD_MS), T0)
    assert Applied.VOID is log.write(
        supplement_record("fraud", "7", NEW.id, too_late, extends=OLD.id, lead_ms=LEAD_MS), T0
    )
    assert Applied.VOID is log.write(gathering_record("fraud", "7", too_late, lead_ms=LEAD_MS), T0)
    assert Applied.GATHERING is log.write(gathering_record("fraud", "7", in_time, lead_ms=LEAD_MS), T0)
    (own,) = log.schedule.activations
    assert Applied.VOID is log.write(end_record(own, too_late, lead_ms=LEAD_MS), T0)
    assert Applied.END is log.write(end_record(own, in_time, lead_ms=LEAD_MS), T0)


def test_before_the_start_the_past_is_free() -> None:
    """Nothing was counted before the group's start, so an activation written before it may reach back."""
    log = Log()
    log.publish(OLD)
    log.write(activation_record("fraud", "7", OLD.id, 0))
    log.write(start_record("g", "0", {}))

    assert log.schedule.at("fraud", "7", T0) is not None


def test_the_start_of_another_group_binds_nobody() -> None:
    """Two deployments may share the topic; each has its own past."""
    log = Log(group="g")
    log.write(start_record("other", "0", {}))

    assert Applied.ACTIVATION is log.write(activation_record("fraud", "7", OLD.id, 0))


def test_the_first_start_of_a_group_counts_for_ever() -> None:
    """A later worker of the group does not move the start, nor the partitions it found."""
    log = Log()
    log.write(start_record("g", "0", {"inference-events": 6}), T0)
    repeated = log.write(start_record("g", "1", {"inference-events": 8}), T0 + 1)
    start = log.schedule.starts["g"]

    assert Applied.REPEATED is repeated
    assert ("0", {"inference-events": 6}, 102) == (start.instance, dict(start.partitions), start.offset)


def test_an_activation_is_never_rewritten() -> None:
    """A second record for the same pane changes nothing: events may be counted with the first."""
    log = Log()
    log.publish(OLD)
    log.publish(NEW)
    log.write(activation_record("fraud", "7", OLD.id, T0))
    again = log.write(activation_record("fraud", "7", NEW.id, T0))
    active = log.schedule.at("fraud", "7", T0)

    assert (Applied.REPEATED, OLD.id) == (again, active and active.id)


def test_a_tombstone_takes_nothing_back() -> None:
    """Old events need old baselines."""
    log = Log()
    log.publish(OLD)
    key, value = activation_record("fraud", "7", OLD.id, T0)
    log.write((key, value))

    assert Applied.IGNORED is log.write((key, None))
    assert log.schedule.at("fraud", "7", T0) is not None


def test_an_activation_waits_for_its_document() -> None:
    """Compaction may leave the document behind its activation; once both are read, the order is forgotten."""
    log = Log()
    log.publish(OLD)
    log.write(activation_record("fraud", "7", OLD.id, T0))
    log.write(activation_record("fraud", "7", NEW.id, T0 + PANE_MS))
    before = log.schedule.at("fraud", "7", T0 + PANE_MS)
    log.publish(NEW)
    after = log.schedule.at("fraud", "7", T0 + PANE_MS)

    assert (OLD.id, NEW.id) == (before and before.id, after and after.id)


@pytest.mark.parametrize("version", ["", "a/b", "50%", "%2F", "1/%2f"])
def test_any_name_fits_into_a_key(version: str) -> None:
    """Slashes and percent signs are encoded and come back as they were."""
    document = baseline("m/%odel", version, 64)
    log = Log()
    log.publish(document)
    log.write(activation_record("m/%odel", version, document.id, T0))

    assert log.schedule.at("m/%odel", version, T0) is log.schedule.get(document.id) is not None


@pytest.mark.parametrize(
    ("record", "applied"),
    [
        pytest.param((b"doc/sha256:00/0", b"{}"), Applied.MALFORMED, id="an empty document"),
        pytest.param((b"doc/sha256:00/0", b"\xff"), Applied.MALFORMED, id="no JSON"),
        pytest.param((b"active/m/v/0", b'{"kind":"activation"}'), Applied.MALFORMED, id="an activation of nothing"),
        pytest.param((b"start/g/0", b'{"kind":"start","schema_version":9}'), Applied.MALFORMED, id="a later start"),
        pytest.param((b"\xff/x", b"{}"), Applied.MALFORMED, id="a key that is no text"),
        pytest.param((b"other/x", b"{}"), Applied.IGNORED, id="a key of another kind"),
        pytest.param((b"", b"{}"), Applied.IGNORED, id="no key"),
    ],
)
def test_a_bad_record_is_named_and_skipped(record: tuple[bytes, bytes], applied: Applied) -> None:
    """What somebody else writes into the topic stops no worker, and the position moves on."""
    log = Log()

    assert (applied, 103) == (log.write(record), log.schedule.next_offset)


def test_a_document_with_a_wrong_id_is_not_taken() -> None:
    """The name of a document is the hash of its content, or it is nobody's."""
    log = Log()
    (key, value), *_ = OLD.parts()

    assert Applied.MALFORMED is log.write((key, value.replace(b'"rows":64', b'"rows":63')))
    assert log.schedule.get(OLD.id) is None


def test_a_proposed_activation_is_not_void() -> None:
    """A proposal written within a minute keeps its lead, and begins with a pane."""
    lead_ms = activation_lead_ms(TimePlan())
    from_ms = proposed_activation_ms(T0 + 1, lead_ms=lead_ms, pane_ms=PANE_MS)
    log = Log(lead_ms=lead_ms)
    log.write(start_record("g", "0", {}))

    assert (420_000, 0) == (lead_ms, from_ms % PANE_MS)
    assert Applied.ACTIVATION is log.write(activation_record("fraud", "7", OLD.id, from_ms), T0 + 60_000)


def test_an_operators_baseline_wins_over_an_automatic_one_in_every_pane() -> None:
    """Whichever begins later: what a judge proposes never replaces what an operator chose."""
    log = Log()
    log.publish(OLD)
    log.publish(NEW)
    log.write(activation_record("fraud", "7", NEW.id, T0, automatic=True))
    log.write(activation_record("fraud", "7", OLD.id, T0 + PANE_MS))
    log.write(activation_record("fraud", "7", NEW.id, T0 + 2 * PANE_MS, automatic=True))
    found = [log.schedule.at("fraud", "7", T0 + pane * PANE_MS) for pane in (0, 1, 2, 3)]

    assert [NEW.id, OLD.id, OLD.id, OLD.id] == [None if item is None else item.id for item in found]


def test_an_activation_counts_up_to_its_end() -> None:
    """Retired, it gives way to what counted before; a scheduled one that ends where it begins never counts."""
    log = Log()
    log.publish(OLD)
    log.publish(NEW)
    log.write(activation_record("fraud", "7", OLD.id, T0))
    log.write(activation_record("fraud", "7", NEW.id, T0 + PANE_MS))
    later, scheduled = log.schedule.activations[1], log.schedule.activations[0]
    log.write(end_record(later, T0 + 3 * PANE_MS))
    log.write(end_record(later, T0 + 5 * PANE_MS))
    found = [log.schedule.at("fraud", "7", T0 + pane * PANE_MS) for pane in (0, 2, 3)]

    assert [OLD.id, NEW.id, OLD.id] == [None if item is None else item.id for item in found]
    assert log.schedule.ahead("fraud", "7", T0 + 3 * PANE_MS) == (scheduled,)
    log.write(end_record(scheduled, T0))
    assert log.schedule.at("fraud", "7", T0) is None
    assert log.schedule.ahead("fraud", "7", T0 - PANE_MS) == (later,)


def test_an_end_needs_its_lead_too() -> None:
    """An end that reaches back to panes that may be counted is void for everybody."""
    log = Log()
    log.publish(OLD)
    log.write(activation_record("fraud", "7", OLD.id, 0))
    log.write(start_record("g", "0", {}))
    own = log.schedule.activations[0]

    assert Applied.VOID is log.write(end_record(own, T0 + LEAD_MS - 1), T0)
    assert log.schedule.end_ms(own) is None
    assert Applied.END is log.write(end_record(own, T0 + LEAD_MS), T0)
    assert log.schedule.at("fraud", "7", T0 + LEAD_MS) is None


def supplement(name: str, rows: int = 70) -> Baseline:
    """Return a reference of one binary series."""
    return Baseline("fraud", "7", Origin(OriginType.FIRST_EVENTS, rows), {name: BinaryBaseline(name, rows, (rows, 0))})


def test_supplements_stand_beside_a_baseline_while_each_series_has_one_reference() -> None:
    """One that repeats a series of the baseline, or of an earlier one, does not count; an empty one only says so."""
    log = Log()
    new, other, double = supplement("feature:new"), supplement("feature:other"), supplement("serving_error")
    empty = Baseline("fraud", "7", Origin(OriginType.FIRST_EVENTS, 70), {})
    for document in (OLD, new, other, double, empty):
        log.publish(document)
    log.write(activation_record("fraud", "7", OLD.id, T0))
    for pane, document in enumerate((new, double, other, empty), 1):
        log.write(supplement_record("fraud", "7", document.id, T0 + pane * PANE_MS, extends=OLD.id))

    def at(pane: int) -> list[str]:
        return [document.id for document in log.schedule.references("fraud", "7", T0 + pane * PANE_MS)]

    assert [at(-1), at(0), at(1)] == [[], [OLD.id], [OLD.id, new.id]]
    assert at(9) == [OLD.id, new.id, other.id]


def test_rows_are_gathered_until_a_supplement_is_known_and_when_asked_for() -> None:
    """Once after an operator's baseline; of an automatic one, which was made of live events, only on request."""
    log = Log()
    new, automatic = supplement("feature:new"), supplement("feature:all", 80)
    for document in (OLD, new, automatic):
        log.publish(document)
    log.write(activation_record("fraud", "7", OLD.id, T0))
    log.write(activation_record("fraud", "8", automatic.id, T0, automatic=True))
    gathers = log.schedule.gathers

    assert [gathers("fraud", "7", T0 - 1), gathers("fraud", "7", T0), gathers("fraud", "8", T0)] == [False, True, False]
    log.write(supplement_record("fraud", "7", new.id, T0 + 9 * PANE_MS, extends=OLD.id))
    assert not gathers("fraud", "7", T0)
    log.write(gathering_record("fraud", "7", T0 + 5 * PANE_MS))
    assert [gathers("fraud", "7", T0 + pane * PANE_MS) for pane in (4, 5)] == [False, True]
