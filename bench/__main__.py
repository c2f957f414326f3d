"""Run a bench by name: `python -m bench profile_worker --features 10,100`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = (*HERE.glob("[!_]*.py"), *(path.parent for path in HERE.glob("*/__init__.py")))
NAMES = sorted(path.stem for path in MODULES)


def main() -> None:
    """Hand the rest of the command line to the bench."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        print(f"usage: python -m bench {{{','.join(NAMES)}}} [options]")
        raise SystemExit(2)
    name = sys.argv.pop(1)
    sys.argv[0] = f"python -m bench {name}"
    importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
