"""Links: who calls whom where Toxiproxy can stand in the middle, and how a caller finds its neighbour then."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

PROXY = "toxiproxy"
"""The component that stands in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One port of a neighbour that a component calls; the caller `app` is every role of the demo app."""

    caller: str
    called: str

    @property
    def name(self) -> str:
        """What the neighbours are called together: `collector -> tempo`; several links may share it."""
        return f"{self.caller} -> {self.called.partition('.')[0]}"

    @property
    def proxy(self) -> str:
        """What its proxy is called, and the port of Toxiproxy on which that listens."""
        return f"{self.caller}:{self.called}"

    @property
    def place(self) -> str:
        """Where the proxy is, as `component.port`."""
        return f"{PROXY}.{self.proxy}"


LINKS = (
    Link(caller="app", called="collector.otlp_http"),
    Link(caller="collector", called="tempo.otlp_grpc"),
    Link(caller="prometheus", called="collector.prometheus"),
    Link(caller="prometheus", called="collector.metrics"),
    Link(caller="grafana", called="prometheus.http"),
    Link(caller="alertmanager", called="sink.http"),
)
"""All links that can be broken."""


def seen_by(caller: str, places: Mapping[str, str]) -> dict[str, str]:
    """
    The places of all ports as one component is told of them: where Toxiproxy is there, its neighbours are behind it.
    """
    behind = {link.called: places[link.place] for link in LINKS if link.caller == caller and link.place in places}
    return {**places, **behind}


def proxies_of(name: str, places: Mapping[str, str]) -> dict[str, str]:
    """The proxies between two neighbours, such as `collector -> tempo`, and where each is; none without Toxiproxy."""
    return {link.proxy: places[link.place] for link in LINKS if link.name == name and link.place in places}


def proxies_json(*, inside: Mapping[str, str], listen: Mapping[str, str]) -> str:
    """What Toxiproxy is told at its start: on which port it listens for each link, and whom it calls then."""
    proxies = [
        {"name": link.proxy, "listen": listen[link.place], "upstream": inside[link.called], "enabled": True}
        for link in LINKS
    ]
    return json.dumps(proxies, indent=2) + "\n"
