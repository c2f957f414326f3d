"""The first lines of the program: a worker that is stopped while Python still imports ends as one that has worked.

Importing takes a second or more; an orchestrator that takes a pod back in that second must not count a crash. Nothing
is open yet, so there is nothing to finish. The command itself takes the signal over as soon as it runs.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command line."""
    if "run" in sys.argv[1:]:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from stream_monitor.cli.main import run_command

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
