"""Which models a configuration watches."""

from __future__ import annotations

import pytest

from stream_monitor.config import load


@pytest.mark.parametrize(
    ("settings", "watched"),
    [
        pytest.param([], True, id="nothing said"),
        pytest.param(["models=[{name: churn}]"], True, id="one listed"),
        pytest.param(["models=[{name: churn}, {name: fraud}]", "models_only=false"], True, id="two listed"),
        pytest.param(["models=[{name: churn}]", "models_only=true"], False, id="one, and no others"),
        pytest.param(["models=[{name: churn}, {name: '*'}]", "models_only=true"], True, id="the others listed"),
    ],
)
def test_who_lists_a_model_keeps_the_others(settings: list[str], watched: bool) -> None:
    """Unless he says so."""
    plan = load(environ={}, needs_group=False, assignments=tuple(settings)).plan

    assert (plan.model("somebody") is not None) == watched


def test_a_plan_that_lists_all_models_stays_the_same() -> None:
    """Its name in the log does not change."""
    stated = load(environ={}, needs_group=False, assignments=("models=[{name: churn}, {name: '*'}]",)).plan
    short = load(environ={}, needs_group=False, assignments=("models=[{name: churn}]",)).plan

    assert stated.hash == short.hash
