"""A sample of records against the plan and the references: what would go wrong if these were the live events.

It asks of a few hundred records what the profile stage and the conditions ask of all traffic, with their code: are they
rejected, are their values of the kind of the reference, are its columns there, and which are new. Every finding that
chance could imitate must be less than 1 % likely, over all series of its reference together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from stream_monitor.core.alerts.wording.numbers import percent
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.batch import Batch, Group, Reject
from stream_monitor.core.judge.conditions.certain import strange_rows, tests_of, unnamed_rows
from stream_monitor.core.judge.conditions.kind_changed import kinds_in_words
from stream_monitor.core.judge.conditions.renames import Named, kind_of, likely_pairs
from stream_monitor.core.judge.standing.memory import EXTRA_SHARE
from stream_monitor.core.names import (
    PREDICTION,
    SERVING_ERROR,
    RejectReason,
    ValueKind,
    feature_of,
    unwatched_model,
)
from stream_monitor.core.plan import BaselineFrom, ModelPlan, Plan
from stream_monitor.core.profile import SeriesCounts, merge_counts
from stream_monitor.core.profile.count import count_column, kinds_of, never_named, occurrences
from stream_monitor.core.profile.group import with_probabilities

UNLIKELY = 0.01
"""Probability that a finding which chance could imitate is one of chance."""

Version = tuple[str, str]
"""Model and version."""

References = Mapping[Version, Sequence[Baseline]]
"""What each version is or will be compared with: its baseline, then its supplements."""


class SampleKind(StrEnum):
    """What is found in a sample."""

    NO_RECORDS = "no_records"
    TOO_MANY_REJECTS = "too_many_rejects"
    REJECTS = "rejects"
    UNKNOWN_MODEL = "unknown_model"
    NO_BASELINE = "no_baseline"
    KIND_CHANGED = "kind_changed"
    MISSING_COLUMN = "missing_column"
    EXTRA_COLUMN = "extra_column"


@dataclass(frozen=True, slots=True)
class TopicSample:
    """Decoded records of an input topic: a batch for each partition that has some."""

    topic: str
    batches: Mapping[int, Batch] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """Records."""
        return sum(batch.read for batch in self.batches.values())

    @property
    def rejects(self) -> list[tuple[int, Reject]]:
        """The rejects with their partitions."""
        return [(number, reject) for number, batch in sorted(self.batches.items()) for reject in batch.rejects]


@dataclass(frozen=True, slots=True)
class SampleFinding:
    """One finding; findings of one kind about one subject are one.

    Attributes:
        before, things, after: a sentence: what stands before and behind the list of things it is about.
        names: names of those things: columns, models, a reason.
        count: records for which it holds.
        rows: records that could have said otherwise.
        topic, model, version: the subject; empty where there is none.
        example: one position, `topic[partition]@offset`; empty where none is at hand.
        is_error: a worker would not go on.
    """

    kind: SampleKind
    before: str
    things: tuple[str, ...] = ()
    after: str = ""
    names: tuple[str, ...] = ()
    count: int = 0
    rows: int = 0
    topic: str = ""
    model: str = ""
    version: str = ""
    example: str = ""
    is_error: bool = False

    def words(self, most: int | None = None) -> str:
        """Return the sentence with at most so many of its things."""
        shown = self.things if most is None else self.things[:most]
        more = len(self.things) - len(shown)
        return self.before + ", ".join(shown) + (f" and {more} more" if more else "") + self.after


def sample_findings(
    plan: Plan, references: References, samples: Sequence[TopicSample], *, max_share: float
) -> list[SampleFinding]:
    """Return what is wrong with records: of topics, then of models and versions.

    Args:
        plan: what is watched.
        references: of each version that has some.
        samples: of each input topic.
        max_share: of the records of a topic that may be rejected.
    """
    found = [finding for sample in samples for finding in _of_topic(sample, max_share)]
    groups: dict[Version, list[Group]] = {}
    for sample in samples:
        for _, batch in sorted(sample.batches.items()):
            for group in batch.groups:
                groups.setdefault((group.model, group.version), []).append(group)
    found += _without_baseline(plan, references, groups)
    for version, own in sorted(groups.items()):
        if references.get(version):
            found += _of_version(plan.model(version[0]) or ModelPlan(), version, own, references[version])
    return found


def _of_topic(sample: TopicSample, max_share: float) -> Iterator[SampleFinding]:
    topic, read, rejects = sample.topic, sample.read, sample.rejects
    if not read:
        yield SampleFinding(SampleKind.NO_RECORDS, f"topic {topic} holds no records", topic=topic)
        return
    if len(rejects) > max_share * read:
        told = f"{_share(len(rejects), read)} of topic {topic} are rejected"
        yield SampleFinding(
            SampleKind.TOO_MANY_REJECTS,
            f"{told}, and dead_letters.max_share allows {percent(max_share)}: mend the producer, or the input's format",
            count=len(rejects),
            rows=read,
            topic=topic,
            is_error=True,
        )
    by_reason: dict[RejectReason, list[tuple[int, Reject]]] = {}
    for partition, reject in rejects:
        by_reason.setdefault(reject.reason, []).append((partition, reject))
    for reason, own in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        partition, first = own[0]
        example = f"{topic}[{partition}]@{first.offset}"
        if reason is RejectReason.UNKNOWN_MODEL:
            yield _unknown(sample, [reject for _, reject in own], example)
            continue
        yield SampleFinding(
            SampleKind.REJECTS,
            f"{_share(len(own), read)} of topic {topic} are rejected as {reason}: {example}: {first.message}",
            names=(reason.value,),
            count=len(own),
            rows=read,
            topic=topic,
            example=example,
        )


def _unknown(sample: TopicSample, rejects: Sequence[Reject], example: str) -> SampleFinding:
    models = Counter(unwatched_model(reject.message) for reject in rejects)
    names = [name for name, _ in sorted(models.items(), key=lambda item: (-item[1], item[0]))]
    return SampleFinding(
        SampleKind.UNKNOWN_MODEL,
        f"{_share(len(rejects), sample.read)} of topic {sample.topic} are of models that no plan watches: ",
        tuple(names),
        f" ({example}): add them to models",
        tuple(names),
        len(rejects),
        sample.read,
        topic=sample.topic,
        example=example,
    )


def _without_baseline(
    plan: Plan, references: References, groups: Mapping[Version, Sequence[Group]]
) -> Iterator[SampleFinding]:
    """Yield the versions without a reference: those that make one of their own, and those that wait for one."""
    waiting: dict[BaselineFrom, dict[Version, int]] = {}
    for version, own in sorted(groups.items()):
        if not references.get(version):
            source = (plan.model(version[0]) or ModelPlan()).baseline
            waiting.setdefault(source, {})[version] = _rows(own)
    for source, versions in sorted(waiting.items()):
        makes = source is BaselineFrom.FIRST_EVENTS
        after = (
            ": they are not judged until their first events are one"
            if makes
            else ": they are not judged until one is published and activated"
        )
        yield SampleFinding(
            SampleKind.NO_BASELINE,
            "no baseline for ",
            tuple(_titled(*version) + _other(references, *version) for version in versions),
            after,
            tuple(_titled(*version) for version in versions),
            sum(versions.values()),
            sum(_rows(own) for own in groups.values()),
        )


def _other(references: References, model: str, version: str) -> str:
    """Return which versions of the same model have a baseline: one of them may have been meant."""
    others = [own for name, own in sorted(references) if name == model and own != version]
    return f" (there is one for {' and '.join(_titled(model, own) for own in others[-2:])})" if others else ""


def _of_version(
    plan: ModelPlan, version: Version, groups: Sequence[Group], documents: Sequence[Baseline]
) -> Iterator[SampleFinding]:
    columns = _Columns.of(plan, groups, documents)
    rows = columns.rows
    pairs = likely_pairs(columns.features_gone(), columns.features_new(), within_ms=0)
    old_names = {new: old for old, new in pairs.items()}
    title = _titled(*version)

    def finding(kind: SampleKind, before: str, things: Mapping[str, str], after: str, count: int) -> SampleFinding:
        return SampleFinding(
            kind,
            f"{title}: {before}",
            tuple(things.values()),
            after,
            tuple(things),
            count,
            rows,
            model=version[0],
            version=version[1],
        )

    for (live, expected), names in sorted(columns.strange.items()):
        after = f": most values are {live}, the baseline has {expected}: they cannot be judged"
        yield finding(SampleKind.KIND_CHANGED, "", {name: name for name in names}, after, rows)
    if columns.gone:
        gone = {name: name + _asked("renamed to", pairs.get(name)) for name in columns.gone}
        yield finding(
            SampleKind.MISSING_COLUMN, f"none of {rows:,} records has a value of ", gone, ", the baseline does", rows
        )
    if columns.new:
        own = plan.baseline is BaselineFrom.FIRST_EVENTS
        after = ": judged once live events have made a reference" if own else ": not judged"
        new = {
            name: f"{name} ({' or '.join(kinds)}{_asked(', likely renamed from', old_names.get(name))})"
            for name, (_, kinds) in columns.new.items()
        }
        most = max(count for count, _ in columns.new.values())
        yield finding(SampleKind.EXTRA_COLUMN, "the baseline lacks ", new, after, most)


def _asked(what: str, name: str | None) -> str:
    if name is None:
        return ""
    return f"{what} {name}" if what.startswith(",") else f" (likely {what} {name})"


@dataclass(slots=True)
class _Columns:
    """The columns of the records of a version beside those of its references.

    Attributes:
        rows: records.
        gone: columns of which no record has a value (null is none), with the kind that the reference has.
        new: columns that no reference has: how many records name them, and what they hold.
        strange: columns whose values are mostly of another kind, by what they are and should be, in words.
    """

    rows: int
    gone: dict[str, tuple[str, ValueKind]] = field(default_factory=dict)
    new: dict[str, tuple[int, tuple[ValueKind, ...]]] = field(default_factory=dict)
    strange: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: ModelPlan, groups: Sequence[Group], documents: Sequence[Baseline]) -> _Columns:
        """Return the columns of all records of a version."""
        found = cls(_rows(groups))
        for document in documents:
            for series in document.series:
                if _is_watched(plan, series):
                    found._compare(document, series, [_counts(document, series, group) for group in groups])
        known = {series for document in documents for series in document.series}
        for series in sorted({name for group in groups for name in group.columns} - known):
            if _is_missed(plan, series):  # features that are left out are no columns of a batch
                found._add(series, groups)
        return found

    def features_gone(self) -> list[Named]:
        """Return the features that are gone."""
        return [Named(name, (kind,)) for name, (series, kind) in self.gone.items() if feature_of(series) is not None]

    def features_new(self) -> list[Named]:
        """Return the columns that are new."""
        return [Named(name, kinds) for name, (_, kinds) in self.new.items()]

    def _compare(self, document: Baseline, series: str, parts: Iterable[SeriesCounts]) -> None:
        first, *others = parts
        counts = first
        for other in others:
            counts = merge_counts(counts, other)
        limit = math.log(tests_of(document) / UNLIKELY)
        name, expected = feature_of(series) or series, kind_of(document, series)
        valued = self.rows - counts.missing
        if counts.missing == self.rows:
            if self.rows >= unnamed_rows(document, series, log_limit=limit):
                self.gone[name] = (series, expected)
        elif 2 * counts.invalid > valued >= strange_rows(document, series, log_limit=limit):
            live = kinds_in_words(counts.strange) or "arrays, objects, not finite or outside the domain"
            self.strange.setdefault((live, kinds_in_words((expected,))), []).append(name)

    def _add(self, series: str, groups: Sequence[Group]) -> None:
        named = [column for group in groups if (column := group.columns.get(series)) is not None]
        count = sum(occurrences(column) for column in named)
        kinds = tuple(sorted({kind for column in named for kind in kinds_of(column)}))
        if kinds and count >= EXTRA_SHARE * self.rows:
            self.new[feature_of(series) or series] = (count, kinds)


def _counts(document: Baseline, series: str, group: Group) -> SeriesCounts:
    """Return the counts of a series in a group; which stratum it is counted in changes none that are asked for here."""
    reference, column = document.series[series], group.columns.get(series)
    if column is None:
        return never_named(reference, group.rows.size)
    counts = count_column(column, group.tie, baseline=reference, constraint=document.constraints.get(series)).counts
    return with_probabilities(counts, group.columns) if series == PREDICTION else counts


def _is_watched(plan: ModelPlan, series: str) -> bool:
    feature = feature_of(series)
    return feature is None or plan.watches(feature)


def _is_missed(plan: ModelPlan, series: str) -> bool:
    """Say whether a series without a reference is worth a word: those of the model are mostly made of live events, and
    every event without an error says that there was none.
    """
    return feature_of(series) is not None or (plan.baseline is BaselineFrom.PUBLISHED and series != SERVING_ERROR)


def _rows(groups: Sequence[Group]) -> int:
    return sum(group.rows.size for group in groups)


def _titled(model: str, version: str) -> str:
    return f"{model} {version}" if version else model


def _share(count: int, rows: int) -> str:
    return f"{count:,} of {rows:,} records ({percent(count / rows)})"
