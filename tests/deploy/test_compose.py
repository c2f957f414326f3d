"""docker-compose.yml: valid by the Compose Specification, safe by default, and in step with the repository.

No container is started here: these tests read the file.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stream_monitor.config.load import load
from stream_monitor.lab.kafka_jars import KAFKA_VERSION
from tests.command_line import parse
from tests.deploy.dashboard import ROOT

HERE = Path(__file__).resolve().parent
SCHEMA = HERE / "compose-spec" / "compose-spec.json"
CONFIG = ROOT / "deploy" / "stream-monitor.yaml"
OURS = ("topics", "monitor", "simulator")


def compose() -> dict[str, Any]:
    """Return the compose file, anchors and merges resolved."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return found


def problems(document: dict[str, Any]) -> list[str]:
    """Return what the Compose Specification's schema says against a document."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    found = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def test_the_schema_is_the_one_its_notice_names() -> None:
    """The vendored file is unchanged."""
    digest = hashlib.sha256(SCHEMA.read_bytes()).hexdigest()

    assert digest in (SCHEMA.parent / "NOTICE.md").read_text(encoding="utf-8")


def test_the_file_follows_the_compose_specification() -> None:
    """The schema finds nothing."""
    assert problems(compose()) == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("kafka", "imagee", "x"),
        ("monitor", "cap_drop", "ALL"),
        ("monitor", "depends_on", {"kafka": {"condition": 1}}),
    ],
)
def test_the_schema_would_find_a_mistake(service: str, key: str, value: object) -> None:
    """The check above is alive: a misspelt key and a value of the wrong type are found."""
    document = compose()
    document["services"][service][key] = value

    assert problems(document) != []


def test_ports_are_published_on_loopback_only() -> None:
    """Nothing of it can be reached from another machine, and each port can be moved by a variable."""
    published = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    loose = [port for port in published if not re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port)]

    assert (len(published), loose) == (3, [])


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_sealed(name: str) -> None:
    """Read-only root, no capability, no way to gain one."""
    service = compose()["services"][name]

    assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (
        True,
        ["ALL"],
        ["no-new-privileges:true"],
    )


def test_no_service_is_privileged_or_given_the_engine() -> None:
    """No privileged container, host network or socket of the engine anywhere."""
    for service in compose()["services"].values():
        assert not {"privileged", "network_mode", "pid", "cap_add", "devices"} & set(service)
        assert not any("docker.sock" in volume for volume in service.get("volumes", []))


def test_images_of_others_are_pinned_to_a_version() -> None:
    """No `latest`; the broker is the version that our tests run against."""
    images = {name: service["image"] for name, service in compose()["services"].items() if "build" not in service}
    loose = [image for image in images.values() if not re.search(r":v?\d+\.\d+\.\d+$", image)]

    assert (loose, images["kafka"], images["input-topic"]) == ([], *[f"apache/kafka:{KAFKA_VERSION}"] * 2)


def test_mounted_files_and_build_files_exist() -> None:
    """A mount of a file that is not there would become an empty folder."""
    services = compose()["services"].values()
    mounts = [volume.split(":")[0] for service in services for volume in service.get("volumes", [])]
    builds = [service["build"]["dockerfile"] for service in services if "build" in service]
    wanted = {path for path in (*mounts, *builds) if "/" in path}

    assert sorted(path for path in wanted if not (ROOT / path).exists()) == []


def test_named_volumes_and_dependencies_exist() -> None:
    """Each volume and each service that is referred to is declared."""
    document = compose()
    services = document["services"]
    volumes = {v.split(":")[0] for service in services.values() for v in service.get("volumes", []) if v[0].isalpha()}
    needed = {name for service in services.values() for name in service.get("depends_on", {})}

    assert (volumes - set(document["volumes"]), needed - set(services)) == (set(), set())


def test_the_monitors_configuration_is_good_and_fits_the_services() -> None:
    """It loads, reads the topic that is made for it, and listens where Prometheus looks."""
    settings = load(CONFIG, environ={})
    services = compose()["services"]
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"][
        0
    ]
    (target,) = scrape["static_configs"][0]["targets"]

    assert {
        "topic": f"--topic={settings.plan.inputs[0].topic}" in services["input-topic"]["command"],
        "target": target == f"monitor:{settings.http.port}",
        "exposed": services["monitor"]["expose"] == [str(settings.http.port)],
        "broker": settings.kafka.common["bootstrap.servers"] == "kafka:9092",
        "replication": settings.topics.replication,
        "reachable": settings.http.host,
        "limit": settings.metrics.max_series < scrape["sample_limit"],
    } == {
        "topic": True,
        "target": True,
        "exposed": True,
        "broker": True,
        "replication": 1,
        "reachable": "0.0.0.0",
        "limit": True,
    }


@pytest.mark.parametrize("name", OURS)
def test_the_command_of_a_service_exists(name: str) -> None:
    """Command and options are those of our command line."""
    parse(compose()["services"][name]["command"])


def test_the_image_is_not_root_and_has_locked_hashes() -> None:
    """The last stage has a numeric user other than 0, and dependencies are installed from the lock file by hash."""
    lines = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    installs = [shlex.split(line) for line in lines if "pip install" in line]

    assert (users, [{"--require-hashes", "--no-deps"} & set(words) != set() for words in installs]) == (
        ["10001:10001"],
        [True, True],
    )


def test_everything_the_image_copies_is_in_the_build_context() -> None:
    """What .dockerignore leaves out cannot be copied."""
    lines = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    kept = [
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    ]

    assert (sorted(copied), [path for path in kept if not (ROOT / path).exists()]) == (sorted(kept), [])
