"""Labelled data: known changes from a file, and what alerts are worth against them."""

from stream_monitor.lab.labelled.scorecard import Scorecard, Told, scorecard
from stream_monitor.lab.labelled.truth import EVERYTHING, Truth, TruthError, parse_truth, read_truth

__all__ = ["EVERYTHING", "Scorecard", "Told", "Truth", "TruthError", "parse_truth", "read_truth", "scorecard"]
