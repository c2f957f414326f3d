"""librdkafka's own settings."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from stream_monitor.config.fields import Librdkafka
from stream_monitor.config.settings import KafkaConfig


class KafkaSection(BaseModel):
    """librdkafka's own settings, passed on as they are; only the overrides by role are ours."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Librdkafka] = Field(init=False)

    consumer: dict[str, Librdkafka] = Field(default={}, description="Overrides for consumers.")
    producer: dict[str, Librdkafka] = Field(default={}, description="Overrides for producers.")

    def to_settings(self) -> KafkaConfig:
        """Return the settings of both roles and the overrides of each, all as text."""
        return KafkaConfig(_texts(self.__pydantic_extra__), _texts(self.consumer), _texts(self.producer))


def _texts(values: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
