"""References in values, and what is never printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_monitor.config import ConfigError, load
from stream_monitor.config.expansion import expand
from stream_monitor.config.redaction import redact_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "1"),
        ("x${A}y${B}", "x1y2: #z"),
        ("${C:-d}", "d"),
        ("${A:-d}", "1"),
        ("${C:-}", ""),
        ("$${A}", "${A}"),
        ("$A", "$A"),
    ],
)
def test_references(text: str, value: str) -> None:
    """A reference is replaced after parsing, so its value is never YAML."""
    assert value == expand(text, {"A": "1", "B": "2: #z"}).value


def test_a_secret_file_loses_its_last_newline(tmp_path: Path) -> None:
    """`${file:}` reads a mounted secret as it was meant."""
    (tmp_path / "password").write_text("hunter2\n")

    assert expand(f"${{file:{tmp_path}/password}}", {}).value == "hunter2"


@pytest.mark.parametrize("text", ["${A}", "${file:/nowhere}", "${}", "${a b}", "${A"])
def test_a_reference_to_nothing_is_an_error(text: str) -> None:
    """Unset names, missing files and malformed references are told, an unclosed one is text."""
    if text == "${A":
        assert text == expand(text, {}).value
        return
    with pytest.raises(ConfigError, match="kafka"):
        expand({"kafka": {"x": text}}, {})


def test_an_expanded_value_is_never_in_an_error() -> None:
    """A secret in the wrong place is not shown when it is refused."""
    with pytest.raises(ConfigError) as caught:
        load(
            environ={"SECRET": "canary-value"},
            assignments=["delivery='${SECRET}'", "inputs=[{topic: '${SECRET}!'}]"],
            needs_group=False,
        )

    assert "canary" not in str(caught.value)
    assert "got ***" in str(caught.value)


def test_lines_lose_secrets_and_user_info() -> None:
    """A log line holds neither an expanded value nor a password in an address."""
    assert (
        redact_text("at https://u:p@h/x with hunter2, 0 left", {"hunter2", "0"})
        == "at https://***@h/x with ***, 0 left"
    )
