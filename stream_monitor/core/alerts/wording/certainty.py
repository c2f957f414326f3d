"""How sure an alert is, in words: how rarely evidence as strong comes without drift, and what may spoil that promise.

Evidence that exceeds its threshold by a factor comes, over all series of the model, that many times more rarely than
the budget allows. Above a thousand million years nobody reads digits any more; the payload keeps them.
"""

from __future__ import annotations

from decimal import Decimal

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.wording.facts import Facts
from stream_monitor.core.alerts.wording.numbers import YEAR_DAYS, number, years
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.names import CALIBRATED, NO_GUARANTEE, approximate, no_guarantee

_DAY_MS = 24 * 3_600_000
_CERTAIN_YEARS = 1e9
_MOST_EXPONENT = 30.0
"""Beyond it everything is certain, and a power would not be a double any more."""


def certainty(evidence: wire.Evidence) -> str:
    """Return how rarely evidence this strong comes without drift.

    A series without a guarantee gets no number: `caution` says why.
    """
    if evidence.guarantee.startswith(NO_GUARANTEE):
        return ""
    days = _days(evidence)
    if evidence.log10_evidence is None or evidence.log10_threshold is None:
        name = evidence.detector.replace("_", " ")
        return f"{name} alarmed; without drift it does so at most once in {years(days)}"
    excess = min(_MOST_EXPONENT, max(0.0, evidence.log10_evidence - evidence.log10_threshold))
    days *= float(Decimal(10) ** Decimal(str(round_significant(excess))))  # a power of doubles differs between machines
    if days >= _CERTAIN_YEARS * YEAR_DAYS:
        return "certain: without drift, evidence this strong comes less than once in 10^9 years"
    return f"without drift, evidence this strong comes at most once in {years(days)}"


def caution(facts: Facts) -> str:
    """Return what may spoil the promise; nothing where it holds as it stands."""
    guarantee, d = facts.evidence.guarantee, facts.evidence.design_effect
    if guarantee == no_guarantee("dependence"):
        return "no false-alarm rate can be promised: values depend on each other for longer than the baseline shows"
    if guarantee.startswith(NO_GUARANTEE):
        return f"no false-alarm rate can be promised ({guarantee.partition(':')[2]})"
    if not facts.order_known:
        return "this holds if values do not depend on each other: the baseline has no order of time to tell"
    if d is not None:
        units = "panes" if facts.by_pane else "events"
        return f"{number(d, 2)} {units} say as much as one, because values depend on each other"
    if guarantee == approximate("histogram"):
        return "the bins come from a histogram, so this is an approximation"
    if guarantee == CALIBRATED:
        return "this is by simulation, not by theorem"
    return ""


def _days(evidence: wire.Evidence) -> float:
    """Return the span in which the budget allows one false alarm."""
    return evidence.budget_panes * evidence.pane_ms / _DAY_MS
