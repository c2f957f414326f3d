"""Conditions: alerts about a model as a whole that are no evidence of a detector.

Each is a file with a function that finds it in what the judge knows after a pane, and a line in `CONDITIONS`. They have
the life of every alert (`standing`), are switched and weighed by `conditions` in the configuration, and are told with
the numbers behind them (`telling`). `memory` is what they need to know beyond the last pane.
"""

from stream_monitor.core.judge.conditions import (
    extra_column,
    frozen_values,
    kind_changed,
    missing_column,
    new_model,
    not_monitored,
    undeclared_names,
    version_changed,
)

CONDITIONS = (
    missing_column.CONDITION,
    kind_changed.CONDITION,
    frozen_values.CONDITION,
    extra_column.CONDITION,
    undeclared_names.CONDITION,
    not_monitored.CONDITION,
    new_model.CONDITION,
    version_changed.CONDITION,
)
"""Every condition, in the order in which they are looked for."""

__all__ = ["CONDITIONS"]
