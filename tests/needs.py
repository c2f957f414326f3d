"""What tests need beside the locked dependencies: without it they are skipped, and the run's last lines say so.

With `CI=true` a missing need is a failure: a green run that tested nothing must not exist there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NoReturn

import pytest

_SAID = re.compile(r"^(?:Skipped: )?(?P<need>.+?) is missing(?:, and CI=true)?: (?P<reason>.*)$", re.MULTILINE)


def in_ci() -> bool:
    """Tell whether this is a run in which nothing may be skipped."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def missing(need: str, reason: str) -> NoReturn:
    """Skip the running test, or fail it in CI, because `need` cannot be had.

    Raises:
        pytest.skip.Exception, pytest.fail.Exception: always one of them.
    """
    if in_ci():
        pytest.fail(f"{need} is missing, and CI=true: {reason}", pytrace=False)
    pytest.skip(f"{need} is missing: {reason}")


def missed(reports: Iterable[pytest.TestReport]) -> dict[tuple[str, str], int]:
    """Return how many tests lacked a need, by need and reason; reports tell it across processes."""
    lost: dict[tuple[str, str], int] = {}
    for report in reports:
        said = _SAID.search(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext)
        if said is not None:
            key = said["need"], said["reason"]
            lost[key] = lost.get(key, 0) + 1
    return lost
