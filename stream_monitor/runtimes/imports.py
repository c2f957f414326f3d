"""What the configuration names as `module:Class`: the one place where a name becomes code.

Only names from the configuration are imported, never from a topic.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from stream_monitor.config.errors import refuse


def imported(field: str, target: str) -> Callable[..., object]:
    """Return the class that a target names.

    Raises:
        ConfigError: the module cannot be imported, or has no such name.
    """
    module_name, colon, name = target.partition(":")
    if not colon or not module_name or not name.isidentifier():
        raise refuse(field, "must be module:Class", target)
    try:
        module = importlib.import_module(module_name)
        factory: object = getattr(module, name, None)
    except Exception as error:  # the user's code: whatever it raises is told as a wrong setting
        raise refuse(field, f"module {module_name} cannot be imported ({error})") from error
    if not callable(factory):
        raise refuse(field, f"module {module_name} has no class {name}")
    return factory


def version_of(target: str) -> str:
    """Return the version of the distribution that holds an imported target, else a hash of its file.

    >>> version_of("river.drift:ADWIN").partition(" ")[0]
    'river'
    """
    module = importlib.import_module(target.partition(":")[0])
    for name in importlib.metadata.packages_distributions().get(module.__name__.partition(".")[0], ()):
        if _holds(name, module):
            return f"{name} {importlib.metadata.version(name)}"
    file = getattr(module, "__file__", None)
    return f"sha256 {hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]}" if file else "unknown"


def _holds(distribution: str, module: ModuleType) -> bool:
    """Say whether the file of a module is one that the distribution installed: names alone may be taken twice."""
    file = getattr(module, "__file__", None)
    installed = importlib.metadata.files(distribution) or ()
    return file is not None and any(Path(str(path.locate())) == Path(file) for path in installed)
