"""The alert event, byte for byte."""

from __future__ import annotations

import msgspec
import pytest

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.identity import SeriesName, alert_labels, fingerprint, storm_labels, subject
from stream_monitor.core.plan import Severity

EXAMPLE = (
    b'{"data":{"alert_id":"b371c53ded674fc8-1795331960000","annotations":{"description":"Evidence 10^7.1, budget 1'
    b'0^6.5; higher values are more frequent.","runbook_url":"https://runbooks.example/drift","summary":"fraud 7: '
    b'feature amount drifts (PSI 0.22)"},"evidence":{"baseline":{"id":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae'
    b'41e4649b934ca495991b7852b855","m":1023},"bins":{"baseline":[205,205,205,205,204],"edges":[12.5,40.0,90.0,210'
    b'.0],"window":[420,655,940,1265,1720]},"budget_panes":259200,"change":{"from":"2026-11-22T07:17:50.000Z","to"'
    b':"2026-11-22T07:18:30.000Z"},"detector":"rank_shiryaev_roberts","effect":{"floor":0.1,"measure":"psi","noise'
    b'_95":0.0111629,"value":0.222373},"examples":[{"event_id":"01JD9X2M7Q-17","offset":81233,"partition":2}],"fam'
    b'ily":12,"guarantee":"bound","log10_evidence":7.1,"log10_threshold":6.49282,"related":[{"log10_evidence":5.2,'
    b'"series":"prediction"}],"source":[{"first":80100,"next":82100,"partition":2,"topic":"inference-events"}],"wi'
    b'ndow":{"from":"2026-11-22T07:18:50.000Z","n":5000,"to":"2026-11-22T07:19:40.000Z"}},"fingerprint":"b371c53de'
    b'd674fc8","generatorURL":"https://monitor.example/alerts/b371c53ded674fc8-1795331960000","labels":{"alertname'
    b'":"FeatureDrift","model":"fraud","rule":"drift","series":"feature:amount","severity":"warning","version":"7"'
    b'},"reason":"fired","sequence":1,"startsAt":"2026-11-22T07:19:20.000Z","status":"firing"},"datacontenttype":"'
    b'application/json","id":"b371c53ded674fc8-1795331960000-1","partitionkey":"b371c53ded674fc8","source":"/strea'
    b'm-monitor/fraud-monitor","specversion":"1.0","subject":"fraud/7/feature:amount","time":"2026-11-22T07:19:40.'
    b'000Z","type":"io.streammonitor.alert.firing.v1"}'
)
"""The documented example in canonical form."""


def test_the_documented_event_round_trips_to_the_byte() -> None:
    """Reading and writing the documented example loses and changes nothing."""
    assert wire.encode(wire.decode(EXAMPLE)) == EXAMPLE


def test_an_envelope_is_a_function_of_its_data() -> None:
    """Id, type and partition key follow from the alert."""
    event = wire.decode(EXAMPLE)

    assert wire.cloud_event(event.data, source=event.source, subject=event.subject, time_ms=1795331980000) == event


@pytest.mark.parametrize(("examples", "kept"), [(5, 5), (2000, 0)])
def test_an_event_never_passes_64_kib(examples: int, kept: int) -> None:
    """Details give way before a record is refused by the broker."""
    event = wire.decode(EXAMPLE)
    many = tuple(wire.ExampleEvent(event_id=f"{i:040}", partition=0, offset=i) for i in range(examples))
    data = msgspec.structs.replace(event.data, evidence=msgspec.structs.replace(event.data.evidence, examples=many))
    encoded = wire.encode(msgspec.structs.replace(event, data=data))

    assert len(encoded) <= wire.MAX_EVENT_BYTES
    assert len(wire.decode(encoded).data.evidence.examples) == kept


def test_identity_leaves_out_what_is_empty() -> None:
    """Alertmanager drops empty labels before it hashes, so we never write them."""
    whole = alert_labels(SeriesName("fraud", "7", "", "feature:amount"), rule="drift", severity=Severity.WARNING)
    part = alert_labels(
        SeriesName("fraud", "7", "country=DE", "feature:amount"), rule="drift", severity=Severity.WARNING
    )

    assert fingerprint(whole) == "b371c53ded674fc8"
    assert fingerprint(part) == "285229d93c79fb11"
    assert "version" not in alert_labels(SeriesName("m", "", "", "demand"), rule="traffic", severity=Severity.CRITICAL)


def test_constant_labels_belong_to_the_identity_but_hide_nothing() -> None:
    """A deployment may add labels; it cannot rename a model."""
    labels = storm_labels("fraud", (("team", "risk"), ("model", "other")))

    assert labels == {
        "team": "risk",
        "alertname": "AlertStorm",
        "model": "fraud",
        "rule": "alert_storm",
        "severity": "critical",
    }


def test_a_subject_is_unambiguous() -> None:
    """A slash inside a name does not look like the separator."""
    assert subject(SeriesName("a/b", "", "", "feature:50%")) == "a%2Fb//feature:50%25"
