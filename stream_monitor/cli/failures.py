"""From an exception to one line and an exit code; a traceback only where it was asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the product."""

    GOOD = 0
    UNEXPECTED = 1
    USAGE = 2
    FATAL = 3
    DEAD_LETTERS = 4
    NOT_AUTHORISED = 5
    DATA_LOSS = 6
    HISTORY = 7
    INTERRUPTED = 130


class CommandError(Exception):
    """A command cannot do what was asked; the message is the whole story."""

    def __init__(self, message: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Failure:
    """What is told about an exception."""

    lines: tuple[str, ...]
    code: int


def describe(error: BaseException) -> Failure:
    """Return what to print and with which code to exit."""
    if isinstance(error, CommandError):
        return Failure((_line(str(error)),), error.code)
    # Only modules that were imported can have raised: nothing heavy is loaded to describe a failure.
    config = sys.modules.get("stream_monitor.config.errors")
    if config is not None and isinstance(error, config.ConfigError):
        return Failure(tuple(_line(str(finding)) for finding in error.findings), Exit.USAGE)
    if "confluent_kafka" in sys.modules:
        from stream_monitor.kafka.ending import stop_of

        stop = stop_of(error)
        if stop is not None:
            return Failure((_line(str(stop)),), stop.exit_code)
    judge = sys.modules.get("stream_monitor.core.judge.errors")
    if judge is not None and isinstance(error, judge.JudgeError):
        return Failure((_line(str(error)),), Exit.HISTORY)
    profile = sys.modules.get("stream_monitor.core.profile")
    if profile is not None and isinstance(error, profile.MalformedRecord | profile.UnknownRecord):
        return Failure((_line(str(error)),), Exit.HISTORY)
    rules = sys.modules.get("stream_monitor.core.rules")
    if rules is not None and isinstance(error, rules.RuleError):
        return Failure((_line(f"{error}; --traceback shows where"),), Exit.UNEXPECTED)
    if isinstance(error, OSError) and error.filename is not None:
        return Failure((_line(f"{error.filename}: {error.strerror}"),), Exit.USAGE)
    return Failure((_line(f"unexpected {type(error).__name__}: {error}; --traceback shows where"),), Exit.UNEXPECTED)


def _line(text: str) -> str:
    return " ".join(text.split())
