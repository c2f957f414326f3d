"""Bring the generated part of `docs/configuration.md` up to date: `python -m stream_monitor.config.docs`.

Everything above the marker is written by hand; the table below it follows the typed file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stream_monitor.config.reference import Setting, settings

MARKER = "<!-- generated from stream_monitor/config/file.py by: python -m stream_monitor.config.docs -->"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def table() -> str:
    """Return the reference of all settings: a heading and a table for every top-level section."""
    everything = list(settings())
    single = [s for s in everything if not _has_parts(s, everything) and not _nested(s)]
    lines = ["", "## Settings without a section", "", *_rows(single)]
    for head in everything:
        if not _nested(head) and _has_parts(head, everything):
            parts = [s for s in everything if _root(s) == head.path and s is not head]
            lines += ["", f"## `{head.path}`", "", f"{head.text} ({head.kind})", "", *_rows(parts)]
    return "\n".join(lines) + "\n"


def page(current: str) -> str:
    """Return the page with its generated part renewed.

    Raises:
        ValueError: the page has no marker.
    """
    written, marker, _ = current.partition(MARKER)
    if not marker:
        raise ValueError(f"the page has no line {MARKER}")
    return written + MARKER + "\n" + table()


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")


def _rows(found: list[Setting]) -> list[str]:
    rows = ["| setting | value | default | meaning |", "|---|---|---|---|"]
    rows += [f"| `{s.path}` | {s.kind} | {f'`{s.default}`' if s.default else ''} | {s.text} |" for s in found]
    return rows


def _root(setting: Setting) -> str:
    return setting.path.split(".")[0].removesuffix("[]")


def _nested(setting: Setting) -> bool:
    return "." in setting.path


def _has_parts(setting: Setting, everything: list[Setting]) -> bool:
    return any(_root(s) == setting.path and s is not setting for s in everything)


if __name__ == "__main__":
    main()
