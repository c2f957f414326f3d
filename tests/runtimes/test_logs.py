"""Log lines: one each, without secrets, not to be forged."""

from __future__ import annotations

import logging

import orjson
import pytest

from stream_monitor.runtimes.logs import LineFormatter


def _line(message: str, *, line_format: str = "json", secrets: frozenset[str] = frozenset()) -> str:
    record = logging.LogRecord("stream_monitor.x", logging.WARNING, "f.py", 1, "%s", (message,), None)
    record.created = 1_795_331_967.684
    return LineFormatter(line_format, secrets).format(record)


def test_a_line_is_a_json_object() -> None:
    """Time, level, logger and message; UTC with milliseconds."""
    assert {
        "time": "2026-11-22T07:19:27.684Z",
        "level": "warning",
        "logger": "stream_monitor.x",
        "message": "hello",
    } == orjson.loads(_line("hello"))


@pytest.mark.parametrize("line_format", ["json", "text"])
@pytest.mark.parametrize("message", ["a\nb", "a\r\x1b[31mb", "a\u2028b", "a\x00b", "x" * 5_000, "\udc80"])
def test_no_message_breaks_a_line(message: str, line_format: str) -> None:
    """Line feeds, escapes, surrogates and long texts from events stay inside their line."""
    line = _line(message, line_format=line_format)

    assert line.isprintable()
    assert len(line) < 1_500


def test_secrets_and_user_info_are_hidden() -> None:
    """Expanded values and passwords in addresses never reach the log."""
    line = _line("broker https://u:canary@h said hunter2-canary", secrets=frozenset({"hunter2-canary"}))

    assert "canary" not in line
    assert "***" in line


def test_a_traceback_is_one_value() -> None:
    """An error with its place is one line too."""
    try:
        raise ValueError("boom")
    except ValueError as error:
        record = logging.LogRecord(
            "stream_monitor.x", logging.ERROR, "f.py", 1, "failed", (), (type(error), error, error.__traceback__)
        )
    line = LineFormatter("json", frozenset()).format(record)

    assert "ValueError: boom" in orjson.loads(line)["traceback"]
    assert "\n" not in line
