"""What a backtest says of a file before its first row: what was found, left out and taken as the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.names import feature_series
from stream_monitor.core.plan import ModelPlan, Plan
from stream_monitor.core.study.survey import Survey
from stream_monitor.core.time import format_instant
from stream_monitor.formats.tables import Role, TableLayout
from stream_monitor.runtimes.backtest.notes.dependence_notes import dependence_notes
from stream_monitor.runtimes.backtest.notes.season_notes import season_notes
from stream_monitor.runtimes.backtest.notes.segment_notes import segment_notes


def file_note(path: Path, seen: Survey, layout: TableLayout | None) -> str:
    """Return one line: rows, time, roles and features of a file; native events have no layout."""
    parts = [f"{path.name}: {seen.rows:,} rows"]
    if seen.rows and (layout is None or Role.TIMESTAMP in layout.roles):
        parts.append(f"{format_instant(int(seen.times_ms.min()))} to {format_instant(int(seen.times_ms.max()))}")
    if layout is None:
        parts.append("native events")
    else:
        beside = "".join(f" and {name}" for name in layout.time_of_day)
        words = {Role.TIMESTAMP: beside + layout.stamps.words}
        parts += [f"{role.value} in {column}{words.get(role, '')}" for role, column in sorted(layout.roles.items())]
        parts.append(f"{len(layout.kinds)} feature{'' if len(layout.kinds) == 1 else 's'}")
        written = [f"{name} ({form.words})" for name, form in layout.forms.items() if name in layout.kinds]
        parts += (
            [f"read as numbers: {', '.join(written[:5])}" + (" ..." if len(written) > 5 else "")] if written else []
        )
        if layout.errors is not None:
            parts.append(f"{layout.errors.name}: {layout.errors.words}")
        parts += left_out(layout)
    if layout is not None and Role.TIMESTAMP not in layout.roles:
        parts.append("no time stamps: rows are the clock")
    return "; ".join(parts)


def left_out(layout: TableLayout) -> list[str]:
    """Return the columns that are left out, the first five for each reason."""
    by_reason: dict[str, list[str]] = {}
    for column, why in layout.dropped.items():
        by_reason.setdefault(why, []).append(column)
    return [
        f"left out: {', '.join(columns[:5])}"
        + (f" and {len(columns) - 5} more" if len(columns) > 5 else "")
        + f" ({why})"
        for why, columns in by_reason.items()
    ]


def reference_notes(built: list[tuple[Baseline, int]], path: Path | None, plan: Plan) -> list[str]:
    """Return a line or two for each baseline, the largest ten of them."""
    source = "the first" if path is None else f"{path.name}:"
    lines = []
    for baseline, _ in sorted(built, key=lambda own: -own[0].origin.rows)[:10]:
        kinds = Counter(series.kind.value for series in baseline.series.values())
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        named = f"{baseline.model} {baseline.version}".strip()
        lines += [
            f"baseline of {named}: {source} {baseline.origin.rows:,} rows; {told}",
            *dependence_notes(baseline),
            *season_notes(baseline),
            *segment_notes(baseline, (plan.model(baseline.model) or ModelPlan()).segments),
        ]
    return lines


def unwatched_notes(
    layout: TableLayout, built: list[tuple[Baseline, int]], empty: Collection[str] = frozenset()
) -> list[str]:
    """Return a line about the columns that no baseline holds, and one about those of which only their being there is
    judged, the first ten of them.
    """
    watched = {name for baseline, _ in built for name in baseline.series}
    gone = [name for name in layout.kinds if feature_series(name) not in watched]
    rare = [name for name in layout.kinds if feature_series(name) in empty and name not in gone]
    lines = (
        [f"fewer than 63 values in the reference, judged is whether there is one: {_first_ten(rare)}"] if rare else []
    )
    return [*lines, *([f"not watched, no value in the reference: {_first_ten(gone)}"] if gone else [])]


def _first_ten(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
