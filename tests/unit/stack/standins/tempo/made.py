"""Spans, traces and stores for the tests, with as little as each test needs to say."""

from collections.abc import Mapping, Sequence

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from stack.standins.tempo.settings import Storage
from stack.standins.tempo.spans import Batch, Resource, Scope, Span, Value
from stack.standins.tempo.store import Cap, Store
from stack.standins.tempo.traces import TraceView

SECOND = 1_000_000_000
NOW_NS = 1_800_000_000 * SECOND
SCOPE = Scope(name="made", version="1", attributes={}, encoded=b"")


def resource(service: str = "shop", **attributes: Value) -> Resource:
    """A resource; `service_namespace` becomes `service.namespace`."""
    named = {"service.name": service, **{name.replace("_", "."): value for name, value in attributes.items()}}
    message = ResourceMessage(attributes=pairs(named))
    return Resource(service=service, attributes=named, encoded=message.SerializeToString())


def span(number: int, parent: int = 0, **changes: object) -> Span:
    """A server span of one millisecond that began `number` milliseconds after NOW."""
    fields: dict[str, object] = {
        "span_id": number.to_bytes(8, "big"),
        "parent_id": parent.to_bytes(8, "big") if parent else b"",
        "name": f"span {number}",
        "kind": 2,
        "status": 0,
        "status_message": "",
        "start_ns": NOW_NS + number * 1_000_000,
        "end_ns": NOW_NS + (number + 1) * 1_000_000,
        "attributes": {},
        "resource": resource(),
        "scope": SCOPE,
        **changes,
    }
    return Span(**{"encoded": encoded(fields), **fields})  # type: ignore[arg-type]


def encoded(fields: Mapping[str, object]) -> bytes:
    """The OTLP message of a span with these fields."""
    message = SpanMessage(
        span_id=fields["span_id"],  # type: ignore[arg-type]
        parent_span_id=fields["parent_id"],  # type: ignore[arg-type]
        name=str(fields["name"]),
        kind=fields["kind"],  # type: ignore[arg-type]
        start_time_unix_nano=fields["start_ns"],  # type: ignore[arg-type]
        end_time_unix_nano=fields["end_ns"],  # type: ignore[arg-type]
        attributes=pairs(fields["attributes"]),  # type: ignore[arg-type]
        status=Status(code=fields["status"], message=str(fields["status_message"])),  # type: ignore[arg-type]
    )
    return message.SerializeToString()


def pairs(attributes: Mapping[str, Value]) -> Sequence[KeyValue]:
    """OTLP attributes."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def any_value(value: Value) -> AnyValue:
    """An OTLP value."""
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=str(value))


def trace_id(number: int) -> bytes:
    """A trace id."""
    return number.to_bytes(16, "big")


def view(*spans: Span, number: int = 1) -> TraceView:
    """A trace as queries see it."""
    return TraceView(trace_id(number), spans)


def batch(*traces: Sequence[Span], first: int = 1) -> Batch:
    """A request with some traces, numbered from `first`."""
    numbered = {trace_id(first + index): spans for index, spans in enumerate(traces)}
    return Batch(traces=numbered, spans=sum(map(len, traces)), size=100)


def store_of(*traces: Sequence[Span]) -> Store:
    """A store whose traces are searchable."""
    store = Store(Storage(max_idle_s=0), Cap())
    store.add(batch(*traces))
    store.flush()
    return store
