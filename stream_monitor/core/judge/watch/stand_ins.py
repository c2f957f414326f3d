"""Stand-ins for classes of the user's that an old plan names and the configuration does not name any more.

Nothing is imported because a topic says so. A stand-in keeps what is written of a detector as it is, so that a state
can be read and carried over to a plan without it; it decides nothing, so no pane may be judged with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stream_monitor.core.canonical import Json
from stream_monitor.core.detectors import DetectorClass
from stream_monitor.core.plan import Plan
from stream_monitor.core.rules import EffectWindow, Rule, RuleFactory, Verdict


class _Mute:
    """A detector that takes what it is given and says nothing."""

    drift_detected = False

    def __init__(self, **params: object) -> None:
        """Forget the parameters."""

    def update(self, x: float) -> None:
        """Take an input."""


class _Undecided:
    """A rule that has no opinion."""

    def verdict(self, window: EffectWindow) -> Verdict:
        """Return an effect below its floor."""
        return Verdict(0.0, 1.0)


def _undecided(_: Mapping[str, Json]) -> Rule:
    return _Undecided()


def missing_classes(plan: Plan, rules: Mapping[str, RuleFactory], detectors: Mapping[str, DetectorClass]) -> list[str]:
    """Return the classes that a plan names and nobody gave, sorted."""
    named = {rule.target for rule in plan.rules if rule.target is not None} - set(rules)
    return sorted(named | {own.kind for own in plan.detection.detectors if own.is_own and own.kind not in detectors})


def with_stand_ins(
    plan: Plan,
    rules: Mapping[str, RuleFactory],
    detectors: Mapping[str, DetectorClass],
    fingerprints: Iterable[str] = (),
) -> tuple[dict[str, RuleFactory], dict[str, DetectorClass]]:
    """Return the classes that were given, and stand-ins for all others that a plan names.

    Args:
        plan: the old plan.
        rules: factories by target.
        detectors: classes by kind.
        fingerprints: of the detectors in a state; they say of which version each class was.
    """
    written = list(fingerprints)
    missing = missing_classes(plan, rules, detectors)
    kinds = {own.kind for own in plan.detection.detectors if own.is_own}
    return (
        {**rules, **{name: _undecided for name in missing if name not in kinds or name in _targets(plan)}},
        {**detectors, **{name: DetectorClass(_Mute, _version(name, written)) for name in missing if name in kinds}},
    )


def _targets(plan: Plan) -> set[str]:
    return {rule.target for rule in plan.rules if rule.target is not None}


def _version(kind: str, fingerprints: Iterable[str]) -> str:
    pattern = re.compile(rf"own/\d+/{re.escape(kind)}/([^/]*)/")
    return next((found[1] for text in fingerprints if (found := pattern.match(text))), "")
