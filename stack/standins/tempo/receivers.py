"""OTLP receivers: gRPC and HTTP, both into one sink, answering as the protocol asks."""

import json
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.json_format import MessageToJson
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from stack.standins.tempo.api import name_standin
from stack.standins.tempo.otlp import BadRequest, read_json, read_protobuf
from stack.standins.tempo.settings import Address
from stack.standins.tempo.spans import Batch

Sink = Callable[[Batch], None]
GRPC_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
GRPC_WORKERS = 2
MAX_HTTP_BYTES = 20 * 2**20
INVALID_ARGUMENT = 3
READERS = {"application/x-protobuf": read_protobuf, "application/json": read_json}


class TooLarge(ValueError):
    """The body, decompressed, is larger than a request may be."""


def grpc_server(sink: Sink, address: Address, max_bytes: int) -> tuple[grpc.Server, int]:
    """
    A gRPC server with OTLP's trace service, bound but not started, and its port; OSError when the port is taken.
    """

    def export(body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            sink(read_protobuf(body))
        except BadRequest as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return ExportTraceServiceResponse().SerializeToString()

    options = [("grpc.max_receive_message_length", max_bytes), ("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(GRPC_WORKERS, "otlp-grpc"), options=options)
    methods = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(GRPC_SERVICE, methods),))
    try:
        port = server.add_insecure_port(f"{address.host}:{address.port}")
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address.host}:{address.port}: {error}") from error
    return server, port


def http_receiver(sink: Sink) -> ASGIApp:
    """
    An application with OTLP's `/v1/traces`: protobuf and JSON, gzip or plain.
    """

    async def export(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in READERS:
            allowed = " or ".join(READERS)
            return Response(f"415 unsupported media type, supported: {allowed}\n", 415, media_type="text/plain")
        try:
            body = decompress(await request.body(), request.headers.get("content-encoding", ""))
            await run_in_threadpool(lambda: sink(READERS[kind](body)))
        except TooLarge as error:
            return _status(kind, 413, str(error))
        except BadRequest as error:
            return _status(kind, 400, str(error))
        response = ExportTraceServiceResponse()
        if kind == "application/json":
            return Response(MessageToJson(response, indent=None), media_type=kind)
        return Response(response.SerializeToString(), media_type=kind)

    return name_standin(Starlette(routes=[Route("/v1/traces", export, methods=["POST"])]))


def decompress(body: bytes, encoding: str) -> bytes:
    """
    The plain body; BadRequest when it is not what its encoding says, TooLarge when it swells beyond the limit.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise BadRequest(f"unsupported Content-Encoding: {encoding}")
    inflater = zlib.decompressobj(zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))
    try:
        plain = inflater.decompress(body, MAX_HTTP_BYTES)
    except zlib.error as error:
        raise BadRequest(f"the body is not {encoding}: {error}") from error
    if inflater.unconsumed_tail:
        raise TooLarge(f"the body is larger than {MAX_HTTP_BYTES} bytes")
    if not inflater.eof:
        raise BadRequest(f"the body is cut short: its {encoding} does not end")
    return plain


def _status(kind: str, code: int, message: str) -> Response:
    if kind == "application/json":
        return Response(json.dumps({"code": INVALID_ARGUMENT, "message": message}), code, media_type=kind)
    return Response(Status(code=INVALID_ARGUMENT, message=message).SerializeToString(), code, media_type=kind)
