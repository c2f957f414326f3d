"""From an alarm of a detector to the event that is written.

`episodes` follows an alarm and its effect, `recovery` its end, `verdicts` decides what each rule says, `parents` which
alert explains another one, `alert_events` writes the event, with `levels` in the user's units and `shown` for where to
look, and `storm` sums up what is too much.
"""
