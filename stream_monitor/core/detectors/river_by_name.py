"""RiverDetector: river's detectors by name, calibrated to the run length that the budget asks for.

With river's own defaults there is no false-alarm budget, and the answer depends on the units: on 100·N(0,1)
PageHinkley alarms 333 times in 10,000 events, on data of scale .01 ADWIN needs 2,455 events instead of 119. The rank
innovation is standard for every law, so one calibration serves all series.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.detectors.error_run_lengths import COMPARE_WITH_THE_BEST, error_parameter
from stream_monitor.core.detectors.river_detectors import (
    PAGE_HINKLEY_DRIFT,
    RIVER_VERSION,
    AdwinCell,
    ErrorCell,
    KswinCell,
    PageHinkleyCell,
    RiverCell,
)
from stream_monitor.core.detectors.river_group import EVENTS_A_PANE, RiverGroup
from stream_monitor.core.detectors.run_length import (
    Calibrated,
    Table,
    adwin_delta,
    interpolated,
    kswin_alpha,
    page_hinkley_threshold,
)
from stream_monitor.core.detectors.strata import suffix
from stream_monitor.core.names import CALIBRATED, approximate, no_guarantee

_YES_NO = 2
_DRIFT = "delta"


class RiverKind(StrEnum):
    """river's detectors that can be had by name."""

    ADWIN = "adwin"
    PAGE_HINKLEY = "page_hinkley"
    KSWIN = "kswin"
    DDM = "ddm"
    EDDM = "eddm"
    HDDM_A = "hddm_a"
    HDDM_W = "hddm_w"
    FHDDM = "fhddm"

    @property
    def of_errors(self) -> bool:
        """Say whether it takes single events of a yes/no series instead of a number a pane."""
        return self not in (RiverKind.ADWIN, RiverKind.PAGE_HINKLEY, RiverKind.KSWIN)


@dataclass(frozen=True, slots=True)
class RiverDetector:
    """The detector by its parameters.

    Attributes:
        kind: which of river's detectors.
        run_length_panes: average number of panes between alarms without drift; A/w for a series of weight w.
        strata: number of nulls against which the rank innovation is taken; errors know no strata.
        rate: share of errors without drift; of detectors of errors only.
        params: `delta` of PageHinkley, sizes of ADWIN and KSWIN.
        run_lengths: (parameter, run length in panes) simulated with these params; empty for the shipped ones.
    """

    kind: RiverKind
    run_length_panes: float
    strata: int = 1
    rate: float = 0.2
    params: tuple[tuple[str, Json], ...] = ()
    run_lengths: Table = ()

    @property
    def fingerprint(self) -> str:
        """Class, format, parameters and river's version, whose state is its own."""
        value = self.parameter
        params = canonical_json(dict(self.params)).decode()
        rate = f"/{self.rate!r}" if self.of_errors else ""
        name = f"river/3/{RIVER_VERSION}/{self.kind}/{value.value!r}{rate}/{params}/{self.guarantee}"
        return name + suffix(self.strata)

    @property
    def of_errors(self) -> bool:
        """Whether it takes single events of a yes/no series."""
        return self.kind.of_errors

    @property
    def parameter(self) -> Calibrated:
        """The calibrated parameter: ADWIN's delta, PageHinkley's threshold, KSWIN's alpha ..."""
        if self.run_lengths:
            return interpolated(self.run_lengths, self.run_length_panes)
        match self.kind:
            case RiverKind.ADWIN:
                return adwin_delta(self.run_length_panes)
            case RiverKind.PAGE_HINKLEY:
                return page_hinkley_threshold(self.run_length_panes, drift=self._drift)
            case RiverKind.KSWIN:
                return kswin_alpha(self.run_length_panes)
            case RiverKind.DDM | RiverKind.EDDM | RiverKind.HDDM_A | RiverKind.HDDM_W | RiverKind.FHDDM:
                return error_parameter(self.kind.value, self.rate, self.run_length_panes * EVENTS_A_PANE)
            case _:
                assert_never(self.kind)

    @property
    def guarantee(self) -> str:
        """Say `calibrated` within what was simulated, else why it is an approximation, or nothing."""
        beyond = self.parameter.extrapolated
        if self.kind.value in COMPARE_WITH_THE_BEST:
            return no_guarantee("early") if beyond else approximate("early")
        return approximate("extrapolated") if beyond else CALIBRATED

    @property
    def threshold(self) -> float | None:
        """PageHinkley's; the others have a test of their own."""
        return self.parameter.value if self.kind is RiverKind.PAGE_HINKLEY else None

    def cell(self, seed: int = 0, state: bytes | None = None) -> RiverCell:
        """Return the detector of one series; KSWIN draws by the seed."""
        value, params = self.parameter.value, dict(self.params)
        match self.kind:
            case RiverKind.ADWIN:
                return AdwinCell(value, state, params=params)
            case RiverKind.PAGE_HINKLEY:
                return PageHinkleyCell(value, state, drift=self._drift)
            case RiverKind.KSWIN:
                return KswinCell(value, seed, state, params=params)
            case _:
                return ErrorCell(self.kind.value, value, self.rate, state)

    def build(self, layout: int, state: bytes | None = None) -> RiverGroup:
        """Return a group over the grid of m = `layout` reference values, or of yes/no series with two bins."""
        if self.kind.of_errors and layout != _YES_NO:
            raise ValueError(f"layout: {self.kind} takes yes/no series, 2 bins, got {layout}")
        return RiverGroup(self, layout, state)

    @property
    def _drift(self) -> float:
        found = dict(self.params).get(_DRIFT, PAGE_HINKLEY_DRIFT)
        assert isinstance(found, int | float)
        return float(found)
