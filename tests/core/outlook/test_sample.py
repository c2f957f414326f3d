"""A sample of records against plan and references: each kind of mistake is a finding, and good records are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import orjson
import pytest

from stream_monitor.core.baseline import Baseline, Origin, OriginType, ReferenceTable, build_baseline
from stream_monitor.core.batch import RawChunk
from stream_monitor.core.outlook.sample import SampleFinding, SampleKind, TopicSample, sample_findings
from stream_monitor.core.plan import BaselineFrom, InputPlan, LimitsPlan, ModelPlan, Plan
from stream_monitor.formats import build_decoder
from tests.instants import T0_MS

Event = dict[str, object]
PLAN = Plan(models=(ModelPlan(),))
ROWS = 1_000
UNCOUNTABLE = "arrays, objects, not finite or outside the domain"


def good(number: int) -> Event:
    return {"amount": number * 0.37 % 11, "country": "DE" if number % 3 else "FR", "night": number % 2 == 0}


def event(number: int, **features: object) -> Event:
    """Return a good event of fraud 7; features that are None are left out."""
    held = {**good(number), **features}
    return {
        "event_id": str(number),
        "model": "fraud",
        "version": "7",
        "timestamp": T0_MS + number,
        "features": {name: value for name, value in held.items() if value is not None},
        "prediction": 0.25,
    }


@cache
def baseline(missing: float = 0.0) -> Baseline:
    """Return a baseline of good events, of which a share has no `amount`."""
    random = np.random.default_rng(5)
    amount = random.random(ROWS) * 11
    amount[: int(missing * ROWS)] = np.nan
    table = ReferenceTable(
        {
            "feature:amount": amount,
            "feature:country": random.choice(["DE", "FR"], ROWS).tolist(),
            "feature:night": random.random(ROWS) < 0.5,
            "prediction": random.random(ROWS),
        },
        random.integers(0, 1 << 63, ROWS).astype(np.uint64),
        random.integers(0, 1 << 52, ROWS),
    )
    return build_baseline("fraud", "7", table, origin=Origin(OriginType.DATASET, ROWS), limits=LimitsPlan())


def sample(values: list[bytes | None], plan: Plan = PLAN, topic: str = "events", partition: int = 3) -> TopicSample:
    """Return records from offset 100 on as they come from a topic."""
    if not values:
        return TopicSample(topic)
    chunk = RawChunk(topic, partition, np.arange(len(values)) + 100, np.full(len(values), T0_MS), values)
    return TopicSample(topic, {partition: build_decoder(InputPlan(topic), plan).decode(chunk)})


def events(
    count: int = 500, change: Callable[[Event], Event] = lambda event: event, **features: object
) -> list[bytes | None]:
    return [orjson.dumps(change(event(number, **features))) for number in range(count)]


def found(
    values: list[bytes | None],
    plan: Plan = PLAN,
    references: Mapping[tuple[str, str], tuple[Baseline, ...]] | None = None,
    max_share: float = 0.1,
) -> list[SampleFinding]:
    known = {("fraud", "7"): (baseline(),)} if references is None else references
    return sample_findings(plan, known, [sample(values, plan)], max_share=max_share)


def test_good_records_are_no_finding() -> None:
    """Of features, prediction, and with tombstones between them."""
    assert [] == found([*events(), None])


def test_a_topic_without_records_is_told() -> None:
    """By its name."""
    (finding,) = found([])

    assert (SampleKind.NO_RECORDS, "topic events holds no records") == (finding.kind, finding.words())


def test_rejects_are_told_by_reason() -> None:
    """With count, share and the position of one; a few of them are no error."""
    one, other = found([*events(96), b"{", b"{", b"[]", b"[1"], max_share=0.04)

    assert (SampleKind.REJECTS, ("invalid_json",), 3, 100) == (one.kind, one.names, one.count, one.rows)
    assert one.words().startswith("3 of 100 records (3 %) of topic events are rejected as invalid_json: events[3]@196:")
    assert (("not_an_object",), "events[3]@198") == (other.names, other.example)
    assert [False, False] == [one.is_error, other.is_error]


def test_too_many_rejects_are_an_error() -> None:
    """More than dead_letters.max_share of the records of a topic, whatever the reasons."""
    first, *others = found([*events(89), *[b"{"] * 6, *[b"[]"] * 5])

    assert (SampleKind.TOO_MANY_REJECTS, True, 11) == (first.kind, first.is_error, first.count)
    assert "dead_letters.max_share allows 10 %" in first.words()
    assert [False, False] == [finding.is_error for finding in others]


def test_models_that_no_plan_watches_share_a_line() -> None:
    """They are rejects of their own kind, and each model is named."""
    plan = Plan(models=(ModelPlan("fraud"),))
    strange = [orjson.dumps({**event(i), "model": f"m{i % 7}"}) for i in range(14)]
    (finding,) = found([*events(486), *strange], plan)

    assert (SampleKind.UNKNOWN_MODEL, 14, 7) == (finding.kind, finding.count, len(finding.names))
    assert "are of models that no plan watches: m0, m1 and 5 more" in finding.words(2)
    assert "m6" in finding.words()


@pytest.mark.parametrize(
    ("source", "told"),
    [(BaselineFrom.FIRST_EVENTS, "until their first events are one"), (BaselineFrom.PUBLISHED, "published")],
)
def test_versions_without_a_baseline_are_told(source: BaselineFrom, told: str) -> None:
    """And whether another version of the model has one: it may have been meant."""
    plan = Plan(models=(ModelPlan(baseline=source),))
    (finding,) = found(events(50, lambda event: {**event, "version": "8"}), plan)

    assert (SampleKind.NO_BASELINE, ("fraud 8",), 50) == (finding.kind, finding.names, finding.count)
    assert finding.words().startswith("no baseline for fraud 8 (there is one for fraud 7): ")
    assert told in finding.words()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"amount": "12.5"}, "fraud 7: amount: most values are text, the baseline has numbers: they cannot be judged"),
        ({"country": 4}, "fraud 7: country: most values are numbers, the baseline has text: they cannot be judged"),
        (
            {"night": 1},
            "fraud 7: night: most values are numbers, the baseline has true or false: they cannot be judged",
        ),
        (
            {"amount": [1]},
            f"fraud 7: amount: most values are {UNCOUNTABLE}, the baseline has numbers: they cannot be judged",
        ),
    ],
)
def test_values_of_another_kind_are_told(change: dict[str, object], told: str) -> None:
    """With what they are, and what the baseline has."""
    values: list[bytes | None] = [orjson.dumps(event(number, **change)) for number in range(60)]
    (finding,) = found(values)

    assert (SampleKind.KIND_CHANGED, told) == (finding.kind, finding.words())


def test_probabilities_are_a_kind_of_their_own() -> None:
    """A prediction of classes where the baseline has numbers."""
    kinds = found(events(60, lambda event: {**event, "prediction": {"ok": 0.1, "fraud": 0.9}}))

    assert ["fraud 7: prediction: most values are probabilities, the baseline has numbers: they cannot be judged"] == [
        finding.words() for finding in kinds
    ]


def test_same_mistakes_share_a_line() -> None:
    """Columns of the same other kind are one finding, and so are those that are gone."""
    strange, gone = found(events(60, lambda event: {**event, "prediction": "ok"}, amount="1", country=None, night=None))

    assert (SampleKind.KIND_CHANGED, ("amount", "prediction")) == (strange.kind, strange.names)
    assert (SampleKind.MISSING_COLUMN, ("country", "night")) == (gone.kind, gone.names)


def test_a_few_values_of_another_kind_are_none() -> None:
    """Half of the values and fewer are what rules are for."""
    mixed = [*events(30), *events(30, amount="1")]

    assert [] == found(mixed)


def test_a_column_that_is_gone_is_told() -> None:
    """One that no record names, or that is null in each; a single record is chance."""
    (finding,) = found(events(60, amount=None))
    nulls: list[bytes | None] = [
        orjson.dumps({**event(number), "features": {**good(number), "amount": None}}) for number in range(60)
    ]

    assert (SampleKind.MISSING_COLUMN, ("amount",)) == (finding.kind, finding.names)
    assert finding.words() == "fraud 7: none of 60 records has a value of amount, the baseline does"
    assert [finding] == found(nulls)
    assert [] == found(nulls[:1])


def test_what_chance_makes_rare_is_not_gone() -> None:
    """With 90 % missing in the baseline, 60 records without are chance, and 500 are not."""
    rare = {("fraud", "7"): (baseline(0.9),)}

    assert [] == found(events(60, amount=None), references=rare)
    assert [("amount",)] == [finding.names for finding in found(events(500, amount=None), references=rare)]


def test_a_column_that_is_new_is_told() -> None:
    """With its kind; one of which a record in two hundred has a value is an accident."""
    (finding,) = found(events(60, weight=7.5))
    rare = [*events(398), *events(2, weight=7.5)]

    assert (SampleKind.EXTRA_COLUMN, ("weight",), 60) == (finding.kind, finding.names, finding.count)
    assert "fraud 7: the baseline lacks weight (number): judged once" in finding.words()
    assert [] == found(rare)


def test_a_rename_names_both_columns() -> None:
    """The likeliest pair, as the conditions name it."""
    gone, new = found(events(60, amount=None, amount_eur=3.5))

    assert "has a value of amount (likely renamed to amount_eur), the" in gone.words()
    assert "lacks amount_eur (number, likely renamed from amount):" in new.words()


def test_what_is_left_out_is_no_finding() -> None:
    """Features that the plan does not watch are neither gone nor new nor strange."""
    plan = Plan(models=(ModelPlan(exclude=("amount", "weight", "night")),))

    assert [] == found(events(60, amount=None, weight=1, night="x"), plan)


@pytest.mark.parametrize(
    ("source", "names"), [(BaselineFrom.FIRST_EVENTS, []), (BaselineFrom.PUBLISHED, [("latency",)])]
)
def test_a_series_of_the_model_is_new_where_nobody_makes_its_reference(
    source: BaselineFrom, names: list[tuple[str, ...]]
) -> None:
    """The latency of live events gets its reference from them, unless baselines are to be published."""
    plan = Plan(models=(ModelPlan(baseline=source),))

    assert names == [finding.names for finding in found(events(60, lambda event: {**event, "latency_ms": 12.5}), plan)]


def test_partitions_and_topics_are_added_up() -> None:
    """A column is there if one partition of one topic has it."""
    without = events(60, amount=None)
    halves = [sample(without), sample(events(60), topic="others", partition=0)]

    references = {("fraud", "7"): (baseline(),)}
    (gone,) = sample_findings(PLAN, references, [sample(without), sample(without, topic="others")], max_share=0.1)

    assert [] == sample_findings(PLAN, references, halves, max_share=0.1)
    assert (("amount",), 120) == (gone.names, gone.rows)
