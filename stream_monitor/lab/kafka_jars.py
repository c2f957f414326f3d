"""Apache Kafka as a folder of jars: fetched once by Maven from Maven Central, pinned, kept in the user's cache.

`missing()` says what a broker lacks on this machine; `jars()` returns the folder and fetches it when it is not there.
The download goes to a temporary folder that is renamed when it is whole, so a folder with the final name is complete,
also when two processes fetch at once.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path

KAFKA_VERSION = "4.1.0"  # as in kafka_pom.xml; a test compares the two
JAVA_FLOOR = 17  # Kafka 4 brokers do not start on less
FETCH_TIMEOUT_S = 600.0


class BrokerUnavailable(RuntimeError):
    """No broker can be had on this machine; the message says what is missing and what to do."""


def missing() -> str | None:
    """Return why no broker can be started here, or None when one can (a first start may still need Maven Central)."""
    java = java_binary()
    if java is None:
        return (
            f"no Java: install Java {JAVA_FLOOR} or later (Debian: openjdk-{JAVA_FLOOR}-jre-headless) or set JAVA_HOME"
        )
    version = _java_version(java)
    if version is None:
        return f"{java} does not start"
    if version < JAVA_FLOOR:
        return f"{java} is Java {version}: Kafka {KAFKA_VERSION} needs {JAVA_FLOOR} or later"
    if not cache_folder().is_dir() and shutil.which("mvn") is None:
        return f"no jars in {cache_folder()} and no Maven to fetch them: install maven"
    return None


def java_binary() -> Path | None:
    """Return the Java to use: that of JAVA_HOME, else the first on the path, else None."""
    home = os.environ.get("JAVA_HOME")
    if home:
        inside = Path(home) / "bin" / "java"
        if os.access(inside, os.X_OK):
            return inside
    found = shutil.which("java")
    return None if found is None else Path(found)


def cache_folder() -> Path:
    """Return where the jars are kept: `$XDG_CACHE_HOME` or `~/.cache`, then `stream-monitor/kafka-<version>`."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "stream-monitor" / f"kafka-{KAFKA_VERSION}"


def jars() -> Path:
    """Return the folder of the broker's jars, fetched when it is not there (43 MB, some seconds).

    Raises:
        BrokerUnavailable: Maven is missing or could not fetch them.
    """
    folder = cache_folder()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as temporary:
            whole = Path(temporary) / "jars"
            _fetch(whole)
            _publish(whole, folder)
    return folder


def parse_java_version(text: str) -> int | None:
    """Return the major version in what `java -version` prints.

    >>> parse_java_version('openjdk version "17.0.15" 2025-04-15')
    17
    >>> parse_java_version('java version "1.8.0_392"')
    8
    """
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


def _java_version(java: Path) -> int | None:
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_java_version(answer.stderr + answer.stdout)


def _fetch(target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerUnavailable(f"no jars in {cache_folder()} and no Maven to fetch them: install maven")
    pom = target.parent / "pom.xml"
    pom.write_bytes(files("stream_monitor.lab").joinpath("kafka_pom.xml").read_bytes())
    command = [maven, "-B", "-q", "--no-transfer-progress", "-f", str(pom)]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={target}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise BrokerUnavailable(f"Maven did not bring Kafka {KAFKA_VERSION} in {FETCH_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0 or not any(target.glob("kafka_*.jar")):
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise BrokerUnavailable(f"Maven could not fetch Kafka {KAFKA_VERSION}:\n{last}")


def _publish(whole: Path, folder: Path) -> None:
    try:
        whole.rename(folder)
    except OSError:
        if not folder.is_dir():  # another process was first: its folder is as good as ours
            raise
