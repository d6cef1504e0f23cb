"""Faults made real: how each kind is applied, kept up, and healed; when that is done is decided in `scenarios.injection`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import httpx

from scenarios.act import Act, Detail, FaultError, Services
from scenarios.command import run_command
from scenarios.diskact import DiskAct
from scenarios.healnotes import HealNote
from scenarios.linkact import LinkAct
from scenarios.model import (
    AppFault,
    CommandFault,
    ComponentFault,
    DiskFullFault,
    Fault,
    HttpFault,
    NetworkFault,
    TrafficFault,
)

LEASE_S = 4.0
"""A fault in the app ends by itself when it has not been renewed for so long."""

# A fault makes one call a second; a connection kept for the next would break with the target, and outlive the drill.
_NONE_KEPT = httpx.Limits(max_keepalive_connections=0)


@dataclass(kw_only=True)
class AppAct(Act):
    """A fault in the demo app, through the fault API of one role: leased, so that it cannot outlive us for long."""

    APPLY_FOR_S: ClassVar[float] = 3.0
    HEAL_FOR_S: ClassVar[float] = LEASE_S + 1
    LEASED: ClassVar[bool] = True

    id: str
    fault: AppFault
    services: Services
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=2.0, limits=_NONE_KEPT, trust_env=False))

    def apply(self) -> Detail:
        """Ask for the fault, with its first lease."""
        return self._put()

    def renew(self) -> Detail:
        """Prolong the lease; the count of what was hit is the proof where no client feels it."""
        return self._put()

    def heal(self) -> Detail:
        """Read the last count, and end the lease."""
        listed = self._json(self._call("GET", ""), "faults")
        counts = [fault["affected"] for fault in listed if fault.get("id") == self.id]
        self._call("DELETE", f"/{self.id}")
        return {"affected": counts[0]} if counts else {"by": "the end of its lease"}

    def _put(self) -> Detail:
        answer = self._call("PUT", f"/{self.id}", {**self.fault.api_body(), "lease_s": LEASE_S})
        return {"affected": self._json(answer, "affected")}

    def _json(self, answer: httpx.Response, key: str) -> Any:
        try:
            return answer.json()[key]
        except (ValueError, KeyError, TypeError) as error:
            text = f"the fault API of {self.fault.target} answered without `{key}`: {answer.text[:200]!r}"
            raise FaultError(text) from error

    def _call(self, method: str, path: str, body: Detail | None = None) -> httpx.Response:
        url, token = self.services.fault_api(self.fault.target)
        what = f"{method} of {self.fault.kind} at the fault API of {self.fault.target}"
        try:
            answer = self.client.request(
                method, f"{url}/faults{path}", json=body, headers={"Authorization": f"Bearer {token}"}
            )
        except httpx.HTTPError as error:
            raise FaultError(f"{what}: no answer: {type(error).__name__}: {error}") from error
        if answer.is_error:
            final = answer.status_code in (400, 401, 403, 404, 422)
            raise FaultError(f"{what}: status {answer.status_code}: {answer.text[:300]}", final=final)
        return answer


@dataclass(kw_only=True)
class TrafficAct(Act):
    """A fault that the clients act by themselves, from the plan that they got at the start; here it is only noted."""

    def apply(self) -> Detail:
        """Nothing: the clients do it."""
        return {}

    heal = apply


@dataclass(kw_only=True)
class ComponentAct(Act):
    """A component or a role is killed, frozen or restarted."""

    fault: ComponentFault
    services: Services
    over: bool = False

    def apply(self) -> Detail:
        """Kill, freeze or restart it."""
        steps: Mapping[str, Callable[[str], None]] = {
            "kill": self.services.kill,
            "pause": self.services.pause,
            "restart": self.services.restart,
        }
        steps[self.fault.kind](self.fault.target)
        self.over = self.fault.kind == "restart"
        return {}

    def heal(self) -> Detail:
        """Thaw or start it; a restart has healed itself, unless it failed half way."""
        if self.fault.kind == "pause":
            self.services.unpause(self.fault.target)
        elif not self.over:
            self.services.restart(self.fault.target)
        return {}


@dataclass(kw_only=True)
class CommandAct(Act):
    """
    A command breaks something that is not ours, another heals it. A note on disk survives us in between.

    `marker` is put into the environment of the one that breaks, so that whoever clears up after us finds and ends it first.
    """

    fault: CommandFault
    note: HealNote
    marker: Mapping[str, str] = field(default_factory=dict)

    def apply(self) -> Detail:
        """Leave the note, then run the command."""
        self.note.write()
        try:
            return self._run(self.fault.apply, self.marker)
        except FaultError as error:
            if error.final:
                self.note.remove()
            raise

    def heal(self) -> Detail:
        """Run the healing command, then remove the note."""
        detail = self._run(self.fault.heal, {})
        self.note.remove()
        return detail

    def _run(self, argv: tuple[str, ...], environment: Mapping[str, str]) -> Detail:
        try:
            return {"output": run_command(argv, environment=environment)}
        except OSError as error:
            raise FaultError(f"cannot run {argv[0]!r}: {error.strerror or error}", final=True) from error
        except RuntimeError as error:
            raise FaultError(str(error)) from error


@dataclass(kw_only=True)
class HttpAct(Act):
    """An HTTP call breaks something that is not ours, another heals it. A note on disk survives us in between."""

    fault: HttpFault
    note: HealNote
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10.0, limits=_NONE_KEPT))

    def apply(self) -> Detail:
        """Leave the note, then make the call."""
        self.note.write()
        return self._call(self.fault.apply)

    def heal(self) -> Detail:
        """Make the healing call, then remove the note."""
        detail = self._call(self.fault.heal)
        self.note.remove()
        return detail

    def _call(self, call: HttpFault.Call) -> Detail:
        try:
            answer = self.client.request(call.method, call.url, json=call.body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FaultError(f"{call.method} {call.url}: no answer: {type(error).__name__}: {error}") from error
        if answer.is_error:
            raise FaultError(f"{call.method} {call.url}: status {answer.status_code}: {answer.text[:300]}")
        return {"status": answer.status_code}


def act_of(fault_id: str, fault: Fault, *, services: Services, run_dir: Path) -> Act:
    """
    What makes a fault happen: the one table of kinds.
    """
    name = fault_id.replace("/", "-")
    if isinstance(fault, NetworkFault):
        return LinkAct(id=name, fault=fault, services=services)
    match fault:
        case TrafficFault():
            return TrafficAct()
        case ComponentFault():
            return ComponentAct(fault=fault, services=services)
        case DiskFullFault():
            return DiskAct(fault=fault, services=services)
        case CommandFault():
            return CommandAct(fault=fault, note=HealNote.of(name, fault, run_dir=run_dir), marker=services.marker())
        case HttpFault():
            return HttpAct(fault=fault, note=HealNote.of(name, fault, run_dir=run_dir))
        case _:
            return AppAct(id=name, fault=fault, services=services)
