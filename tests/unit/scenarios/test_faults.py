"""Faults: each kind applied, kept up and healed, against the real fault API, real commands and a real HTTP server."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from flask import Flask
from pydantic import TypeAdapter

from demo_app import catalog, frontend, users
from demo_app.faults.api import Places, create_fault_api
from demo_app.faults.background import Background
from demo_app.faults.kinds import KINDS, Errors
from demo_app.faults.leases import Leases
from demo_app.faults.requests import api_routes
from scenarios.act import FaultError
from scenarios.faults import LEASE_S, AppAct, CommandAct, HttpAct, TrafficAct, act_of
from scenarios.healnotes import HealNote
from scenarios.model import ROLE_ROUTES, AppFault, CommandFault, Fault, HttpFault, Role
from scenarios.model.faults import BaseAppFault

READ: TypeAdapter[Fault] = TypeAdapter(Fault)
WHEN = {"at": "1s", "for": "5s"}
APP_FAULTS: list[dict[str, Any]] = [
    {"kind": "latency", "delay": "1s", "jitter": "20ms", "ratio": "30%", "route": "/api/products"},
    {"kind": "errors", "status": 503},
    {"kind": "exception", "type": "KeyError"},
    {"kind": "hang", "ratio": "5%"},
    {"kind": "slow_database", "delay": "60s"},
    {"kind": "telemetry_silent", "signals": ["metrics"]},
    {"kind": "dependency_timeout", "upstream": "users"},
    {"kind": "retry_storm", "upstream": "catalog", "only_failed": True},
    {"kind": "broken_context"},
    {"kind": "cpu", "load": "50%"},
    {"kind": "memory_leak"},
    {"kind": "label_cardinality", "per_s": 5},
]


def made(fault: dict[str, Any]) -> Fault:
    """A fault as a drill would hold it."""
    return READ.validate_python({**WHEN, **fault})


class FakeServices:
    """A stack that only notes what is asked of it."""

    def __init__(self, url: str = "http://faults", token: str = "secret") -> None:
        self.calls: list[str] = []
        self.url, self.token = url, token

    def kill(self, name: str) -> None:
        self.calls.append(f"kill {name}")

    def pause(self, name: str) -> None:
        self.calls.append(f"pause {name}")

    def unpause(self, name: str) -> None:
        self.calls.append(f"unpause {name}")

    def restart(self, name: str) -> None:
        self.calls.append(f"restart {name}")

    def fault_api(self, role: str) -> tuple[str, str]:
        return self.url, self.token

    def fill_disk(self, name: str) -> None:
        self.calls.append(f"fill {name}")

    def free_disk(self, name: str) -> None:
        self.calls.append(f"free {name}")

    def marker(self) -> Mapping[str, str]:
        return {"MARKER": "drill-1"}

    def toxiproxy(self) -> str:
        return "http://toxiproxy"

    def proxies(self, link: str) -> dict[str, str]:
        return {}


class Idle(Background):
    """Background faults without their threads: what they do is the demo app's own matter."""

    def start(self, lease: object) -> None:
        """Do nothing."""


def own_routes(role: str) -> list[str]:
    """The routes that a role of the demo app really has."""
    app, nothing = Flask(role), cast(Any, None)
    blueprints = {
        "frontend": lambda: frontend.routes(nothing, nothing, nothing, nothing),
        "catalog": lambda: catalog.routes(nothing, nothing),
        "users": lambda: users.routes(nothing, nothing),
    }
    app.register_blueprint(blueprints[role]())
    return api_routes(app)


class Target:
    """One role's real fault API, called in this process, on a clock that moves when told."""

    def __init__(self, role: str) -> None:
        self.now = 0.0
        self.leases = Leases(clock=lambda: self.now)
        upstreams = ["catalog", "users"] if role == "frontend" else []
        places = Places(role=role, routes=own_routes(role), upstreams=upstreams, has_database=role != "frontend")
        app = create_fault_api("secret", self.leases, places, Idle(self.leases, print))
        self.client = httpx.Client(transport=httpx.WSGITransport(app))

    def act(self, fault: AppFault, token: str = "secret") -> AppAct:
        return AppAct(id="faults-1", fault=fault, services=FakeServices(token=token), client=self.client)


