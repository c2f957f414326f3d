"""The capped YAML loader."""

from __future__ import annotations

import pytest

from stream_monitor.config.errors import ConfigError
from stream_monitor.config.yaml_text import MAX_BYTES, Plain, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("no", "no"),
        ("true", True),
        ("4:30", "4:30"),
        ("2026-11-22", "2026-11-22"),
        ("010", 10),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("~", None),
        ("''", ""),
        ("NaN", "NaN"),
        (".inf", ".inf"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Plain) -> None:
    """YAML 1.1's surprises are text."""
    assert value == parse_yaml(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: &x 1\nb: *x\n", "aliases are not allowed"),
        ("a: 1\na: 2\n", "duplicate key a"),
        ("a: !!python/object:os.system x\n", "tag"),
        ("a: !!binary aGk=\n", "tag"),
        ("1: a\n", "a key must be text"),
        ("a: [\n", "line"),
        ("a: 1\n---\nb: 2\n", "one plain YAML document"),
        ("[" * 17 + "]" * 17, "nested deeper than 16"),
        ("[" * 50_000, "nested deeper than 16"),
        ("a: \x07", "control characters"),
        ("x" * (MAX_BYTES + 1), "at most"),
    ],
)
def test_what_a_configuration_does_not_need_is_refused(text: str, error: str) -> None:
    """Aliases, tags, duplicates, depth, size and second documents are errors with a place."""
    with pytest.raises(ConfigError, match=error):
        parse_yaml(text)
