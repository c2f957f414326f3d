"""Bytes become a JSON tree, or a fault; nothing else happens."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.names import RejectReason
from stream_monitor.formats.fault import Fault
from stream_monitor.formats.tree import MAX_DEPTH, is_too_deep, read_tree

trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(trees)
def test_what_is_json_is_read(tree: object) -> None:
    """Any JSON comes back as it was."""
    value = json.dumps(tree).encode()

    assert tree == read_tree(value, max_bytes=10**6)


@given(st.binary() | st.text(alphabet='[]{}",:\\ab1.eNfI \x00\ud800').map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_nothing_ever_raises(value: bytes) -> None:
    """Whatever the bytes, the answer is a tree or a fault."""
    read_tree(value, max_bytes=1_000)


@pytest.mark.parametrize(
    ("text", "number"), [("NaN", math.nan), ("-Infinity", -math.inf), ("1e400", math.inf), ("9" * 5_000, math.inf)]
)
def test_numbers_of_python_producers_are_read(text: str, number: float) -> None:
    """What is no JSON number, but sent as one, is a number that is not finite."""
    found = read_tree(text.encode(), max_bytes=10_000)

    assert isinstance(found, float)
    assert repr(found) == repr(number)


@pytest.mark.parametrize(("depth", "deep"), [(MAX_DEPTH, False), (MAX_DEPTH + 1, True)])
@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")])
def test_depth_is_counted_outside_texts(depth: int, deep: bool, pair: tuple[str, str]) -> None:
    """Thirty-two levels are allowed; brackets in a text are none."""
    opening, closing = pair
    text = opening * depth + json.dumps("[" * 100 + '"' + "{" * 100) + closing * depth

    assert is_too_deep(text) is deep


def test_length_is_looked_at_first() -> None:
    """Too many bytes are not even decoded."""
    fault = read_tree(b"\xff" * 11, max_bytes=10)

    assert isinstance(fault, Fault)
    assert fault.reason is RejectReason.TOO_LARGE
