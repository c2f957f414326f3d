"""Metrics: what workers say becomes counters and gauges that Prometheus' own programs accept, within a hard limit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from stream_monitor.core.names import ValueReject
from stream_monitor.core.profile import ModelCounts
from stream_monitor.kafka.errors import RestartReason
from stream_monitor.kafka.observer import ChunkStage, CommitOutcome, Loop, Observer, RebalanceEvent
from stream_monitor.outputs import families, prometheus
from stream_monitor.outputs.endpoints import Identity, pages
from stream_monitor.outputs.families import FAMILIES, FamilyType
from stream_monitor.outputs.http import HttpServer
from stream_monitor.outputs.points import OVERFLOW
from stream_monitor.outputs.prometheus import MetricsOptions
from stream_monitor.outputs.top_series import HOLD_S
from tests import instants
from tests.outputs.listening import PREFIX, Listener, alert, chunk, eventful, series, view
from tests.prometheus_server import PrometheusServer

HOSTILE = ["a\nstream_monitor_injected 1", 'a"} 1', "a\\", "\x1b[31mred", "\ud800", "x" * 5_000, "ä" * 100, "\x00"]


def test_a_metrics_is_an_observer_of_the_workers() -> None:
    """Its methods fit the protocol of kafka/, which it may not import (checked by mypy)."""
    observer: Observer = Listener().metrics
    observer.commit(Loop.PROFILE, CommitOutcome.DONE)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (prometheus.OUTCOMES, CommitOutcome),
        (prometheus.REBALANCES, RebalanceEvent),
        (prometheus.RESTARTS, RestartReason),
        (prometheus.STAGES, ChunkStage),
        ((*prometheus.LOOPS, "relay"), Loop),
    ],
)
def test_closed_label_sets_are_those_of_the_workers(ours: tuple[str, ...], theirs: type) -> None:
    """A new reason in kafka/ is a new time series that starts at 0."""
    assert set(ours) == set(theirs)  # type: ignore[call-overload]  # an enum class, iterated


def test_promtool_finds_nothing_to_say(promtool: Path) -> None:
    """`promtool check metrics` accepts names, types, help texts and values without a lint."""
    text = eventful().text()
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_promtool_would_find_a_bad_name(promtool: Path) -> None:
    """The check above is alive: a counter without `_total` is a lint."""
    bad = "# HELP x_seconds_count Bad.\n# TYPE x_seconds_count counter\nx_seconds_count 1\n"
    done = subprocess.run([promtool, "check", "metrics"], input=bad, capture_output=True, text=True, check=False)

    assert done.returncode == 3


def test_the_table_is_what_is_emitted() -> None:
    """Every family of the table appears with its type, help and labels, and no other of ours."""
    emitted = {
        family.name: (
            family.type,
            family.documentation,
            {frozenset(sample.labels) - {"le"} for sample in family.samples},
        )
        for family in text_string_to_metric_families(eventful().text())
        if family.name.startswith(PREFIX)
    }
    table = {
        family.full_name.removesuffix("_total") if family.type is FamilyType.COUNTER else family.full_name: (
            str(family.type),
            family.help,
            {frozenset(family.labels)},
        )
        for family in FAMILIES
    }

    assert emitted == table


def test_no_created_series_doubles_the_counters() -> None:
    """The client's `_created` gauges would cost as much as the counters and tell nothing."""
    assert "_created" not in eventful().text()


def test_openmetrics_is_served_to_those_who_ask() -> None:
    """A scraper that prefers OpenMetrics gets it, ended as the format wants."""
    body, content_type = eventful().metrics.exposition("application/openmetrics-text; version=1.0.0")

    assert (content_type.split(";")[0], body.endswith(b"# EOF\n")) == ("application/openmetrics-text", True)


