"""What may never be printed: secrets by name, user info in addresses, and every value that came from a reference.

>>> redact_text("postgres://me:pw@host/x and hunter2", frozenset({"hunter2"}))
'postgres://***@host/x and ***'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from stream_monitor.config.errors import HIDDEN

SECRET_PATTERNS = (
    "*password*",
    "*secret*",
    "*ssl.key.*",
    "*ssl.keystore.*",
    "*sasl.jaas.config",
    "*routing_key",
    "*token*",
)
"""Names of settings whose values are hidden, wherever they stand."""

_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
_SHORTEST = 4  # a shorter value (a replica number, say) would blank half of every line


def is_secret(path: str) -> bool:
    """Say whether a setting of that dotted path holds a secret."""
    return any(fnmatchcase(path.lower(), pattern) for pattern in SECRET_PATTERNS)


def redact_text(text: str, secrets: Iterable[str]) -> str:
    """Return a line with user info and every expanded value of four or more characters replaced by `***`."""
    text = _USER_INFO.sub(f"{HIDDEN}@", text)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text
