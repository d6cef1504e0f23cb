"""Conventions: the stable semantic conventions of OpenTelemetry for HTTP and databases, as far as they can be seen. Pure.

After https://opentelemetry.io/docs/specs/semconv/http/ and https://opentelemetry.io/docs/specs/semconv/db/.
A metric is named as Prometheus has it: `http.server.request.duration` in seconds is `http_server_request_duration_seconds`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

METRICS: Mapping[str, Sequence[str]] = {
    "http_server_request_duration_seconds": ("http_request_method", "url_scheme", "http_route"),
    "http_client_request_duration_seconds": ("http_request_method", "server_address", "server_port"),
    "db_client_operation_duration_seconds": ("db_system_name",),
}
"""Each metric and the labels that all of its series must have."""

SERVER_SPAN = ("http.request.method", "url.scheme", "url.path", "http.route")
CLIENT_SPAN = ("http.request.method", "server.address", "server.port", "url.full")
DATABASE_SPAN = ("db.system.name",)

OUTDATED = frozenset(
    {
        *("http.method", "http.status_code", "http.scheme", "http.target", "http.url", "http.flavor", "http.host"),
        *("http.user_agent", "net.peer.name", "net.peer.port", "net.host.name", "net.host.port", "net.peer.ip"),
        *("db.system", "db.statement", "db.name", "db.operation", "db.user", "db.connection_string"),
    }
)
"""Attributes of the conventions before they were stable."""

OUTDATED_LABELS = {name.replace(".", "_") for name in OUTDATED}

Attributes = Mapping[str, Any]


def flaws_of_series(labels: Mapping[str, str]) -> Iterator[str]:
    """
    What is wrong with one series by its labels, its name among them: its unit, a label that it lacks, one that is outdated.
    """
    name = labels["__name__"].removesuffix("_count")
    if "duration" in name and not name.endswith("_seconds"):
        yield "its unit is not seconds"
    wanted = METRICS.get(name, ())
    status = labels.get("http_response_status_code", "")
    for label in wanted:
        # A request that no route serves has none.
        if label not in labels and not (label == "http_route" and status == "404"):
            yield f"lacks {label}"
    if name.startswith("http_") and wanted and not status and "error_type" not in labels:
        yield "has neither http_response_status_code nor error_type"
    yield from (f"has the outdated {label}" for label in sorted(OUTDATED_LABELS & set(labels)))


def flaws_of_span(span: Mapping[str, Any]) -> Iterator[str]:
    """
    What is wrong with one span of HTTP or of a database; nothing with one of anything else.
    """
    attributes: Attributes = span.get("attributes", {})
    is_database = any(name.startswith("db.") for name in attributes)
    if span["kind"] == "server":
        yield from _lacking(attributes, SERVER_SPAN)
        yield from _outcome(attributes)
        if not span["name"].startswith(str(attributes.get("http.request.method", ""))):
            yield "its name does not begin with its method"
    elif span["kind"] == "client" and is_database:
        yield from _lacking(attributes, DATABASE_SPAN)
        if not {"db.query.text", "db.operation.name", "db.query.summary"} & set(attributes):
            yield "has neither db.query.text nor db.operation.name"
    elif span["kind"] == "client":
        yield from _lacking(attributes, CLIENT_SPAN)
        yield from _outcome(attributes)
    if span["error"] and span["kind"] in ("server", "client") and "error.type" not in attributes:
        yield "is marked as an error, but lacks error.type"
    yield from (f"has the outdated {name}" for name in sorted(OUTDATED & set(attributes)))


def _lacking(attributes: Attributes, wanted: Sequence[str]) -> Iterator[str]:
    unrouted = attributes.get("http.response.status_code") == 404
    return (f"lacks {name}" for name in wanted if name not in attributes and not (unrouted and name == "http.route"))


def _outcome(attributes: Attributes) -> Iterator[str]:
    """A request ends with a status or with an error."""
    status = attributes.get("http.response.status_code")
    if status is None and "error.type" not in attributes:
        yield "has neither http.response.status_code nor error.type"
    elif status is not None and not (isinstance(status, int) and 100 <= status <= 599):
        yield f"has a status that is none: {status!r}"
