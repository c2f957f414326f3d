"""Thresholds below the bound: fixed by the panes before, never by the pane they are for."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.arrays import Float64
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.detectors.lowered_threshold import FEWEST_PANES
from stream_monitor.core.grid import spacings

OFFSETS = (0.0, 0.5, 1.0, 2.0)
MASSES = spacings(63) / 64.0


def lowered(sizes: list[int], *, design_effect: float = 1.0) -> Float64:
    """Offset of each pane of a series with panes of these sizes."""
    group = RankShiryaevRoberts(Mixture.BASE, offsets=OFFSETS).build(63)
    rows = np.array([group.add(SeriesReference(spacings(63), design_effect=design_effect))])
    rng = np.random.default_rng(3)
    found = []
    for size in sizes:
        group.step(rows, rng.multinomial(size, MASSES)[None])
        found.append(float(group.lowered(rows)[0]))
    return np.array(found)


@pytest.mark.parametrize(("events", "offset"), [(9, 0.0), (10, 0.5), (99, 0.5), (100, 1.0), (999, 1.0), (1000, 2.0)])
def test_an_offset_belongs_to_a_class_of_sizes(events: int, offset: float) -> None:
    """The first thirty panes are held against the bound, the others against the threshold of their class."""
    found = lowered([events] * 40)

    assert [0.0] * FEWEST_PANES + [offset] * (40 - FEWEST_PANES) == found.tolist()
    assert RankShiryaevRoberts(Mixture.BASE, offsets=OFFSETS).offset(events) == offset


def test_the_pane_itself_does_not_choose_its_threshold() -> None:
    """A threshold is fixed before its pane: sizes of later panes change nothing."""
    sizes = np.random.default_rng(1).choice([5, 50, 500], 120).tolist()

    assert lowered(sizes)[:80].tolist() == lowered([*sizes[:79], 5, *[2000] * 40])[:80].tolist()


def test_smaller_panes_are_noticed_sooner_than_larger_ones() -> None:
    """Twenty small panes of two hundred take the offset back; large ones must come for hours to lower it again."""
    found = lowered([1000] * 600 + [10] * 60 + [1000] * 600)
    fell = np.flatnonzero(found[600:] < 2.0)[0]
    rose = np.flatnonzero(found[660:] == 2.0)[0]

    assert 20 <= fell <= 23
    assert rose > 150


def test_dependent_events_count_as_fewer() -> None:
    """A thousand events that say as much as a hundred are a pane of a hundred."""
    assert lowered([1000] * 40, design_effect=10.0)[-1] == 1.0


def test_a_bound_is_never_lowered() -> None:
    """Without offsets nothing is subtracted, and the fingerprint names none."""
    group = RankShiryaevRoberts().build(63)
    rows = np.array([group.add(SeriesReference(spacings(63)))])
    for _ in range(40):
        group.step(rows, np.full((1, MASSES.size), 30))

    assert (group.guarantee, group.lowered(rows).tolist()) == ("bound", [0.0])
    assert RankShiryaevRoberts().fingerprint != RankShiryaevRoberts(offsets=OFFSETS).fingerprint
