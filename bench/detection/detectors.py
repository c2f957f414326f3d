"""The detectors of the tables, ours and the peers', and how each is set.

`AS_THEY_COME`: the libraries' defaults, as a user finds them. `EQUAL`: set to a measured run length of 10,000 events
on N(0,1), so that delays may be compared; found by `python -m bench detection --calibrate` on seeds that no table
uses, and measured again in the table. `ONLINE`: as alibi-detect can be set.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.detection.ours import RankSetup, bernoulli_alarms, rank_alarms
from bench.detection.peers import Peer, is_there, peer_alarms
from bench.detection.streams import Streams


@dataclass(frozen=True, slots=True)
class Contender:
    """A row of a table.

    Attributes:
        name: in the table.
        detector: a peer, our rank detector, or events per pane of our test of error rates.
        slow: so slow that it gets a share of the streams.
    """

    name: str
    detector: Peer | RankSetup | int
    slow: bool = False

    @property
    def is_there(self) -> bool:
        """Say whether it can be run here."""
        return not isinstance(self.detector, Peer) or is_there(self.detector.library)

    def alarms(self, streams: Streams, *, seed: int, stops: bool = False) -> list[list[int]] | None:
        """Return the rows seen at each alarm of each stream; None when it cannot take such values."""
        match self.detector:
            case Peer():
                return peer_alarms(self.detector, streams, seed=seed, stops=stops)
            case RankSetup(pane, budget, tempered):
                return rank_alarms(streams, RankSetup(pane, budget, tempered, stops), seed=seed)
            case pane:
                return bernoulli_alarms(streams, pane=pane, budget_events=1e5)


def _river(detector: str, *, slow: bool = False) -> Contender:
    return Contender(f"river {detector}", Peer(detector, "river", detector, {}), slow)


def _frouros(detector: str, *, slow: bool = False) -> Contender:
    return Contender(f"frouros {detector}", Peer(detector, "frouros", detector, {}), slow)


ADWIN = _river("ADWIN")

AS_THEY_COME = (
    Contender("**RankShiryaevRoberts**, pane 1", RankSetup(1, 1e5)),
    Contender("**RankShiryaevRoberts**, pane 10", RankSetup(10, 1e5)),
    Contender("**RankShiryaevRoberts**, pane 10, tempered", RankSetup(10, 1e5, tempered=True)),
    Contender("**RankShiryaevRoberts**, pane 50", RankSetup(50, 1e5)),
    ADWIN,
    _river("PageHinkley"),
    _river("KSWIN", slow=True),
    _frouros("ADWIN", slow=True),
    _frouros("PageHinkley"),
    _frouros("CUSUM"),
    _frouros("KSWIN", slow=True),
    Contender(
        "alibi-detect KSDrift, windows of 100",
        Peer("KSDrift", "alibi-detect", "KSDrift", {"p_val": 0.05}, window=100),
        slow=True,
    ),
)
"""Budgets of 100,000 events for ours, defaults for the others."""

RUN_LENGTH = 10_000
"""Events, of `EQUAL`."""

_CUSUM = {"delta": 0.25, "min_num_instances": 1}

EQUAL = (
    Contender("**RankShiryaevRoberts**, pane 1", RankSetup(1, 7_200)),
    Contender("**RankShiryaevRoberts**, pane 10", RankSetup(10, 5_400)),
    Contender("river ADWIN", Peer("ADWIN", "river", "ADWIN", {"delta": 0.1045, "clock": 1}, standardised=True)),
    Contender(
        "river PageHinkley, delta .25, alpha 1",
        Peer("PH", "river", "PageHinkley", {"delta": 0.25, "threshold": 14.37, "alpha": 1.0}, standardised=True),
    ),
    Contender("river KSWIN", Peer("KSWIN", "river", "KSWIN", {"alpha": 1.5e-4}), slow=True),
    Contender("frouros CUSUM, delta .25", Peer("CUSUM", "frouros", "CUSUM", {**_CUSUM, "lambda_": 12.88}, True)),
    Contender("frouros PageHinkley", Peer("PageHinkley", "frouros", "PageHinkley", {"lambda_": 40.0}, True)),
)
"""frouros' PageHinkley keeps its delta of .005: its sum has no minimum under it, and with a larger delta falls so far
that it never comes back.
"""

ONLINE = (
    Contender(
        "alibi-detect CVMDriftOnline, expected run time 1,000, 10,000 bootstraps",
        Peer(
            "CVM", "alibi-detect", "CVMDriftOnline", {"ert": 1_000.0, "window_sizes": [20, 60], "n_bootstraps": 10_000}
        ),
    ),
    Contender("**RankShiryaevRoberts**, pane 1, budget 1,000", RankSetup(1, 1_000)),
)
"""At run lengths of about a thousand events, which is where alibi-detect's thresholds can be simulated. Its MMD and
LSDD need TensorFlow or PyTorch.
"""

ERRORS = (
    Contender("**RankShiryaevRoberts**, pane 1", RankSetup(1, 1e5)),
    Contender("**IntervalBernoulli**, pane 50", 50),
    ADWIN,
    _river("DDM"),
    _river("EDDM"),
    Contender("river FHDDM, given right answers", Peer("FHDDM", "river", "FHDDM", {})),
    _river("HDDMA"),
    _river("HDDMW"),
    _river("PageHinkley"),
    _frouros("DDM"),
    _frouros("EDDM"),
    _frouros("HDDMA"),
    _frouros("HDDMW"),
)
"""On zeros and ones."""
