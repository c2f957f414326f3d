"""The tests of Kafka on other days: `python -m tests.clocks [-k CLOCK] [arguments of pytest]`.

Broker, workers and tests run with the same shifted clock, once for each of `CLOCKS`: years ahead, across a new year,
and in zones whose clocks are put forward or back during the run. The zone and the shift are all that is different; time
passes as usual. Without arguments for pytest it is `tests/kafka`.

The shift is Debian's libfaketime, loaded into every process, for the wall clock alone: by the monotonic clock spans are
measured. Waits until an instant are translated back by `WAITS`, built with the machine's C compiler. In Debian 12
libfaketime does not know `cnd_timedwait`, in which librdkafka would wait for years, refuses the monotonic instants of
`time.sleep`, and lets the timed waits of Java return at once. Programs written in Go do not ask the C library for the
time: Prometheus keeps the clock of the machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests import debian, instants

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = "libfaketimeMT.so.1"
LEAD = timedelta(seconds=150)
"""A run begins so long before the moment that it is about: its broker is up by then, and most tests are to come."""

TIMEOUT_S = 600
"""Of a test that has no limit of its own: a test that hangs is found, one on a busy machine is none."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

WAITS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* The instant until which to wait, by the clock of the machine. A monotonic one is no 30 years old. */
static struct timespec real(const struct timespec *given)
{
    struct timespec shifted_now, real_now, until = *given;
    if (given->tv_sec < 1000000000) return until;
    clock_gettime(CLOCK_REALTIME, &shifted_now);
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &real_now);
    until.tv_sec += real_now.tv_sec - shifted_now.tv_sec;
    until.tv_nsec += real_now.tv_nsec - shifted_now.tv_nsec;
    while (until.tv_nsec < 0) { until.tv_nsec += 1000000000; until.tv_sec -= 1; }
    while (until.tv_nsec >= 1000000000) { until.tv_nsec -= 1000000000; until.tv_sec += 1; }
    if (until.tv_sec < 0) until.tv_sec = 0;
    return until;
}

