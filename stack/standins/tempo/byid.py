"""One trace by its id, in the shapes of both API versions, as JSON or protobuf."""

from collections.abc import Mapping, MutableSequence, Sequence

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, TracesData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from stack.standins.tempo.spans import Span
from stack.standins.tempo.values import Json
from stack.standins.tempo.windows import BadQuery
from stack.standins.tempo.wire import field, varint

HEXADECIMAL = set("0123456789abcdefABCDEF")


def read_trace_id(text: str) -> bytes:
    """
    The 16 bytes of a trace id in hexadecimal, whose leading zeros may be missing; BadQuery when it is none.
    """
    for position, character in enumerate(text, start=1):
        if character not in HEXADECIMAL:
            raise BadQuery(
                f"trace IDs can only contain hex characters: invalid character '{character}' at position {position}"
            )
    if len(text) > 32:
        raise BadQuery("trace IDs can't be larger than 128 bits")
    return bytes.fromhex(text.rjust(32, "0"))


def trace_message(spans: Sequence[Span]) -> TracesData:
    """
    The spans as OTLP: by resource and library, in order of time, attributes sorted, as Tempo gives them back.
    """
    batches: dict[bytes, dict[bytes, list[Span]]] = {}
    for span in sorted(spans, key=lambda span: span.start_ns):
        batches.setdefault(span.resource.encoded, {}).setdefault(span.scope.encoded, []).append(span)
    return TracesData(resource_spans=[_resource_spans(*batch) for batch in batches.items()])


def trace_v1(spans: Sequence[Span]) -> Json:
    """
    The body of `/api/traces/<id>`.
    """
    return {"batches": _resource_spans_json(spans)}


def trace_v2(spans: Sequence[Span]) -> Json:
    """
    The body of `/api/v2/traces/<id>`; both parts are empty for an unknown trace.
    """
    if not spans:
        return {"trace": {}, "metrics": {}}
    return {"trace": {"resourceSpans": _resource_spans_json(spans)}, "metrics": {"inspectedBytes": str(_size(spans))}}


def trace_v2_protobuf(spans: Sequence[Span]) -> bytes:
    """
    The same as a binary TraceByIDResponse: the trace is its field 1, the metrics are field 2.
    """
    metrics = b"\x08" + varint(_size(spans)) if spans else b""
    return field(1, trace_message(spans).SerializeToString()) + field(2, metrics)


def _resource_spans_json(spans: Sequence[Span]) -> object:
    answer: Mapping[str, object] = MessageToDict(trace_message(spans))
    return answer.get("resourceSpans", [])


def _resource_spans(resource: bytes, scopes: Mapping[bytes, Sequence[Span]]) -> ResourceSpans:
    message = ResourceMessage.FromString(resource)
    _sort(message.attributes)
    return ResourceSpans(resource=message, scope_spans=[_scope_spans(*scope) for scope in scopes.items()])


def _scope_spans(scope: bytes, spans: Sequence[Span]) -> ScopeSpans:
    message = ScopeSpans(scope=InstrumentationScope.FromString(scope), spans=[_span(span) for span in spans])
    _sort(message.scope.attributes)
    return message


def _span(span: Span) -> SpanMessage:
    message = SpanMessage.FromString(span.encoded)
    message.status.SetInParent()
    _sort(message.attributes)
    return message


def _sort(attributes: MutableSequence[KeyValue]) -> None:
    """In place; the protobuf container's own `sort` is not declared, so its items are put back sorted."""
    in_order = sorted(attributes, key=lambda pair: pair.key)
    del attributes[:]
    attributes.extend(in_order)


def _size(spans: Sequence[Span]) -> int:
    return sum(len(span.encoded) for span in spans)