def app_fault(fault: dict[str, Any]) -> AppFault:
    """A fault of the demo app as a drill would hold it."""
    return cast("AppFault", made(fault))


@pytest.mark.parametrize("role", ROLE_ROUTES)
def test_the_language_knows_the_routes_of_the_demo_app(role: Role) -> None:
    """A route that a drill may name is one that the role serves, and the other way round."""
    assert sorted(ROLE_ROUTES[role]) == own_routes(role)


@pytest.mark.parametrize("body", APP_FAULTS, ids=lambda body: str(body["kind"]))
def test_each_fault_of_the_app_is_applied_renewed_and_healed(body: dict[str, Any]) -> None:
    """The demo app understands every word of it, keeps it for its lease, and ends it when told."""
    fault = app_fault(body)
    target = Target(fault.target)
    act = target.act(fault)

    assert act.apply() == {"affected": 0}
    (lease,) = target.leases.live()
    expected = KINDS[fault.kind].model_validate_json(json.dumps({**fault.api_body(), "lease_s": LEASE_S}))
    assert expected == lease.fault

    lease.count(3)
    target.now += 3
    assert act.renew() == {"affected": 3}
    target.now += 3
    assert [lease] == target.leases.live()

    lease.count(2)
    assert act.heal() == {"affected": 5}
    assert target.leases.live() == []


def test_every_fault_of_the_app_is_among_those_tried_above() -> None:
    """A new kind cannot be forgotten."""
    kinds = {type(made(body)) for body in APP_FAULTS}

    assert kinds == set(AppFault.__args__)
    assert all(issubclass(kind, BaseAppFault) for kind in kinds)


def test_a_fault_that_is_not_renewed_ends_by_itself() -> None:
    """Which is what heals it when we are killed; asked later, healing says so."""
    target = Target("catalog")
    act = target.act(app_fault({"kind": "errors"}))
    act.apply()

    target.now += LEASE_S

    assert list(target.leases.strikes(Errors, "/api/products")) == []
    assert act.heal() == {"by": "the end of its lease"}


def test_a_wrong_token_is_told_at_once_and_not_itself() -> None:
    """Another try would not help; and the token is in no message."""
    target = Target("catalog")

    with pytest.raises(FaultError, match="PUT of errors at the fault API of catalog: status 401") as caught:
        target.act(app_fault({"kind": "errors"}), token="wrong-token").apply()

    assert caught.value.final
    assert "wrong-token" not in str(caught.value)


def test_a_refused_fault_tells_the_reason_of_the_app() -> None:
    """The app's own sentence is passed on."""
    target = Target("users")
    act = target.act(app_fault({"kind": "errors", "route": "/api/products"}))

    with pytest.raises(FaultError, match=r"status 422: .*/api/products") as caught:
        act.apply()

    assert caught.value.final


def test_an_app_that_is_away_may_come_back() -> None:
    """No answer, and a server error, are worth another try."""
    act = Target("catalog").act(app_fault({"kind": "errors"}))
    act.client = httpx.Client(transport=httpx.MockTransport(_refuse))
    with pytest.raises(FaultError, match="no answer: ConnectError: refused") as caught:
        act.apply()
    assert not caught.value.final

    act.client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500, text="oops")))
    with pytest.raises(FaultError, match="status 500: oops") as caught:
        act.apply()
    assert not caught.value.final


