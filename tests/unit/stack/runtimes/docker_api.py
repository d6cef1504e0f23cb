"""A container engine that only pretends: it answers the requests of Docker's own client, and keeps containers in mind."""

import io
import json
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Made:
    """A container: what it was made from, its files, and its state."""

    id: str
    name: str
    settings: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    status: str = "created"
    exit_code: int = 0
    starts: int = 0
    starved: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return dict(self.settings.get("Labels") or {})


Answer = tuple[int, Any]
Act = Callable[["DockerApi", Any, dict[str, str], bytes], Answer]


class DockerApi:
    """
    What it has. `refusals` maps the end of a request such as `POST /start` to what it answers in place of doing it.
    `room` is how many bytes can still be copied into containers; None for as many as you like.
    """

    def __init__(self) -> None:
        self.containers: dict[str, Made] = {}
        self.networks: dict[str, dict[str, Any]] = {}
        self.volumes: dict[str, dict[str, str]] = {}
        self.images: dict[str, str] = {}
        self.refusals: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.registry: set[str] = set()
        self.place = ""
        self.pid = 0
        self.room: int | None = None

    def hold(self, *references: str) -> None:
        """Have images."""
        self.images |= {reference: f"sha256:{number:064x}" for number, reference in enumerate(references, 1)}

    def the(self, name: str) -> Made:
        """The container of a component."""
        (found,) = (one for one in self.containers.values() if one.labels.get("org.tocsin.component") == name)
        return found

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        """Do what is asked."""
        self.asked.append(f"{method} {path}")
        for end, refusal in self.refusals.items():
            verb, _, rest = end.partition(" ")
            if method == verb and path.endswith(rest):
                return refusal
        for verb, pattern, act in ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return act(self, found, query, body)
        return 404, {"message": f"page not found: {method} {path}"}

    def container(self, found: re.Match[str]) -> Made | None:
        """The container that a path names."""
        return self.containers.get(found["id"])


def _image(api: DockerApi, found: re.Match[str], _: dict[str, str], __: bytes) -> Answer:
    reference = found["name"]
    identity = api.images.get(reference) or (reference if reference in api.images.values() else None)
    if identity is None:
        return 404, {"message": f"No such image: {reference}"}
    return 200, {"Id": identity, "RepoTags": [reference], "RepoDigests": [], "Config": {"Labels": {}}}


def _pull(api: DockerApi, _: re.Match[str], query: dict[str, str], __: bytes) -> Answer:
    reference = f"{query['fromImage']}:{query['tag']}"
    if reference not in api.registry:
        return 500, {"message": "dial tcp: lookup registry.example: no such host"}
    api.images[reference] = "sha256:9"
    return 200, b'{"status": "Status: Downloaded newer image"}\n'


def _create(api: DockerApi, _: re.Match[str], query: dict[str, str], body: bytes) -> Answer:
    identity = f"{len(api.containers) + 1:064x}"
    api.containers[identity] = Made(identity, query.get("name", ""), json.loads(body))
    return 201, {"Id": identity, "Warnings": []}


def _inspect(api: DockerApi, found: re.Match[str], _: dict[str, str], __: bytes) -> Answer:
    one = api.container(found)
    if one is None:
        return 404, {"message": "No such container"}
    started = f"2026-01-02T03:04:{one.starts:02}.123456789Z" if one.starts else "0001-01-01T00:00:00Z"
    state = {
        "Status": one.status,
        "Paused": one.status == "paused",
        "ExitCode": one.exit_code,
        "StartedAt": started,
        "Pid": api.pid,
        "OOMKilled": one.starved,
    }
    return 200, {"Id": one.id, "Name": f"/{one.name}", "State": state, "Config": one.settings, "Image": "sha256:0"}


def _archive(api: DockerApi, found: re.Match[str], _: dict[str, str], body: bytes) -> Answer:
    one = api.container(found)
    assert one is not None
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        for member in tar:
            assert member.mode == 0o644
            if api.room is not None and member.size > api.room:
                return 500, {"message": f"write /{member.name}: no space left on device"}
            api.room = None if api.room is None else api.room - member.size
            one.files[f"/{member.name.lstrip('/')}"] = tar.extractfile(member).read()  # type: ignore[union-attr]
    return 200, {}


def _change(to: str, when: tuple[str, ...], exit_code: int = 0) -> Act:
    def act(api: DockerApi, found: re.Match[str], _: dict[str, str], __: bytes) -> Answer:
        one = api.container(found)
        if one is None:
            return 404, {"message": "No such container"}
        if one.status not in when:
            return 409, {"message": f"Container {one.id} is {one.status}"}
        if to == "running" and one.status != "paused":
            one.starts += 1
        one.status, one.exit_code = to, exit_code
        return 204, None

    return act


def _remove(api: DockerApi, found: re.Match[str], _: dict[str, str], __: bytes) -> Answer:
    return (204, None) if api.containers.pop(found["id"], None) else (404, {"message": "No such container"})


