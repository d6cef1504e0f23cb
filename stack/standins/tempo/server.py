"""The running stand-in: one process, one HTTP server for all its ports, a gRPC server and a flush loop."""

import logging
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from stack.standins.tempo.api import Api
from stack.standins.tempo.exposition import Exposition
from stack.standins.tempo.generator import MetricsGenerator
from stack.standins.tempo.receivers import Sink, grpc_server, http_receiver
from stack.standins.tempo.settings import Address, Settings, Storage
from stack.standins.tempo.spans import Batch
from stack.standins.tempo.store import Cap, Store
from stack.standins.tempo.wal import Wal

GRACE_S = 2
log = logging.getLogger("tempo")


def serve(settings: Settings, cap: Cap) -> None:
    """
    Serve until SIGTERM or SIGINT; OSError when a port is taken.
    """
    store = Store(settings.storage, cap)
    wal = _opened(settings.storage, cap, store)
    generator = MetricsGenerator(settings.generator)

    def sink(batch: Batch) -> None:
        store.add(batch)
        generator.consume(batch)

    exposition = Exposition(store, generator, settings.generator.external_labels)
    applications: dict[int, ASGIApp] = {}
    http = _listen(settings.http)
    applications[_port(http)] = Api(store, exposition, settings.queries).application()
    sockets = [http]
    if settings.otlp_http is not None:
        sockets.append(_listen(settings.otlp_http))
        applications[_port(sockets[-1])] = http_receiver(sink)
    server = _server(by_port(applications))
    period_s = settings.storage.flush_check_s
    with _flushing(store, wal, generator, period_s), _grpc(settings, sink) as grpc_port:
        _announce(settings, [*applications], grpc_port)
        server.run(sockets)


def by_port(applications: Mapping[int, ASGIApp]) -> ASGIApp:
    """
    One application for several ports: each request goes to the one of the port that it came to.
    """

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await applications[scope["server"][1]](scope, receive, send)

    return dispatch


def _server(application: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # For a signal before uvicorn looks at them, and for the one with which it ended: it raises that once more.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return server


@contextmanager
def _grpc(settings: Settings, sink: Sink) -> Iterator[int | None]:
    if settings.otlp_grpc is None:
        yield None
        return
    server, port = grpc_server(sink, settings.otlp_grpc, settings.grpc_max_bytes)
    server.start()
    try:
        yield port
    finally:
        server.stop(GRACE_S).wait()


def _opened(storage: Storage, cap: Cap, store: Store) -> Wal | None:
    """The log, once the store has what it kept; None when none is configured."""
    if not storage.wal_folder:
        return None
    wal = Wal(Path(storage.wal_folder), cap.bytes)
    for batch in wal.replay():
        store.add(batch)
        store.flush(all_traces=True)
    return wal


@contextmanager
def _flushing(store: Store, wal: Wal | None, generator: MetricsGenerator, period_s: float) -> Iterator[None]:
    stopped = threading.Event()

    def flush(*, all_traces: bool = False) -> None:
        flushed = store.flush(all_traces=all_traces)
        if wal is not None:
            wal.append(flushed)

    def loop() -> None:
        while not stopped.wait(period_s):
            flush()
            generator.expire()

    thread = threading.Thread(target=loop, name="flush", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        flush(all_traces=True)
        if wal is not None:
            wal.close()


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {address.host}:{address.port}: {error.strerror}") from error
    return listener


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _announce(settings: Settings, ports: list[int], grpc_port: int | None) -> None:
    otlp_http = f"{settings.otlp_http.host}:{ports[1]}" if settings.otlp_http else "off"
    otlp_grpc = f"{settings.otlp_grpc.host}:{grpc_port}" if settings.otlp_grpc else "off"
    log.info(
        'msg="Tempo stand-in started" http=%s:%d otlp_grpc=%s otlp_http=%s',
        settings.http.host,
        ports[0],
        otlp_grpc,
        otlp_http,
    )
    if settings.remote_write:
        log.warning('msg="remote_write is not done: the generator\'s metrics are on /metrics, to be scraped"')
    if settings.idle_fields:
        log.info('msg="accepted but without effect here" fields="%s"', ", ".join(settings.idle_fields))