def test_a_real_prometheus_scrapes_the_values(prometheus: Path, tmp_path: Path) -> None:
    """Value, labels and type arrive in Prometheus as they were set."""
    listener = eventful()
    listener.clock.now_s = instants.now_ms() / 1_000
    identity = Identity("fraud-monitor", "0", ("profile", "judge"), "0.1.0", "9f2b0c61d8")
    with (
        HttpServer("127.0.0.1", 0, pages(identity, listener.metrics, listener.health)) as server,
        PrometheusServer(prometheus, tmp_path, target=server.address, job="monitor") as scraper,
    ):
        ((labels, value),) = scraper.wait_for('stream_monitor_evidence_ratio{series="feature:amount"}')

    del labels["instance"]
    expected = {"__name__": "stream_monitor_evidence_ratio", "job": "monitor", "model": "fraud", "version": "7"}
    assert (labels, value) == ({**expected, "series": "feature:amount"}, 0.5)


# --- counting ---------------------------------------------------------------------------------------------------------


def test_a_committed_chunk_is_counted_once_under_each_name() -> None:
    """Records and bytes by topic, events by model and version, late and refused values apart, latency in seconds."""
    listener = Listener()
    counts = ModelCounts(events={"inference": 10}, late=3, serving_errors=2, latency_ms=np.array([5.0, 700.0]))
    models = {("fraud", "7"): counts, ("fraud", "8"): ModelCounts(events={"inference": 4})}
    rejects = {("fraud", ValueReject.NON_FINITE): 4}
    listener.metrics.chunk("inference-events", 0, value_bytes=99, chunk=chunk(models, read=14, value_rejects=rejects))
    found = listener.value

    assert {
        "records": found("records_consumed_total", topic="inference-events"),
        "bytes": found("consumed_bytes_total", topic="inference-events"),
        "events 7": found("events_total", model="fraud", version="7", kind="inference"),
        "events 8": found("events_total", model="fraud", version="8", kind="inference"),
        "late": found("events_late_total", model="fraud", version="7"),
        "errors": found("serving_errors_total", model="fraud", version="7"),
        "refused": found("values_rejected_total", model="fraud", reason="non_finite"),
        "fast": found("serving_latency_seconds_bucket", model="fraud", version="7", le="0.005"),
        "all": found("serving_latency_seconds_bucket", model="fraud", version="7", le="+Inf"),
        "sum": found("serving_latency_seconds_sum", model="fraud", version="7"),
    } == {
        "records": 14,
        "bytes": 99,
        "events 7": 10,
        "events 8": 4,
        "late": 3,
        "errors": 2,
        "refused": 4,
        "fast": 1,
        "all": 2,
        "sum": pytest.approx(0.705),
    }


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("records_rejected_total", {"topic": "inference-events", "reason": "invalid_json"}),
        ("commits_total", {"loop": "judge", "outcome": "unknown"}),
        ("rebalances_total", {"event": "lost"}),
        ("restarts_total", {"reason": "slow_commit"}),
        ("chunks_dropped_total", {"reason": "rival"}),
        ("closed_pane_records_total", {"cause": "gap"}),
        ("chain_gaps_total", {"topic": "inference-events"}),
        ("judge_diverged_total", {}),
        ("chunk_duration_seconds_count", {"stage": "commit"}),
    ],
)
def test_a_known_label_set_starts_at_zero(name: str, labels: dict[str, str]) -> None:
    """The first increment is then seen by `rate`, which needs a value before it."""
    assert Listener().value(name, **labels) == 0


def test_counters_of_the_judge_are_handed_over_as_increments() -> None:
    """A view holds totals of its judge; two looks at the same total count once."""
    listener = Listener()
    for total in (2, 2, 5):
        listener.metrics.judged(view(panes=total, counters={("detections_total", "fraud", "adwin"): total}))

    assert (
        listener.value("detections_total", model="fraud", detector="adwin"),
        listener.value("panes_closed_total", model="fraud"),
    ) == (5, 5)


def test_events_of_unlisted_segment_values_are_counted() -> None:
    """By the name of the segment: the values are as many as anybody likes."""
    listener = Listener()
    listener.metrics.judged(view(counters={("events_other_segment_total", "fraud", "7", "channel"): 12}))

    assert 12 == listener.value("events_other_segment_total", model="fraud", version="7", segment="channel")


def test_a_judge_built_anew_counts_on() -> None:
    """After a restart a judge's totals begin at 0: the process' counters go on and never back."""
    listener = Listener()
    for total in (5, 1, 2):
        listener.metrics.judged(view(panes=total))

    assert listener.value("panes_closed_total", model="fraud") == 7


