"""Who calls whom: client and server spans paired into edges, the `traces_service_graph_*` metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stack.standins.tempo.registry import Labels, Registry
from stack.standins.tempo.settings import ServiceGraphs
from stack.standins.tempo.span_metrics import dimension, label_name
from stack.standins.tempo.spans import CLIENT, CONSUMER, ERROR, PRODUCER, SERVER, Span

CALLERS = (CLIENT, PRODUCER)
CALLED = (SERVER, CONSUMER)
Key = tuple[str, bytes]


@dataclass(slots=True, kw_only=True)
class Edge:
    """A call of which one side, or both, have been seen."""

    key: Key
    expires_s: float
    client: str | None = None
    server: str | None = None
    client_s: float = 0.0
    server_s: float = 0.0
    failed: bool = False
    connection: str = ""
    peer: str = ""
    dimensions: dict[str, str] = field(default_factory=dict)


class ServiceGraphProcessor:
    """Keeps half-seen calls for the configured wait, then settles them as virtual nodes or unpaired."""

    def __init__(self, settings: ServiceGraphs, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry
        self._edges: dict[Key, Edge] = {}
        self._dimensions = self._dimension_labels()
        ends: Labels = ("client", "server")
        labels = (*ends, "connection_type", *self._dimensions)
        prefix = "traces_service_graph"
        self._requests = registry.family(f"{prefix}_request", "Calls between two nodes.", labels)
        self._failures = registry.family(f"{prefix}_request_failed", "Failed calls between two nodes.", labels)
        self._server = registry.family(
            f"{prefix}_request_server_seconds", "As the server saw it.", labels, settings.buckets
        )
        self._client = registry.family(
            f"{prefix}_request_client_seconds", "As the client saw it.", labels, settings.buckets
        )
        self._unpaired = registry.family(f"{prefix}_unpaired_spans", "Spans whose other side never came.", ends)
        self._dropped = registry.family(f"{prefix}_dropped_spans", "Spans beyond max_items.", ends)

    def _dimension_labels(self) -> Mapping[str, str]:
        """The labels of the configured dimensions, each with the key under which an edge keeps its value."""
        names = [label_name(attribute) for attribute in self._settings.dimensions]
        if not self._settings.client_server_prefix:
            return {name: name for name in names}
        return {f"{side}_{name}": f"{side}_{name}" for side in ("client", "server") for name in names}

    def consume(self, trace_id: str, spans: Sequence[Span], now_s: float) -> None:
        """
        Add the spans of one trace; those that are no side of a call are passed over.
        """
        for span in spans:
            if span.kind in CALLERS:
                self._see(span, (trace_id, span.span_id), now_s)
            elif span.kind in CALLED:
                self._see(span, (trace_id, span.parent_id), now_s)

    def expire(self, now_s: float) -> None:
        """
        Settle the calls whose other side did not come in time.
        """
        while self._edges:
            edge = next(iter(self._edges.values()))
            if edge.expires_s > now_s:
                return
            del self._edges[edge.key]
            self._settle(edge, now_s)

    def _see(self, span: Span, key: Key, now_s: float) -> None:
        edge = self._edges.get(key)
        if edge is None:
            if len(self._edges) >= self._settings.max_items:
                ends = (span.resource.service, "") if span.kind in CALLERS else ("", span.resource.service)
                self._registry.add(self._dropped, ends, 1, now_s)
                return
            edge = self._edges[key] = Edge(key=key, expires_s=now_s + self._settings.wait_s)
        self._fill(edge, span)
        if edge.client is not None and edge.server is not None:
            del self._edges[key]
            self._complete(edge, now_s)

    def _fill(self, edge: Edge, span: Span) -> None:
        seconds = max(0, span.duration_ns) / 1e9
        edge.failed |= span.status == ERROR
        if span.kind in (PRODUCER, CONSUMER):
            edge.connection = "messaging_system"
        if span.kind in CALLED:
            edge.server, edge.server_s = span.resource.service, seconds
            self._take_dimensions(edge, span, "server_")
            return
        edge.client, edge.client_s = span.resource.service, seconds
        self._take_dimensions(edge, span, "client_")
        edge.peer = _first(span, self._settings.peer_attributes)
        if database := _first(span, self._settings.database_attributes):
            edge.server, edge.server_s, edge.connection = database, seconds, "database"

    def _take_dimensions(self, edge: Edge, span: Span, side: str) -> None:
        prefix = side if self._settings.client_server_prefix else ""
        for attribute in self._settings.dimensions:
            if (value := dimension(attribute, span)) is not None:
                edge.dimensions[prefix + label_name(attribute)] = value

    def _settle(self, edge: Edge, now_s: float) -> None:
        if edge.client is None and not edge.key[1]:
            edge.client = "user"
        elif edge.server is None and edge.peer:
            edge.server = edge.peer
        else:
            self._registry.add(self._unpaired, (edge.client or "", edge.server or ""), 1, now_s)
            return
        edge.connection = "virtual_node"
        self._complete(edge, now_s)

    def _complete(self, edge: Edge, now_s: float) -> None:
        values = [edge.dimensions.get(key, "") for key in self._dimensions.values()]
        labels = (edge.client or "", edge.server or "", edge.connection, *values)
        self._registry.add(self._requests, labels, 1, now_s)
        if edge.failed:
            self._registry.add(self._failures, labels, 1, now_s)
        self._registry.observe(self._server, labels, edge.server_s, edge.key[0], now_s)
        self._registry.observe(self._client, labels, edge.client_s, edge.key[0], now_s)


def _first(span: Span, attributes: Sequence[str]) -> str:
    return next((value for attribute in attributes if (value := dimension(attribute, span))), "")
