"""What comments and docstrings cite is in the repository: documents, and the hazards of docs/protocol.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for tree in ("stream_monitor", "tests", "bench") for path in sorted((ROOT / tree).rglob("*.py"))]
HAZARD = re.compile(r"[(,;] ?H(\d{1,2})(?=[),;])")
DOCUMENT = re.compile(r"(?<![\w/{*<])(docs/)?([a-z_]+\.md)(?!\w)")


def cited_hazards() -> dict[str, str]:
    """Return the hazards that sources cite, each with one file that does."""
    return {
        f"H{number}": str(path.relative_to(ROOT))
        for path in SOURCES
        for number in HAZARD.findall(path.read_text(encoding="utf-8"))
    }


def test_each_hazard_that_code_cites_is_explained() -> None:
    """The table of hazards has it."""
    explained = set(re.findall(r"^\| (H\d+) \|", (ROOT / "docs/protocol.md").read_text(encoding="utf-8"), re.MULTILINE))
    cited = cited_hazards()
    assert cited.keys() >= {"H6", "H9", "H25"}, "the pattern finds citations no more"
    assert {hazard: file for hazard, file in cited.items() if hazard not in explained} == {}


def test_each_document_that_code_cites_exists() -> None:
    """A citation of a document that is not here helps nobody."""
    folders = (ROOT, ROOT / "docs", ROOT / "bench/results")
    known = {path.name for folder in folders for path in folder.glob("*.md")}
    missing = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in SOURCES
        if path.name != Path(__file__).name
        for match in DOCUMENT.finditer(path.read_text(encoding="utf-8"))
        if match[2] not in known and not (path.parent / match[2]).exists()
    }
    assert missing == set()