def test_a_partition_that_comes_back_is_counted_from_zero() -> None:
    """A released partition's totals are forgotten with it: its next owner, maybe we again, starts at 0."""
    listener = Listener()
    listener.metrics.judged(view(panes=5))
    listener.metrics.released("judge", "drift-profiles", 0)
    listener.metrics.judged(view(panes=6))

    assert listener.value("panes_closed_total", model="fraud") == 11


def test_client_error_codes_are_bounded() -> None:
    """A client with a thousand kinds of trouble makes 30 time series."""
    listener = Listener()
    for code in range(1_000):
        listener.metrics.kafka_error(f"E{code}")

    assert (len(listener.names("kafka_errors_total", "code")), listener.value("kafka_errors_total", code="other")) == (
        prometheus.MAX_ERROR_CODES + 1,
        1_000 - prometheus.MAX_ERROR_CODES,
    )


# --- what comes and goes ----------------------------------------------------------------------------------------------


def test_series_of_a_released_partition_vanish() -> None:
    """Gauges of a model come only from the judge that owns it; counters stay."""
    listener = Listener()
    listener.metrics.judged(view([series()], alerts=[alert()]))
    listener.metrics.lag("drift-profiles", 0, 5)
    before = {name for name, _ in listener.samples()}
    listener.metrics.released("judge", "drift-profiles", 0)
    gone = before - {name for name, _ in listener.samples()}

    assert gone == {
        "alert_start_timestamp_seconds",
        "alerts_firing",
        "baseline_info",
        "baseline_timestamp_seconds",
        "consumer_lag_records",
        "evidence_ratio",
        "false_alarm_interval_seconds",
        "kolmogorov_smirnov_distance",
        "last_pane_timestamp_seconds",
        "missing_ratio",
        "psi",
        "series",
        "series_guarantee_info",
        "series_not_watched",
        "version_unwatched_timestamp_seconds",
    }


def test_an_alert_is_exported_while_it_fires() -> None:
    """The series exists from firing to resolved, and its value is the start in seconds."""
    listener = Listener()
    labels = {"model": "fraud", "version": "7", "segment": "", "series": "feature:amount", "rule": "drift"}
    seen = []
    for alerts in ([], [alert(starts_ms=1_500)], []):
        listener.metrics.judged(view(alerts=alerts))
        seen.append(
            (
                listener.value("alert_start_timestamp_seconds", **labels, severity="warning"),
                listener.value("alerts_firing", model="fraud", severity="warning"),
            )
        )

    assert seen == [(None, 0), (1.5, 1), (None, 0)]


def test_alerts_with_equal_exported_labels_are_one_series() -> None:
    """Two alerts that differ in a label we do not export must not double a series: the scrape would be refused."""
    listener = Listener()
    twins = [alert("columns", alertname=name, starts_ms=ms) for name, ms in (("MissingColumn", 9), ("ExtraColumn", 5))]
    listener.metrics.judged(view(alerts=twins))

    assert [value for (name, _), value in listener.samples().items() if name.startswith("alert_start")] == [0.005]


def test_the_series_with_most_evidence_are_exported() -> None:
    """The top k of a model; one without evidence (warming up) comes last."""
    listener = Listener(MetricsOptions(top_k=2))
    strong, weak, none, other = (
        series("feature:strong", 1.2),
        series("feature:weak", 0.1),
        series("feature:none", None),
        series("feature:other", 0.01, model="churn"),
    )
    listener.metrics.judged(view([none, weak, strong, other]))

    assert listener.names("psi") == ["feature:other", "feature:strong", "feature:weak"]


def test_an_exported_series_stays_for_an_hour() -> None:
    """A graph does not break when ranks change; after an hour out of the top it ends."""
    listener = Listener(MetricsOptions(top_k=1))
    seen = []
    for minutes, first, second in ((0, 0.9, 0.1), (10, 0.1, 0.9), (50, 0.1, 0.9), (60, 0.1, 0.9)):
        listener.clock.now_s = minutes * HOLD_S / 60
        listener.metrics.judged(view([series("feature:a", first), series("feature:b", second)]))
        seen.append(listener.names("evidence_ratio"))

    assert seen == [["feature:a"], ["feature:a", "feature:b"], ["feature:a", "feature:b"], ["feature:b"]]


