"""docs/alerts.md explains every field and every kind of alert."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream_monitor.core import names
from stream_monitor.core.alerts.wording.table import WORDINGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
DATA: dict[str, Any] = json.loads((ROOT / "schemas/alert.schema.json").read_text(encoding="utf-8"))["properties"][
    "data"
]


@pytest.mark.parametrize("name", [*DATA["properties"], *DATA["properties"]["evidence"]["properties"]])
def test_each_field_is_explained(name: str) -> None:
    """It stands in the first column of a table."""
    first_cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]
    assert any(f"`{name}`" in cell for cell in first_cells)


@pytest.mark.parametrize("reason", DATA["properties"]["reason"]["enum"])
def test_each_reason_is_explained(reason: str) -> None:
    """It is in the table of an alert's life."""
    assert f"`{reason}`" in PAGE


@pytest.mark.parametrize(
    "alertname",
    sorted({family.alertname for family in names.SERIES_FAMILIES} | {row.alertname for row in WORDINGS}),
)
def test_each_kind_is_explained(alertname: str) -> None:
    """The table of kinds says what to look at first."""
    assert f"`{alertname}`" in PAGE
