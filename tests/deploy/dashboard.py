"""The dashboard's queries as Grafana would send them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "dashboards" / "stream-monitor.json"
RULES: Final = ROOT / "deploy" / "prometheus" / "rules.yml"

_METRIC = re.compile(r"(?<![\w:])([a-z_]\w*(?::\w+)*)(?=\{|\[|\)| |$)")
_WORDS = frozenset({"by", "sum", "max", "min", "rate", "time", "changes", "and", "or", "absent", "deriv"})


def dashboard() -> dict[str, Any]:
    """Return the dashboard's document."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def queries() -> dict[str, str]:
    """Return every expression of the dashboard by where it stands, variables in place."""
    document = dashboard()
    found = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in document["panels"]
        for target in panel.get("targets", [])
    }
    found.update({f"annotation {each['name']}": each["expr"] for each in document["annotations"]["list"]})
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            inside = re.fullmatch(r"label_values\((.*), \w+\)", variable["query"]["query"])
            assert inside is not None, variable
            found[f"variable {variable['name']}"] = inside.group(1)
    return found


def filled_in(expression: str) -> str:
    """Return an expression as Grafana sends it with every model and version chosen."""
    return re.sub(r"\$(model|version)\b", ".*", expression).replace("$__rate_interval", "10s")


def metrics_of(expression: str) -> set[str]:
    """Return the names of metrics in an expression.

    >>> sorted(metrics_of('sum by (le) (rate(a_seconds_bucket{x="b_total"}[5m])) / (level:b:sum > 0)'))
    ['a_seconds_bucket', 'level:b:sum']
    """
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\b(?:by|without|on) \([^)]*\)", "", bare)
    return {name for name in _METRIC.findall(bare) if name not in _WORDS}
