"""Seeds of everything that is measured."""

SEED = 20_261_124
"""Of goals and tables. Goals derive generators from [SEED, goal, case], tables add the place of the case; calibration
uses seeds far from here.
"""
