"""The connection: an engine that answers, or the reason why none does."""

import socket
import stat
from pathlib import Path

import docker.errors
import pytest

from stack.images.connection import EngineMissing, connect


def test_no_socket(tmp_path: Path) -> None:
    """Without an engine the place where it was sought is named, and how to start one."""
    with pytest.raises(
        EngineMissing, match=rf"no container engine can be used at unix://{tmp_path}/none\.sock: no engine runs there"
    ):
        connect({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})


def test_nobody_listens(tmp_path: Path) -> None:
    """A socket that a dead engine left behind is no engine."""
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)

    with pytest.raises(EngineMissing, match="no engine runs there: start one"):
        connect({"DOCKER_HOST": f"unix://{path}"})


def test_remote_engine_is_not_there() -> None:
    """A port where nobody listens is told as such."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"tcp://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(EngineMissing, match=f"at {place}: no engine runs there"):
            connect({"DOCKER_HOST": place})


def test_no_such_host() -> None:
    """A wrong name in DOCKER_HOST is told as such."""
    with pytest.raises(EngineMissing, match="there is no such host: look at DOCKER_HOST"):
        connect({"DOCKER_HOST": "tcp://no-such-host.invalid:2375"})


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that this user may not open is told with the group to join."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refuse)

    with pytest.raises(EngineMissing, match="this user may not use it: join the group `docker`"):
        connect({})


def test_nonsense_is_passed_on() -> None:
    """What has no advice is told in the client's own words."""
    with pytest.raises(
        EngineMissing, match=r"no container engine can be used at gopher://moon: .*bind address.*gopher"
    ):
        connect({"DOCKER_HOST": "gopher://moon"})


def test_ssh_takes_a_package_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing, it is told how to install it."""

    def refuse(**_: object) -> None:
        raise docker.errors.DockerException("Install paramiko package to enable ssh:// support")

    monkeypatch.setattr("docker.from_env", refuse)

    with pytest.raises(
        EngineMissing, match=r"to reach it by ssh takes one package more: `pip install 'docker\[ssh\]'`"
    ):
        connect({"DOCKER_HOST": "ssh://me@somewhere"})
