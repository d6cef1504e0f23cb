"""Calls to another role: pooled connections, a timeout, and errors that name the upstream."""

import functools
import time
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled, suppress_instrumentation
from urllib3 import HTTPConnectionPool, Timeout, connection_from_url
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as UpstreamTimeoutError
from urllib3.response import HTTPResponse

from demo_app.errors import ApiError
from demo_app.faults.kinds import BrokenContext, DependencyTimeout, RetryStorm
from demo_app.faults.leases import Leases
from demo_app.metrics import ShopMetrics

CONTEXT_HEADERS = frozenset(("traceparent", "tracestate", "baggage"))
PROBE_TIMEOUT_S = 1.0


class Upstream:
    """One role, as another role calls it."""

    def __init__(self, name: str, pool: HTTPConnectionPool, *, leases: Leases, metrics: ShopMetrics) -> None:
        """Call `name` through `pool`; see `connect` for one that faults can reach."""
        self.name = name
        self._pool = pool
        self._leases = leases
        self._metrics = metrics

    def get(self, path: str) -> Any:
        """What the upstream has there; see `_call` for what it raises."""
        return self._call("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What the upstream makes of this body; see `_call` for what it raises."""
        return self._call("POST", path, body)

    def check(self) -> str | None:
        """Why the upstream is not ready, None if it is; leaves no trace and no count."""
        with suppress_instrumentation():
            try:
                answer = self._pool.request("GET", "/ready", retries=False, timeout=PROBE_TIMEOUT_S)
            except HTTPError as error:
                return f"{self.name} cannot be reached: {_reason(error)}"
        return None if answer.status == 200 else f"{self.name} is not ready: it answered {answer.status}"

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        """The answer's JSON. Raises ApiError: 504 if none came in time, 502 if it was a failure, else its own 4xx."""
        storm = next(self._leases.strikes(RetryStorm, self.name), None)
        left = storm.fault.attempts if storm else 1
        while True:
            left -= 1
            try:
                answer = self._attempt(method, path, body)
            except ApiError:
                if not left:
                    raise
            else:
                if not left or (storm and storm.fault.only_failed):
                    return self._passed_on(answer)

    def _attempt(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        try:
            answer = self._pool.request(method, path, json=body, retries=False, redirect=False)
        except HTTPError as error:
            # urllib3 holds a refused connection for a kind of timeout.
            if isinstance(error, UpstreamTimeoutError) and not isinstance(error, NewConnectionError):
                raise self._failed(504, "timeout", "did not answer in time") from None
            raise self._failed(502, "unreachable", f"cannot be reached: {_reason(error)}") from None
        if answer.status >= 500:
            raise self._failed(502, "error", f"answered {answer.status}")
        return answer

    def _passed_on(self, answer: Any) -> Any:
        try:
            content = answer.json()
        except ValueError:
            raise self._failed(502, "error", "answered something that is not JSON") from None
        if answer.status >= 400:
            error = content.get("error") if isinstance(content, dict) else None
            raise ApiError(answer.status, error, upstream=self.name)
        return content

    def _failed(self, status: int, reason: str, sentence: str) -> ApiError:
        self._metrics.upstream_failures.add(1, {"shop.upstream": self.name, "shop.reason": reason})
        return ApiError(status, f"{self.name} {sentence}", upstream=self.name)


def connect(name: str, url: str, *, timeout_s: float, connections: int, leases: Leases) -> HTTPConnectionPool:
    """A pool of connections to an upstream; each waits at most `timeout_s` to connect, and again for an answer."""
    pool = connection_from_url(
        url,
        maxsize=connections,
        timeout=Timeout(connect=timeout_s, read=timeout_s),
        headers={"Accept": "application/json"},
    )
    pool.ConnectionCls = functools.partial(_Connection, upstream=name, leases=leases)  # type: ignore[assignment]
    return pool


class _Connection(HTTPConnection):
    """A connection that faults can break: below the instrumentation, so that the client span shows it."""

    def __init__(self, *args: Any, upstream: str, leases: Leases, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._upstream = upstream
        self._leases = leases
        self._swallowed = False

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        """Send a request; but with its trace context lost, or into the void, while such a fault is on."""
        # Required by the conventions, and left out by the instrumentation.
        trace.get_current_span().set_attributes({"server.address": self.host, "server.port": self.port})
        headers = headers or {}
        # A probe, which is not instrumented, must neither suffer from a fault nor use up its share.
        traced = is_instrumentation_enabled()
        self._swallowed = traced and any(self._leases.strikes(DependencyTimeout, self._upstream))
        if self._swallowed:
            return
        if traced and any(self._leases.strikes(BrokenContext)):
            headers = {name: value for name, value in headers.items() if name.lower() not in CONTEXT_HEADERS}
        try:
            super().request(method, url, body, headers, **options)
        except Exception as error:
            _mark(error)
            raise

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        """Wait for the answer; of a swallowed request none comes."""
        try:
            if self._swallowed:
                time.sleep(self.timeout or 0.0)
                raise TimeoutError("timed out")
            return super().getresponse()
        except Exception as error:
            _mark(error)
            raise


def _mark(error: Exception) -> None:
    """Say on the client span what kind of error ended it, which the instrumentation leaves out."""
    trace.get_current_span().set_attribute("error.type", type(error).__qualname__)


def _reason(error: HTTPError) -> str:
    """The innermost cause, in place of urllib3's chain of representations."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    return str(cause) or type(cause).__name__
