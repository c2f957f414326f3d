"""The few SVG elements that a plot needs, as text; every word is escaped, every number is short.

>>> text(10, 20, "a < b")
'<text x="10" y="20" class="t">a &lt; b</text>'
>>> polyline([(0.0, 1.0), (2.5, 3.25)], "mean")
'<polyline points="0,1 2.5,3.25" class="mean"/>'
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr


def document(width: float, height: float, style: str, title: str, body: Iterable[str]) -> str:
    """Return a whole SVG file."""
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(title)}>'
    return "\n".join([head, f"<style>{escape(style)}</style>", *body, "</svg>", ""])


def text(x: float, y: float, words: str, kind: str = "t") -> str:
    """Return a line of text; `kind` is its class in the style sheet."""
    return f'<text x="{number(x)}" y="{number(y)}" class="{kind}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line."""
    ends = " ".join(f'{n}="{number(v)}"' for n, v in (("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)))
    return f'<line {ends} class="{kind}"/>'


def rect(x: float, y: float, width: float, height: float, kind: str, hint: str = "") -> str:
    """Return a rectangle; a hint is shown when the mouse rests on it."""
    sides = f'x="{number(x)}" y="{number(y)}" width="{number(max(width, 0.0))}" height="{number(max(height, 0.0))}"'
    return _hinted(f'<rect {sides} class="{kind}"', "rect", hint)


def polyline(points: Iterable[tuple[float, float]], kind: str) -> str:
    """Return a line through points; a point that is no number is left out."""
    return f'<polyline points="{_points(points)}" class="{kind}"/>'


def polygon(points: Iterable[tuple[float, float]], kind: str, hint: str = "") -> str:
    """Return a filled area."""
    return _hinted(f'<polygon points="{_points(points)}" class="{kind}"', "polygon", hint)


def number(value: float) -> str:
    """Return a coordinate to a hundredth.

    >>> number(3.0), number(0.126)
    ('3', '0.13')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points if math.isfinite(x) and math.isfinite(y))


def _hinted(opened: str, tag: str, hint: str) -> str:
    return f"{opened}><title>{escape(hint)}</title></{tag}>" if hint else f"{opened}/>"
