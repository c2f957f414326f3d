"""Whether the time stamps of a file can be the clock of its panes."""

from __future__ import annotations

from stream_monitor.core.study.survey import Survey


def why_in_order(seen: Survey, pane_rows: int, *, live: bool) -> str | None:
    """Say what is wrong with the time stamps of a file as the clock of panes, None if nothing is.

    Args:
        seen: what a first look at the rows found.
        pane_rows: rows that a pane is to hold.
        live: the file holds live events; of those, few instants are a coarse clock, not another kind of file.
    """
    if seen.has_gaps(seen.pane_ms(pane_rows)):
        return "have long gaps"
    if live:
        return None
    if seen.is_monthly:
        return "come by the month, which is longer or shorter"
    return "are the same for many rows" if seen.is_coarse(pane_rows) else None