static void *original(const char *name)
{
    return dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), name);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *given)
{
    static int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!wait) wait = original("pthread_cond_timedwait");
    struct timespec until = real(given);
    return wait(condition, mutex, &until);
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *given)
{
    static int (*wait)(cnd_t *, mtx_t *, const struct timespec *);
    if (!wait) wait = original("cnd_timedwait");
    struct timespec until = real(given);
    return wait(condition, mutex, &until);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *given, struct timespec *left)
{
    struct timespec until = (flags & TIMER_ABSTIME) ? real(given) : *given;
    return syscall(SYS_clock_nanosleep, clock, flags, &until, left) ? errno : 0;
}
"""


@dataclass(frozen=True)
class Clock:
    """A day on which the tests run.

    Attributes:
        name: of the clock.
        zone: of all processes.
        moment: what passes shortly after the start of the run, as a function of now.
    """

    name: str
    zone: str
    moment: Callable[[datetime], datetime]

    def shift(self, now: datetime) -> timedelta:
        """Return how far the clock is ahead."""
        return self.moment(now) - LEAD - now


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    clock: Clock
    began: datetime
    seconds: float
    exit_code: int
    summary: str


def years_ahead(now: datetime) -> datetime:
    """Return an instant in fifteen years: 32 bits of seconds since 1970 have ended before."""
    return now + 15 * 365 * DAY


def new_year(now: datetime) -> datetime:
    """Return the next new year (UTC) that is at least a month ahead."""
    return datetime((now + 30 * DAY).year + 1, 1, 1, tzinfo=UTC)


def clocks_change(now: datetime, zone: str, *, forward: bool) -> datetime:
    """Return the next instant, at least a month ahead, at which the clocks of a zone are put forward or back.

    Raises:
        ValueError: within two years there is none.
    """
    at = (now + 30 * DAY).replace(minute=0, second=0, microsecond=0)
    there = ZoneInfo(zone)
    for _ in range(2 * 366 * 24):
        later = at + HOUR
        before, after = (instant.astimezone(there).utcoffset() or timedelta() for instant in (at, later))
        if (after > before) if forward else (after < before):
            return later
        at = later
    raise ValueError(f"{zone} does not change its clocks")


def in_berlin_in_march(now: datetime) -> datetime:
    """Return when an hour is left out in Berlin."""
    return clocks_change(now, "Europe/Berlin", forward=True)


def in_new_york_in_november(now: datetime) -> datetime:
    """Return when an hour comes twice in New York."""
    return clocks_change(now, "America/New_York", forward=False)


CLOCKS = (
    Clock("years", "UTC", years_ahead),
    Clock("new-year", "UTC", new_year),
    Clock("forward", "Europe/Berlin", in_berlin_in_march),
    Clock("back", "America/New_York", in_new_york_in_november),
)


class Missing(Exception):
    """Something that a shifted clock needs cannot be had; the message says what."""


def main(arguments: Sequence[str]) -> int:
    """Run the tests with each clock, print the table and return the exit code: 0 when all runs are good."""
    parser = argparse.ArgumentParser(prog="python -m tests.clocks", description=__doc__.splitlines()[0])
    names = [clock.name for clock in CLOCKS]
    parser.add_argument("-k", "--clock", action="append", choices=names, help="only this one; may be repeated")
    chosen, rest = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory(prefix="stream-monitor-clocks-") as folder:
        try:
            preload = libraries(Path(folder))
        except Missing as missing:
            say(str(missing))
            return 2
        outcomes = [run(clock, preload, rest) for clock in CLOCKS if clock.name in (chosen.clock or names)]
    say("")
    for outcome in outcomes:
        say(
            f"{outcome.clock.name:<10} {outcome.clock.zone:<18} from {outcome.began:%Y-%m-%d %H:%M:%S}"
            f"  {outcome.seconds:5.0f} s  exit {outcome.exit_code}  {outcome.summary}"
        )
    return max(outcome.exit_code for outcome in outcomes)


def libraries(folder: Path) -> str:
    """Return what is loaded into every process, in this order.

    Raises:
        Missing: there is no libfaketime, or no C compiler.
    """
    reason = debian.provide(LIBRARY)
    shifting = debian.library(LIBRARY)
    if shifting is None:
        raise Missing(str(reason))
    source, built = folder / "waits.c", folder / "waits.so"
    source.write_text(WAITS, encoding="utf-8")
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(built), str(source), "-ldl"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Missing("no C compiler `cc` on the path: install Debian's package gcc and libc6-dev") from None
    if done.returncode:
        raise Missing(f"the C compiler failed: {done.stderr.strip()}")
    return f"{built}:{shifting}"


def environment(clock: Clock, preload: str, now: datetime) -> dict[str, str]:
    """Return the environment of all processes of a run; a broker that is given has no shifted clock and is left out."""
    kept = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP_SERVERS"}
    return {
        **kept,
        "LD_PRELOAD": preload,
        "FAKETIME": f"{round(clock.shift(now).total_seconds()):+d}",  # of now, not of each process' start
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": clock.zone,
    }


def run(clock: Clock, preload: str, arguments: Sequence[str]) -> Outcome:
    """Run pytest with a clock, its output on this terminal."""
    now = datetime.fromtimestamp(instants.now_ms() / 1_000, tz=UTC)
    began = (now + clock.shift(now)).astimezone(ZoneInfo(clock.zone))
    say(f"== {clock.name}: from {began:%Y-%m-%d %H:%M:%S %Z}, {clock.moment(now):%Y-%m-%d %H:%M:%S} UTC comes soon")
    started, summary = time.monotonic(), ""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", f"timeout={TIMEOUT_S}"]
    command += arguments or ["tests/kafka"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(clock, preload, now),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            say(line.rstrip("\n"))
            if " in " in line and any(word in line for word in ("passed", "failed", "error")):
                summary = line.strip()
    return Outcome(clock, began, time.monotonic() - started, tests.returncode, summary)


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201 - the console output of a command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
