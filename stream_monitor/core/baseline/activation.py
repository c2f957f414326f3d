"""Records of `drift-baselines` that say which document counts when: activations, supplements, their ends, starts.

None is ever rewritten: each has a key of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import msgspec

from stream_monitor.core.canonical import Json, canonical_json

SCHEMA_VERSION: Final = 1


class Branch(StrEnum):
    """What an activation makes of its document; the first part of its key."""

    ACTIVE = "active"
    """The baseline of a version."""
    SUPPLEMENT = "supplement"
    """References of series that the baseline of the version does not have."""


@dataclass(frozen=True, slots=True, order=True)
class Activation:
    """A document counts from the pane on that begins at `from_ms`.

    Attributes:
        from_ms: start of the first pane, epoch ms.
        offset: of its record in the topic.
        timestamp_ms: broker time of its record.
        baseline: id of the document.
        automatic: a judge wrote it, no operator.
        extends: of a supplement, id of the baseline whose live series it was made for; else empty.
    """

    from_ms: int
    offset: int
    timestamp_ms: int
    model: str
    version: str
    baseline: str
    automatic: bool = False
    extends: str = ""

    @property
    def branch(self) -> Branch:
        """What it makes of its document."""
        return Branch.SUPPLEMENT if self.extends else Branch.ACTIVE


@dataclass(frozen=True, slots=True)
class End:
    """The activation of pane `from_ms` does not count in panes from `until_ms` on."""

    branch: Branch
    model: str
    version: str
    from_ms: int
    until_ms: int
    offset: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class StartRecord:
    """A group of workers began: partitions of every input topic at that time, and where the record stands."""

    group: str
    instance: str
    partitions: Mapping[str, int]
    offset: int
    timestamp_ms: int


def activation_record(
    model: str, version: str, baseline_id: str, from_ms: int, *, automatic: bool = False, lead_ms: int | None = None
) -> tuple[bytes, bytes]:
    """Return key and value of an activation; a record of its own per pane, never rewritten.

    Args:
        model: whose it is.
        version: of the model.
        baseline_id: id of the document.
        from_ms: first pane.
        automatic: a judge writes it, no operator.
        lead_ms: lead that the writer keeps (`activation_lead_ms`). Written down, it decides for every reader whether
            the record came too late, whatever `time.max_future` is set to later. None: the reader's lead decides.

    >>> activation_record("fraud", "7", "sha256:0f4d", 1795332000000)[0]
    b'active/fraud/7/1795332000000'
    """
    value: dict[str, Json] = {"baseline": baseline_id, "from_ms": from_ms}
    if automatic:
        value["automatic"] = True
    return _key(Branch.ACTIVE.value, model, version, str(from_ms)), _value("activation", value, lead_ms)


def supplement_record(
    model: str, version: str, baseline_id: str, from_ms: int, *, extends: str, lead_ms: int | None = None
) -> tuple[bytes, bytes]:
    """Return key and value of the activation of a supplement.

    Args:
        model: whose it is.
        version: of the model.
        baseline_id: id of its document.
        from_ms: first pane.
        extends: id of the baseline whose live series it was made for.
        lead_ms: as of an activation.
    """
    value: dict[str, Json] = {"baseline": baseline_id, "extends": extends, "from_ms": from_ms}
    return _key(Branch.SUPPLEMENT.value, model, version, str(from_ms)), _value("supplement", value, lead_ms)


def gathering_record(model: str, version: str, from_ms: int, *, lead_ms: int | None = None) -> tuple[bytes, bytes]:
    """Return key and value of the request to gather rows for a supplement from a pane on."""
    return _key("gather", model, version, str(from_ms)), _value("gathering", {"from_ms": from_ms}, lead_ms)


def end_record(activation: Activation, until_ms: int, *, lead_ms: int | None = None) -> tuple[bytes, bytes]:
    """Return key and value of the end of an activation."""
    own = activation
    key = _key("end", own.branch.value, own.model, own.version, str(own.from_ms), str(until_ms))
    value: dict[str, Json] = {"branch": own.branch.value, "from_ms": own.from_ms, "until_ms": until_ms}
    return key, _value("end", value, lead_ms)


def start_record(group: str, instance: str, partitions: Mapping[str, int]) -> tuple[bytes, bytes]:
    """Return key and value of a group's start: the number of partitions of every input topic."""
    return _key("start", group, instance), _value("start", {"partitions": dict(partitions)})


# --- the shape on the wire --------------------------------------------------------------------------------------------


class ActivationWire(msgspec.Struct, frozen=True):
    """An activation as JSON."""

    kind: Literal["activation"]
    schema_version: Literal[1]
    baseline: str
    from_ms: int
    automatic: bool = False
    lead_ms: int | None = None


class SupplementWire(msgspec.Struct, frozen=True):
    """The activation of a supplement as JSON."""

    kind: Literal["supplement"]
    schema_version: Literal[1]
    baseline: str
    extends: str
    from_ms: int
    lead_ms: int | None = None


class GatheringWire(msgspec.Struct, frozen=True):
    """A request to gather rows as JSON."""

    kind: Literal["gathering"]
    schema_version: Literal[1]
    from_ms: int
    lead_ms: int | None = None


class EndWire(msgspec.Struct, frozen=True):
    """The end of an activation as JSON."""

    kind: Literal["end"]
    schema_version: Literal[1]
    branch: Branch
    from_ms: int
    until_ms: int
    lead_ms: int | None = None


class StartWire(msgspec.Struct, frozen=True):
    """The start of a group as JSON."""

    kind: Literal["start"]
    schema_version: Literal[1]
    partitions: dict[str, int]


def unescaped(name: str) -> str:
    """Return a name as it was before it became part of a key."""
    return name.replace("%2F", "/").replace("%2f", "/").replace("%25", "%")


def _key(*names: str) -> bytes:
    return "/".join(name.replace("%", "%25").replace("/", "%2F") for name in names).encode()


def _value(kind: str, own: Mapping[str, Json], lead_ms: int | None = None) -> bytes:
    lead: dict[str, Json] = {} if lead_ms is None else {"lead_ms": lead_ms}
    return canonical_json({"kind": kind, "schema_version": SCHEMA_VERSION, **own, **lead})
