"""Laws behind categories: rows that choose a set of names must not estimate its mass."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.arrays import Float64
from stream_monitor.core.baseline import (
    CategoricalBaseline,
    CategoryColumn,
    Origin,
    OriginType,
    ReferenceTable,
    build_baseline,
)
from stream_monitor.core.detectors.interval_limits import Limits, clopper_pearson
from stream_monitor.core.keys import file_row_hashes
from stream_monitor.core.plan import LimitsPlan

REFERENCES = 40
MISS = 1e-3


def references(masses: Float64, *, rows: int, limit: int) -> list[tuple[CategoricalBaseline, float, float]]:
    """Return baselines of one law, each with the true mass of what it does not know and of what it does not list."""
    rng = np.random.default_rng(3)
    names = [f"c{number:04}" for number in range(masses.size)]
    built = []
    for number in range(REFERENCES):
        codes = rng.choice(masses.size, rows, p=masses).astype(np.intp)
        select, tie = file_row_hashes(f"m{number}", range(rows))
        baseline = build_baseline(
            "m",
            "",
            ReferenceTable({"feature:x": CategoryColumn(codes, names)}, select, tie),
            origin=Origin(OriginType.DATASET, rows),
            limits=LimitsPlan(categories=limit),
        )
        series = baseline.series["feature:x"]
        assert isinstance(series, CategoricalBaseline)
        unknown = np.array([series.bin_of.get(name, series.unknown_bin) == series.unseen_bin for name in names])
        listed = np.array([name in series.categories for name in names])
        built.append((series, float(masses[unknown].sum()), float(masses[~listed].sum())))
    return built


def zipf(categories: int) -> Float64:
    masses: Float64 = 1 / np.arange(1.0, categories + 1)
    shares: Float64 = masses / masses.sum()
    return shares


def holds(limits: Limits, mass: float) -> bool:
    return limits.lower <= mass <= limits.upper


@pytest.mark.parametrize("categories", [300, 3000])
def test_the_rate_of_unseen_categories_stays_below_its_limit(categories: int) -> None:
    """The rows of odd parity judge what those of even parity know, so a long tail is no drift."""
    cases = references(zipf(categories), rows=1023, limit=5000)

    assert all(mass <= clopper_pearson(s.unseen_k, s.unseen_m, miss=MISS, upward=1.0).upper for s, mass, _ in cases)


@pytest.mark.parametrize("law", [zipf(900), np.full(500, 1 / 500)], ids=["a long tail", "equal categories"])
def test_the_mass_outside_a_cut_list_lies_in_its_interval(law: Float64) -> None:
    """The list is chosen by even rows and measured by odd ones; all rows together would be wrong almost always."""
    cases = references(law, rows=4095, limit=256)
    fair = [clopper_pearson(*s.unlisted, miss=MISS) for s, _, _ in cases if s.unlisted is not None]
    naive = [clopper_pearson(s.other, s.m, miss=MISS) for s, _, _ in cases]

    assert [True] * REFERENCES == [holds(limits, mass) for limits, (_, _, mass) in zip(fair, cases, strict=True)]
    assert sum(holds(limits, mass) for limits, (_, _, mass) in zip(naive, cases, strict=True)) < REFERENCES / 4
