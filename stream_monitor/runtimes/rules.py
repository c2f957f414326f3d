"""Rules of one's own: classes named in the configuration as `module:Class`, imported here and handed to the judge.

Only names from the configuration are imported, never from a topic. The class is called with the rule's `params`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from stream_monitor.config.errors import refuse
from stream_monitor.config.rule_paths import rule_path
from stream_monitor.core.plan import Plan
from stream_monitor.core.rules import RuleFactory
from stream_monitor.runtimes.imports import imported


def resolve_rules(plan: Plan) -> Mapping[str, RuleFactory]:
    """Return the factory of every target that the plan's rules name.

    Raises:
        ConfigError: a module cannot be imported, has no such name, or the class does not take the params.
    """
    found: dict[str, RuleFactory] = {}
    for rule in plan.rules:
        if rule.target is None:
            continue
        path = rule_path(plan.rules, rule.name)
        field = f"{path}.target"
        found[rule.target] = cast("RuleFactory", imported(field, rule.target))
        try:
            made = found[rule.target](dict(rule.params))
        except Exception as error:  # the user's code: whatever it raises is told as a wrong setting
            raise refuse(f"{path}.params", f"{rule.target} does not take them ({error})") from error
        if not callable(getattr(made, "verdict", None)):
            raise refuse(field, "must name a class whose objects have a method verdict(window)", rule.target)
    return found
