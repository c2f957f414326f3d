"""A backtest as an SVG picture: `reduction` makes columns as wide as the picture, `evidence` notes its course,
`picture` lays it out, `svg` writes it.
"""

from stream_monitor.lab.plot.evidence import EvidenceCourse
from stream_monitor.lab.plot.picture import PLOT_WIDTH, AlertMark, Panel, picture
from stream_monitor.lab.plot.reduction import Reduction

__all__ = ["PLOT_WIDTH", "AlertMark", "EvidenceCourse", "Panel", "Reduction", "picture"]
