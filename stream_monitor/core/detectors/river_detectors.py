"""river's detectors by name, with a state of plain values.

ADWIN, PageHinkley and KSWIN take one standard number a pane; DDM, EDDM, HDDM_A, HDDM_W and FHDDM single errors, 0 or 1.

What is saved is listed here, class by class, and nothing is unpickled: resuming builds the detector from its
parameters and sets the listed attributes; the compiled part of ADWIN takes back the bytes it gave. Those fit one
version of river, hence `RIVER_VERSION` in the fingerprint of whoever stores them.

Sources: Bifet & Gavaldà (2007), doi:10.1137/1.9781611972771.42; Page (1954), doi:10.1093/biomet/41.1-2.100.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Protocol

import msgspec
import river
from river.drift import ADWIN, KSWIN, PageHinkley
from river.drift.binary import DDM, EDDM, FHDDM, HDDMA, HDDMW

from stream_monitor.core.canonical import Json
from stream_monitor.core.detectors.cell_state import sealed, unsealed
from stream_monitor.core.detectors.group import UnusableStateError

RIVER_VERSION: str = river.__version__  # type: ignore[attr-defined]  # not in river's __all__

PAGE_HINKLEY_DRIFT = 0.5
"""Half the shift, in standard deviations of a pane's number, that PageHinkley finds fastest."""

_MAX_BYTES = 65_536  # twenty times what ADWIN needs after a year of panes


class RiverCell(Protocol):
    """One detector of one series."""

    def update(self, z: float) -> bool:
        """Take the number of a pane and say whether it alarms; after an alarm river starts afresh by itself."""
        ...

    def statistic(self) -> float:
        """Return what is compared with the threshold, or stands for it where there is none."""
        ...

    def save(self) -> bytes:
        """Return the state."""
        ...


class _AdwinState(msgspec.Struct, array_like=True, frozen=True):
    drift_detected: bool
    window: bytes


class _PageHinkleyState(msgspec.Struct, array_like=True, frozen=True):
    drift_detected: bool
    n: float
    mean: float
    sum_increase: float
    sum_decrease: float
    min_increase: float
    max_decrease: float


class _KswinState(msgspec.Struct, array_like=True, frozen=True):
    drift_detected: bool
    n: int
    p_value: float
    window: list[float]


Plain = bool | int | float | bytes | list[int] | None
"""What is saved of an error detector; nothing else can be."""


class _ErrorState(msgspec.Struct, array_like=True, frozen=True):
    kind: str
    values: list[Plain]


class AdwinCell:
    """ADWIN, tested at every pane; the statistic is the mean of its window in standard errors."""

    def __init__(self, delta: float, state: bytes | None = None, *, params: Mapping[str, Json] | None = None) -> None:
        params = params or {}
        self._adwin = ADWIN(delta=delta, clock=1, **params)  # type: ignore[no-untyped-call]  # river is typed in parts
        if state is not None:
            self._load(unsealed(state, _AdwinState, most=_MAX_BYTES))

    def update(self, z: float) -> bool:
        """Take the number of a pane."""
        self._adwin.update(z)  # type: ignore[no-untyped-call]
        return bool(self._adwin.drift_detected)

    def statistic(self) -> float:
        """Return |window sum| / √(window length)."""
        return abs(self._adwin.total) / math.sqrt(max(1, self._adwin.width))

    def save(self) -> bytes:
        """Return the state."""
        window: bytes = self._adwin._helper.__getstate__()  # noqa: SLF001 - river has no public state
        return sealed(_AdwinState(bool(self._adwin.drift_detected), window))

    def _load(self, state: _AdwinState) -> None:
        try:
            self._adwin._helper.__setstate__(state.window)  # noqa: SLF001 - river has no public state
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # Rust's panic is no Exception
                raise
            raise UnusableStateError("state of ADWIN: its window is not readable") from None
        self._adwin._drift_detected = state.drift_detected  # noqa: SLF001


