"""Containers, on an engine that only pretends."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.runtimes import account
from stack.runtimes.container import Container, Spec
from stack.runtimes.engine import Engine, connected
from stack.runtimes.unit import Usage
from tests.unit.stack.runtimes.docker_api import DockerApi
from tests.unit.stack.runtimes.test_process import until

IMAGE = "prom/prometheus:v3"
WITH_DISK = Spec(
    name="tempo",
    called="tocsin-stack-1-tempo",
    image=IMAGE,
    arguments=(),
    environment={},
    ports={},
    files={},
    options={"labels": {"org.tocsin.component": "tempo"}},
    disk="/var/tempo",
)


@pytest.fixture
def engine(api: DockerApi) -> Iterator[Engine]:
    """A connection to it; it has one image."""
    api.hold(IMAGE)
    with connected() as made:
        yield made


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> Container:
    """One that was not started yet, with a file of its own."""
    (tmp_path / "prometheus.yaml").write_text("global: {}\n")
    spec = Spec(
        name="prometheus",
        called="tocsin-stack-1-prometheus",
        image=IMAGE,
        arguments=("--config.file=/etc/tocsin/prometheus.yaml",),
        environment={"GOGC": "50"},
        ports={9090: ("127.0.0.1", 23456)},
        files={"/etc/tocsin/prometheus.yaml": tmp_path / "prometheus.yaml"},
        options={"labels": {"org.tocsin.component": "prometheus"}, "mem_limit": 2**30, "cap_drop": ["ALL"]},
    )
    return Container.of(spec, engine=engine, log=tmp_path / "prometheus.log")


def test_the_first_start_makes_it_as_it_was_told(api: DockerApi, container: Container) -> None:
    """Its entry point gets the arguments; its port is published where it was said, and its files are inside."""
    assert (container.alive, container.started_t, container.exit_code) == (False, 0, None)
    container.start()

    made = api.the("prometheus")
    assert container.alive
    assert (made.name, made.settings["Image"]) == ("tocsin-stack-1-prometheus", IMAGE)
    assert made.settings["Cmd"] == ["--config.file=/etc/tocsin/prometheus.yaml"]
    assert "Entrypoint" not in made.settings or made.settings["Entrypoint"] is None
    assert made.settings["Env"] == ["GOGC=50"]
    bindings = made.settings["HostConfig"]["PortBindings"]
    assert bindings == {"9090/tcp": [{"HostIp": "127.0.0.1", "HostPort": "23456"}]}
    assert (made.settings["HostConfig"]["Memory"], made.settings["HostConfig"]["CapDrop"]) == (2**30, ["ALL"])
    assert made.files == {"/etc/tocsin/prometheus.yaml": b"global: {}\n"}
    assert container.started_t == pytest.approx(1767323041.123456)


def test_a_later_start_takes_the_same_one_with_its_files_as_they_are_now(
    api: DockerApi, container: Container, tmp_path: Path
) -> None:
    """So a changed configuration takes effect, and the data stay."""
    container.start()
    container.kill()
    assert (container.alive, container.exit_code) == (False, 137)
    (tmp_path / "prometheus.yaml").write_text("global: {scrape_interval: 1s}\n")

    container.start()

    assert container.alive
    assert len(api.containers) == 1
    assert api.the("prometheus").starts == 2
    assert api.the("prometheus").files == {"/etc/tocsin/prometheus.yaml": b"global: {scrape_interval: 1s}\n"}


def test_a_frozen_one_is_alive_and_is_thawed_before_it_is_stopped(api: DockerApi, container: Container) -> None:
    """To an engine a frozen container cannot be told anything."""
    container.start()
    container.pause()
    assert (container.alive, container.paused) == (True, True)
    container.unpause()
    assert (container.alive, container.paused) == (True, False)
    container.pause()

    container.stop()

    assert (container.alive, container.exit_code) == (False, 143)
    assert [line.rpartition("/")[2] for line in api.asked if line.startswith("POST")][-2:] == ["unpause", "stop"]


@pytest.mark.parametrize("state", ["not made", "stopped", "frozen", "gone"])
@pytest.mark.parametrize("deed", ["kill", "pause", "unpause", "stop"])
def test_a_fault_may_meet_it_in_any_state(api: DockerApi, container: Container, state: str, deed: str) -> None:
    """What cannot be done to it now is no error."""
    if state != "not made":
        container.start()
    if state == "stopped":
        container.stop()
    if state == "frozen":
        container.pause()
    if state == "gone":
        api.containers.clear()
        until(lambda: not container.alive, "it to be seen that it is gone")

    getattr(container, deed)()

    assert container.alive is (state == "frozen" and deed in ("pause", "unpause"))


def test_its_log_is_fetched_when_it_is_asked_for(api: DockerApi, container: Container, tmp_path: Path) -> None:
    """As a file; and what was fetched last is still there when the engine is not."""
    assert not container.log().exists()
    container.start()

    assert container.log().read_bytes() == b"first line\nlast\n"
    assert container.log_tail(1) == "last"
    api.refusals["GET /logs"] = (500, {"message": "no such driver"})
    assert container.log_tail() == "first line\nlast"


def test_one_that_was_ended_for_its_memory_is_known_by_it(api: DockerApi, container: Container) -> None:
    """The engine kills it without a word in its log."""
    container.start()
    assert "memory" not in container.log_tail()
    api.the("prometheus").starved = True
    container.kill()

    assert container.log_tail(1) == "last\n(the engine ended it: it needed more memory than it may have)"


def test_of_a_process_of_this_machine_the_machine_says_what_it_uses(
    api: DockerApi, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and in the same way as without containers; the engine would take a second."""
    container.start()
    api.pid = os.getpid()
    monkeypatch.setattr(account, "_is_here", lambda _, pid: pid == os.getpid())

    used = container.usage()

    assert used is not None
    assert used.memory_bytes > 2**20
    assert not any(line.endswith("/stats") for line in api.asked)


