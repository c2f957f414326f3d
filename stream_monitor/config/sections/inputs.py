"""Input topics, and the formats in which their records may be."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from stream_monitor.config.errors import NOT_YET, Finding
from stream_monitor.config.fields import Json, Name, Section, TopicName, listed
from stream_monitor.core.plan import InputPlan, Params


class InputFormat(StrEnum):
    """How the records of an input topic are read."""

    NATIVE = "native"
    NATIVE_LABELS = "native_labels"
    NATIVE_INSTANCES = "native_instances"
    CLOUDEVENTS = "cloudevents"
    KSERVE = "kserve"
    OPEN_INFERENCE = "open_inference"
    SELDON1 = "seldon1"
    SELDON2 = "seldon2"
    MLSERVER = "mlserver"
    SAGEMAKER = "sagemaker"
    AVRO = "avro"
    PROTOBUF = "protobuf"
    JSON = "json"


AVAILABLE_FORMATS = (InputFormat.NATIVE,)
"""Formats that this version reads; the others are refused by name."""

EVENT_ID_SOURCES = ("key", "record.offset")
"""What may stand for the event id of native events that have none."""


class InputSection(Section):
    """One input topic."""

    topic: TopicName = Field(description="Name of the topic.")
    format: Annotated[InputFormat, Field(strict=False)] = Field(
        default=InputFormat.NATIVE, description="How its records are read."
    )
    model: Name | None = Field(
        default=None, description="Model of every event of the topic, when the events do not say."
    )
    mapping: dict[str, str] | None = Field(
        default=None,
        description="Where fields of an event are in a record. Of native events: `event_id: key` or `record.offset`.",
    )
    time: dict[str, Json] | None = Field(default=None, description="Time settings of this input alone.")
    join: dict[str, Json] | None = Field(default=None, description="Join of request and response records.")
    columns: Annotated[tuple[Name, ...], BeforeValidator(listed)] | None = Field(
        default=None, description="Names of positional columns."
    )

    def unavailable(self, path: str) -> Iterator[Finding]:
        """Yield a finding for every setting of the input that would do nothing."""
        if self.format not in AVAILABLE_FORMATS:
            known = ", ".join(AVAILABLE_FORMATS)
            yield Finding(f"{path}.format", f"{NOT_YET}; available: {known}", self.format.value)
        for field, source in (self.mapping or {}).items():
            if field != "event_id" or source not in EVENT_ID_SOURCES:
                known = ", ".join(EVENT_ID_SOURCES)
                yield Finding(f"{path}.mapping.{field}", f"{NOT_YET}: of native events only event_id: {known}", source)
        for name in ("time", "join", "columns"):
            if getattr(self, name) is not None:
                yield Finding(f"{path}.{name}", f"{NOT_YET}: native events need none; remove it")

    def to_plan(self) -> InputPlan:
        """Return how the records of the topic are read."""
        source = (self.mapping or {}).get("event_id")
        params: Params = () if source is None else (("event_id", "record.key" if source == "key" else source),)
        return InputPlan(self.topic, self.format.value, self.model, params)