class PageHinkleyCell:
    """PageHinkley with `alpha=1`: with river's .9999 the run length is a quarter of Siegmund's formula."""

    def __init__(self, threshold: float, state: bytes | None = None, *, drift: float = PAGE_HINKLEY_DRIFT) -> None:
        self._test = PageHinkley(delta=drift, threshold=threshold, alpha=1.0)
        if state is not None:
            self._load(unsealed(state, _PageHinkleyState, most=_MAX_BYTES))

    def update(self, z: float) -> bool:
        """Take the number of a pane."""
        self._test.update(z)  # type: ignore[no-untyped-call]
        return bool(self._test.drift_detected)

    def statistic(self) -> float:
        """Return the larger of the two one-sided sums; 0 before the first pane."""
        test = self._test
        up = test._sum_increase - test._min_increase  # noqa: SLF001 - river has no public state
        down = test._max_decrease - test._sum_decrease  # noqa: SLF001
        return max(0.0, up, down) if test._x_mean.n else 0.0  # noqa: SLF001

    def save(self) -> bytes:
        """Return the state."""
        test = self._test
        return sealed(
            _PageHinkleyState(
                bool(test.drift_detected),
                float(test._x_mean.n),  # noqa: SLF001 - river has no public state
                float(test._x_mean._mean),  # noqa: SLF001
                float(test._sum_increase),  # noqa: SLF001
                float(test._sum_decrease),  # noqa: SLF001
                float(test._min_increase),  # noqa: SLF001
                float(test._max_decrease),  # noqa: SLF001
            )
        )

    def _load(self, state: _PageHinkleyState) -> None:
        test = self._test
        test._drift_detected = state.drift_detected  # noqa: SLF001 - river has no public state
        test._x_mean.n = state.n  # noqa: SLF001
        test._x_mean._mean = state.mean  # noqa: SLF001
        test._sum_increase = state.sum_increase  # noqa: SLF001
        test._sum_decrease = state.sum_decrease  # noqa: SLF001
        test._min_increase = state.min_increase  # noqa: SLF001
        test._max_decrease = state.max_decrease  # type: ignore[assignment]  # noqa: SLF001


class KswinCell:
    """KSWIN; its generator is seeded anew from seed and pane, so that a replay draws the same sub-samples."""

    def __init__(
        self, alpha: float, seed: int, state: bytes | None = None, *, params: Mapping[str, Json] | None = None
    ) -> None:
        self._seed = seed
        self._test = KSWIN(alpha=alpha, seed=seed, **(params or {}))  # type: ignore[arg-type]  # plain values of a plan
        if state is not None:
            loaded = unsealed(state, _KswinState, most=_MAX_BYTES)
            self._test._drift_detected = loaded.drift_detected  # noqa: SLF001 - river has no public state
            self._test.p_value = loaded.p_value  # type: ignore[assignment]  # an int until the first test
            self._test.n = loaded.n
            self._test.window = deque(loaded.window, maxlen=self._test.window_size)

    def update(self, z: float) -> bool:
        """Take the number of a pane."""
        if not self._test.drift_detected:
            self._test._rng.seed(self._seed * 1_000_003 + self._test.n)  # noqa: SLF001
        self._test.update(z)  # type: ignore[no-untyped-call]
        return bool(self._test.drift_detected)

    def statistic(self) -> float:
        """Return 1 - the p-value of the last test."""
        return 1.0 - float(self._test.p_value)

    def save(self) -> bytes:
        """Return the state."""
        test = self._test
        window = [float(z) for z in test.window]
        return sealed(_KswinState(bool(test.drift_detected), int(test.n), float(test.p_value), window))


