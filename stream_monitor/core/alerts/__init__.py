"""Alerts: the life cycle of one rule on one series, its identity, and the event that tells about it.

`lifecycle` decides, `identity` names, `event` is the wire form, `wording` the text for people, `storm` the one summary
above the cap, `forgetting` the tombstones of the compacted state.
"""
