"""The command line: one command a file, all of them named in `main`.

A command file imports typer and what it needs to describe itself; everything heavy is imported inside the command, so
that `--help` and a mistyped option answer at once.
"""
