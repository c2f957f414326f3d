"""The false-alarm budget: of the deployment's models, or of one of them."""

from __future__ import annotations

from pydantic import Field

from stream_monitor.config.fields import PositiveNumber, PositiveSpan, Section, written
from stream_monitor.core.plan import Budget


class BudgetSection(Section):
    """Expected false alarms of one model, all its series together."""

    false_alarms: PositiveNumber = Field(default=1.0, description="This many false alarms ...")
    per: PositiveSpan = Field(default=written("30d"), description="... are expected, at most, in this time.")

    def to_plan(self) -> Budget:
        """Return the budget; its time in milliseconds."""
        return Budget(self.false_alarms, self.per)
