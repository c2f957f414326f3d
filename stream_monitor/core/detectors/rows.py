"""Storage of a detector group: named arrays whose first axis is the row of a series, and their exact bytes.

>>> rows = Rows("example/1", ints={"seen": (2,)}, floats={"log_r": (3,)})
>>> rows.add(), rows.add(), rows.remove(0), rows.add()
(0, 1, None, 0)
>>> rows.ints["seen"][1] = [4, 5]
>>> Rows("example/1", ints={"seen": (2,)}, floats={"log_r": (3,)}, state=rows.dump()).ints["seen"][1].tolist()
[4, 5]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from stream_monitor.core.arrays import Bool, Float64, Int64
from stream_monitor.core.detectors.group import UnusableStateError

_FORMAT = 1
_FIRST_CAPACITY = 8
_MAX_ROWS = 1_000_000  # a state that claims more is broken, and is not allocated


class _State(msgspec.Struct, array_like=True, frozen=True):
    format: int
    fingerprint: str
    used: bytes
    arrays: dict[str, bytes]


class Rows:
    """Arrays of shape (capacity, *shape), grown as rows are added; a new row is all zero.

    Attributes:
        ints: integer arrays by name.
        floats: float arrays by name.

    Arrays that came `later` are not in older states: there they are zero.
    """

    def __init__(
        self,
        fingerprint: str,
        *,
        ints: Mapping[str, tuple[int, ...]],
        floats: Mapping[str, tuple[int, ...]],
        later: Sequence[str] = (),
        state: bytes | None = None,
    ) -> None:
        self._later = frozenset(later)
        self._fingerprint = fingerprint
        self._used = np.zeros(0, dtype=np.bool_)
        self.ints: dict[str, Int64] = {name: np.zeros((0, *shape), dtype=np.int64) for name, shape in ints.items()}
        self.floats: dict[str, Float64] = {name: np.zeros((0, *shape)) for name, shape in floats.items()}
        if state is not None:
            self._load(state)

    @property
    def used(self) -> Bool:
        """Which rows hold a series, shape (capacity,)."""
        return self._used

    def add(self) -> int:
        """Return the smallest free row, zeroed."""
        free = np.flatnonzero(~self._used)
        if not free.size:
            self._grow(max(_FIRST_CAPACITY, 2 * self._used.size))
            return self.add()
        self._used[free[0]] = True
        return int(free[0])

    def remove(self, row: int) -> None:
        """Zero a row and free it."""
        self._used[row] = False
        for array in (*self.ints.values(), *self.floats.values()):
            array[row] = 0

    def dump(self) -> bytes:
        """Return the bytes from which an equal store is built; equal stores of one history give equal bytes."""
        size = int(np.flatnonzero(self._used)[-1]) + 1 if self._used.any() else 0
        arrays = {name: a[:size].astype("<i8").tobytes() for name, a in self.ints.items()}
        arrays |= {name: a[:size].astype("<f8").tobytes() for name, a in self.floats.items()}
        used = self._used[:size].astype(np.uint8).tobytes()
        return msgspec.msgpack.encode(_State(_FORMAT, self._fingerprint, used, arrays))

    def _grow(self, capacity: int) -> None:
        more = capacity - self._used.size
        self._used = np.concatenate([self._used, np.zeros(more, dtype=np.bool_)])
        for name, whole in self.ints.items():
            self.ints[name] = np.concatenate([whole, np.zeros((more, *whole.shape[1:]), dtype=np.int64)])
        for name, real in self.floats.items():
            self.floats[name] = np.concatenate([real, np.zeros((more, *real.shape[1:]))])

    def _load(self, state: bytes) -> None:
        try:
            decoded = msgspec.msgpack.decode(state, type=_State)
        except msgspec.MsgspecError as error:
            raise UnusableStateError(f"state of {self._fingerprint}: not a detector state ({error})") from error
        if (decoded.format, decoded.fingerprint) != (_FORMAT, self._fingerprint):
            raise UnusableStateError(
                f"state of {self._fingerprint}: written by {decoded.fingerprint!r}, format {decoded.format}"
            )
        size = len(decoded.used)
        if size > _MAX_ROWS or any(byte > 1 for byte in decoded.used):
            raise UnusableStateError(f"state of {self._fingerprint}: {size} rows are not readable")
        self._used = np.frombuffer(decoded.used, dtype=np.uint8).astype(np.bool_)
        for name, like in self.ints.items():
            shape = (size, *like.shape[1:])
            data = self._bytes(decoded.arrays, name, shape)
            self.ints[name] = np.frombuffer(data, dtype="<i8").astype(np.int64).reshape(shape)
        for name, real in self.floats.items():
            shape = (size, *real.shape[1:])
            data = self._bytes(decoded.arrays, name, shape)
            self.floats[name] = np.frombuffer(data, dtype="<f8").astype(np.float64).reshape(shape)

    def _bytes(self, arrays: Mapping[str, bytes], name: str, shape: tuple[int, ...]) -> bytes:
        data = arrays.get(name, bytes(8 * math.prod(shape)) if name in self._later else b"")
        if len(data) != 8 * math.prod(shape):
            raise UnusableStateError(f"state of {self._fingerprint}: {name} has {len(data)} bytes, shape {shape}")
        return data