@pytest.mark.parametrize(("choice", "count"), [("all", 30), ("none", 0), ("top_k", 20)])
def test_the_operator_chooses_how_many_series(choice: str, count: int) -> None:
    """`per_series` is all, none or the top k."""
    listener = Listener(MetricsOptions(per_series=choice))  # type: ignore[arg-type]  # from a table of texts
    listener.metrics.judged(view([series(f"feature:{number}", number / 100) for number in range(30)]))

    assert len(listener.names("evidence_ratio")) == count


def test_a_topic_of_many_partitions_is_one_series() -> None:
    """Over a hundred partitions: the largest lag and the smallest watermark, under an empty partition."""
    listener = Listener()
    for partition in range(101):
        listener.metrics.lag("wide", partition, partition)
        listener.metrics.watermark("wide", partition, 1_000 * (partition + 7))

    assert (
        listener.names("consumer_lag_records", "partition"),
        listener.value("consumer_lag_records", topic="wide", partition=""),
        listener.value("watermark_timestamp_seconds", topic="wide", partition=""),
    ) == ([""], 100, 7)


# --- limits and hostile names -----------------------------------------------------------------------------------------


def test_the_limit_holds_whatever_events_name() -> None:
    """Far more series than the limit: as many as allowed are scraped, firing alerts first, the rest is counted."""
    listener = Listener(MetricsOptions(per_series="all", max_series=1_000))
    many = [series(f"feature:{number}", number / 10_000) for number in range(10_000)]
    listener.metrics.judged(view(many, alerts=[alert("feature:3")]))
    samples = listener.samples()
    kept = listener.names("evidence_ratio")

    assert (
        995 < len(samples) <= 1_000,
        listener.names("alert_start_timestamp_seconds"),
        "feature:9999" in kept,
        samples["metric_series_suppressed", ()],
    ) == (True, ["feature:3"], True, 5 * (10_000 - len(kept)))


def test_counters_of_names_that_events_choose_are_bounded_and_complete() -> None:
    """A million models cannot fill the memory: past the limit they are counted together, and no event is lost."""
    listener = Listener(MetricsOptions(max_series=500))
    for number in range(2_000):
        models = {(f"model-{number}", ""): ModelCounts(events={"inference": 1})}
        listener.metrics.chunk("inference-events", 0, value_bytes=1, chunk=chunk(models, read=1))
    kept = sum(len(group) for group in listener.metrics._accumulated.groups())
    counted = [point.value for (point, *_) in listener.metrics._accumulated.groups() if point.family is families.EVENTS]

    assert (kept < 1_000, sum(counted), OVERFLOW in listener.names("events_total", "model")) == (True, 2_000, True)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_neither_breaks_a_scrape_nor_adds_a_line(name: str, promtool: Path) -> None:
    """Control characters, surrogates, quotes and long names are one escaped label value of at most 128 bytes."""
    listener = Listener()
    before = len(listener.samples())
    models = {(name, name): ModelCounts(events={"inference": 1})}
    listener.metrics.chunk("inference-events", 0, value_bytes=1, chunk=chunk(models))
    listener.metrics.judged(view([series(name, model=name)], model=name, alerts=[alert(name, model=name)]))
    listener.metrics.dead_letter(name, "invalid_json")
    listener.metrics.lag(name, 0, 1)
    text = listener.text()
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    labels = [value for _, labels in listener.samples() for _, value in labels]

    assert (
        done.returncode,
        [line for line in text.split("\n") if line.startswith("stream_monitor_injected")],
        max(len(value.encode()) for value in labels) <= 128,
        any(character in text for character in "\x1b\x00\r"),
        len(listener.samples()) > before,
    ) == (0, [], True, False, True)


def test_a_number_that_is_none_is_left_out() -> None:
    """Infinite or missing evidence is no time series: Prometheus would draw it."""
    listener = Listener()
    listener.metrics.judged(view([series("feature:a", float("-inf")), series("feature:b", float("nan"))]))

    assert (listener.names("evidence_ratio"), listener.names("psi")) == ([], ["feature:a", "feature:b"])
