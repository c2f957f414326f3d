"""Alerts without a rule.

`finding` is what was found, `standing` the life of its alert, `memory` what is known beyond the last pane.
"""