def test_the_engine_is_asked_once_by_many(api: DockerApi, container: Container) -> None:
    """Unless something was done since; then what it said is not so any more."""
    container.start()
    api.asked.clear()
    assert all(container.alive and not container.paused for _ in range(20))
    assert api.asked.count(f"GET /containers/{container.id}/json") <= 2
    container.pause()
    assert container.paused


def test_elsewhere_what_it_uses_is_what_the_engine_accounts_for(api: DockerApi, container: Container) -> None:
    """While it runs."""
    assert container.usage() is None
    container.start()
    assert container.usage() == Usage(cpu_s=1.5, memory_bytes=4096)
    container.stop()
    assert container.usage() is None


def test_another_command_takes_over_by_its_state(api: DockerApi, container: Container, engine: Engine) -> None:
    """It can start it again, too, with the files as they are."""
    container.start()
    other = Container.adopt("prometheus", container.state(), engine=engine)
    assert other.alive

    other.kill()
    until(lambda: not container.alive, "it to be seen that it was killed")
    other.start()
    until(lambda: container.alive, "it to be seen that it was started")
    assert len(api.containers) == 1


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("driver failed: Bind for 127.0.0.1:23456 failed: port is already allocated", "leave the choice to tocsin"),
        ("listen tcp4 127.0.0.1:23456: bind: address already in use", "leave the choice to tocsin"),
        ("listen tcp4 10.0.0.9:23456: bind: cannot assign requested address", "an address of the engine's own machine"),
        ("write /etc/x: no space left on device", "`docker system df` shows what fills it"),
        ("Range of CPUs is from 0.01 to 1.00", "it cannot limit CPU or memory here"),
    ],
)
def test_a_refusal_is_told_with_the_engines_words_and_what_to_try(
    api: DockerApi, container: Container, said: str, advice: str
) -> None:
    """And with the component that it is about."""
    api.refusals["POST /start"] = (500, {"message": said})

    with pytest.raises(StackError) as refused:
        container.start()

    first, second = str(refused.value).splitlines()
    assert first == f"prometheus: its container cannot be started: {said}"
    assert advice in second


def test_an_image_that_went_meanwhile_is_told(api: DockerApi, container: Container) -> None:
    """It was there when the stack was started."""
    api.refusals["POST /containers/create"] = (404, {"message": f"No such image: {IMAGE}"})

    with pytest.raises(StackError, match=r"No such image.*\n  the image was removed meanwhile; try again"):
        container.start()


def test_an_engine_that_goes_away_is_told(
    container: Container, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as a traceback of some library."""
    container.start()
    container.stop()

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(engine.client.api, "inspect_container", refuse)
    with pytest.raises(StackError, match=r"prometheus: its container cannot be looked at:.*\n  the engine went away"):
        _ = container.alive


def test_a_disk_is_filled_until_the_smallest_piece_finds_no_room(
    api: DockerApi, engine: Engine, tmp_path: Path
) -> None:
    """Then it is full; freed, what filled it are empty files."""
    container = Container.of(WITH_DISK, engine=engine, log=tmp_path / "tempo.log")
    container.start()
    api.room = 2**24 + 3 * 2**16 + 5

    container.fill_disk()
    assert sum(map(len, api.the("tempo").files.values())) == 2**24 + 3 * 2**16
    asked = len(api.asked)
    container.fill_disk()
    assert len(api.asked) == asked + 1, "a disk that is full is only looked at"

    container.free_disk()
    assert sum(map(len, api.the("tempo").files.values())) == 0


def test_a_disk_that_cannot_be_filled_is_told(api: DockerApi, engine: Engine, tmp_path: Path) -> None:
    """Whatever the engine has against it; a container without a disk of its own would fill everybody's."""
    container = Container.of(WITH_DISK, engine=engine, log=tmp_path / "tempo.log")
    container.start()
    api.refusals["PUT /archive"] = (500, {"message": "container rootfs is marked read-only"})
    with pytest.raises(StackError, match=r"tempo: its disk cannot be filled: .*marked read-only"):
        container.fill_disk()

    other = Container.of(replace(WITH_DISK, disk=""), engine=engine, log=tmp_path / "tempo.log")
    with pytest.raises(StackError, match="tempo has no disk of its own, so that nobody else's would be filled"):
        other.fill_disk()
    other.free_disk()
