"""Engines: where they are sought, and where the ports of their containers are."""

import os

import pytest
from testcontainers.core.config import testcontainers_config

from stack.errors import StackError
from stack.runtimes.engine import connected, environment, published_at
from stack.runtimes.roster import Roster
from tests.unit.stack.runtimes.docker_api import DockerApi


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("", "127.0.0.1"),
        ("unix:///run/user/1000/podman/podman.sock", "127.0.0.1"),
        ("npipe:////./pipe/docker_engine", "127.0.0.1"),
        ("tcp://localhost:2375", "127.0.0.1"),
        ("tcp://192.0.2.7:2376", "192.0.2.7"),
        ("ssh://me@192.0.2.7", "192.0.2.7"),
    ],
)
def test_ports_are_published_on_loopback_unless_the_engine_is_elsewhere(
    place: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then on the address of its machine."""
    monkeypatch.setattr(testcontainers_config, "tc_host_override", None)
    assert published_at(place) == address


def test_who_knows_better_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable that Testcontainers has for it."""
    monkeypatch.setattr(testcontainers_config, "tc_host_override", "192.0.2.9")
    assert published_at("unix:///var/run/docker.sock") == "192.0.2.9"


def test_a_machine_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With where its name came from."""

    def unknown(_: str) -> str:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(testcontainers_config, "tc_host_override", None)
    monkeypatch.setattr("socket.gethostbyname", unknown)
    with pytest.raises(StackError, match=r"machine 'engine.invalid' is not known here.*look at DOCKER_HOST"):
        published_at("tcp://engine.invalid:2375")


def test_an_engine_says_what_it_is(api: DockerApi) -> None:
    """It is asked once for what does not change."""
    with connected() as engine:
        assert (engine.version, engine.cpus, engine.address, engine.place) == ("28.1", 2, "127.0.0.1", api.place)
        assert engine.cpus == 2
    assert api.asked.count("GET /info") == 1


def test_everything_of_a_roster_goes_and_nothing_else(api: DockerApi) -> None:
    """Containers, volumes, and networks even with others' containers in them."""
    ours, others = Roster.create("stack"), Roster.create("stack")
    for roster in (ours, others):
        label = {"org.tocsin.roster": roster.id}
        api.networks[f"net-{roster.id}"] = {"Labels": label, "Containers": {"some-drill": {}}}
        api.volumes[f"volume-{roster.id}"] = label
        for number in range(3):
            api.answer(
                "POST",
                "/containers/create",
                {},
                f'{{"Labels": {{"org.tocsin.roster": "{roster.id}", "n": "{number}"}}}}'.encode(),
            )
        roster.use_engine(api.place)

    assert ours.disband() == 3

    assert {one.labels["org.tocsin.roster"] for one in api.containers.values()} == {others.id}
    assert list(api.networks) == [f"net-{others.id}"]
    assert list(api.volumes) == [f"volume-{others.id}"]
    assert not ours.path.exists()
    assert others.disband() == 3


def test_without_an_answer_a_roster_is_kept_for_the_next_command(api: DockerApi) -> None:
    """Its containers may still be there."""
    roster = Roster.create("stack")
    roster.use_engine(api.place)
    api.refusals["GET /containers/json"] = (500, {"message": "the database is locked"})

    with pytest.raises(StackError, match="what is left of a stack cannot be removed: the database is locked"):
        roster.disband()
    assert roster.path.exists()

    api.refusals.clear()
    assert roster.disband() == 0
    assert not roster.path.exists()


def test_another_commands_engine_does_not_become_that_of_this_one(
    api: DockerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was left elsewhere is cleared there; what is started next is started where the user says."""
    roster = Roster.create("stack")
    roster.use_engine(api.place)
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.7:2375")

    assert roster.disband() == 0

    assert os.environ["DOCKER_HOST"] == "tcp://192.0.2.7:2375"
    assert environment("tcp://192.0.2.8:2375")["DOCKER_HOST"] == "tcp://192.0.2.8:2375"
    assert "DOCKER_HOST" not in environment("")
    assert "GET /containers/json" in api.asked
