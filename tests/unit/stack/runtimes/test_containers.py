"""The host of containers, on an engine that only pretends: what it asks of it, and what it says when it is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper

from stack import images
from stack.components import APP, COMPONENTS, GRAFANA, PROMETHEUS, SINK, TEMPO, Component
from stack.config import DRILL
from stack.errors import StackError
from stack.images import Image, ImageError, Origin
from stack.runtimes import hosts
from stack.runtimes.containers import ContainerHost, summary
from stack.runtimes.crew import Crew
from stack.runtimes.files import texts_of
from stack.runtimes.host import Host
from stack.runtimes.roster import Roster
from tests.unit.stack.runtimes.docker_api import DockerApi, Made

TABLE = {one.name: one for one in (SINK, TEMPO, PROMETHEUS, GRAFANA)}


@pytest.fixture
def origins() -> dict[str, Origin]:
    """What each image is, where it is not what its name says."""
    return {}


@pytest.fixture(autouse=True)
def _images(api: DockerApi, origins: dict[str, Origin], monkeypatch: pytest.MonkeyPatch) -> None:
    """All images are there."""
    names = [*COMPONENTS, *APP]
    api.hold(*(f"the-{name}:1.2" for name in names))

    def ensure(_: object, wanted: Mapping[str, str], **__: object) -> dict[str, Image]:
        return {
            name: Image(
                name=name,
                wanted=reference,
                reference=f"the-{name}:1.2",
                id=api.images[f"the-{name}:1.2"],
                origin=origins.get(name, Origin.AS_NAMED),
            )
            for name, reference in wanted.items()
        }

    monkeypatch.setattr(images, "ensure", ensure)


@pytest.fixture
def roster(api: DockerApi) -> Iterator[Roster]:
    """A stack's roster, with the configuration of two components."""
    made = Roster.create("stack")
    for name in ("prometheus.yaml", "rules/slo.yaml", "grafana/grafana.ini", "tempo.yaml"):
        (made.path / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (made.path / "config" / name).write_text(name)
    yield made
    if made.path.exists():
        made.disband()


@pytest.fixture
def host(roster: Roster) -> Iterator[Host]:
    """The stack's host."""
    made = hosts.open_host("containers", roster, table=TABLE, standing=False, report=lambda _: None)
    yield made
    made.close()


def started(host: Host, component: Component, api: DockerApi, **values: str) -> Made:
    """One component, made and started, without a look at whether it answers."""
    table = {component.name: component}
    crew = Crew(table, host=host, places=host.reserve(table), of="the stack")
    host.make(component, places=crew.places, values={**crew._own(component), **values}).unit.start()
    return api.the(component.name)


def test_a_component_is_found_by_name_inside_and_on_loopback_outside(host: Host, roster: Roster) -> None:
    """It listens on its own interface, whatever address that has; only the host's ports differ from stack to stack."""
    places = host.reserve(TABLE, fixed={"prometheus.http": 29090})

    assert places.outside["prometheus.http"] == "127.0.0.1:29090"
    assert places.outside["tempo.otlp_grpc"].startswith("127.0.0.1:")
    assert (places.inside["prometheus.http"], places.inside["tempo.otlp_grpc"]) == ("prometheus:9090", "tempo:4317")
    assert places.listen["tempo.otlp_grpc"] == "0.0.0.0:4317"


def test_the_official_image_gets_its_arguments_and_only_what_it_reads(host: Host, api: DockerApi) -> None:
    """Other components' files may hold secrets."""
    made = started(host, PROMETHEUS, api)

    assert made.settings["Image"] == api.images["the-prometheus:1.2"]
    assert made.settings["Cmd"][:3] == [
        "--config.file=/etc/tocsin/prometheus.yaml",
        "--storage.tsdb.path=/prometheus",
        "--web.listen-address=0.0.0.0:9090",
    ]
    assert made.files == {
        "/etc/tocsin/prometheus.yaml": b"prometheus.yaml",
        "/etc/tocsin/rules/slo.yaml": b"rules/slo.yaml",
    }


def test_links_lead_to_where_people_reach_a_component(host: Host, api: DockerApi, roster: Roster) -> None:
    """Whoever is paged has a browser on the host, and knows nothing of names inside."""
    made = started(host, PROMETHEUS, api)
    ((published,),) = made.settings["HostConfig"]["PortBindings"].values()
    assert f"--web.external-url=http://127.0.0.1:{published['HostPort']}/" in made.settings["Cmd"]

    places = host.reserve(COMPONENTS, fixed={"grafana.http": 23000})
    secrets = dict.fromkeys(("sink_token", "grafana_admin_password"), "0123456789abcdef")
    texts = texts_of(GRAFANA, profile=DRILL, places=places, layout=host.layout(GRAFANA), secrets=secrets)
    assert "root_url = http://127.0.0.1:23000/\n" in texts["grafana/grafana.ini"]


def test_an_image_with_a_way_of_its_own_gets_its_environment(host: Host, api: DockerApi) -> None:
    """Grafana's own image starts itself, by what its environment says."""
    made = started(host, GRAFANA, api)

    assert not made.settings["Cmd"]
    assert "GF_PATHS_CONFIG=/etc/tocsin/grafana/grafana.ini" in made.settings["Env"]
    assert "GF_PATHS_PROVISIONING=/etc/tocsin/grafana/provisioning" in made.settings["Env"]


def test_a_stand_in_is_started_as_the_module_that_it_is(
    host: Host, roster: Roster, api: DockerApi, origins: dict[str, Origin]
) -> None:
    """It writes where our images let it."""
    origins |= {"tempo": Origin.STAND_IN, "grafana": Origin.STAND_IN}
    with_stand_ins = ContainerHost.open(roster, logs=roster.path, table=TABLE, standing=False, report=lambda _: None)

    tempo, grafana = (started(with_stand_ins, one, api) for one in (TEMPO, GRAFANA))

    assert tempo.settings["Cmd"] == ["stack.standins.tempo", "-config.file=/etc/tocsin/tempo.yaml"]
    assert grafana.settings["Cmd"][:2] == ["stack.standins.grafana", "server"]
    assert not any(text.startswith("GF_PATHS") for text in grafana.settings.get("Env") or ())
    assert with_stand_ins.layout(TEMPO).data == "/var/lib/tocsin"
    assert host.layout(TEMPO).data == "/var/tempo"
    with_stand_ins.close()


def test_our_own_components_are_started_as_modules(host: Host, api: DockerApi) -> None:
    """With the secrets that they need in their environment."""
    made = started(host, SINK, api, sink_token="a-secret")

    assert made.settings["Cmd"][:3] == ["stack.sink", "--listen", "0.0.0.0:9099"]
    assert made.settings["Env"] == ["TOCSIN_SINK_TOKEN=a-secret"]


def test_a_container_has_few_rights_and_a_share_of_the_machine(host: Host, roster: Roster, api: DockerApi) -> None:
    """No more CPUs than there are, and the label by which everything of the stack is found again."""
    made = started(host, replace(PROMETHEUS, cpus=64, memory_mb=256), api)

    limits = made.settings["HostConfig"]
    assert (limits["Memory"], limits["NanoCpus"]) == (256 * 2**20, 2_000_000_000)
    assert (limits["CapDrop"], limits["SecurityOpt"]) == (["ALL"], ["no-new-privileges"])
    assert not limits.get("Binds")
    assert made.labels["org.tocsin.roster"] == roster.id


def test_data_may_be_on_a_small_disk_that_goes_with_the_roster(host: Host, roster: Roster, api: DockerApi) -> None:
    """A volume in memory, where the component keeps its data; its label says whose it is."""
    made = started(host, replace(PROMETHEUS, disk_mb=192), api)

    (mount,) = made.settings["HostConfig"]["Mounts"]
    assert (mount["Type"], mount["Target"]) == ("volume", PROMETHEUS.image_data)
    assert mount["VolumeOptions"]["Labels"] == {"org.tocsin.roster": roster.id}
    assert mount["VolumeOptions"]["DriverConfig"]["Options"] == {
        "type": "tmpfs",
        "device": "tmpfs",
        "o": "size=192m,mode=1777",
    }


def test_a_stack_has_a_network_of_its_own_where_a_drills_app_joins_it(
    host: Host, roster: Roster, api: DockerApi, tmp_path: Path
) -> None:
    """By a name that no other drill's app has, and with a roster of its own, as it ends before the stack does."""
    (network,) = api.networks.values()
    assert (network["Name"], network["Labels"]["org.tocsin.roster"]) == (f"tocsin-{roster.id}", roster.id)
    drill = Roster.create("drill")

    beside = host.beside(drill, logs=tmp_path)
    values = dict.fromkeys(("namespace", "otlp", "catalog", "users", "fault_token"), "x")
    made = started(beside, APP["catalog"], api, **values)

    assert beside.reserve(APP).inside["catalog.http"] == f"{drill.id}-catalog:8000"
    endpoint = made.settings["NetworkingConfig"]["EndpointsConfig"][network["Name"]]
    assert endpoint["Aliases"] == [f"{drill.id}-catalog"]
    assert made.settings["Cmd"] == ["demo_app"]
    assert {"DEMO_HOST=0.0.0.0", "DEMO_FAULT_HOST=0.0.0.0", "DEMO_PORT=8000"} <= set(made.settings["Env"])
    assert drill.disband() == 1
    assert api.networks


def test_another_command_finds_the_stacks_engine_again(host: Host, roster: Roster, api: DockerApi) -> None:
    """Though it would look for one elsewhere by itself."""
    running = host.make(
        PROMETHEUS, places=host.reserve(TABLE), values=dict.fromkeys(("config", "data", "http", "http_url"), "x")
    )
    running.unit.start()

    again = hosts.host_again("containers", roster)
    found = again.adopt(PROMETHEUS, running.state())

    assert roster.engine == api.place
    assert found.unit.alive
    assert (found.version, found.stand_in) == (running.version, False)
    again.close()


def test_a_stack_whose_engine_is_gone_is_told_with_where_it_is_kept(roster: Roster, tmp_path: Path) -> None:
    """Else no command would work any more, and nobody knew why."""
    roster.use_engine(f"unix://{tmp_path}/gone.sock")

    with pytest.raises(
        StackError, match=r"the stack that is up needs its engine: no container engine can be used"
    ) as told:
        hosts.host_again("containers", roster)
    assert str(told.value).endswith(f"if that engine is gone for good, remove {roster.path}")
    (roster.path / "engine.json").unlink()


def test_the_record_can_tell_one_image_from_another(
    host: Host, origins: dict[str, Origin], roster: Roster, api: DockerApi
) -> None:
    """By its tag, its id or digest, and whether it only stands for the one that was meant."""
    origins |= {"prometheus": Origin.LOCAL, "tempo": Origin.STAND_IN}
    made = ContainerHost.open(roster, logs=roster.path, table=TABLE, standing=False, report=lambda _: None)
    values = dict.fromkeys(("config", "data", "http", "http_url"), "x")
    prometheus, tempo = (made.make(one, places=made.reserve(TABLE), values=values) for one in (PROMETHEUS, TEMPO))

    number = api.images["the-prometheus:1.2"].removeprefix("sha256:")[:12]
    assert (prometheus.version, prometheus.stand_in) == (f"1.2 built here ({number})", False)
    assert tempo.stand_in
    found = {"prometheus": made._images["prometheus"], "tempo": made._images["tempo"], "sink": made._images["sink"]}
    assert summary(found) == "all images are there (local images for prometheus; stand-ins for tempo)"
    assert summary({"sink": found["sink"]}) == "all images are there"
    made.close()


def test_an_image_that_cannot_be_had_leaves_nothing(
    roster: Roster, api: DockerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is that of the images, and no network was made for nothing."""

    def ensure(*_: object, **__: object) -> None:
        raise ImageError("grafana/tempo:3 cannot be pulled: no such host\n  try: ...")

    monkeypatch.setattr(images, "ensure", ensure)
    with pytest.raises(StackError, match="grafana/tempo:3 cannot be pulled"):
        hosts.open_host("containers", roster, table=TABLE, standing=False, report=lambda _: None)
    assert not api.networks


def test_an_engine_without_a_free_network_is_told(roster: Roster, api: DockerApi) -> None:
    """With what removes unused ones."""
    said = "could not find an available, non-overlapping IPv4 address pool among the defaults"
    api.refusals["POST /networks/create"] = (500, {"message": said})

    with pytest.raises(StackError, match=r"the stack's network cannot be made: could not.*\n.*docker network prune"):
        hosts.open_host("containers", roster, table=TABLE, standing=False, report=lambda _: None)


@pytest.mark.parametrize(
    ("standing", "there", "registry", "used"),
    [
        (False, "there", "none", True),
        (False, "missing", "none", False),
        (False, "missing", "with it", True),
        (False, "missing", "without it", False),
        (True, "there", "none", False),
        (True, "missing", "with it", False),
    ],
)
def test_ryuk_clears_up_beside_us_where_it_can(
    roster: Roster,
    api: DockerApi,
    monkeypatch: pytest.MonkeyPatch,
    standing: bool,
    there: str,
    registry: str,
    used: bool,
) -> None:
    """
    Not after a stack that is to outlive its command, and not where its image cannot be had, which is no error.

    It is only pulled where others have been pulled: without a registry that would be a wait for nothing.
    """
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", False)
    monkeypatch.setattr(Reaper, "get_instance", lambda: None)
    if there == "there":
        api.images[testcontainers_config.ryuk_image] = "sha256:7"
    if registry != "none":
        known = images.ensure

        def pulled(*given: Any, **options: Any) -> dict[str, Image]:
            return {name: replace(image, digest="sha256:8") for name, image in known(*given, **options).items()}

        monkeypatch.setattr(images, "ensure", pulled)
    api.registry = {testcontainers_config.ryuk_image} if registry == "with it" else set()

    host = hosts.open_host("containers", roster, table=TABLE, standing=standing, report=lambda _: None)

    assert testcontainers_config.ryuk_disabled is not used
    assert any(line == "POST /images/create" for line in api.asked) is (registry != "none" and not standing)
    host.close()


@pytest.mark.parametrize("there", [True, False])
def test_a_ryuk_that_cannot_do_its_work_is_left_out(
    roster: Roster, api: DockerApi, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """A drill on a stack that is up goes on without it, be it that it is missing or that it cannot be reached."""

    def fail() -> None:
        raise ConnectionError("nobody listens")

    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", False)
    monkeypatch.setattr(Reaper, "get_instance", fail)
    roster.use_engine(api.place)
    if there:
        api.images[testcontainers_config.ryuk_image] = "sha256:7"

    hosts.host_again("containers", roster).close()

    assert testcontainers_config.ryuk_disabled is True
