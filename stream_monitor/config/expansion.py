"""`${NAME}`, `${NAME:-default}` and `${file:PATH}` in string values, expanded after the YAML is parsed.

Expanding after parsing keeps a secret with a colon or a hash in it from becoming YAML. What was expanded is remembered
by path: such a value is never printed.

>>> expand({"a": "x-${B:-y}"}, {}).value
{'a': 'x-y'}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stream_monitor.config.errors import ConfigError, Finding, refuse
from stream_monitor.config.yaml_text import Plain

MAX_FILE_BYTES = 65_536

_REFERENCE = re.compile(r"\$\$|\$\{([^}]*)\}")
_NAME = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Expanded:
    """A value without references, and where it held some.

    Attributes:
        value: the expanded value.
        paths: dotted paths of the strings that held a reference.
        secrets: what the references stood for.
    """

    value: Plain
    paths: frozenset[str]
    secrets: frozenset[str]


def expand(value: Plain, environ: Mapping[str, str]) -> Expanded:
    """Replace every reference; `$$` is one dollar sign.

    Raises:
        ConfigError: a name is not set, a file cannot be read, or a reference is malformed.
    """
    paths: set[str] = set()
    secrets: set[str] = set()
    findings: list[Finding] = []

    def text(path: str, raw: str) -> str:
        def put(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            paths.add(path)
            try:
                found = _resolve(path, match[1], environ)
            except ConfigError as error:
                findings.extend(error.findings)
                return ""
            secrets.add(found)
            return found

        return _REFERENCE.sub(put, raw)

    def walk(path: str, node: Plain) -> Plain:
        if isinstance(node, str):
            return text(path, node)
        if isinstance(node, list):
            return [walk(f"{path}[{i}]", item) for i, item in enumerate(node)]
        if isinstance(node, dict):
            return {key: walk(f"{path}.{key}" if path else key, item) for key, item in node.items()}
        return node

    expanded = walk("", value)
    if findings:
        raise ConfigError(findings)
    return Expanded(expanded, frozenset(paths), frozenset(s for s in secrets if s))


def _resolve(path: str, reference: str, environ: Mapping[str, str]) -> str:
    if reference.startswith("file:"):
        return _read(path, reference.removeprefix("file:"))
    match = _NAME.match(reference)
    if match is None:
        raise refuse(path, "a reference must be ${NAME}, ${NAME:-default} or ${file:PATH}", f"${{{reference}}}")
    if match[1] in environ:
        return environ[match[1]]
    if match[2] is None:
        raise refuse(
            path, f"environment variable {match[1]} is not set", fix=f"set it, or write ${{{match[1]}:-default}}"
        )
    return match[2]


def _read(path: str, name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise refuse(path, f"a file named by ${{file:}} must be at most {MAX_FILE_BYTES} bytes", name)
        return data.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise refuse(path, f"the file of ${{file:{name}}} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise refuse(path, f"the file of ${{file:{name}}} must be UTF-8 text") from None
