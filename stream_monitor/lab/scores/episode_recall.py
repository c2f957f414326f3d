"""Episode recall: the share of drift episodes during which somebody was told.

An episode is hit by an alarm in `[start, end + grace)`: one that comes after the drift has gone helps nobody, but the
pane in which it ended closes a little later.

>>> episode_recall([150, 900], [Change(100, 200), Change(500, 600)])
0.5
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stream_monitor.lab.scores.first_hit import Change

__all__ = ["Change", "episode_recall"]


def episode_recall(alarms: Iterable[float], episodes: Sequence[Change], *, grace: float = 0.0) -> float:
    """Return the share of episodes with an alarm; 1 without any episode.

    Args:
        alarms: their positions, in any order.
        episodes: the drifts, each from start to before end.
        grace: how long after its end an episode may still be told.
    """
    positions = sorted(alarms)
    hit = sum(any(e.start <= alarm < e.end + grace for alarm in positions) for e in episodes)
    return hit / len(episodes) if episodes else 1.0
