"""Ports are free, differ, and stay taken as long as their roster exists."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.runtimes import ports
from stack.runtimes.ports import allocate, is_free
from stack.runtimes.roster import Roster


@pytest.fixture
def roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Roster]:
    """A roster in a state folder of the test's own."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    made = Roster.create("test")
    yield made
    made.disband()


def test_each_name_gets_a_port_of_its_own(roster: Roster) -> None:
    """On loopback, all different."""
    addresses = allocate(["tempo.http", "tempo.grpc", "sink.http"], roster=roster)

    assert set(addresses) == {"tempo.http", "tempo.grpc", "sink.http"}
    assert len(set(addresses.values())) == 3
    assert all(address.startswith("127.0.0.1:") for address in addresses.values())


def test_ports_of_another_roster_are_not_given_again(roster: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stacks that start at the same time have bound nothing yet; the roster tells."""
    monkeypatch.setattr(ports, "_RANGE", range(21_000, 21_004))
    other = Roster.create("other")

    first = allocate(["a.http", "b.http"], roster=roster)
    second = allocate(["a.http"], roster=other)

    assert not set(first.values()) & set(second.values())
    other.disband()
    with pytest.raises(StackError, match="no free port between 21000 and 21004 for"):
        allocate([f"x{n}.http" for n in range(5)], roster=roster)


def test_a_port_may_be_fixed(roster: Roster) -> None:
    """The others are chosen around it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert allocate(["a.http", "b.http"], roster=roster, fixed={"b.http": port})["b.http"] == f"127.0.0.1:{port}"


def test_a_fixed_port_that_is_taken_is_refused_by_name(roster: Roster) -> None:
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(StackError, match=f"--port a.http={port}: the port is taken; free it"):
            allocate(["a.http"], roster=roster, fixed={"a.http": port})


def test_an_unknown_name_is_refused_with_those_that_exist(roster: Roster) -> None:
    """It is most often a spelling."""
    with pytest.raises(StackError, match=r"--port prom.http=1: no such port; known: a.http, b.http"):
        allocate(["a.http", "b.http"], roster=roster, fixed={"prom.http": 1})
