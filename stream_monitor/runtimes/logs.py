"""Log lines of a worker: one JSON object or one line of text each, to standard error, without secrets.

A message is cut at 1,024 characters and control characters are escaped: no name from an event can forge a line.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from stream_monitor.config.redaction import redact_text
from stream_monitor.core.canonical import canonical_json

MAX_MESSAGE = 1_024
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(*, level: str, line_format: str, secrets: Iterable[str]) -> None:
    """Send our log, and warnings of libraries, to standard error.

    Args:
        level: debug, info, warning or error.
        line_format: json or text.
        secrets: texts that are replaced by `***` wherever they stand.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(line_format, frozenset(secrets)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
    logging.getLogger("stream_monitor").setLevel(_LEVELS[level])


class LineFormatter(logging.Formatter):
    """Formats a record as one line."""

    def __init__(self, line_format: str, secrets: frozenset[str]) -> None:
        super().__init__()
        self._json = line_format == "json"
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback is part of it, as one value."""
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = self._clean(record.getMessage())[:MAX_MESSAGE]
        trace = self._clean(self.formatException(record.exc_info)) if record.exc_info else ""
        if not self._json:
            return f"{stamp} {record.levelname.lower()} {record.name}: {message}{trace and ' | ' + trace}"
        fields = {"time": stamp, "level": record.levelname.lower(), "logger": record.name, "message": message}
        return canonical_json(fields | ({"traceback": trace} if trace else {})).decode()

    def _clean(self, text: str) -> str:
        text = redact_text(text, self._secrets)
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
