"""Names: series, what users may call things, label values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.names import (
    SERIES_FAMILIES,
    NamedField,
    alertname,
    check_name,
    cut_category,
    feature_of,
    feature_series,
    invalid_series,
    missing_series,
    safe_label,
    unseen_series,
)

ANY_TEXT = st.text(st.characters(codec=None), max_size=300)


def test_every_series_has_an_alertname() -> None:
    """The name of a family, or any name behind its prefix, gives the alertname of the table."""
    names = [family.name + ("x:y" if family.name.endswith(":") else "") for family in SERIES_FAMILIES]

    assert [family.alertname for family in SERIES_FAMILIES] == [alertname(name) for name in names]


@pytest.mark.parametrize("series", ["", "feature", "features:x", "predictions", "latency:x"])
def test_another_name_is_no_series(series: str) -> None:
    """A misspelt series is an error, not an alert without a name."""
    with pytest.raises(ValueError, match="series must be one of"):
        alertname(series)


def test_the_series_of_a_feature_name_it() -> None:
    """Value, missing, invalid and unseen series of a feature all lead back to it, whatever its name holds."""
    names = [make("a:b c") for make in (feature_series, missing_series, invalid_series, unseen_series)]

    assert ["a:b c"] * 4 == [feature_of(name) for name in names]


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        pytest.param("petal width (cm)", "feature", None, id="spaces and brackets are fine"),
        pytest.param("größe", "feature", None, id="any script is fine"),
        pytest.param("x" * 128, "model", None, id="the longest model"),
        pytest.param("x" * 129, "model", "must be 1 to 128 bytes of UTF-8, got 129", id="one byte more"),
        pytest.param("ü" * 65, "model", "must be 1 to 128 bytes of UTF-8, got 130", id="bytes count, not letters"),
        pytest.param("", "version", None, id="no version"),
        pytest.param("", "model", "must be 1 to 128 bytes of UTF-8, got 0", id="no model"),
        pytest.param("x" * 160, "series", None, id="a series may be longer"),
        pytest.param("__name__", "feature", "must not start with __", id="reserved"),
        pytest.param("a\tb", "feature", "must not hold control characters or lone surrogates", id="a tab"),
        pytest.param("a\x85b", "feature", "must not hold control characters or lone surrogates", id="a C1 control"),
        pytest.param("a\ud800", "feature", "must not hold control characters or lone surrogates", id="a surrogate"),
    ],
)
def test_a_name_keeps_the_rules(text: str, field: NamedField, rule: str | None) -> None:
    """A broken rule is named in words; a good name breaks none."""
    assert rule == check_name(text, field)


@given(ANY_TEXT)
def test_a_label_value_is_always_safe(text: str) -> None:
    """Whatever an event holds, a label is printable UTF-8 of at most 128 bytes: one bad value cannot break a scrape."""
    label = safe_label(text)

    assert len(label.encode()) <= 128
    assert check_name(label, "version") in (None, "must not start with __")


@given(ANY_TEXT, ANY_TEXT)
def test_two_texts_never_share_a_label(one: str, other: str) -> None:
    """What had to be changed carries a hash of the whole, so cutting and escaping confuse nothing."""
    assert (one == other) == (safe_label(one) == safe_label(other))


@given(ANY_TEXT)
def test_a_category_is_cut_at_a_character(text: str) -> None:
    """A value is cut at 256 bytes without breaking a letter, and short text stays as it is."""
    cut = cut_category(text)

    assert len(cut.encode()) <= 256
    assert text.encode("utf-8", "replace").decode().startswith(cut)