@pytest.mark.parametrize("answer", ["no JSON", "[]", "{}"])
def test_an_answer_that_makes_no_sense_is_quoted(answer: str) -> None:
    """Something else listens at that address."""
    act = Target("catalog").act(app_fault({"kind": "errors"}))
    act.client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=answer)))

    with pytest.raises(FaultError, match="answered without `affected`: "):
        act.apply()


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        ("kill", ["kill catalog", "restart catalog"]),
        ("pause", ["pause catalog", "unpause catalog"]),
        ("restart", ["restart catalog"]),
    ],
)
def test_components_are_broken_and_made_whole(kind: str, calls: list[str], tmp_path: Path) -> None:
    """What was killed is started, what was frozen is thawed, and a restart is its own cure."""
    services = FakeServices()
    act = act_of("faults/1", made({"kind": kind, "target": "catalog"}), services=services, run_dir=tmp_path)

    assert (act.apply(), act.renew(), act.heal()) == ({}, {}, {})
    assert calls == services.calls


def test_a_disk_is_filled_kept_full_and_freed(tmp_path: Path) -> None:
    """What it frees by itself meanwhile is filled again; that nothing could be written any more is the proof."""
    services = FakeServices()
    act = act_of("faults/1", made({"kind": "disk_full", "target": "tempo"}), services=services, run_dir=tmp_path)

    assert act.apply() == {"proof": "not a byte more could be written to its disk"}
    assert (act.renew(), act.heal()) == ({}, {})
    assert services.calls == ["fill tempo", "fill tempo", "free tempo"]


def test_a_restart_that_failed_half_way_is_tried_again(tmp_path: Path) -> None:
    """Else the component would stay down."""

    class Stubborn(FakeServices):
        def restart(self, name: str) -> None:
            super().restart(name)
            if len(self.calls) == 1:
                raise RuntimeError("it did not come up")

    services = Stubborn()
    act = act_of("faults/1", made({"kind": "restart", "target": "catalog"}), services=services, run_dir=tmp_path)

    with pytest.raises(RuntimeError, match="did not come up"):
        act.apply()
    act.heal()

    assert services.calls == ["restart catalog", "restart catalog"]


def test_faults_of_the_app_go_to_the_role_that_they_name(tmp_path: Path) -> None:
    """Under an id that can stand in an address, and over no proxy of ours."""
    act = act_of("faults/1", app_fault({"kind": "errors"}), services=FakeServices(), run_dir=tmp_path)

    assert isinstance(act, AppAct)
    assert act.id == "faults-1"
    assert not act.client.trust_env


def test_traffic_faults_are_left_to_the_clients(tmp_path: Path) -> None:
    """They have had them in their plan from the start."""
    act = act_of("noise/2", made({"kind": "spike", "factor": 3}), services=FakeServices(), run_dir=tmp_path)

    assert isinstance(act, TrafficAct)
    assert (act.apply(), act.renew(), act.heal()) == ({}, {}, {})


def command_act(run_dir: Path, apply: list[str], heal: list[str]) -> CommandAct:
    """A command fault on its way."""
    act = act_of(
        "faults/1",
        made({"kind": "command", "apply": apply, "heal": heal}),
        services=FakeServices(),
        run_dir=run_dir,
    )
    assert isinstance(act, CommandAct)
    return act


def test_a_command_breaks_and_another_heals(tmp_path: Path) -> None:
    """In between there is a note on disk that says how to heal."""
    flag = tmp_path / "broken"
    act = command_act(tmp_path, ["touch", str(flag)], ["sh", "-c", f"rm -f {flag}; echo healed"])

    act.apply()
    assert flag.exists()
    note = HealNote.read(tmp_path / "heal" / "faults-1.json")
    assert act.fault == note.fault
    assert note.owner_lives

    assert act.renew() == {}
    assert act.heal() == {"output": "healed"}
    assert not flag.exists()
    assert list((tmp_path / "heal").iterdir()) == []
    assert act.heal() == {"output": "healed"}, "healing can be repeated"


def test_only_the_command_that_breaks_is_marked(tmp_path: Path) -> None:
    """What it leaves running ends with the drill; what heals may start a service that is to stay."""
    show = ["sh", "-c", "echo marker=$MARKER"]
    act = command_act(tmp_path, show, show)

    assert act.apply() == {"output": "marker=drill-1"}
    assert act.heal() == {"output": "marker="}


