"""OwnDetector: a class of the user's, named in the plan, on the rank innovation of numbers or on single errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.detectors.own_cell import Detecting, OwnCell
from stream_monitor.core.detectors.river_group import RiverGroup
from stream_monitor.core.detectors.strata import suffix

_YES_NO = 2


@dataclass(frozen=True, slots=True)
class DetectorClass:
    """A class with river's interface.

    Attributes:
        make: the class; it is called with the parameters as keywords.
        version: of the distribution that it comes from, or a hash of its file.
    """

    make: Callable[..., Detecting]
    version: str


@dataclass(frozen=True, slots=True)
class OwnDetector:
    """The detector by its parameters.

    Attributes:
        target: `module:Class`.
        code: what the target names.
        params: keyword parameters, the calibrated one among them.
        of_errors: takes single events of a yes/no series, 1 for an error, instead of a number a pane.
        memory: inputs without an alarm after which it begins anew.
        guarantee: what the budget promises with it.
        strata: number of nulls against which the rank innovation is taken; errors know no strata.
    """

    target: str
    code: DetectorClass = field(compare=False)
    params: tuple[tuple[str, Json], ...] = ()
    of_errors: bool = False
    memory: int = 10_000
    guarantee: str = "none:uncalibrated"
    strata: int = 1

    @property
    def fingerprint(self) -> str:
        """Class and version, parameters, input and memory: the state of another one is left behind."""
        params = canonical_json(dict(self.params)).decode()
        kind = "errors" if self.of_errors else "numbers"
        name = f"own/1/{self.target}/{self.code.version}/{params}/{kind}/{self.memory}/{self.guarantee}"
        return name + suffix(self.strata)

    @property
    def threshold(self) -> None:
        """None: what the class compares with what is not known."""
        return None

    def cell(self, seed: int = 0, state: bytes | None = None) -> OwnCell:
        """Return the detector of one series."""
        params = {name: _thawed(value) for name, value in self.params}
        return OwnCell(lambda: self.code.make(**params), memory=self.memory, of_errors=self.of_errors, state=state)

    def build(self, layout: int, state: bytes | None = None) -> RiverGroup:
        """Return a group over the grid of m = `layout` reference values, or of yes/no series with two bins."""
        if self.of_errors and layout != _YES_NO:
            raise ValueError(f"layout: {self.target} takes yes/no series, 2 bins, got {layout}")
        return RiverGroup(self, layout, state)


def _thawed(value: Json) -> Json:
    """Return a parameter as the configuration had it: a plan keeps lists as tuples."""
    return [_thawed(item) for item in value] if isinstance(value, tuple) else value
