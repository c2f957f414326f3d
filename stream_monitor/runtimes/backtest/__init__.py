"""A backtest of a file: `reading` and `surveying` look at it, `prepare` sets up how it is watched, `rows` runs it.

What is decided, and why, is decided in `stream_monitor.core.study`.
"""
