"""What is watched, and by what: the series of a reference, the detectors on each, and their part of the budget.

`watched_series` names the series, `detector_uses` chooses detectors for them, `weights` splits the budget, `rulebook`
says which rule asks which detector, `watch` steps the detectors of a reference, `pool` holds their state, `coverage`
says what is watched by what, and `stand_ins` stand for classes of the user's that nobody named.
"""
