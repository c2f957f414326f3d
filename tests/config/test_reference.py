"""The generated reference of settings."""

from __future__ import annotations

import jsonschema
import pytest
import yaml

from stream_monitor.config import load
from stream_monitor.config.docs import PAGE, page
from stream_monitor.config.durations import format_duration, parse_duration
from stream_monitor.config.expansion import expand
from stream_monitor.config.file import ConfigFile
from stream_monitor.config.reference import json_schema, sections_of, settings
from stream_monitor.config.sections.inputs import AVAILABLE_FORMATS
from stream_monitor.config.yaml_text import parse_yaml
from stream_monitor.core.plan import DEFAULT_RULES
from tests.config.example import ENVIRONMENT, EXAMPLE


def test_the_documented_settings_are_those_of_the_code() -> None:
    """`python -m stream_monitor.config.docs` was run after the last change of a setting."""
    current = PAGE.read_text("utf-8")

    assert page(current) == current


def test_every_setting_has_its_sentence() -> None:
    """No setting is documented by its name alone."""
    assert [s.path for s in settings() if not s.text.endswith((".", "..."))] == []


def test_the_example_is_valid_by_the_schema() -> None:
    """Editors that use the JSON Schema accept what the loader accepts."""
    value = expand(parse_yaml(EXAMPLE), ENVIRONMENT).value
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(value, json_schema())


def test_the_rules_in_the_page_are_the_default_rules() -> None:
    """Who copies the rules of the page into a file changes nothing."""
    block = PAGE.read_text("utf-8").split("```yaml\nrules:")[1].split("```")[0]
    rules = yaml.safe_load("rules:" + block)

    assert load(environ={}, overrides=rules, needs_group=False).plan.rules == DEFAULT_RULES


def test_the_formats_that_may_be_configured_are_those_that_exist() -> None:
    """A format that lands in `formats` is allowed in the file by the same change."""
    formats = pytest.importorskip("stream_monitor.formats")

    assert {f.value for f in AVAILABLE_FORMATS} == set(formats.FORMATS)


@pytest.mark.parametrize("text", ["0s", "500ms", "90s", "5m", "4h", "30d"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    """Formatting a parsed duration gives the text back."""
    assert text == format_duration(parse_duration(text))


@pytest.mark.parametrize("text", ["", "5", "m", "-5s", "1.5h", "05s", "5 s", "5M", "99999999999d", "1h30m"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    """A bare number has no unit, and nothing is guessed."""
    with pytest.raises(ValueError, match="must be"):
        parse_duration(text)


def test_a_section_stands_in_the_file_of_its_name() -> None:
    """Who looks for the settings below `alerts` opens `config/sections/alerts.py`."""
    homes = {
        name: section.__module__
        for name, field in ConfigFile.model_fields.items()
        if (section := sections_of(field.annotation)) is not None
    }

    assert homes == {name: f"stream_monitor.config.sections.{name}" for name in homes}
    assert len(homes) == 17