def test_a_command_that_fails_shows_the_end_of_its_output_and_keeps_its_note(tmp_path: Path) -> None:
    """It may have broken something half way, so it still has to be healed."""
    act = command_act(tmp_path, ["sh", "-c", "echo half way; exit 3"], ["true"])

    with pytest.raises(FaultError, match=r"sh -c 'echo half way; exit 3': exit status 3: half way") as caught:
        act.apply()

    assert not caught.value.final
    assert act.note.path.exists()


def test_a_command_that_cannot_be_run_leaves_no_note(tmp_path: Path) -> None:
    """Nothing was broken, so nothing is left to heal."""
    act = command_act(tmp_path, ["/no/such/program"], ["true"])

    with pytest.raises(FaultError, match="cannot run '/no/such/program': No such file or directory") as caught:
        act.apply()

    assert caught.value.final
    assert not act.note.path.exists()


@pytest.fixture
def server() -> Iterator[tuple[str, list[str], Callable[[int], None]]]:
    """Somebody else's system: notes each call, and answers with the status it was told."""
    calls: list[str] = []
    status = [200]

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            calls.append(f"{self.command} {self.path} {body}".strip())
            self.send_response(status[0])
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"oops")

        do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", calls, lambda new: status.__setitem__(0, new)
        running.shutdown()
        thread.join()


def http_act(run_dir: Path, url: str) -> HttpAct:
    """An HTTP fault on its way."""
    fault = made(
        {
            "kind": "http",
            "apply": {"method": "PUT", "url": f"{url}/break", "body": {"how": "badly"}},
            "heal": {"method": "DELETE", "url": f"{url}/break"},
        }
    )
    act = act_of("faults/1", fault, services=FakeServices(), run_dir=run_dir)
    assert isinstance(act, HttpAct)
    return act


def test_a_call_breaks_and_another_heals(tmp_path: Path, server: tuple[str, list[str], Callable[[int], None]]) -> None:
    """In between there is a note on disk that says how to heal."""
    url, calls, _ = server
    act = http_act(tmp_path, url)

    assert act.apply() == {"status": 200}
    assert isinstance(HealNote.read(act.note.path).fault, HttpFault)
    assert act.renew() == {}
    assert act.heal() == {"status": 200}

    assert calls == ['PUT /break {"how":"badly"}', "DELETE /break"]
    assert not act.note.path.exists()


def test_a_call_that_is_refused_is_told_and_can_be_tried_again(
    tmp_path: Path, server: tuple[str, list[str], Callable[[int], None]]
) -> None:
    """The note stays until healing has succeeded."""
    url, _, answer_with = server
    act = http_act(tmp_path, url)
    act.apply()

    answer_with(503)
    with pytest.raises(FaultError, match=rf"DELETE {url}/break: status 503: oops"):
        act.heal()
    assert act.note.path.exists()

    answer_with(204)
    act.heal()
    assert not act.note.path.exists()


def test_a_call_without_an_answer_is_told(tmp_path: Path) -> None:
    """Nobody listens there."""
    act = http_act(tmp_path, "http://127.0.0.1:1")

    with pytest.raises(FaultError, match=r"PUT http://127\.0\.0\.1:1/break: no answer: ConnectError"):
        act.apply()


def test_a_note_knows_whether_its_process_lives(tmp_path: Path) -> None:
    """A process of the same number that began at another time is another process."""
    fault = cast("CommandFault", made({"kind": "command", "apply": ["a"], "heal": ["b"]}))
    note = HealNote.of("x", fault, run_dir=tmp_path)

    assert note.owner_lives
    assert not HealNote(path=note.path, fault=fault, pid=note.pid, started_t=note.started_t - 60).owner_lives
    assert not HealNote(path=note.path, fault=fault, pid=2**22 + 1, started_t=time.time()).owner_lives
