"""river's ADWIN and PageHinkley, one standard number a pane, with a state of plain values.

What is saved is listed here, class by class, and nothing is unpickled: resuming builds the detector from its
parameters and sets the listed attributes; the compiled part of ADWIN takes back the bytes it gave. Those fit one
version of river, hence `RIVER_VERSION` in the fingerprint of whoever stores them.

Sources: Bifet & Gavaldà (2007), doi:10.1137/1.9781611972771.42; Page (1954), doi:10.1093/biomet/41.1-2.100.
"""

from __future__ import annotations

import hashlib
import math
from typing import Protocol, TypeVar

import msgspec
import river
from river.drift import ADWIN, PageHinkley

from stream_monitor.core.detectors.group import UnusableStateError

RIVER_VERSION: str = river.__version__  # type: ignore[attr-defined]  # not in river's __all__

PAGE_HINKLEY_DRIFT = 0.5
"""Half the shift, in standard deviations of a pane's number, that PageHinkley finds fastest."""

_DIGEST_BYTES = 16
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


_State = TypeVar("_State", _AdwinState, _PageHinkleyState)


class AdwinCell:
    """ADWIN, tested at every pane; the statistic is the mean of its window in standard errors."""

    def __init__(self, delta: float, state: bytes | None = None) -> None:
        self._adwin = ADWIN(delta=delta, clock=1)  # type: ignore[no-untyped-call]  # river is typed in parts
        if state is not None:
            self._load(_unsealed(state, _AdwinState))

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
        return _sealed(_AdwinState(bool(self._adwin.drift_detected), window))

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

    def __init__(self, threshold: float, state: bytes | None = None) -> None:
        self._test = PageHinkley(delta=PAGE_HINKLEY_DRIFT, threshold=threshold, alpha=1.0)
        if state is not None:
            self._load(_unsealed(state, _PageHinkleyState))

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
        return _sealed(
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


def _sealed(state: _AdwinState | _PageHinkleyState) -> bytes:
    payload = msgspec.msgpack.encode(state)
    return hashlib.blake2b(payload, digest_size=_DIGEST_BYTES).digest() + payload


def _unsealed(state: bytes, kind: type[_State]) -> _State:
    digest, payload = state[:_DIGEST_BYTES], state[_DIGEST_BYTES:]
    if len(state) > _MAX_BYTES or hashlib.blake2b(payload, digest_size=_DIGEST_BYTES).digest() != digest:
        raise UnusableStateError(f"{kind.__name__}: {len(state)} bytes, broken or too many")
    try:
        return msgspec.msgpack.decode(payload, type=kind)
    except msgspec.MsgspecError as error:
        raise UnusableStateError(f"{kind.__name__}: {error}") from error
