"""The baseline document: its bytes, its name, its parts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import orjson
import pytest

from stream_monitor.core.baseline import (
    Baseline,
    BaselineError,
    BinaryBaseline,
    CategoricalBaseline,
    Constraint,
    NumericBaseline,
    Origin,
    OriginType,
    SegmentReference,
    ValueType,
)
from stream_monitor.core.grid import NumericGrid

EXAMPLE = Path(__file__).with_name("example.json").read_bytes()
EXAMPLE_ID = "sha256:0f4d6edddfab7a0b54a64bbc988b5799909d7928cb6be73f78f12a3b965bef73"


def changed(path: str, value: object) -> bytes:
    """Return the example with one field replaced and its id left as it was."""
    tree = orjson.loads(EXAMPLE)
    *branches, leaf = path.split("/")
    twig = tree
    for branch in branches:
        twig = twig[branch]
    twig[leaf] = value
    return orjson.dumps(tree)


def renamed(document: bytes) -> bytes:
    """Return a document under the id that its content has."""
    tree = orjson.loads(document)
    del tree["id"]
    digest = hashlib.sha256(orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return orjson.dumps({**tree, "id": f"sha256:{digest}"})


def wide(features: int) -> Baseline:
    """Return a baseline of many features with the same grid, each with a constraint."""
    grid = NumericGrid(63, np.linspace(0.0, 1.0, 33), np.arange(33, dtype=np.int64) << 40)
    series = {
        f"feature:x{number:04}": NumericBaseline(
            series=f"feature:x{number:04}",
            grid=grid,
            seen=np.full(34, number, np.int64),
            missing=number,
            minimum=-1.0,
            maximum=2.0,
            mean=0.5,
            std=0.25,
        )
        for number in range(features)
    }
    constraints = {name: Constraint(ValueType.FRACTIONAL, 0.5) for name in series}
    return Baseline("wide", "", Origin(OriginType.TOPIC, 10**6), series, constraints)


def test_the_documented_example_has_the_documented_name() -> None:
    """Reading and writing it gives the canonical bytes whose hash is its id."""
    baseline = Baseline.decode(EXAMPLE)
    again = Baseline(baseline.model, baseline.version, baseline.origin, baseline.series, baseline.constraints)

    assert EXAMPLE_ID == again.id
    assert orjson.dumps(orjson.loads(EXAMPLE), option=orjson.OPT_SORT_KEYS) == again.encode()


def test_the_example_is_understood() -> None:
    """Each kind of series answers bins, reference, observed and missing rows."""
    series = Baseline.decode(EXAMPLE).series
    numeric, categorical, binary = series["feature:amount"], series["feature:country"], series["serving_error"]

    assert isinstance(numeric, NumericBaseline)
    assert isinstance(categorical, CategoricalBaseline)
    assert isinstance(binary, BinaryBaseline)
    assert (34, 64, 63, 1) == (numeric.bins, numeric.reference.sum(), numeric.observed, numeric.missing)
    assert [9, 31, 19, 5, 0] == categorical.reference.tolist()
    assert (1, 32, None) == (categorical.unseen_k, categorical.unseen_m, categorical.other_categories)
    assert [64, 0] == binary.reference.tolist()


def test_without_the_pooled_names_an_unknown_category_is_other() -> None:
    """A document that does not say which names were pooled cannot call a value unseen."""
    categorical = Baseline.decode(EXAMPLE).series["feature:country"]

    assert isinstance(categorical, CategoricalBaseline)
    assert categorical.other_bin == categorical.unknown_bin
    assert {"AT": 0, "DE": 1, "FR": 2} == categorical.bin_of


def test_rows_that_are_neither_missing_nor_observed_were_invalid() -> None:
    """The reference of an `invalid` series follows from the number of rows."""
    baseline = Baseline.decode(EXAMPLE)
    more_rows = Baseline("m", "", Origin(OriginType.DATASET, 70), baseline.series)

    assert (0, 6) == (baseline.invalid("feature:amount"), more_rows.invalid("feature:amount"))


@pytest.mark.parametrize("features", [1, 40, 700])
def test_a_document_survives_being_cut_into_parts(features: int) -> None:
    """Parts are small enough, each is JSON of its own, and together, in any order, they are the document."""
    baseline = wide(features)
    parts = baseline.parts()
    again = Baseline.from_parts([value for _, value in reversed(parts)])

    assert baseline.encode() == again.encode()
    assert [f"doc/{baseline.id}/{number}".encode() for number in range(len(parts))] == [key for key, _ in parts]
    assert all(len(value) <= 256 * 1024 for _, value in parts)
    assert (len(parts) > 1) == (len(baseline.encode()) > 256 * 1024)


def test_segments_survive_being_cut_into_parts() -> None:
    """A segment may stand in several parts; its rows and series come together again, under the same name."""
    whole = wide(400)
    segments = {f"channel={name}": SegmentReference(70, whole.series) for name in ("app", "web")}
    baseline = Baseline(whole.model, "", whole.origin, whole.series, whole.constraints, segments)
    parts = baseline.parts()
    again = Baseline.from_parts([value for _, value in reversed(parts)])

    assert len(parts) > len(whole.parts()) > 1
    assert all(len(value) <= 256 * 1024 for _, value in parts)
    assert again.encode() == baseline.encode()
    assert [own.rows for own in again.segments.values()] == [70, 70]


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        pytest.param([], "baseline.segments: must be an object", id="no object"),
        pytest.param({"channel=web": 3}, "segments.channel=web: must be an object with series", id="no reference"),
        pytest.param({"channel": {"rows": 1, "series": {}}}, "must be name=value", id="no value"),
        pytest.param({"a=__x": {"rows": 1, "series": {}}}, "must not start with __", id="a reserved value"),
        pytest.param({"a=x": {"rows": "1", "series": {}}}, "rows", id="a wrong type"),
    ],
)
def test_segments_that_contradict_themselves_are_refused(segments: object, message: str) -> None:
    """The message names the field and the rule."""
    with pytest.raises(BaselineError, match=message):
        Baseline.decode(renamed(changed("segments", segments)))


def test_a_missing_part_is_noticed() -> None:
    """A document with a hole is no baseline."""
    _, *rest = wide(700).parts()

    with pytest.raises(BaselineError, match="do not make one document"):
        Baseline.from_parts([value for _, value in rest])


def test_parts_of_two_documents_do_not_mix() -> None:
    """Parts with different ids are refused even if their numbers fit."""
    one, other = wide(700).parts(), wide(701).parts()

    with pytest.raises(BaselineError, match="do not make one document"):
        Baseline.from_parts([one[0][1], *(value for _, value in other[1:])])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(b"not json", "must be JSON", id="no JSON"),
        pytest.param(b"[]", "must be an object of kind 'baseline'", id="no object"),
        pytest.param(changed("schema_version", 2), "schema_version", id="a later schema"),
        pytest.param(changed("model", "churn"), "must be the hash of the content", id="changed content"),
        pytest.param(changed("hash", "v2"), "baseline.hash: must be v1", id="another row hash"),
        pytest.param(changed("series/serving_error/kind", "count"), "count", id="an unknown kind"),
        pytest.param(changed("series/serving_error/counts", [1, "x"]), "counts", id="a wrong type"),
    ],
)
def test_what_is_no_baseline_is_refused(document: bytes, message: str) -> None:
    """The message names the field and the rule."""
    with pytest.raises(BaselineError, match=message):
        Baseline.decode(document)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        pytest.param("series/feature:amount/spacings", [2] + [2] * 33, "add up to m", id="spacings of another sum"),
        pytest.param("series/feature:amount/ties", [0], "33 edges and ties", id="too few ties"),
        pytest.param("series/feature:amount/edges", list(range(33, 0, -1)), "must ascend", id="edges descend"),
        pytest.param("series/feature:amount/seen", [-1] * 34, "none negative", id="negative counts"),
        pytest.param("series/feature:country/categories", ["b", "a", "c"], "sorted by code point", id="unsorted"),
        pytest.param("series/feature:country/counts", [1, 2], "must hold 4 counts", id="too few counts"),
        pytest.param("origin/from", "yesterday", "RFC 3339", id="a bad time"),
        pytest.param("model", "__m", "must not start with __", id="a bad name"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(path: str, value: object, message: str) -> None:
    """Even with a matching id, lists that do not fit each other are no baseline."""
    with pytest.raises(BaselineError, match=message):
        Baseline.decode(renamed(changed(path, value)))


def test_keys_of_later_versions_are_ignored() -> None:
    """An optional key that this version does not know changes the id, but not what is understood."""
    document = renamed(changed("series/serving_error/colour", "blue"))

    assert orjson.loads(document)["id"] == Baseline.decode(document).id != EXAMPLE_ID


def test_a_series_larger_than_a_part_is_refused() -> None:
    """No document is written that no topic can take."""
    names = tuple(f"{number:0256}" for number in range(4000))
    series = CategoricalBaseline(
        series="feature:text",
        m=4000,
        categories=names,
        counts=(1,) * 4000,
        other=0,
        other_categories=(),
        unseen_k=0,
        unseen_m=600,
        unlisted=None,
        missing=0,
    )
    baseline = Baseline("m", "", Origin(OriginType.DATASET, 4000), {"feature:text": series})

    with pytest.raises(BaselineError, match="a part holds"):
        baseline.parts()
