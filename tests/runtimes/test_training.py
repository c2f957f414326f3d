"""A training table: labels and keys are asked about, not taken for features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stream_monitor.config import load
from stream_monitor.core.names import feature_of
from stream_monitor.formats.tables import TableError
from stream_monitor.runtimes.backtest.training import Doubt, TrainingRows, training_rows

ROWS = 400


def rows_of(
    folder: Path,
    extra: dict[str, Sequence[object]],
    *,
    excluded: Sequence[str] = (),
    features: Sequence[str] = (),
    columns: dict[str, str] | None = None,
) -> TrainingRows:
    """Return the rows of a table with two features and more columns."""
    random = np.random.default_rng(1)
    table: dict[str, Sequence[object]] = {
        "tenure": random.integers(1, 72, ROWS).tolist(),
        "plan": random.choice(["a", "b"], ROWS).tolist(),
        **extra,
    }
    path = folder / "table.csv"
    lines = [",".join(table), *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return training_rows(
        path,
        model="churn",
        version="7",
        columns=columns or {},
        excluded=excluded,
        features=features,
        settings=load(environ={}, needs_group=False),
    )


def names(found: TrainingRows) -> set[str | None]:
    """Return the features of the reference."""
    return {feature_of(name) for name in found.references[0].table.columns}


@pytest.mark.parametrize("column", ["churned", "is_churn", "y", "Target", "outcome", "sale_label", "fraudulent"])
def test_a_column_that_is_named_like_a_label_is_asked_about(tmp_path: Path, column: str) -> None:
    """Some names are the roles of a table and left out as labels at once; the others are a question."""
    found = rows_of(tmp_path, {column: [i % 2 for i in range(ROWS)]})

    assert found.label or [(item.column, item.doubt) for item in found.doubtful] == [(column, Doubt.LABEL)]
    assert "label" not in {name for own in found.references for name in own.table.columns}


@pytest.mark.parametrize("column", ["churn_risk_region", "classroom", "year", "ratio", "monthly_charges"])
def test_other_names_are_features(tmp_path: Path, column: str) -> None:
    """A question for every other column would be answered blindly."""
    found = rows_of(tmp_path, {column: [i % 9 / 7 for i in range(ROWS)]})

    assert (found.doubtful, found.label) == ([], "")


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([f"C{i * 7919 % 10_007}" if i % 5 else "C1" for i in range(ROWS)], id="texts, most of them new"),
        pytest.param([i * 7919 % 10_007 for i in range(ROWS)], id="whole numbers of a key, all different"),
    ],
)
def test_a_column_of_keys_is_asked_about(tmp_path: Path, values: Sequence[object]) -> None:
    """A key would drift with every new customer."""
    found = rows_of(tmp_path, {"customer_id": values})

    assert [(item.column, item.doubt) for item in found.doubtful] == [("customer_id", Doubt.IDENTIFIER)]


def test_the_answers_decide(tmp_path: Path) -> None:
    """`--exclude` and `--label` leave out, `--feature` takes; then there is nothing to ask any more."""
    extra: dict[str, Sequence[object]] = {"customer_id": [f"C{i}" if i else "C1" for i in range(ROWS)]}
    extra["churned"] = [i % 2 for i in range(ROWS)]
    label = {"label": "churned"}

    assert names(rows_of(tmp_path, extra, excluded=["customer_id"], columns=label)) == {"tenure", "plan"}
    taken = rows_of(tmp_path, extra, excluded=["customer_id"], features=["churned"])
    assert (names(taken), taken.doubtful) == ({"tenure", "plan", "churned"}, [])


def test_an_answer_about_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A slip of the pen must not leave the wrong column in."""
    with pytest.raises(TableError, match=r"--exclude: .* has no feature 'tenur'; it has plan, tenure"):
        rows_of(tmp_path, {}, excluded=["tenur"])


def test_a_column_that_is_left_out_unasked_is_named(tmp_path: Path) -> None:
    """Texts that all differ cannot be a feature: nobody is asked, and the notes say so."""
    found = rows_of(tmp_path, {"customer": [f"c{i}" for i in range(ROWS)]})

    assert ([], ["table.csv: left out: customer (every value differs, like an identifier)"]) == (
        found.doubtful,
        found.notes,
    )
