"""The alert event, byte for byte."""

from __future__ import annotations

from pathlib import Path

import msgspec
import orjson
import pytest

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.identity import SeriesName, alert_labels, fingerprint, storm_labels, subject
from stream_monitor.core.canonical import canonical_json
from stream_monitor.core.plan import Severity

SCHEMA_EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"

EXAMPLE = canonical_json(orjson.loads((SCHEMA_EXAMPLES / "alert.json").read_bytes()))
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
