"""Container: one program in a container of its own, on the files that are copied into it: a Unit."""

import math
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
import docker.errors
from testcontainers.core.container import DockerContainer
from testcontainers.core.exceptions import ContainerStartException

from stack.errors import StackError
from stack.runtimes.account import used_in
from stack.runtimes.archive import packed
from stack.runtimes.balloon import Balloon
from stack.runtimes.engine import Engine, environment, telling
from stack.runtimes.process import log_tail
from stack.runtimes.unit import Usage

FRESH_S = 0.1
"""What an engine said of a container is taken for true so long: many want to know, and each question costs the engine work."""

STARTED = ("running", "paused", "restarting")

NEVER = "0001-"
"""How the time begins at which a container was started that never was."""

GONE = (304, 404, 409)
"""What the engine answers when a container is not in a state for what is asked of it, or not there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """
    What to run: an image (in a container that is `called` so), arguments for its entry point, its environment; `ports` maps those inside
    to a host and a port outside.

    `files` maps paths inside to files of ours; they are copied before each start, so that a change takes effect by a restart.
    `options` are the engine's own: network, labels, limits. `disk` is the folder inside that is a small disk of its own; "" for none.
    """

    name: str
    called: str
    image: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    ports: Mapping[int, tuple[str, int]]
    files: Mapping[str, Path]
    options: Mapping[str, Any] = field(default_factory=dict)
    disk: str = ""


class Container:
    """
    A container that is made at its first start and stays until its roster is disbanded. It may have been made by another process of ours.
    """

    def __init__(self, name: str, *, engine: Engine, log: Path, files: Mapping[str, Path]) -> None:
        self.name = name
        self.id = ""
        self._spec: Spec | None = None
        self._engine = engine
        self._log = log
        self._files = dict(files)
        self._looking = threading.Lock()
        self._looked_t = 0.0
        self._last: Mapping[str, Any] = {}
        self._balloon: Balloon | None = None

    @classmethod
    def of(cls, spec: Spec, *, engine: Engine, log: Path) -> "Container":
        """One that is not there yet."""
        container = cls(spec.name, engine=engine, log=log, files=spec.files)
        container._spec = spec
        container._balloon = Balloon(spec.name, folder=spec.disk, engine=engine) if spec.disk else None
        return container

    @classmethod
    def adopt(cls, name: str, state: Mapping[str, Any], *, engine: Engine) -> "Container":
        """One that another process of ours made, by what its `state` said."""
        files = {inside: Path(outside) for inside, outside in state["files"].items()}
        container = cls(name, engine=engine, log=Path(state["log"]), files=files)
        container.id = state["id"]
        return container

    # --- what it is ---

    @property
    def alive(self) -> bool:
        """Whether it runs, or is frozen."""
        return self._state().get("Status") in STARTED

    @property
    def paused(self) -> bool:
        """Whether it is frozen."""
        return bool(self._state().get("Paused"))

    @property
    def started_t(self) -> float:
        """When it was last started, by the engine's clock."""
        started = self._state().get("StartedAt", NEVER)
        return 0.0 if started.startswith(NEVER) else datetime.fromisoformat(started).timestamp()

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        state = self._state()
        return int(state["ExitCode"]) if state and state["Status"] not in (*STARTED, "created") else None

    def fill_disk(self) -> None:
        """Fill the volume of its own, with files that are copied into it. Raises StackError where it has none."""
        if self._balloon is None:
            raise StackError(f"{self.name} has no disk of its own, so that nobody else's would be filled")
        self._balloon.fill(self.id)

    def free_disk(self) -> None:
        """Take away what filled it: each file becomes an empty one."""
        if self._balloon:
            self._balloon.burst(self.id)

    def log(self) -> Path:
        """Its log, fetched from the engine; as it was last time when the engine does not answer."""
        if self.id:
            with suppress(docker.errors.DockerException, OSError):
                self._log.write_bytes(self._engine.client.api.logs(self.id, stdout=True, stderr=True))
        return self._log

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log; and that it was ended for its memory, of which it can say nothing itself."""
        tail = log_tail(self.log(), lines)
        return f"{tail}\n(the engine ended it: it needed more memory than it may have)" if self._starved() else tail

    def usage(self) -> Usage | None:
        """What it uses; None when it does not run."""
        state = self._state()
        if state.get("Status") not in STARTED:
            return None
        return used_in(self.id, pid=state["Pid"], engine=self._engine)

    def state(self) -> dict[str, Any]:
        """What `adopt` needs."""
        return {
            "id": self.id,
            "log": str(self._log),
            "files": {inside: str(outside) for inside, outside in self._files.items()},
        }

    # --- what is done to it ---

    def start(self) -> None:
        """Make it at the first time; copy its files, and start it. Raises StackError with what the engine said."""
        with telling(f"{self.name}: its container cannot be started"):
            try:
                if self.id:
                    self._engine.client.api.put_archive(self.id, "/", packed(self._files))
                    self._engine.client.api.start(self.id)
                else:
                    self._make()
            finally:
                self._changed()

    def kill(self) -> None:
        """End it at once, without a chance to clean up."""
        self._ask("killed", self._engine.client.api.kill)
        self._ask("waited for", self._engine.client.api.wait)

    def pause(self) -> None:
        """Freeze it: its sockets stay open and nothing answers."""
        if not self.paused:
            self._ask("paused", self._engine.client.api.pause)

    def unpause(self) -> None:
        """Thaw it."""
        if self.paused:
            self._ask("thawed", self._engine.client.api.unpause)

    def stop(self, within_s: float = 5) -> None:
        """Ask it to end, frozen or not; after `within_s` seconds end it. Its log is then complete on disk."""
        self.unpause()
        self._ask("stopped", self._engine.client.api.stop, timeout=math.ceil(within_s))
        self.log()

    # --- inside ---

    def _make(self) -> None:
        spec = self._spec
        if spec is None:
            raise StackError(f"{self.name}: its container is gone, and only its maker could make it anew")
        made = DockerContainer(spec.image, docker_client_kw={"environment": environment(self._engine.place)})
        made.image = spec.image  # without the prefix for registries: it is here already
        made.with_name(spec.called).with_command(list(spec.arguments)).with_envs(**spec.environment).with_kwargs(
            **spec.options
        )
        made.ports = {f"{port}/tcp": place for port, place in spec.ports.items()}  # type: ignore[misc]
        for inside, outside in spec.files.items():
            made.with_copy_into_container(outside, inside)
        try:
            made.start()
        finally:
            made.get_docker_client().client.close()
            with suppress(ContainerStartException):
                self.id = made.get_container_id()

    def _ask(self, deed: str, act: Any, **options: Any) -> None:
        """Do something to it, if it is there and in a state for it."""
        if not self.id:
            return
        with telling(f"{self.name} cannot be {deed}"):
            try:
                act(self.id, **options)
            except docker.errors.APIError as error:
                if error.status_code not in GONE:
                    raise
            finally:
                self._changed()

    def _starved(self) -> bool:
        return bool(self._state().get("OOMKilled"))

    def _state(self) -> Mapping[str, Any]:
        """What the engine says of it, or said just now; nothing when it is not there."""
        if not self.id:
            return {}
        with self._looking:
            if time.monotonic() - self._looked_t > FRESH_S:
                self._last = self._inspect()
                self._looked_t = time.monotonic()
            return self._last

    def _inspect(self) -> Mapping[str, Any]:
        with telling(f"{self.name}: its container cannot be looked at"):
            try:
                state: Mapping[str, Any] = self._engine.client.api.inspect_container(self.id)["State"]
            except docker.errors.NotFound:
                return {}
        return state

    def _changed(self) -> None:
        """What the engine said of it is not so any more."""
        with self._looking:
            self._looked_t = 0.0