def _stats(api: DockerApi, found: re.Match[str], query: dict[str, str], _: bytes) -> Answer:
    assert query["one-shot"] in ("1", "True")
    return 200, {
        "cpu_stats": {"cpu_usage": {"total_usage": 1_500_000_000}},
        "memory_stats": {"stats": {"anon": 4096} if api.container(found) else {}},
    }


def _labelled(query: dict[str, str], labels: dict[str, str]) -> bool:
    wanted = json.loads(query.get("filters", "{}")).get("label", [])
    return all(labels.get(one.partition("=")[0]) == one.partition("=")[2] for one in wanted)


def _list(api: DockerApi, _: re.Match[str], query: dict[str, str], __: bytes) -> Answer:
    return 200, [{"Id": one.id} for one in api.containers.values() if _labelled(query, one.labels)]


def _networks(api: DockerApi, _: re.Match[str], query: dict[str, str], __: bytes) -> Answer:
    return 200, [{"Id": name} for name, one in api.networks.items() if _labelled(query, one["Labels"])]


def _make_network(api: DockerApi, _: re.Match[str], __: dict[str, str], body: bytes) -> Answer:
    settings = json.loads(body)
    api.networks[settings["Name"]] = settings
    return 201, {"Id": settings["Name"]}


def _network(api: DockerApi, found: re.Match[str], _: dict[str, str], __: bytes) -> Answer:
    return 200, {"Id": found["id"], **api.networks[found["id"]]}


def _disconnect(api: DockerApi, found: re.Match[str], _: dict[str, str], body: bytes) -> Answer:
    del api.networks[found["id"]]["Containers"][json.loads(body)["Container"]]
    return 200, None


def _remove_network(api: DockerApi, found: re.Match[str], _: dict[str, str], __: bytes) -> Answer:
    if api.networks[found["id"]].get("Containers"):
        return 403, {"message": "network has active endpoints"}
    del api.networks[found["id"]]
    return 204, None


def _volumes(api: DockerApi, _: re.Match[str], query: dict[str, str], __: bytes) -> Answer:
    return 200, {"Volumes": [{"Name": name} for name, labels in api.volumes.items() if _labelled(query, labels)]}


def _remove_volume(api: DockerApi, found: re.Match[str], _: dict[str, str], __: bytes) -> Answer:
    return (204, None) if api.volumes.pop(found["id"], None) is not None else (404, {"message": "no such volume"})


CONTAINER = "/containers/(?P<id>[^/]+)"
RUNS = ("running", "paused")

ROUTES: tuple[tuple[str, str, Act], ...] = (
    ("GET", "/_ping", lambda *_: (200, "OK")),
    ("GET", "/version", lambda *_: (200, {"Version": "28.1", "ApiVersion": "1.44", "MinAPIVersion": "1.24"})),
    ("GET", "/info", lambda *_: (200, {"NCPU": 2})),
    ("GET", "/images/(?P<name>.+)/json", _image),
    ("POST", "/images/create", _pull),
    ("POST", "/containers/create", _create),
    ("GET", "/containers/json", _list),
    ("GET", f"{CONTAINER}/json", _inspect),
    ("PUT", f"{CONTAINER}/archive", _archive),
    ("POST", f"{CONTAINER}/start", _change("running", ("created", "exited"))),
    ("POST", f"{CONTAINER}/kill", _change("exited", RUNS, 137)),
    ("POST", f"{CONTAINER}/stop", _change("exited", RUNS, 143)),
    ("POST", f"{CONTAINER}/pause", _change("paused", ("running",))),
    ("POST", f"{CONTAINER}/unpause", _change("running", ("paused",))),
    ("POST", f"{CONTAINER}/wait", lambda *_: (200, {"StatusCode": 0})),
    ("GET", f"{CONTAINER}/logs", lambda *_: (200, b"\x01\0\0\0\0\0\0\x0bfirst line\n\x02\0\0\0\0\0\0\x05last\n")),
    ("GET", f"{CONTAINER}/stats", _stats),
    ("DELETE", CONTAINER, _remove),
    ("GET", "/networks", _networks),
    ("POST", "/networks/create", _make_network),
    ("GET", "/networks/(?P<id>[^/]+)", _network),
    ("POST", "/networks/(?P<id>[^/]+)/disconnect", _disconnect),
    ("DELETE", "/networks/(?P<id>[^/]+)", _remove_network),
    ("GET", "/volumes", _volumes),
    ("DELETE", "/volumes/(?P<id>[^/]+)", _remove_volume),
)


@contextmanager
def docker_api() -> Iterator[DockerApi]:
    """An engine that listens on loopback; its `place` is for DOCKER_HOST."""
    api = DockerApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            """Answer one request."""
            url = urlsplit(self.path)
            path = re.sub(r"^/v[0-9.]+", "", url.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            body = self._body()
            code, said = api.answer(self.command, path, query, body)
            content = said if isinstance(said, bytes) else b"" if said is None else json.dumps(said).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.place = f"tcp://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
