"""OTLP requests, as protobuf or JSON, into spans."""

import base64
import json
from collections.abc import Iterable
from sys import intern

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from stack.standins.tempo.spans import Attributes, Batch, Resource, Scope, Span, Value

ID_FIELDS = ("traceId", "spanId", "parentSpanId")


class BadRequest(ValueError):
    """The request is no OTLP or carries an id that is none; nothing of it was stored."""


def read_protobuf(body: bytes) -> Batch:
    """
    The spans of a binary ExportTraceServiceRequest; BadRequest when it cannot be read.
    """
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise BadRequest(f"the body is no OTLP protobuf: {str(error).rpartition(': ')[2]}") from error
    return _batch(request, len(body))


def read_json(body: bytes) -> Batch:
    """
    The spans of an OTLP/JSON request (ids in hexadecimal); BadRequest when it cannot be read.
    """
    try:
        document = json.loads(body)
        if not isinstance(document, dict):
            raise BadRequest(f"the body is no OTLP JSON: expected an object, found {type(document).__name__}")
        _ids_to_base64(document)
        request = ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=True)
    except BadRequest:
        raise
    except (ValueError, ParseError, AttributeError, TypeError, RecursionError) as error:
        raise BadRequest(f"the body is no OTLP JSON: {error}") from error
    return _batch(request, len(body))


def _ids_to_base64(value: object) -> None:
    if isinstance(value, list):
        for item in value:
            _ids_to_base64(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ID_FIELDS and isinstance(item, str):
                value[key] = base64.b64encode(bytes.fromhex(item)).decode()
            else:
                _ids_to_base64(item)


def _batch(request: ExportTraceServiceRequest, size: int) -> Batch:
    traces: dict[bytes, list[Span]] = {}
    count = 0
    for resource_spans in request.resource_spans:
        resource = _resource(resource_spans.resource)
        for scope_spans in resource_spans.scope_spans:
            scope = _scope(scope_spans.scope)
            for message in scope_spans.spans:
                _check_ids(message)
                traces.setdefault(message.trace_id, []).append(_span(message, resource, scope))
                count += 1
    return Batch(traces=traces, spans=count, size=size)


def _check_ids(message: SpanMessage) -> None:
    if len(message.trace_id) != 16:
        raise BadRequest(f"trace ids must be 128 bit, received {8 * len(message.trace_id)} bits")
    if len(message.span_id) != 8:
        raise BadRequest(f"span ids must be 64 bit, received {8 * len(message.span_id)} bits")


def _resource(message: ResourceMessage) -> Resource:
    attributes = _attributes(message.attributes)
    service = attributes.get("service.name", "")
    return Resource(service=str(service), attributes=attributes, encoded=message.SerializeToString())


def _scope(message: InstrumentationScope) -> Scope:
    return Scope(
        name=message.name,
        version=message.version,
        attributes=_attributes(message.attributes),
        encoded=message.SerializeToString(),
    )


def _span(message: SpanMessage, resource: Resource, scope: Scope) -> Span:
    status = message.status
    return Span(
        span_id=message.span_id,
        parent_id=message.parent_span_id,
        name=intern(message.name),
        kind=message.kind if 0 <= message.kind <= 5 else 0,
        status=status.code if 0 <= status.code <= 2 else 0,
        status_message=status.message,
        start_ns=message.start_time_unix_nano,
        end_ns=message.end_time_unix_nano,
        attributes=_attributes(message.attributes),
        resource=resource,
        scope=scope,
        encoded=message.SerializeToString(),
    )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {intern(pair.key): read_value(pair.value) for pair in pairs}


def read_value(message: AnyValue) -> Value:
    """
    An OTLP value as Python's own; bytes as base64 and maps as JSON text, for nothing can query them.
    """
    kind = message.WhichOneof("value")
    if kind == "string_value":
        return message.string_value
    if kind == "int_value":
        return message.int_value
    if kind == "bool_value":
        return message.bool_value
    if kind == "double_value":
        return message.double_value
    if kind == "array_value":
        return tuple(read_value(item) for item in message.array_value.values)
    if kind == "kvlist_value":
        return json.dumps(_attributes(message.kvlist_value.values), sort_keys=True)
    return base64.b64encode(message.bytes_value).decode()
