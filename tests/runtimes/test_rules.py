"""Rules of one's own, named in the configuration."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from stream_monitor.cli.failures import describe
from stream_monitor.config import ConfigError, load
from stream_monitor.core.alerts.event import decode
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.plan import RulePlan
from stream_monitor.core.rules import EffectWindow, RuleError, build_rule
from stream_monitor.runtimes.local import LocalPipeline
from stream_monitor.runtimes.rules import resolve_rules
from tests.runtimes.stories import PLAN, TOPIC, chunks, reference, traffic

OWN = "tests.runtimes.own_rules:AnyChange"


def test_a_rule_of_ones_own_raises_alerts() -> None:
    """The class is imported, gets its params, and its verdicts open alerts under its name."""
    rule = RulePlan("any_change", ("feature:amount",), target=OWN, params=(("floor", 1),))
    plan = replace(PLAN, rules=(rule,))
    pipeline = LocalPipeline(plan, group="g", partitions=1, sources={TOPIC: 1}, baselines=[(reference(), 0)])
    alerts = [alert for chunk in chunks(traffic(24)[0], 0, [500]) for alert in pipeline.feed(chunk)] + pipeline.close()
    fired = [decode(alert.event.value).data for alert in alerts]

    assert {"any_change"} == {data.labels["rule"] for data in fired if data.reason == "fired"}


def test_the_file_names_it() -> None:
    """Target and params are part of the plan."""
    rules = f"rules=[{{name: mine, series: [prediction], target: '{OWN}', params: {{floor: 2}}}}]"
    plan = load(environ={}, needs_group=False, assignments=[rules]).plan

    assert (OWN, (("floor", 2),)) == (plan.rules[0].target, plan.rules[0].params)
    assert [OWN] == list(resolve_rules(plan))


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("nowhere:Rule", "rules[0] (mine).target: module nowhere cannot be imported"),
        ("tests.runtimes.own_rules:Missing", "has no class Missing"),
        ("tests.runtimes.own_rules", "must be module:Class"),
        ("tests.runtimes.own_rules:NoRule", "must name a class whose objects have a method verdict"),
        (OWN, "rules[0] (mine).params: tests.runtimes.own_rules:AnyChange does not take them"),
    ],
)
def test_what_cannot_be_used_is_told(target: str, error: str) -> None:
    """A wrong target is a wrong setting: its name, the rule, what holds."""
    with pytest.raises(ConfigError, match=re.escape(error)):
        resolve_rules(replace(PLAN, rules=(RulePlan("mine", ("prediction",), target=target),)))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Speechless", "rule mine: tests.runtimes.own_rules:Speechless.verdict must return a Verdict, got a NoneType"),
        ("Failing", "rule mine: tests.runtimes.own_rules:Failing.verdict raised ZeroDivisionError"),
        (
            "Undecided",
            "rule mine: tests.runtimes.own_rules:Undecided.verdict: value and floor must be finite numbers",
        ),
    ],
)
def test_a_rule_that_goes_wrong_is_named(name: str, error: str) -> None:
    """Rule and class stand in the one line that the operator reads; it is no error of ours."""
    target = f"tests.runtimes.own_rules:{name}"
    plan = RulePlan("mine", ("feature:amount",), target=target)
    rule = build_rule(plan, resolve_rules(replace(PLAN, rules=(plan,))))
    window = EffectWindow("fraud", "1", "", "demand", SeriesKind.COUNT, None, None, np.array([1]), 1, 0, 1)
    with pytest.raises(RuleError) as caught:
        rule.verdict(window)

    assert error == str(caught.value)
    assert describe(caught.value).lines == (f"{error}; --traceback shows where",)
