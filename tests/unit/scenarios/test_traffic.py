"""The rim of the traffic: how its process is called, what it inherits, and how its lines are read."""

import os
import sys
from pathlib import Path
from typing import Any

from scenarios.plan import LEASH_VARIABLE, PLAN_VARIABLE, Plan
from scenarios.traffic import _command, _environment, _Tail


def plan(*faults: dict[str, Any], **load: Any) -> Plan:
    """A plan of 8 users."""
    return Plan.model_validate(
        {"host": "http://127.0.0.1:1", "events": "x", "load": {"for": "10s"} | load, "faults": faults}
    )


def option(command: list[str], name: str) -> str:
    """The word after an option."""
    return command[command.index(name) + 1]


def test_lines_are_read_once_and_only_when_they_are_whole(tmp_path: Path) -> None:
    """A line that is being written is left for the next time, however it is torn."""
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntw")
    tail = _Tail(path)
    with path.open("ab", buffering=0) as file:
        assert tail.read() == [b"one"]
        file.write(b"o")
        assert tail.read() == []
        file.write(b"\nthree\n")
        assert tail.read() == [b"two", b"three"]
        assert tail.read() == []
    tail.close()


def test_locust_runs_without_its_page(tmp_path: Path) -> None:
    """By our own interpreter, with as many users as the plan will ever need, all from the beginning."""
    command = _command(plan({"kind": "spike", "factor": 2.2, "at": "1s", "for": "1s"}, rate=None))

    assert command[:3] == [sys.executable, "-m", "locust"]
    assert "--headless" in command
    assert option(command, "--users") == option(command, "--spawn-rate") == "18"
    assert "--processes" not in command


def test_several_processes_talk_over_loopback_on_a_free_port() -> None:
    """Locust's own default is every interface and a fixed port."""
    command = _command(plan(processes=3))

    assert option(command, "--processes") == "3"
    assert option(command, "--master-bind-host") == option(command, "--master-host") == "127.0.0.1"
    assert option(command, "--master-bind-port") == option(command, "--master-port") != "5557"


def test_there_are_never_more_processes_than_users() -> None:
    """A process without users would only be in the way."""
    assert option(_command(plan(processes=8, users=2)), "--processes") == "2"
    assert "--processes" not in _command(plan(processes=8, users=1))


def test_the_process_inherits_what_it_needs_and_nothing_else() -> None:
    """An allow-list: a secret has many names."""
    ours = {"PATH": "/bin", "HOME": "/home/me", "API_TOKEN": "hush", "LOCUST_USERS": "9", "PYTHONPATH": "/theirs"}
    environment = _environment(ours, Path("/run/plan.json"))

    assert {"PATH", "HOME", "PYTHONPATH", PLAN_VARIABLE, LEASH_VARIABLE} == set(environment)
    assert environment[PLAN_VARIABLE] == "/run/plan.json"
    folder, theirs = environment["PYTHONPATH"].split(os.pathsep)
    assert Path(folder, "scenarios", "locustfile.py").is_file()
    assert theirs == "/theirs"
