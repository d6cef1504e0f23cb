"""The world of the recordings, without a network or a wall clock: a Prometheus, a Tempo, webhooks, and the time."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from stack.standins.grafana.api.application import application
from stack.standins.grafana.provisioning.dashboards import folder_uid
from stack.standins.grafana.settings import Settings
from stack.standins.grafana.standin import Standin

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
PROMETHEUS, DOWN, TEMPO, ECHO = "prometheus:9090", "promdown:9090", "tempo:3200", "tempo-echo:3200"
INSTANCE = "127.0.0.1:18010"  # the recordings show shop:8000 in its place, but for fingerprints and links
RECORDED_FOLDER = "DLjrdDROk"
SHOP = {"__name__": "demo_error_ratio", "instance": INSTANCE, "job": "shop", "service": "shop"}
UP = [
    {"__name__": "up", "instance": "prometheus:9090", "job": "prometheus"},
    {"__name__": "up", "instance": INSTANCE, "job": "shop"},
]
RATE = [2.8, 2.4, 2.8, 2.5999999999999996, 2.5999999999999996, 2.8, 0.9999999999999999]
PARSE_ERRORS = {
    "sum(up": "1:7: parse error: unclosed left parenthesis",
    "sum(demo_error_ratio": "1:21: parse error: unclosed left parenthesis",
    "": "unknown position: parse error: no expression found in input",
}
Rows = Sequence[tuple[Mapping[str, str], str]]


class World:
    """What the stand-in can reach, and the state that it finds there; `now_s` is the time everywhere."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.ratio: Callable[[float], float] = lambda at_s: 0.0
        self.shards: Callable[[float], Mapping[str, float]] = lambda at_s: {"a": 0.0, "b": 0.0}
        self.absent: Callable[[float], float | None] = lambda at_s: None
        self.prometheus_is_up: Callable[[float], bool] = lambda at_s: True
        self.hook_status = 200
        self.hooks: list[tuple[float, httpx.Request]] = []

    def transport(self) -> httpx.MockTransport:
        """
        The network.
        """
        return httpx.MockTransport(self._answer)

    def sent(self, path: str = "") -> list[dict[str, Any]]:
        """
        The webhook bodies that arrived, on one path or all.
        """
        return [json.loads(one.content) for _, one in self.hooks if path in ("", one.url.path)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        host = f"{request.url.host}:{request.url.port}"
        if host == "harness:9009":
            self.hooks.append((self.now_s, request))
            return httpx.Response(self.hook_status, text="ok")
        if host == ECHO:
            if request.url.path == "/api/echo":
                return httpx.Response(200, text="echo")
            kind = {"content-type": "text/plain; version=0.0.4"}
            return httpx.Response(404, text="404 page not found\n", headers=kind)
        if host != PROMETHEUS or not self.prometheus_is_up(self.now_s):
            raise httpx.ConnectError("refused", request=request)
        return self._prometheus(request)

    def _prometheus(self, request: httpx.Request) -> httpx.Response:
        given = dict(parse_qsl(request.content.decode())) if request.method == "POST" else dict(request.url.params)
        path = request.url.path
        if path == "/api/v1/status/buildinfo":
            names = ("version", "revision", "branch", "buildUser", "buildDate", "goVersion")
            return _success({**dict.fromkeys(names, ""), "goVersion": "go1.26.8"})
        if path == "/api/v1/label/job/values":
            return _success(["prometheus", "shop"])
        if path == "/api/v1/rules":
            return _success({"groups": []})
        expr = given.get("query", "")
        if expr in PARSE_ERRORS:
            text = f'invalid parameter "query": {PARSE_ERRORS[expr]}'
            return httpx.Response(400, json={"status": "error", "errorType": "bad_data", "error": text})
        return self._range(expr, given) if path.endswith("query_range") else self._instant(expr, given)

    def _instant(self, expr: str, given: Mapping[str, str]) -> httpx.Response:
        at_s = float(given.get("time", self.now_s))
        if expr in ("1+1", '"hello"'):
            kind, value = ("scalar", "2") if expr == "1+1" else ("string", "hello")
            return _success({"resultType": kind, "result": [at_s, value]})
        rows = [{"metric": labels, "value": [at_s, value]} for labels, value in self._rows(expr, at_s)]
        return _success({"resultType": "vector", "result": rows})

    def _range(self, expr: str, given: Mapping[str, str]) -> httpx.Response:
        start, end, step = (float(given[key]) for key in ("start", "end", "step"))
        times = [start + index * step for index in range(round((end - start) // step) + 1)]
        rows = []
        for index, (labels, _) in enumerate(self._rows(expr, start)):
            points = [[at_s, self._rows(expr, at_s)[index][1]] for at_s in times]
            if "rate(" in expr:
                points = [[at_s, str(value)] for at_s, value in zip(times, RATE, strict=True)]
            rows.append({"metric": labels, "values": points})
        return _success({"resultType": "matrix", "result": rows[::-1]})

    def _rows(self, expr: str, at_s: float) -> Rows:
        unnamed = [{name: value for name, value in labels.items() if name != "__name__"} for labels in UP]
        shard = {"__name__": "demo_multi", "instance": INSTANCE, "job": "shop"}
        absent = self.absent(at_s)
        known: dict[str, Rows] = {
            "demo_error_ratio": [(SHOP, str(self.ratio(at_s)))],
            "demo_multi": [({**shard, "shard": key}, str(value)) for key, value in self.shards(at_s).items()],
            "demo_absent_metric": [
                ({"__name__": "demo_absent_metric", "instance": INSTANCE, "job": "shop"}, str(absent))
            ]
            if absent is not None
            else [],
            "up": [(labels, "1") for labels in UP],
            "sum(up)": [({}, "2")],
            "vector(1)/0": [({}, "+Inf")],
            "vector(0)/0": [({}, "NaN")],
            'up{job="$service"}': [],
            "count_over_time(up[5s]) + 0 * 5000 + 0 * 30": [(labels, "5") for labels in unnamed],
            "sum(rate(prometheus_http_requests_total[6s]))": [({}, "0")],
        }
        return known[expr]


def settings(folder: Path, tick_s: float = 10.0, **more: Any) -> Settings:
    """
    The settings of the recordings.
    """
    values: dict[str, Any] = {
        "provisioning": folder / "provisioning",
        "data": folder / "data",
        "admin_password": "secret",
        "anonymous_role": "Viewer",
        "tick_s": tick_s,
        "min_interval_s": tick_s,
    }
    return Settings(**{**values, **more})


def provision(folder: Path, rules: str = "rules-10s.yaml", *, links: bool = False) -> Path:
    """
    Lay out the provisioning folder of the recordings; `links` keeps what ties the first rule to its dashboard.
    """
    for part in ("datasources/datasources.yaml", "dashboards/dashboards.yaml", "alerting/notify.yaml"):
        path = folder / "provisioning" / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((HERE / "provisioning" / part).read_text())
    tree = json.loads((HERE / "provisioning" / rules).read_text())
    for group in tree["groups"]:
        for rule in group["rules"]:
            if not links:
                rule.pop("dashboardUid", None)
                rule.pop("panelId", None)
    (folder / "provisioning" / "alerting" / "rules.yaml").write_text(json.dumps(tree, indent=1))
    return folder


def standin(folder: Path, world: World, tick_s: float = 10.0, **more: Any) -> Standin:
    """
    A stand-in in the world of the recordings, not started: its time is moved by hand.
    """
    environment = {"DASH_DIR": str(HERE / "provisioning" / "boards"), "HOOK_BASE": "http://harness:9009"}
    return Standin(settings(folder, tick_s, **more), environment, world.transport(), lambda: world.now_s)


def ask(made: Standin, exchange: Mapping[str, Any]) -> httpx.Response:
    """
    One recorded request to a stand-in.
    """
    headers = {name: value for name, value in exchange["request_headers"].items() if name != "Content-Length"}
    given = headers.pop("Authorization", "")
    body, content = exchange["request_body"], None
    if body is not None:
        content = body if isinstance(body, str) else json.dumps(body)
    auth = {"Basic <admin>": ("admin", "secret"), "Basic <wrong>": ("admin", "wrong")}.get(given)
    if given.startswith("Bearer"):
        headers["Authorization"] = "Bearer token"

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(application(made), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:3000") as client:
            method, path = exchange["method"], exchange["path"].replace(RECORDED_FOLDER, folder_uid("Drills"))
            return await client.request(
                method, path, params=exchange["query"] or None, content=content, headers=headers, auth=auth
            )

    return asyncio.run(send())


def recorded(name: str) -> Any:
    """
    One recorded exchange.
    """
    return json.loads((RECORDED / f"{name}.json").read_text())


def epoch(text: str) -> float:
    """
    Seconds of a recorded time.
    """
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()


def _success(data: Any) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "data": data})
