"""The HTTP endpoints: traces by id in both encodings, receivers' refusals, and no input that crashes them."""

import asyncio
import gzip
import zlib
from collections.abc import Sequence

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from starlette.types import ASGIApp

from stack.standins.tempo.api import Api
from stack.standins.tempo.exposition import Exposition
from stack.standins.tempo.generator import MetricsGenerator
from stack.standins.tempo.receivers import MAX_HTTP_BYTES, http_receiver
from stack.standins.tempo.settings import Generator, Queries
from stack.standins.tempo.spans import Batch
from tests.unit.stack.standins.tempo.made import NOW_NS, SECOND, resource, span, store_of

STORE = store_of([span(2, 1, resource=resource("shop")), span(1, resource=resource("web"))])
EXPOSITION = Exposition(STORE, MetricsGenerator(Generator()), {})
API = Api(STORE, EXPOSITION, Queries(end_cutoff_ns=0), clock_ns=lambda: NOW_NS + SECOND).application()


def request(application: ASGIApp, method: str, path: str, **options: object) -> httpx.Response:
    """One request, without a network."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://tempo") as client:
            return await client.request(method, path, **options)  # type: ignore[arg-type]

    return asyncio.run(send())


def get(path: str, **parameters: str) -> httpx.Response:
    """A GET of the API."""
    return request(API, "GET", path, params=parameters)


def test_v1_protobuf_is_a_trace() -> None:
    """
    With `Accept: application/protobuf` the body is the binary message, batches in order of time.
    """
    answer = request(API, "GET", "/api/traces/1", headers={"accept": "application/protobuf"})

    trace = TracesData.FromString(answer.content)
    assert answer.headers["content-type"] == "application/protobuf"
    assert [batch.resource.attributes[0].value.string_value for batch in trace.resource_spans] == ["web", "shop"]


def test_v2_protobuf_wraps_the_trace() -> None:
    """
    The trace is field 1 and its metrics field 2 of the answer; of an unknown trace both are empty.
    """
    answer = request(API, "GET", "/api/v2/traces/1", headers={"accept": "application/protobuf"}).content
    inner = request(API, "GET", "/api/traces/1", headers={"accept": "application/protobuf"}).content

    assert answer[0] == 0x0A
    assert inner in answer
    assert answer[answer.index(inner) + len(inner)] == 0x12
    unknown = request(API, "GET", "/api/v2/traces/f", headers={"accept": "application/protobuf"}).content
    assert unknown == b"\x0a\x00\x12\x00"


@pytest.mark.parametrize("trace_id", ["1", "01", "0" * 31 + "1"])
def test_leading_zeros_may_be_missing(trace_id: str) -> None:
    """
    All spellings of an id find its trace.
    """
    assert get(f"/api/traces/{trace_id}").status_code == 200


def test_a_trace_id_of_more_than_128_bits_is_refused() -> None:
    """
    With Tempo's words.
    """
    answer = get(f"/api/v2/traces/{'1' * 33}")

    assert (answer.status_code, answer.text) == (400, "trace IDs can't be larger than 128 bits")


PATHS = [
    "/api/search",
    "/api/search/tags",
    "/api/v2/search/tags",
    "/api/search/tag/x/values",
    "/api/v2/search/tag/.x/values",
    "/api/metrics/query_range",
    "/api/metrics/query",
]
PARAMETERS = [
    "q",
    "tags",
    "start",
    "end",
    "since",
    "step",
    "limit",
    "spss",
    "scope",
    "minDuration",
    "maxDuration",
    "exemplars",
]
VALUES = st.one_of(
    st.text(max_size=10),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        ["{}", "{} | rate()", "1h", "1800000000", '{ .a = "x" }', "{ 1 ^ 1000 > .a } | rate()", "service.name=web"]
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PATHS), st.dictionaries(st.sampled_from(PARAMETERS), VALUES, max_size=4))
def test_no_parameters_crash_an_endpoint(path: str, parameters: dict[str, str]) -> None:
    """
    Whatever is asked, the answer is a result or a 400 with words.
    """
    answer = get(path, **parameters)

    assert answer.status_code in (200, 400)
    assert answer.text


def received(
    body: bytes, content_type: str = "application/x-protobuf", **headers: str
) -> tuple[httpx.Response, Sequence[Batch]]:
    """What the OTLP receiver answers to a body, and what it passed on."""
    batches: list[Batch] = []
    all_headers = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return request(http_receiver(batches.append), "POST", "/v1/traces", content=body, headers=all_headers), batches


def test_receives_gzip_and_deflate() -> None:
    """
    Compressed bodies are as good as plain ones, in both encodings of OTLP.
    """
    plain = ExportTraceServiceRequest().SerializeToString()
    for body, encoding in ((gzip.compress(plain), "gzip"), (zlib.compress(plain), "deflate"), (plain, "identity")):
        answer, batches = received(body, content_encoding=encoding)
        assert (answer.status_code, answer.content, len(batches)) == (200, b"", 1)
    answer, batches = received(gzip.compress(b"{}"), "application/json; charset=utf-8", content_encoding="gzip")
    assert (answer.json(), len(batches)) == ({}, 1)


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "status", "words"),
    [
        (b"\xff\xff", "application/x-protobuf", "", 400, b"the body is no OTLP protobuf"),
        (b"{", "application/json", "", 400, b"the body is no OTLP JSON"),
        (b"plain", "application/json", "gzip", 400, b"the body is not gzip"),
        (gzip.compress(b"{}" * 999)[:-9], "application/json", "gzip", 400, b"cut short"),
        (b"{}", "application/json", "br", 400, b"unsupported Content-Encoding: br"),
        (gzip.compress(bytes(MAX_HTTP_BYTES + 1)), "application/json", "gzip", 413, b"larger than"),
        (b"{}", "text/plain", "", 415, b"supported: application/x-protobuf or application/json"),
    ],
)
def test_refuses_what_it_cannot_read(body: bytes, content_type: str, encoding: str, status: int, words: bytes) -> None:
    """
    Nothing is passed on, and the answer says why, in the encoding of the request.
    """
    answer, batches = received(body, content_type, content_encoding=encoding)

    assert (answer.status_code, list(batches)) == (status, [])
    assert words in answer.content
    assert answer.headers["x-tocsin-standin"] == "tempo"


def test_an_unknown_path_is_404_and_a_wrong_method_405() -> None:
    """
    As plain text.
    """
    assert (get("/nowhere").status_code, get("/nowhere").text) == (404, "404 not found\n")
    assert request(API, "POST", "/ready").status_code == 405
