"""The table: how an alert of each name is worded. A new kind of alert is a row here.

A row says what has changed (the summary after `model version:`), what is so now that it is over, the same numbers with
their uncertainty, how a resolved alert calls its subject, and what an operator does about it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from stream_monitor.core.alerts.wording import demand, quantiles, shares
from stream_monitor.core.alerts.wording.facts import Facts
from stream_monitor.core.alerts.wording.numbers import percent
from stream_monitor.core.names import (
    ALERT_STORM,
    EXTRA_COLUMN,
    FROZEN_VALUES,
    KIND_CHANGED,
    LATENCY,
    MISSING_COLUMN,
    NEW_MODEL,
    NOT_MONITORED,
    UNDECLARED_NAMES,
    VERSION_CHANGED,
)

Phrase = Callable[[Facts], str]
"""Some words about an alert, without a full stop; empty where there is nothing to say."""


class Wording(NamedTuple):
    """How alerts of one name are worded.

    Attributes:
        alertname: the name.
        changed: what has changed, from what to what.
        now: what it is now.
        figures: from what to what, with the ranges that hold the numbers.
        subject: what a resolved alert speaks of, with its verb: `latency is`, `missing values of age are`.
        todo: what to do about it, one sentence without a full stop; `{what}` is the subject.
    """

    alertname: str
    changed: Phrase
    now: Phrase
    figures: Phrase
    subject: str
    todo: str


def _values_changed(facts: Facts) -> str:
    if not facts.levels:
        return f"{facts.what} drifts"
    if _are_numbers(facts):
        return f"{facts.what} {quantiles.verb(facts.levels)}: {quantiles.changed(facts.levels, _unit(facts))}"
    return f"{facts.what}: {shares.changed(facts.levels)}"


def _values_now(facts: Facts) -> str:
    return quantiles.now(facts.levels, _unit(facts)) if _are_numbers(facts) else shares.now(facts.levels)


def _values_figures(facts: Facts) -> str:
    return quantiles.figures(facts.levels, _unit(facts)) if _are_numbers(facts) else shares.figures(facts.levels)


def _share_changed(word: str) -> Phrase:
    def phrase(facts: Facts) -> str:
        found = facts.levels.get(shares.YES)
        who = f"{facts.what}: " if ":" in facts.name.series else ""
        if found is None:
            return f"{who}another share is {word}"
        return f"{who}{percent(found.window)} {word}, normally {percent(found.baseline)}"

    return phrase


def _share_now(facts: Facts) -> str:
    found = facts.levels.get(shares.YES)
    return "" if found is None else percent(found.window)


def _share_figures(word: str) -> Phrase:
    return lambda facts: shares.figures(facts.levels, word)


def _demand_changed(facts: Facts) -> str:
    own = facts.levels.get(demand.EVENTS)
    return "traffic changed" if own is None else demand.changed(own, facts.evidence.pane_ms)


def _demand_now(facts: Facts) -> str:
    own = facts.levels.get(demand.EVENTS)
    return "" if own is None else demand.now(own, facts.evidence.pane_ms)


def _demand_figures(facts: Facts) -> str:
    own = facts.levels.get(demand.EVENTS)
    return "" if own is None else demand.figures(own, facts.evidence.pane_ms)


def _storm_changed(facts: Facts) -> str:
    value, floor = facts.evidence.effect.value, facts.evidence.effect.floor
    return f"{value:.0f} alerts would be open, the limit is {floor - 1.0:.0f}"


def _said(facts: Facts) -> str:
    return "" if facts.said is None else facts.said.changed


def _nothing(_: Facts) -> str:
    return ""


def _are_numbers(facts: Facts) -> bool:
    return bool(quantiles.QUANTILES.keys() & facts.levels.keys())


def _unit(facts: Facts) -> str:
    return " ms" if facts.name.series == LATENCY else ""


def _values(alertname: str, todo: str) -> Wording:
    return Wording(alertname, _values_changed, _values_now, _values_figures, "{what} is", todo)


def _share(alertname: str, word: str, subject: str, todo: str) -> Wording:
    return Wording(alertname, _share_changed(word), _share_now, _share_figures(word), subject, todo)


def _condition(alertname: str, subject: str) -> Wording:
    """Return the row of a condition: what is the case and what to do is its own to say."""
    return Wording(alertname, _said, _nothing, _nothing, subject, "")


WORDINGS: tuple[Wording, ...] = (
    _values(
        "FeatureDrift",
        "look at what feeds {what}, and what was changed there; if the new values are right, build a new baseline",
    ),
    _share("MissingValues", "missing", "missing values of {what} are", "look at the source of {what}"),
    _share(
        "InvalidValues", "invalid", "invalid values of {what} are", "look at type and range that are sent as {what}"
    ),
    _share(
        "UnseenCategories",
        "in unseen categories",
        "unseen categories of {what} are",
        "find out which categories are new; the model has never seen them",
    ),
    _values("PredictionDrift", "look at alerts about features first, then at the last change of the model"),
    _values("LatencyDrift", "look at load, resources and the last change of the service"),
    _share("ServingErrors", "of requests fail", "the rate of failures is", "look at the log of the service"),
    Wording(
        "DemandChange",
        _demand_changed,
        _demand_now,
        _demand_figures,
        "traffic is",
        "look at the callers of the model, and at what writes the input topic",
    ),
    Wording(
        ALERT_STORM,
        _storm_changed,
        _nothing,
        _nothing,
        "the number of open alerts is",
        "look for one cause; alerts that wait are reported when others end",
    ),
    _condition(MISSING_COLUMN, "column {what} is"),
    _condition(KIND_CHANGED, "the kind of {what} is"),
    _condition(FROZEN_VALUES, "{what} is"),
    _condition(EXTRA_COLUMN, "the new column {what} is"),
    _condition(UNDECLARED_NAMES, "the number of new names is"),
    _condition(NOT_MONITORED, "monitoring is"),
    _condition(NEW_MODEL, "the traffic of a new model is"),
    _condition(VERSION_CHANGED, "the difference to the version before is"),
)
"""Every alert that has words of its own."""

_ANY = _values("", "look at what feeds {what}, and what was changed there")


def wording(alertname: str) -> Wording:
    """Return the row of an alert; one without a row is worded as a drift of values."""
    return next((row for row in WORDINGS if row.alertname == alertname), _ANY)
