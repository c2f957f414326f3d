"""`ROLES` is the one list of what a process can do: the command line, the docs and the metrics follow it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.main import run_command
from stream_monitor.cli.run import parse_roles
from stream_monitor.kafka.observer import Loop
from stream_monitor.kafka.permissions import Principal
from stream_monitor.outputs import prometheus
from stream_monitor.runtimes import roles
from stream_monitor.runtimes.roles import JUDGE, PROFILE, ROLES, Role, Worker, WorkerNeeds, consumer_groups

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def _no_worker(_: WorkerNeeds) -> Worker:
    raise NotImplementedError


PAIRING = Role("pairing", (Loop.RELAY,), Principal.RELAY, _no_worker)


def test_a_new_role_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line takes it, alone or beside others, and commands that ask for groups ask for its own."""
    monkeypatch.setattr(roles, "ROLES", (*ROLES, PAIRING))

    assert (PAIRING, JUDGE) == parse_roles("pairing, judge,pairing")
    assert ("g-profile", "g-judge", "g-pairing") == consumer_groups("g")
    with pytest.raises(CommandError, match="must be profile, judge, pairing, or several joined by a comma, got other"):
        parse_roles("other")


def test_an_unknown_role_is_refused_by_the_names_of_the_list() -> None:
    """The message has what may be given."""
    with pytest.raises(CommandError, match="must be profile, judge, or both joined by a comma, got pairing"):
        parse_roles("pairing")


@pytest.mark.parametrize("role", ROLES, ids=str)
def test_a_role_is_named_where_an_operator_looks(role: Role, capsys: pytest.CaptureFixture[str]) -> None:
    """In the help of `run`, which must not import the list, and in the page about operations."""
    assert 0 == run_command(["run", "--help"])
    shown = " ".join(capsys.readouterr().out.split())

    assert role.name in shown[shown.index("--role") :].partition("--engine")[0]
    assert f"`--role {role}`" in OPERATIONS.read_text()


def test_the_metrics_of_loops_are_those_of_the_roles() -> None:
    """A loop without its zero in the metrics looks like one that never ran."""
    assert [loop for role in ROLES for loop in role.loops] == list(prometheus.LOOPS)
    assert (PROFILE, JUDGE) == ROLES
