"""What the Kafka client says of a broken connection, without what only its authors need.

>>> first_words("kafka:1/bootstrap: Connect to ipv4#10.0.0.1:1 failed: Connection refused (after 5ms in state INIT)")
'kafka:1: connection refused'
"""

from __future__ import annotations

import re

_NOISE = (
    re.compile(r"^\w+://"),  # sasl_ssl://host:port
    re.compile(r" \(after \d+ms in state [A-Z_]+(, \d+ identical error\(s\) suppressed)?\)"),
    re.compile(r", \d+ identical error\(s\) suppressed"),
)
_BROKER = re.compile(r"^(?:\[thrd:[^\]]*\]: )?(?P<broker>[^\s/]+:\d+)/(?:bootstrap|\d+): ")
_CONNECT = re.compile(r"Connect to ipv[46]#\S+ failed: ")
_RESOLVE = re.compile(r"Failed to resolve '[^']*': ")
_ACRONYM = re.compile(r"[A-Z]{2}")


def first_words(text: str) -> str:
    """Return a message of librdkafka as `host:port: what happened`.

    >>> first_words(
    ...     "sasl_plaintext://kafka:9092/bootstrap: SASL authentication error: Authentication failed"
    ...     " (after 304ms in state AUTH_REQ, 4 identical error(s) suppressed)"
    ... )
    'kafka:9092: SASL authentication error: Authentication failed'
    >>> first_words("nohost:9092/bootstrap: Failed to resolve 'nohost:9092': Name or service not known")
    'nohost:9092: unknown host (Name or service not known)'
    >>> first_words("1/1 brokers are down")
    '1/1 brokers are down'
    """
    for noise in _NOISE:
        text = noise.sub("", text)
    found = _BROKER.match(text)
    if found is None:
        return text
    said = text[found.end() :]
    if _RESOLVE.match(said):
        said = f"unknown host ({_RESOLVE.sub('', said)})"
    said = _CONNECT.sub("", said)
    if said and not _ACRONYM.match(said):
        said = said[0].lower() + said[1:]
    return f"{found['broker']}: {said}"
