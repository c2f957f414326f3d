"""What tests need beside the locked dependencies: without it they are skipped, and the run's last lines say so.

With `CI=true` a missing need is a failure: a green run that tested nothing must not exist there.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

MISSED: dict[str, str] = {}  # need -> reason, of this run; read by the terminal summary


def in_ci() -> bool:
    """Tell whether this is a run in which nothing may be skipped."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def missing(need: str, reason: str) -> NoReturn:
    """Skip the running test, or fail it in CI, because `need` cannot be had.

    Raises:
        pytest.skip.Exception, pytest.fail.Exception: always one of them.
    """
    MISSED[need] = reason
    if in_ci():
        pytest.fail(f"{need} is missing, and CI=true: {reason}", pytrace=False)
    pytest.skip(f"{need} is missing: {reason}")
