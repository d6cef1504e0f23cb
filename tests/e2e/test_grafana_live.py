"""Grafana and the detector on a running stack: every panel has data, and Grafana's rules fire, are notified, and end."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from scenarios.history import Traffic
from stack.runtimes.app import App
from stack.runtimes.roster import Roster
from stack.runtimes.stack import Stack
from stack.slo.generate import SOURCE
from stack.slo.loader import load
from tests.unit.stack.dashboards.pages import PAGES, Asked, asked, panels
from tocsin.telemetry import ClientTruth, Teller

pytestmark = pytest.mark.e2e

NAMESPACE = "live-1"
STOCK = {"user_id": 1, "items": [{"product_id": 1, "quantity": 1}]}
RULES = len({alert.name for slo in load(SOURCE) for alert in slo.alerts})


def eventually(ask: Callable[[], Any], *, within_s: float, what: str) -> Any:
    """The first true answer; a failure that names what was waited for if none comes in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if found := ask():
                return found
        time.sleep(0.2)
    pytest.fail(f"{what}: not within {within_s:g} s")


class Clients:
    """Somebody who uses the shop all the time, and tells of it as a drill would."""

    def __init__(self, app: App, truth: ClientTruth) -> None:
        self._app, self._truth = app, truth
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._use, daemon=True)

    def __enter__(self) -> "Clients":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(10)

    def _use(self) -> None:
        with httpx.Client(base_url=self._app.url, timeout=10) as client:
            while not self._done.wait(0.1):
                with suppress(httpx.HTTPError):
                    for path in ("/api/products", "/api/products/1", "/api/users", "/api/users/1"):
                        client.get(path)
                    client.post("/api/checkout", json=STOCK)
                self._truth.see(Traffic(t=time.time(), route="/", count=5, latency={30: 5}, sum_s=0.1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A stack, an app under load, and a Grafana that looks at them."""

    stack: Stack
    app: App
    grafana: httpx.Client
    started_s: float

    def alerts(self, state: str, **labels: str) -> list[dict[str, Any]]:
        """Grafana's alert instances in that state, with these labels."""
        found = self.grafana.get("/api/prometheus/grafana/api/v1/alerts").json()["data"]["alerts"]
        return [one for one in found if one["state"] == state and labels.items() <= one["labels"].items()]

    def notified(self, receiver: str, status: str, **labels: str) -> list[dict[str, Any]]:
        """Alerts that arrived at a receiver with that status and these labels."""
        url = f"{self.stack.url('sink.http')}/arrivals/{self.stack.sink_token}"
        arrivals = httpx.get(url, timeout=5).json()["arrivals"]
        alerts = [alert for one in arrivals if one["receiver"] == receiver for alert in one["body"]["alerts"]]
        return [one for one in alerts if one["status"] == status and labels.items() <= one["labels"].items()]

    def ask(self, one: Asked) -> list[dict[str, Any]]:
        """What a panel's query finds since the start, through its own datasource."""
        start, end = self.started_s, time.time()
        text = one.query.get("expr") or one.query.get("query") or ""
        text = text.replace("$namespace", NAMESPACE).replace("$service", ".*")
        if one.query["datasource"]["type"] == "tempo":
            path = "/api/datasources/proxy/uid/tempo/api/search"
            found = self.grafana.get(path, params={"q": text, "start": int(start), "end": int(end) + 1, "limit": 20})
            found.raise_for_status()
            traces: list[dict[str, Any]] = found.json().get("traces") or []
            return traces
        source = {"type": "prometheus", "uid": "prometheus"}
        query = {**one.query, "expr": text, "datasource": source, "intervalMs": 1000, "maxDataPoints": 500}
        body = {"from": str(int(start * 1000)), "to": str(int(end * 1000)), "queries": [query]}
        answer = self.grafana.post("/api/ds/query", json=body)
        assert answer.status_code == 200, answer.text
        frames = answer.json()["results"][one.query["refId"]]["frames"]
        return [frame for frame in frames if any(frame["data"]["values"])]


@contextmanager
def running_app(stack: Stack) -> Iterator[App]:
    """The demo app in a namespace of its own, used all the time."""
    roster = Roster.create("app")
    truth = ClientTruth({"faults/1": {"kind": "errors", "target": "catalog"}})
    teller = Teller(truth, url=stack.url("collector.otlp_http"), namespace=NAMESPACE, every_s=1)
    try:
        directory = roster.path / "app"
        directory.mkdir()
        app = stack.app(namespace=NAMESPACE, directory=directory, roster=roster, environment={})
        with app, teller, Clients(app, truth):
            yield app
    finally:
        roster.disband()


@contextmanager
def broken(app: App, role: str, **fault: Any) -> Iterator[None]:
    """A fault that is in force within; its lease is renewed all the time."""
    url, token = app.fault_api(role)
    done = threading.Event()

    def renew() -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=5) as client:
            while True:
                client.put("/faults/test", json={**fault, "lease_s": 4}).raise_for_status()
                if done.wait(1):
                    client.delete("/faults/test")
                    return

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(10)


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """Everything up and used, and every service seen as normal by the rules."""
    stack = Stack.create(extras=("grafana", "detector"))
    try:
        client = httpx.Client(base_url=stack.url("grafana.http"), timeout=20)
        with client, running_app(stack) as app:
            found = Live(stack=stack, app=app, grafana=client, started_s=time.time())
            services = ("frontend", "catalog", "users")
            eventually(
                lambda: all(len(found.alerts("Normal", service_name=name)) >= RULES for name in services),
                within_s=60,
                what=f"{RULES} rules see each service as normal",
            )
            yield found
    finally:
        stack.stop()


def test_every_panel_has_data(live: Live) -> None:
    """
    Each query of each panel finds something while the app is used, but for panels that say why they may be empty.
    """

    def must(one: Asked) -> bool:
        """With Grafana and a detector in the stack their panels have no reason to be empty; the service graph is no query."""
        reason = one.panel["fieldConfig"]["defaults"].get("noValue", "in this stack")
        return reason.endswith("in this stack") and one.query.get("queryType") != "serviceMap"

    def empty() -> list[str]:
        return [str(one) for one in asked() if must(one) and not live.ask(one)]

    deadline = time.monotonic() + 60
    while (found := empty()) and time.monotonic() < deadline:
        time.sleep(1)
    assert found == []


def test_what_may_be_empty_is_asked_without_error(live: Live) -> None:
    """
    A panel that may be empty must not be so because of a mistake in its query.
    """
    for one in asked():
        if "noValue" in one.panel["fieldConfig"]["defaults"]:
            live.ask(one)


def test_dashboards_are_found_where_links_lead(live: Live) -> None:
    """
    All five, with the panels that were generated.
    """
    for uid, page in PAGES.items():
        answer = live.grafana.get(f"/api/dashboards/uid/{uid}")
        assert answer.status_code == 200
        assert [panel["title"] for panel in panels(answer.json()["dashboard"])] == [
            panel["title"] for panel in panels(page)
        ]


def test_errors_fire_notify_and_resolve(live: Live) -> None:
    """
    A page with the value in its summary, the labels of the service, and links that lead somewhere; and its end.
    """
    labels = {"alertname": "ErrorBudgetBurnFast", "service_name": "catalog", "service_namespace": NAMESPACE}
    with broken(live.app, "catalog", kind="errors", route="/api/products", ratio=1.0):
        eventually(lambda: live.alerts("Alerting", **labels), within_s=30, what="the rule fires")
        (alert, *_) = eventually(
            lambda: live.notified("grafana-page", "firing", **labels), within_s=30, what="somebody is told"
        )
    assert alert["labels"] == {**labels, "severity": "page", "slo": "availability", "grafana_folder": "Tocsin alerts"}
    assert alert["annotations"]["summary"].startswith(f"catalog ({NAMESPACE}): availability: ")
    assert alert["annotations"]["summary"].endswith("% bad")
    assert alert["values"]["A"] > 0.0144
    assert alert["annotations"]["runbook_url"] == "docs/runbooks/ErrorBudgetBurnFast.md"
    assert "/d/slo" in alert["dashboardURL"]
    assert f"viewPanel={panel_of_burns()}" in alert["panelURL"]

    eventually(lambda: live.notified("grafana-page", "resolved", **labels), within_s=60, what="its end is told")
    assert live.alerts("Alerting", **labels) == []


def panel_of_burns() -> int:
    """The id of the panel that the burn rate alerts link to."""
    return next(
        int(panel["id"]) for panel in panels(PAGES["slo"]) if panel["title"] == "Availability: burn rate, pages"
    )


def test_slow_answers_fire_and_end(live: Live) -> None:
    """
    P95 above the target is a page about latency, whose summary says how slow.
    """
    labels = {"alertname": "LatencyP95High", "service_name": "catalog"}
    with broken(live.app, "catalog", kind="latency", delay_s=0.8):
        (alert, *_) = eventually(
            lambda: live.notified("grafana-page", "firing", **labels), within_s=40, what="somebody is told"
        )
    assert alert["labels"]["slo"] == "latency"
    assert alert["values"]["A"] > 0.5
    eventually(lambda: live.notified("grafana-page", "resolved", **labels), within_s=60, what="its end is told")


def test_anomalies_are_told_by_severity(live: Live) -> None:
    """
    What the detector calls an anomaly is a ticket of Grafana's, for the signal and the service.
    """
    labels = {"alertname": "AnomalyDetected", "service_name": "catalog", "signal": "latency"}
    eventually(lambda: live.alerts("Normal", **labels), within_s=90, what="the detector has learnt")
    with broken(live.app, "catalog", kind="latency", delay_s=0.8):
        (alert, *_) = eventually(
            lambda: live.notified("grafana-ticket", "firing", **labels), within_s=40, what="somebody is told"
        )
    assert alert["annotations"]["summary"] == f"catalog ({NAMESPACE}): latency is not as usual"
    assert alert["values"]["A"] > 0.33


def test_one_rule_cries_when_prometheus_is_gone(live: Live) -> None:
    """
    No storm of errors: the rule about missing telemetry says that nothing can be asked; the others stay what they were.
    """
    live.stack.unit("prometheus").stop()
    try:
        (alert, *_) = eventually(
            lambda: live.notified("grafana-page", "firing", alertname="DatasourceError"),
            within_s=40,
            what="the error is told",
        )
        assert alert["labels"]["rulename"] == "TelemetryAbsent"
        assert alert["annotations"]["summary"] == "Prometheus cannot be asked"
        others = live.notified("grafana-page", "firing", alertname="DatasourceError")
        assert {one["labels"]["rulename"] for one in others} == {"TelemetryAbsent"}
    finally:
        live.stack.restart("prometheus")
