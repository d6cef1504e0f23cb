"""OTLP in both encodings becomes the same spans; what is no OTLP is refused and never crashes."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from stack.standins.tempo.otlp import BadRequest, read_json, read_protobuf, read_value

SPAN = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "2", "name": "GET /", "kind": 2, "status": {"code": 2}}


def request(**changes: object) -> bytes:
    """An OTLP/JSON request with one span."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    spans = [{"scope": {"name": "lib"}, "spans": [{**SPAN, **changes}]}]
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": spans}]}).encode()


def test_reads_json() -> None:
    """
    Ids are hexadecimal, and resource, library and span are told apart.
    """
    batch = read_json(request())

    (span,) = batch.traces[bytes(15) + b"\x01"]
    assert (span.span_id, span.name, span.kind, span.status) == (bytes(7) + b"\x02", "GET /", 2, 2)
    assert (span.resource.service, span.scope.name, batch.spans) == ("shop", "lib", 1)


def test_both_encodings_give_the_same() -> None:
    """
    A request in protobuf gives the spans that it gives in JSON.
    """
    from_json = read_json(request(attributes=[{"key": "n", "value": {"intValue": "3"}}]))
    (span,) = from_json.traces[bytes(15) + b"\x01"]
    message = ExportTraceServiceRequest()
    scope_spans = message.resource_spans.add().scope_spans.add()
    scope_spans.spans.add().ParseFromString(span.encoded)

    (other,) = read_protobuf(message.SerializeToString()).traces[bytes(15) + b"\x01"]

    assert (other.encoded, other.attributes) == (span.encoded, {"n": 3})


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "the body is no OTLP JSON"),
        (b"[]", "the body is no OTLP JSON"),
        (b'{"resourceSpans": 3}', "the body is no OTLP JSON"),
        (b"\xff\xfe", "the body is no OTLP JSON"),
        (request(traceId="xyz"), "the body is no OTLP JSON"),
        (request(traceId="ab"), "trace ids must be 128 bit, received 8 bits"),
        (request(spanId=""), "span ids must be 64 bit, received 0 bits"),
    ],
)
def test_refuses_what_is_no_otlp(body: bytes, problem: str) -> None:
    """
    A malformed body is refused with its problem.
    """
    with pytest.raises(BadRequest, match=problem):
        read_json(body)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_readers(body: bytes) -> None:
    """
    Any bytes are either a request or a BadRequest.
    """
    for read in (read_protobuf, read_json):
        with suppress(BadRequest):
            assert read(body).size == len(body)


def test_reads_every_kind_of_value() -> None:
    """
    Scalars stay what they are, arrays become tuples, maps and bytes become text.
    """
    inner = KeyValueList(values=[KeyValue(key="k", value=AnyValue(int_value=1))])
    array = ArrayValue(values=[AnyValue(string_value="a"), AnyValue(bool_value=True)])

    assert read_value(AnyValue(double_value=1.5)) == 1.5
    assert read_value(AnyValue(array_value=array)) == ("a", True)
    assert read_value(AnyValue(kvlist_value=inner)) == '{"k": 1}'
    assert read_value(AnyValue(bytes_value=b"\x00")) == "AA=="
    assert read_value(AnyValue()) == ""


def test_an_unknown_kind_or_status_counts_as_unspecified() -> None:
    """
    Numbers that the protocol does not define do not break the look-up of their names.
    """
    (span,) = read_json(request(kind=9, status={"code": 7})).traces[bytes(15) + b"\x01"]

    assert (span.kind, span.status) == (0, 0)
