"""A detector of the user's on one series: any class with river's interface, kept apart from the judge.

What the class keeps is its own affair: nothing of it is read or stored. The state is what it was given since it began,
and resuming gives it the same again, so that a class that answers the same to the same goes on to the bit, compiled or
not. So that the state stays small, a detector that has not alarmed on `memory` inputs begins anew.

A class that raises, or whose `drift_detected` is not True or False, is not asked again: it alarms no more, and
`failure` says what happened.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Protocol

import msgspec
import numpy as np

from stream_monitor.core.detectors.cell_state import sealed, unsealed
from stream_monitor.core.detectors.group import UnusableStateError

LONGEST_MEMORY = 100_000
"""Inputs that may be kept: 800 kB a series, and a second for a restart."""

_HEAD_BYTES = 1_024


class Detecting(Protocol):
    """river's interface."""

    @property
    def drift_detected(self) -> bool:
        """Whether the last update is an alarm."""
        ...

    def update(self, x: float) -> object:
        """Take one input."""
        ...


class _OwnState(msgspec.Struct, array_like=True, frozen=True):
    failure: str
    inputs: bytes


class OwnCell:
    """One object of the user's class.

    Attributes:
        failure: name of what the class raised, empty as long as it works.
        told: its message; may hold an input, so it is shown where inputs are simulated only.

    Args:
        make: builds a fresh one.
        memory: inputs after which it begins anew.
        of_errors: inputs are 0 and 1 instead of numbers.
        state: from `save`.
    """

    def __init__(
        self, make: Callable[[], Detecting], *, memory: int, of_errors: bool, state: bytes | None = None
    ) -> None:
        self._make, self._memory, self._of_errors = make, memory, of_errors
        self._inputs = array("d")
        self._alarmed = False
        self.failure, self.told = "", ""
        self._detector = self._begun()
        if state is not None:
            self._load(unsealed(state, _OwnState, most=8 * LONGEST_MEMORY + _HEAD_BYTES))

    def update(self, z: float) -> bool:
        """Take one input and say whether it alarms; never again after a failure."""
        if self.failure:
            return False
        if len(self._inputs) >= self._memory:
            del self._inputs[:]
            self._detector = self._begun()
        self._inputs.append(z)
        self._alarmed = self._asked(z)
        return self._alarmed

    def statistic(self) -> float:
        """Return 1 in an alarm, else 0: what a class compares is not known."""
        return float(self._alarmed)

    def save(self) -> bytes:
        """Return the inputs since it began, and its failure; single events are bits."""
        if self._of_errors:
            bits = np.frombuffer(self._inputs, dtype=np.float64).astype(np.uint8)
            return sealed(_OwnState(self.failure, bits.size.to_bytes(4, "little") + np.packbits(bits).tobytes()))
        return sealed(_OwnState(self.failure, np.asarray(self._inputs, dtype="<f8").tobytes()))

    def _load(self, state: _OwnState) -> None:
        inputs = self._read(state.inputs)
        if state.failure:
            self.failure, self._detector = state.failure, None
            return
        for z in inputs:
            self._inputs.append(z)
            self._alarmed = self._asked(z)
        if self.failure:
            raise UnusableStateError(f"state of a detector: it raised {self.failure} at what it once took")

    def _read(self, inputs: bytes) -> list[float]:
        if not self._of_errors:
            if len(inputs) % 8 or len(inputs) > 8 * self._memory:
                raise UnusableStateError(f"state of a detector: {len(inputs)} bytes are no inputs of it")
            numbers: list[float] = np.frombuffer(inputs, dtype="<f8").tolist()
            return numbers
        size = int.from_bytes(inputs[:4], "little")
        if size > self._memory or len(inputs) != 4 + (size + 7) // 8:
            raise UnusableStateError(f"state of a detector: {len(inputs)} bytes are no events of it")
        bits: list[float] = np.unpackbits(np.frombuffer(inputs[4:], dtype=np.uint8), count=size).astype(float).tolist()
        return bits

    def _begun(self) -> Detecting | None:
        """Return a fresh object, None after a failure."""
        try:
            return self._make()
        except BaseException as error:  # noqa: BLE001  # the user's code must not end the judge: told, counted, silent
            self._fail(error)
            return None

    def _asked(self, z: float) -> bool:
        """Give the object one input and return its answer; False after a failure."""
        detector = self._detector
        if detector is None:
            return False
        try:
            detector.update(int(z) if self._of_errors else z)
            alarmed = detector.drift_detected
            if not isinstance(alarmed, bool | np.bool_):
                raise TypeError("drift_detected must be True or False")
        except BaseException as error:  # noqa: BLE001  # as above; a panic of a compiled class is no Exception
            self._fail(error)
            return False
        return bool(alarmed)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt | MemoryError):
            raise error  # not what the class makes of its input
        self.failure, self.told, self._detector = type(error).__name__, str(error), None
        del self._inputs[:]
