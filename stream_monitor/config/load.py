"""Load a configuration: flag over environment over file over default, expanded, validated, checked and frozen.

>>> load(environ={"STREAM_MONITOR_GROUP": "g", "STREAM_MONITOR_DETECTION__PANE": "5s"}).plan.detection.pane_ms
5000
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stream_monitor.config.availability import unavailable
from stream_monitor.config.build import build_settings
from stream_monitor.config.checks import inconsistent
from stream_monitor.config.errors import HIDDEN, ConfigError, Finding, refuse, shown
from stream_monitor.config.expansion import Expanded, expand
from stream_monitor.config.file import ConfigFile
from stream_monitor.config.overrides import CONFIG_VARIABLE, from_environment, from_flags, overlay
from stream_monitor.config.redaction import is_secret
from stream_monitor.config.reference import sections_of
from stream_monitor.config.settings import Settings
from stream_monitor.config.yaml_text import MAX_BYTES, Plain, parse_yaml

LOCAL_GROUP = "local"
"""Group of runs without Kafka when none is given; it is part of the `source` of alerts."""

_MESSAGES = {
    "missing": "is required",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    assignments: Sequence[str] = (),
    librdkafka: Sequence[str] = (),
    overrides: Plain = None,
    base: Plain = None,
    needs_group: bool = True,
) -> Settings:
    """Return the settings in force.

    Args:
        path: the YAML file; None takes the one that STREAM_MONITOR_CONFIG names, or none.
        environ: the environment, os.environ by default.
        assignments: texts of `--set a.b=value`.
        librdkafka: texts of `-X key=value`.
        overrides: settings of other flags, above everything.
        base: settings below everything: defaults of a command that knows better ones.
        needs_group: False takes a default group: for runs without Kafka.

    Raises:
        ConfigError: with every finding of the first stage that has any.
    """
    environ = os.environ if environ is None else environ
    if path is None and environ.get(CONFIG_VARIABLE):
        path = Path(environ[CONFIG_VARIABLE])
    tree = overlay(base or {}, {} if path is None else _read(path))
    tree = overlay(tree, from_environment(environ))
    tree = overlay(tree, from_flags(assignments, librdkafka))
    tree = overlay(tree, overrides or {})
    expanded = expand(tree, environ)
    file = validate(expanded)
    findings = [*inconsistent(file), *unavailable(file)]
    if file.group is None and needs_group:
        findings.insert(0, Finding("group", "is required", None, "it names consumer groups, for example fraud-monitor"))
    if findings:
        raise ConfigError([_hide(f, expanded) for f in findings])
    return build_settings(file, group=file.group or LOCAL_GROUP, secrets=expanded.secrets, expanded=expanded.paths)


def validate(expanded: Expanded) -> ConfigFile:
    """Return the typed file, or raise with one finding for every wrong setting."""
    try:
        return ConfigFile.model_validate(expanded.value)
    except ValidationError as error:
        findings = [_finding(e, expanded) for e in error.errors(include_url=False, include_context=True)]
        first = {finding.field: finding for finding in reversed(findings)}  # a union reports every branch
        raise ConfigError(list(reversed(first.values()))) from None


def _read(path: Path) -> Plain:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise refuse("--config", f"cannot be read ({error.strerror})", str(path)) from None
    except UnicodeDecodeError:
        raise refuse("--config", "must be UTF-8 text", str(path)) from None
    tree = parse_yaml(text, source=str(path))
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise refuse(str(path), "must be a mapping of settings")
    return tree


def _finding(error: ErrorDetails, expanded: Expanded) -> Finding:
    location = [part for part in error["loc"] if not _is_branch(part)]
    path = _dotted(location)
    kind = error["type"]
    if kind == "extra_forbidden":
        return Finding(path, "unknown setting", None, _suggestion(location))
    if kind == "missing":
        return Finding(path, _MESSAGES[kind])
    hidden = path in expanded.paths or is_secret(path)
    value = HIDDEN if hidden else shown(error["input"])
    return Finding(path, _rule(error), value)


def _rule(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _MESSAGES:
        return _MESSAGES[kind]
    context = error.get("ctx", {})
    match kind:
        case "value_error":
            return str(context["error"])
        case "literal_error" | "enum":
            return "must be one of " + str(context["expected"]).replace("'", "").replace(" or ", ", ")
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "greater_than":
            return f"must be more than {context['gt']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}"
        case "too_short":
            return f"must have at least {context['min_length']} entry"
        case _:
            message = error["msg"]
            return message[0].lower() + message[1:]


def _is_branch(part: int | str) -> bool:
    # pydantic names the branch of a union or a validator in its locations; no setting looks like that.
    return isinstance(part, str) and (part == "[key]" or re.search(r"[(\[]", part) is not None or part in _BRANCHES)


_BRANCHES = frozenset({"str", "int", "float", "bool"})


def _dotted(location: Sequence[int | str]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "configuration"


def _suggestion(location: Sequence[int | str]) -> str:
    section: type[BaseModel] | None = ConfigFile
    for part in location[:-1]:
        if section is None or isinstance(part, int):
            continue
        section = _section(section, part)
    if section is None:
        return "remove it"
    known = [field.alias or name for name, field in section.model_fields.items()]
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"


def _section(section: type[BaseModel], name: str) -> type[BaseModel] | None:
    for field_name, field in section.model_fields.items():
        if name == (field.alias or field_name):
            return sections_of(field.annotation)
    return None


def _hide(finding: Finding, expanded: Expanded) -> Finding:
    if finding.value is not None and (finding.field in expanded.paths or finding.value in expanded.secrets):
        return Finding(finding.field, finding.rule, HIDDEN, finding.fix)
    return finding
