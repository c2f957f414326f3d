"""The jars: the version is said once, and what is missing on a machine is said in its words."""

from __future__ import annotations

import stat
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from stream_monitor.lab import kafka_jars


@pytest.fixture
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine with an empty PATH and cache; the folder is the only one on its PATH."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return binaries


def script(path: Path, text: str) -> None:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_pinned_version_is_the_one_that_names_the_cache_folder() -> None:
    """Another Kafka in the pom is another folder: old jars are never taken for new ones."""
    pom = ET.fromstring(files("stream_monitor.lab").joinpath("kafka_pom.xml").read_text(encoding="utf-8"))
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    versions = {
        dependency.findtext("m:artifactId", namespaces=space): dependency.findtext("m:version", namespaces=space)
        for dependency in pom.iterfind(".//m:dependency", space)
    }

    assert versions["kafka_2.13"] == kafka_jars.KAFKA_VERSION


def test_without_java_the_reason_names_the_package(empty_machine: Path) -> None:
    """The first thing missing is Java."""
    assert "no Java: install Java 17" in str(kafka_jars.missing())


def test_an_old_java_is_refused_by_its_version(empty_machine: Path) -> None:
    """Java 11 starts and is named."""
    script(empty_machine / "java", """echo 'openjdk version "11.0.2" 2019-01-15' >&2""")

    assert "is Java 11" in str(kafka_jars.missing())


def test_without_maven_the_cached_jars_are_enough(empty_machine: Path) -> None:
    """Maven is only asked for while the cache is empty."""
    script(empty_machine / "java", """echo 'openjdk version "17.0.1"' >&2""")
    before = kafka_jars.missing()
    kafka_jars.cache_folder().mkdir(parents=True)

    assert ("no Maven" in str(before), kafka_jars.missing()) == (True, None)


def test_a_failed_download_leaves_no_folder_that_looks_complete(empty_machine: Path) -> None:
    """What Maven brought before it failed is thrown away, and its last words are in the error."""
    target = "$(echo \"$@\" | sed 's/.*-DoutputDirectory=//')"
    script(
        empty_machine / "mvn",
        f'PATH=/usr/bin:/bin; mkdir -p "{target}"; touch "{target}/half.jar"; echo no net; exit 1',
    )

    with pytest.raises(kafka_jars.BrokerUnavailable, match="no net"):
        kafka_jars.jars()

    assert list(kafka_jars.cache_folder().parent.iterdir()) == []
