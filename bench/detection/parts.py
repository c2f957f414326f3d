"""What a run consists of: sections of tasks, each task a call that gives rows of its section's table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bench.detection import tables
from bench.detection.detectors import AS_THEY_COME, EQUAL, ERRORS, ONLINE, RUN_LENGTH
from bench.detection.tables import Row, Scale

QUICK = Scale(streams=24, slow=0, run_lengths=60, deployments=4, online=8)
FULL = Scale(streams=100, slow=12, run_lengths=420, deployments=15, online=30)

_IN_SHAPES = ("**RankShiryaevRoberts**, pane 1", "**RankShiryaevRoberts**, pane 10", "river ADWIN", "river KSWIN")
_IN_MANY = ("**RankShiryaevRoberts**, pane 10", "river ADWIN", "river PageHinkley")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of detectors side by side.

    Attributes:
        title: its heading.
        note: what it shows.
        head: of the columns.
        rows: first cell and call of each row.
    """

    title: str
    note: str
    head: Row
    rows: Sequence[tuple[str, Callable[[], Row]]]


def comparisons(scale: Scale) -> Iterator[Table]:
    """Yield the tables, the most important first: a run that is out of time lacks the last."""
    yield Table(
        "As they come",
        "Streams of 10,000 values, the change at 5,000; defaults of every library, ours with a budget of one false"
        " alarm in 100,000 events. A delay means nothing where most streams alarm early.",
        tables.as_they_come_head(),
        [
            *((c.name, partial(tables.as_they_come, c, scale)) for c in AS_THEY_COME),
            ("oracle", partial(tables.oracle_row, scale)),
        ],
    )
    yield Table(
        f"At an equal run length of {RUN_LENGTH:,} events",
        "Every detector set to the same measured run length on N(0,1), peers that need units with the mean and the"
        " standard deviation of the reference; the change at 1,000. frouros looks for rises alone.",
        tables.equal_head(),
        [(c.name, partial(tables.equal, c, scale)) for c in EQUAL],
    )
    yield Table(
        "alibi-detect at a run length of about 1,000 events",
        f"Streams of N(0,1), the change at row {tables.ONLINE_CHANGE}; alibi-detect's last release under an open"
        " licence, its thresholds simulated as its documentation asks.",
        tables.online_head(),
        [(c.name, partial(tables.online, c, scale)) for c in ONLINE],
    )
    yield Table(
        "Errors of a classifier",
        "Zeros and ones, as they come; rises of the error rate by .25, .5 and 1 standard deviation.",
        tables.errors_head(0.2),
        [(c.name, partial(tables.errors, c, scale, 0.2)) for c in ERRORS],
    )
    yield Table(
        "A hundred series, one of which moves",
        "Mixed laws, half a standard deviation at row 5,000. Our budget is one false alarm in 100,000 events for"
        " the whole deployment; the peers have none.",
        tables.many_series_head(),
        [(c.name, partial(tables.many_series, c, scale)) for c in AS_THEY_COME if c.name in _IN_MANY],
    )
    yield Table(
        "Other laws, other changes",
        "Delay, median / 90 % (early); as they come.",
        tables.shapes_head(),
        [(c.name, partial(tables.shapes, c, scale)) for c in AS_THEY_COME if c.name in _IN_SHAPES],
    )
    yield Table(
        "Dependence",
        "Autocorrelated streams of 5,000 values, a budget of 100,000 events, references of 1,023 values in order.",
        tables.dependence_head(),
        [(f"ρ = {rho:g}, {pane}", partial(tables.dependence, rho, pane, scale)) for rho, pane in tables.DEPENDENCE],
    )
