"""The parts of the detection bench that its figures stand on."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.detection import oracle, peers, tables
from bench.detection.detectors import AS_THEY_COME, EQUAL, Contender
from bench.detection.ours import RankSetup, rank_alarms
from bench.detection.peers import Peer
from bench.detection.streams import QUIET, SHIFTS, Case, delays, scored
from bench.detection.tables import Scale
from stream_monitor.lab.generators import Normal
from stream_monitor.lab.scores import run_length

QUIET_NORMAL = QUIET[0]
FEW = Scale(streams=3, slow=0, run_lengths=0, deployments=0, online=0)


def test_every_detector_sees_the_same_streams() -> None:
    """A case and a seed are values; another seed shares none of them."""
    one, same, other = (QUIET_NORMAL.draw(3, seed=seed) for seed in (1, 1, 101))

    assert np.array_equal(one.values, same.values)
    assert not np.isin(one.values, other.values).any()
    assert not np.isin(one.references, one.values).any()


def test_standardised_streams_have_the_units_of_their_reference() -> None:
    """Mean 0 and standard deviation 1 of the reference, not of what follows."""
    streams = Case("", Normal(50.0, 7.0)).draw(2, seed=3).standardised()

    assert streams.references.mean(axis=1) == pytest.approx(0.0, abs=1e-9)
    assert streams.references.std(axis=1) == pytest.approx(1.0)
    assert streams.values.mean(axis=1) == pytest.approx(0.0, abs=0.1)


def test_the_oracle_keeps_its_run_length() -> None:
    """Siegmund's threshold for 500 events of N(0,1), within a fifth."""
    values = np.random.default_rng(1).standard_normal((400, 3_000))
    first = oracle.first_alarms(values, shift=1.0, run_length=500)

    assert run_length(first, horizon=3_000).mean == pytest.approx(500, rel=0.2)


def test_a_shift_is_found_by_us_and_by_a_peer() -> None:
    """One standard deviation, within the tables' figures."""
    streams = SHIFTS[2].draw(3, seed=5)
    ours = rank_alarms(streams, RankSetup(10, 1e5, stops=True), seed=5)
    adwin = peers.peer_alarms(Peer("ADWIN", "river", "ADWIN", {}), streams, seed=5, stops=True)

    assert adwin is not None
    assert all(5_000 < alarms[0] < 5_100 for alarms in [*ours, *adwin])


def test_stopping_at_the_first_alarm_changes_no_first_alarm() -> None:
    """It only saves time."""
    streams = SHIFTS[1].draw(4, seed=7)
    whole = rank_alarms(streams, RankSetup(10, 2e3), seed=7)
    stopped = rank_alarms(streams, RankSetup(10, 2e3, stops=True), seed=7)

    assert [alarms[:1] for alarms in whole] == stopped


def test_an_alarm_on_the_last_row_before_the_change_is_false() -> None:
    """Its pane holds nothing that changed; a miss is infinite, an early alarm no delay."""
    first = [5_000, 5_001, None, 40]

    assert delays(first, change=5_000) == [1.0, math.inf]
    assert scored(first, change=5_000).early == 0.5


def test_a_peer_that_is_not_installed_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A row of the table that names the command, not an error; half an installation is none."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    monkeypatch.setattr(peers, "FOREIGN", tmp_path)
    absent = next(c for c in AS_THEY_COME if c.name == "frouros CUSUM")

    assert set(tables.as_they_come(absent, FEW)[1:]) == {"not installed: `make bench-setup`"}


def test_what_a_peer_raises_names_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the other environment is our own, which has no frouros; the process goes on after a failure."""
    process = peers.Foreign(Path(sys.executable))
    monkeypatch.setattr(peers, "_process", lambda: process)
    monkeypatch.setattr(peers, "is_there", lambda _: True)

    for _ in range(2):
        with pytest.raises(RuntimeError, match="frouros CUSUM: ModuleNotFoundError: No module named 'frouros'"):
            peers.peer_alarms(Peer("CUSUM", "frouros", "CUSUM", {}), QUIET_NORMAL.draw(1, seed=1), seed=1)
    process.close()


def test_slow_peers_are_left_out_of_a_quick_run() -> None:
    """And the table says that."""
    slow = next(c for c in AS_THEY_COME if c.name == "river KSWIN")

    assert set(tables.as_they_come(slow, FEW)[1:]) == {"full run only"}


@pytest.mark.parametrize("contender", [c for c in (*AS_THEY_COME, *EQUAL) if "river" in c.name], ids=lambda c: c.name)
def test_parameters_of_river_are_parameters_of_river(contender: Contender) -> None:
    """Every row of the tables can be built."""
    assert contender.alarms(Case("", Normal(), rows=50).draw(1, seed=1), seed=1) is not None
