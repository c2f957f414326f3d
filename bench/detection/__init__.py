"""Detection against its promises and against the peers: `python -m bench detection [--quick]`.

`streams` draws the cases, `ours` and `peers` run detectors on them, `detectors` lists who takes part and how it is set,
`tables` makes the rows, `goals` measures the numeric goals, `run` puts all together. `make bench-setup` installs
frouros and alibi-detect into an environment of their own; without it their columns say so.
"""

from bench.detection.run import main

__all__ = ["main"]
