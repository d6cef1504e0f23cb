"""Leads: where the links of a notification lead, followed within the stack and nowhere else."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from assertions.backend import Backend
from assertions.evidence import Lead
from assertions.grafana import Grafana
from assertions.life import life_of
from assertions.prometheus import Prometheus
from scenarios.history import History, Notification
from scenarios.model import Alert

RUNBOOK = "runbook_url"
"""The annotation that leads to the page of what to do."""

_OUTSIDE = "leads outside of this stack, so nobody followed it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """All places to which a link may lead: backends of the stack, and the folder in which pages of documentation are."""

    prometheus: Prometheus
    grafana: Grafana | None
    pages: Path

    def of_stack(self, url: httpx.URL) -> bool:
        """Whether an address is one of the stack's; no other is ever called."""
        homes = [httpx.URL(one.url) for one in (self.prometheus, self.grafana) if one is not None]
        return (url.host, url.port) in [(home.host, home.port) for home in homes]


def gather(alert: Alert, history: History, places: Places, *, namespace: str) -> tuple[Lead, ...]:
    """
    All links of the first notification of an alert by each source, followed; none where a drill asks for none.

    Raises BackendError when the backend that should know does not answer.
    """
    on = history.fault_window(f"faults/{alert.fault}")
    if not alert.links or on is None:
        return ()
    return tuple(
        _followed(source, name, url, notice, places)
        for source in alert.sources
        if (notice := life_of(alert, history, source=source, namespace=namespace, since=on[0]).notice)
        for name, url in links_of(notice).items()
    )


def links_of(notice: Notification) -> Mapping[str, str]:
    """The links of a notification by what they lead to, the runbook's among them."""
    runbook = notice.annotations.get(RUNBOOK)
    return {**({"runbook": runbook} if runbook else {}), **notice.links}


def _followed(source: str, name: str, url: str, notice: Notification, places: Places) -> Lead:
    lead = Lead(source=source, name=name, url=url)
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        return lead.model_copy(update={"problem": f"is no address: {error}"})
    if address.is_relative_url:
        return lead.model_copy(update={"problem": _page(address, places)})
    if not places.of_stack(address):
        return lead.model_copy(update={"problem": _OUTSIDE, "followed": False})
    follow = _by_prometheus if name == "rule" and source == "prometheus" else _FOLLOW[name]
    return lead.model_copy(update={"problem": follow(address, notice, places)})


def _page(address: httpx.URL, places: Places) -> str:
    """A path without a host is one of the documentation's own files."""
    return "" if (places.pages / address.path.lstrip("/")).is_file() else f"is no file in {places.pages}"


def _runbook(address: httpx.URL, notice: Notification, places: Places) -> str:
    backend = Backend("runbook", f"{address.scheme}://{address.netloc.decode()}")
    try:
        status = backend.ask(address.raw_path.decode(), accept=tuple(range(600))).status_code
    finally:
        backend.close()
    return "" if status < 400 else f"is answered with {status}"


def _by_prometheus(address: httpx.URL, notice: Notification, places: Places) -> str:
    """A page of Prometheus that shows what the rule asks for."""
    expr = address.params.get("g0.expr", "")
    if not expr:
        return "shows no query"
    queries = [rule.query for rule in places.prometheus.rules() if rule.name == notice.name]
    return "" if expr in queries else f"shows a query that no rule of the name {notice.name} asks: {expr}"


def _by_grafana(address: httpx.URL, notice: Notification, places: Places) -> str:
    assert places.grafana is not None, "an address of Grafana's"
    uid = _part(r"/alerting/grafana/([^/]+)/view", address)
    uids = [rule.uid for rule in places.grafana.rules()]
    return "" if uid in uids else f"is about a rule {uid!r} that grafana does not have"


def _dashboard(address: httpx.URL, notice: Notification, places: Places) -> str:
    return "" if _page_of(address, places) is not None else "is about a dashboard that grafana does not have"


def _panel(address: httpx.URL, notice: Notification, places: Places) -> str:
    page = _page_of(address, places)
    if page is None:
        return "is about a dashboard that grafana does not have"
    panel = address.params.get("viewPanel", "").removeprefix("panel-")
    ids = {str(one.get("id")) for one in _panels(page.get("panels", []))}
    return "" if panel in ids else f"is about a panel {panel!r} that its dashboard does not have"


def _silence(address: httpx.URL, notice: Notification, places: Places) -> str:
    """A form that is filled in for just this alert: every matcher fits it, and one names it."""
    matchers = [tuple(text.split("=", 1)) for text in address.params.get_list("matcher")]
    public = [matcher for matcher in matchers if not matcher[0].startswith("__")]
    for name, *value in public:
        if value != [notice.labels.get(name)]:
            return f"would silence {name}={''.join(value)}, which the alert does not have"
    return "" if ("alertname", notice.name) in public else "would silence alerts of any name"


_FOLLOW: Mapping[str, Callable[[httpx.URL, Notification, Places], str]] = {
    "runbook": _runbook,
    "rule": _by_grafana,
    "dashboard": _dashboard,
    "panel": _panel,
    "silence": _silence,
}
"""How each link is followed: the problem with where it leads, or nothing."""


def _page_of(address: httpx.URL, places: Places) -> Mapping[str, Any] | None:
    uid = _part(r"/d/([^/]+)", address)
    return places.grafana.dashboard(uid) if places.grafana is not None and uid else None


def _part(pattern: str, address: httpx.URL) -> str:
    """A part of a path; a Grafana that is served below a path of its own has more before it."""
    match = re.search(pattern, address.path)
    return match[1] if match else ""


def _panels(panels: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))