_MEANS = ("n", "_mean")
_SAMPLES = ("_total", "_s1_incr", "_s2_incr", "_s1_decr", "_s2_decr")
_SAVED: Mapping[str, Sequence[str]] = {
    "ddm": (*(f"_p.{name}" for name in _MEANS), "_p_min", "_s_min", "_ps_min"),
    "eddm": (
        *(f"_error_distances.mean.{name}" for name in _MEANS),
        "_error_distances._S",
        *("_n", "_last_error", "_n_errors", "_p2s_prime_max"),
    ),
    "hddm_a": tuple(f"{mean}.{name}" for mean in ("_x_min", "_x_max", "_z") for name in _MEANS),
    "hddm_w": (
        *(f"{sample}.{name}" for sample in _SAMPLES for name in ("_ewma._ewmean", "_is_init", "_ibc")),
        *("_incr_cutpoint", "_decr_cutpoint"),
    ),
    "fhddm": ("n_one", "_sliding_window", "_u_max"),
}
"""Attributes that make up the state of each error detector, in order."""

_FLAGS = ("_drift_detected", "_warning_detected")


FIRST_ERRORS = 30
"""Errors that DDM is to expect before it may alarm.

river waits for 30 events: at a rate of .01 they mostly hold none, the best it ever saw is then 0, and any error alarms.
"""


def _new(kind: str, parameter: float, rate: float) -> DDM | EDDM | HDDMA | HDDMW | FHDDM:
    match kind:
        case "ddm":
            wait = round(FIRST_ERRORS / rate)
            return DDM(wait, drift_threshold=parameter, warning_threshold=min(2.0, parameter))
        case "eddm":
            return EDDM(alpha=max(0.95, parameter), beta=parameter)
        case "hddm_a":
            return HDDMA(parameter, max(0.005, parameter))  # type: ignore[no-untyped-call]  # river is typed in parts
        case "hddm_w":
            return HDDMW(parameter, max(0.005, parameter))  # type: ignore[no-untyped-call]
        case "fhddm":
            return FHDDM(confidence_level=parameter)
        case _:
            raise ValueError(f"detector: must be one of {', '.join(_SAVED)}, got {kind!r}")


class ErrorCell:
    """One error detector of one series; it takes single events, 1 for an error.

    FHDDM looks for a fall of the share of right answers, so it is given those.

    Args:
        kind: name of the detector.
        parameter: what the budget sets: a threshold or a confidence.
        rate: share of errors without drift, above 0.
        state: from `save`.
    """

    def __init__(self, kind: str, parameter: float, rate: float, state: bytes | None = None) -> None:
        self._kind = kind
        self._detector = _new(kind, parameter, rate)
        self._right = kind == "fhddm"
        if state is not None:
            self._load(unsealed(state, _ErrorState, most=_MAX_BYTES))

    def update(self, z: float) -> bool:
        """Take one event, 1 for an error, and say whether it alarms."""
        self._detector.update(1 - int(z) if self._right else int(z))  # type: ignore[no-untyped-call]
        return bool(self._detector.drift_detected)

    def statistic(self) -> float:
        """Return 1 in an alarm, else 0: these detectors have no common number."""
        return float(self._detector.drift_detected)

    def save(self) -> bytes:
        """Return the state."""
        return sealed(_ErrorState(self._kind, [self._get(path) for path in (*_FLAGS, *_SAVED[self._kind])]))

    def _get(self, path: str) -> Plain:
        *owners, name = path.split(".")
        value = getattr(reduce(getattr, owners, self._detector), name)
        if name == "_ewmean":
            taken: bytes = value.__getstate__()
            return taken
        return list(value) if isinstance(value, deque) else value

    def _load(self, state: _ErrorState) -> None:
        paths = (*_FLAGS, *_SAVED[self._kind])
        if state.kind != self._kind or len(state.values) != len(paths):
            raise UnusableStateError(f"state of {self._kind}: written by {state.kind}, {len(state.values)} values")
        for path, value in zip(paths, state.values, strict=True):
            *owners, name = path.split(".")
            owner = reduce(getattr, owners, self._detector)
            known = getattr(owner, name)
            if name == "_ewmean":
                known.__setstate__(value)
            else:
                setattr(owner, name, deque(value, maxlen=known.maxlen) if isinstance(value, list) else value)
