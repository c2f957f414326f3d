"""The study of a file that is judged by itself: takes what was surveyed, returns what is chosen, with the reasons.

`survey` holds what a first look has found, `repetition` the seasons and regimes, `sizing` the sizes in rows, `hours`
whether hours are told apart, `clock` whether time stamps can be the clock, `regime` whether rows are one regime.
"""
