"""Bring the table of `docs/metrics.md` up to date: `python -m stream_monitor.outputs.docs`.

Everything above the marker is written by hand; the table below it follows `families`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stream_monitor.outputs.families import FAMILIES

MARKER = "<!-- generated from stream_monitor/outputs/families.py by: python -m stream_monitor.outputs.docs -->"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def page(current: str) -> str:
    """Return the page with its generated part renewed.

    Raises:
        ValueError: the page has no marker.
    """
    written, marker, _ = current.partition(MARKER)
    if not marker:
        raise ValueError(f"the page has no line {MARKER}")
    rows = [
        f"| `{family.full_name}` | {family.type} | {', '.join(family.labels) or '-'} | {family.help} |"
        for family in FAMILIES
    ]
    head = ["", "| metric | type | labels | meaning |", "|---|---|---|---|"]
    return written + MARKER + "\n" + "\n".join([*head, *rows]) + "\n"


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")


if __name__ == "__main__":
    main()
