"""Containers: components as containers of an engine, from official images where they can be had, on a network of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.types import DriverConfig, Mount
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.labels import create_labels

from stack import images
from stack.components import APP, OUR_DATA, Component
from stack.engines.progress import Progress, Reporter, silent
from stack.engines.progress import Report as ImagesReport
from stack.errors import StackError
from stack.images import Image, ImageError, Origin
from stack.images.pull import pull
from stack.runtimes.container import Container, Spec
from stack.runtimes.crew import Report
from stack.runtimes.engine import LABEL, Engine, connected, telling
from stack.runtimes.host import Host, Layout, Places, Running
from stack.runtimes.ports import allocate
from stack.runtimes.roster import Roster

CONFIG = "/etc/tocsin"
"""Where a container finds the stack's configuration."""

EVERYWHERE = "0.0.0.0"  # noqa: S104 - of a container's own interfaces, of which none is the machine's

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """The network of one stack. Components of other rosters in it are known by longer names, as there may be many of a kind."""

    name: str
    prefix: str = ""


class ContainerHost:
    """
    An engine. Files are copied into containers, never mounted, so it may be on another machine; data stay in the container.
    """

    runtime = "containers"

    def __init__(self, roster: Roster, *, logs: Path, engine: Engine, net: Net, found: Mapping[str, Image]) -> None:
        self._roster = roster
        self._logs = logs
        self._engine = engine
        self._net = net
        self._images = dict(found)
        roster.use_engine(engine.place)

    @classmethod
    def open(
        cls, roster: Roster, *, logs: Path, table: Mapping[str, Component], standing: bool, report: Report
    ) -> "ContainerHost":
        """
        A host for a new stack: all images are there, and so is its network. The stack outlives this command if it is `standing`.

        Raises StackError when there is no engine, or an image that can neither be pulled nor built.
        """
        engine = connected()
        try:
            found = provide(engine, table, report=lambda progress: report(_in_words(progress)))
            _choose_ryuk(engine, found, standing=standing)
            host = cls(roster, logs=logs, engine=engine, net=Net(name=f"tocsin-{roster.id}"), found=found)
            with telling("the stack's network cannot be made"):
                labels = create_labels("", {LABEL: roster.id})
                engine.client.networks.create(host._net.name, driver="bridge", labels=labels)
        except BaseException:
            engine.close()
            raise
        return host

    @classmethod
    def again(cls, roster: Roster, *, logs: Path) -> "ContainerHost":
        """The host of a stack that another command started. Raises StackError when its engine does not answer."""
        try:
            engine = connected(roster.engine)
        except StackError as error:
            gone = f"if that engine is gone for good, remove {roster.path}"
            raise StackError(f"the stack that is up needs its engine: {error}\n  {gone}") from error
        _choose_ryuk(engine, {}, standing=False)
        return cls(roster, logs=logs, engine=engine, net=Net(name=f"tocsin-{roster.id}"), found={})

    def reserve(self, table: Mapping[str, Component], *, fixed: Mapping[str, int] | None = None) -> Places:
        """
        Inside, each component has a name and the ports of its table; outside, free ports of the engine's machine, which it keeps.

        Raises StackError for one that is unknown or taken.
        """
        ports = {f"{one.name}.{port}": (one, number) for one in table.values() for port, number in one.ports.items()}
        free = allocate(ports, roster=self._roster, fixed=fixed)
        return Places(
            outside={name: f"{self._engine.address}:{place.rpartition(':')[2]}" for name, place in free.items()},
            inside={name: f"{self._alias(one)}:{number}" for name, (one, number) in ports.items()},
            listen={name: f"{EVERYWHERE}:{number}" for name, (_, number) in ports.items()},
        )

    def layout(self, component: Component) -> Layout:
        """Folders inside its container."""
        return Layout(config=CONFIG, data=OUR_DATA if self._runs_ours(component) else component.image_data)

    def make(self, component: Component, *, places: Places, values: Mapping[str, str]) -> Running:
        """Its container, not made yet."""
        image = self._image(component)
        arguments, environment = self._told(component, values)
        outside = {number: places.outside[f"{component.name}.{port}"] for port, number in component.ports.items()}
        spec = Spec(
            name=component.name,
            called=f"tocsin-{self._roster.id}-{component.name}",
            image=image.id,
            arguments=arguments,
            environment=environment,
            ports={number: _host_and_port(place) for number, place in outside.items()},
            files=self._files(component),
            options=self._options(component),
            disk=self.layout(component).data if component.disk_mb else "",
        )
        unit = Container.of(spec, engine=self._engine, log=self._logs / f"{component.name}.log")
        return Running(
            component=component, unit=unit, version=_version(image), stand_in=image.origin is Origin.STAND_IN
        )

    def adopt(self, component: Component, state: Mapping[str, Any]) -> Running:
        """The container that another command made."""
        unit = Container.adopt(component.name, state["unit"], engine=self._engine)
        return Running(component=component, unit=unit, version=state["version"], stand_in=state["stand_in"])

    def beside(self, roster: Roster, *, logs: Path) -> Host:
        """Containers of another roster, on the same network."""
        net = Net(name=self._net.name, prefix=f"{roster.id}-")
        return ContainerHost(roster, logs=logs, engine=self._engine, net=net, found=self._images)

    def close(self) -> None:
        """Let go of the connection to the engine."""
        self._engine.close()

    def _alias(self, component: Component) -> str:
        return f"{self._net.prefix}{component.name}"

    def _image(self, component: Component) -> Image:
        if component.name not in self._images:
            self._images |= images.ensure(self._engine.client, images.references([component]))
        return self._images[component.name]

    def _runs_ours(self, component: Component) -> bool:
        """Whether its image is started with the name of a module of ours."""
        stand_in = self._image(component).origin is Origin.STAND_IN
        return component.module is not None and (stand_in or not component.stand_in)

    def _told(self, component: Component, values: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
        """Its arguments and its environment."""
        known = {"home": OUR_DATA, **values}
        ours = self._runs_ours(component)
        own = component.args if ours or component.image_args is None else component.image_args
        arguments = tuple(argument.format(**known) for argument in own)
        told = component.environment if ours else {**component.environment, **component.image_environment}
        environment = {name: text.format(**known) for name, text in told.items()}
        return ((component.module or "", *arguments) if ours else arguments), environment

    def _files(self, component: Component) -> dict[str, Path]:
        """What it reads of the stack's configuration, by the path inside."""
        root = self._roster.path / "config"
        tops = [root / name for name in component.reads]
        found = [
            path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*"))) if path.is_file()
        ]
        return {f"{CONFIG}/{path.relative_to(root)}": path for path in found}

    def _options(self, component: Component) -> dict[str, Any]:
        """The network, the labels, and as few rights and means as will do."""
        endpoint = self._engine.client.api.create_endpoint_config(aliases=[self._alias(component)])
        disk = {"mounts": [self._disk(component)]} if component.disk_mb else {}
        return {
            **disk,
            "network": self._net.name,
            "networking_config": {self._net.name: endpoint},
            "labels": {LABEL: self._roster.id, "org.tocsin.component": component.name},
            "mem_limit": component.memory_mb * MEBIBYTE,
            "nano_cpus": int(min(component.cpus, self._engine.cpus) * 1e9),
            "pids_limit": 1024,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
        }

    def _disk(self, component: Component) -> Mount:
        """A volume in memory for its data; it is removed by its label."""
        size = DriverConfig("local", {"type": "tmpfs", "device": "tmpfs", "o": f"size={component.disk_mb}m,mode=1777"})
        return Mount(
            target=self.layout(component).data,
            source=f"tocsin-{self._roster.id}-{component.name}",
            type="volume",
            labels={LABEL: self._roster.id},
            driver_config=size,
        )


def provide(engine: Engine, table: Mapping[str, Component], *, report: ImagesReport) -> dict[str, Image]:
    """The images of a stack and of the demo app, by component; pulled or built if need be. Raises ImageError for what cannot be had."""
    return images.ensure(engine.client, images.references([*table.values(), *APP.values()]), report=report)


def summary(found: Mapping[str, Image]) -> str:
    """What the images are, in a few words."""
    told = {Origin.LOCAL: "local images", Origin.STAND_IN: "stand-ins"}
    parts = []
    for origin, what in told.items():
        names = [name for name, image in found.items() if image.origin is origin]
        if names:
            parts.append(f"{what} for {', '.join(names)}")
    return f"all images are there ({'; '.join(parts)})" if parts else "all images are there"


def _choose_ryuk(engine: Engine, found: Mapping[str, Image], *, standing: bool) -> None:
    """
    Let Testcontainers' Ryuk clear up beside us where it can: not after a stack that is to stay, and not without its image.

    Whatever keeps it from its work is no reason to keep a drill from its own: everything is cleared up without it, too.
    """
    if testcontainers_config.ryuk_disabled:
        return
    if standing or not _has_ryuk(engine, found):
        testcontainers_config.ryuk_disabled = True
        return
    try:
        Reaper.get_instance()
    except Exception:
        testcontainers_config.ryuk_disabled = True


def _has_ryuk(engine: Engine, found: Mapping[str, Image]) -> bool:
    """Whether its image is there, or could be pulled as others were."""
    reference = testcontainers_config.ryuk_image
    if images.look(engine.client, {"ryuk": reference})["ryuk"]:
        return True
    if not any(image.digest for image in found.values()):
        return False
    try:
        pull(engine.client, reference, Reporter("ryuk", silent))
    except ImageError:
        return False
    return True


def _host_and_port(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    return host, int(port)


def _in_words(progress: Progress) -> str:
    """How far an image is."""
    amount = f" {progress.done} of {progress.total}" if progress.total else ""
    return f"{progress.engine}: {progress.stage}{amount} {progress.detail}".rstrip()


def _version(image: Image) -> str:
    """What the record calls it: the tag, and the digest or id, so that it can be told from any other of the same name."""
    tag = image.reference.partition("@")[0].rpartition(":")[2].removeprefix("v")
    note = " built here" if image.origin is Origin.LOCAL else ""
    return f"{tag}{note} ({(image.digest or image.id).removeprefix('sha256:')[:12]})"
