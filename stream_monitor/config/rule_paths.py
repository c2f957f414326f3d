"""Where a rule stands in the file of the user, for errors and warnings that are found after the file was read.

>>> from stream_monitor.core.plan import DEFAULT_RULES, RulePlan
>>> rule_path([RulePlan("drift", ("prediction",)), RulePlan("load", ("demand",))], "load")
'rules[1] (load)'
>>> rule_path(DEFAULT_RULES, "traffic")
'default rule traffic'
"""

from __future__ import annotations

from collections.abc import Sequence

from stream_monitor.core.plan import DEFAULT_RULES, RulePlan


def rule_path(rules: Sequence[RulePlan], name: str) -> str:
    """Return the place of a rule by its name; a default rule stands in no file."""
    if rules == DEFAULT_RULES:
        return f"default rule {name}"
    return f"rules[{[rule.name for rule in rules].index(name)}] ({name})"
