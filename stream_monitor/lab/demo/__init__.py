"""The demo: a scoring service with drifts on a schedule, watched live.

`story` what is happening (alerts, drifts, the verdict), `screen` how a terminal shows it, `plain` how a log shows it,
`exposition` reads the worker's own /metrics, `kafka` and `local` run the scenario on a broker or without one, `live`
carries it all.
"""
