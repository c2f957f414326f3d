"""Runtimes carry batches in and records out.

`local` runs without Kafka, `kafka` with the two workers, `faust` inside an app.
"""
