"""YAML text to plain values: YAML 1.2's few scalar types, no aliases, no tags, no duplicate keys, small and shallow.

PyYAML speaks YAML 1.1, where `off` and `no` are booleans, `4:30` is 270 and `2026-11-22` a date. In a configuration
each of these is a trap, so only `true`, `false`, `null`, decimal numbers and strings are recognised.

>>> parse_yaml("idle_after: off")
{'idle_after': 'off'}
"""

from __future__ import annotations

import re

import yaml

from stream_monitor.config.errors import ConfigError, refuse

MAX_BYTES = 1_048_576
MAX_DEPTH = 16

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


class _Loader(yaml.SafeLoader):
    """The safe loader without aliases, tags, duplicate keys and YAML 1.1's scalars."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise self._refused("aliases are not allowed")
        if getattr(self.peek_event(), "tag", None) is not None:  # type: ignore[no-untyped-call]  # not in the stubs
            raise self._refused("tags are not allowed")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._refused(f"nested deeper than {MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        assert node is None or isinstance(node, yaml.Node)
        return node

    def _refused(self, problem: str) -> yaml.MarkedYAMLError:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # not in the stubs
        return yaml.constructor.ConstructorError(None, None, problem, event.start_mark)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
        if key in found:
            raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key}", key_node.start_mark)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _integer(_: _Loader, node: yaml.ScalarNode) -> int:
    return int(node.value)


def _real(_: _Loader, node: yaml.ScalarNode) -> float:
    return float(node.value)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)  # 010 is ten, not eight
_Loader.add_constructor("tag:yaml.org,2002:float", _real)


def parse_yaml(text: str, *, source: str = "configuration") -> Plain:
    """Return the value of a YAML text.

    Args:
        text: one YAML document.
        source: name of the file or variable, for errors.

    Raises:
        ConfigError: the text is too long or too deep, is not YAML, or uses aliases, tags or duplicate keys.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise refuse(source, f"must be at most {MAX_BYTES} bytes", len(text))
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        value: Plain = loader.get_single_data()
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _refusal(error, source) from None
    finally:
        if loader is not None:
            loader.dispose()
    return value


def _refusal(error: Exception, source: str) -> ConfigError:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark
        place = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        return refuse(source, f"is not one plain YAML document: {error.problem or 'syntax error'}{place}")
    return refuse(source, "must be YAML text without control characters")
