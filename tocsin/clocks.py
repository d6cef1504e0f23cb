"""Clocks: how far each backend's clock is ahead of ours, so that times of different origin can be set side by side."""

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import httpx

from assertions.backend import BackendError
from assertions.prometheus import Prometheus
from scenarios.history import Clock

DATE_RESOLUTION_S = 1.0
"""The header `Date` has whole seconds, cut off; so its time is half a second later on average."""

_TIMEOUT_S = 5.0


def measure(name: str, ask: Callable[[], float], *, resolution_s: float = 0.0) -> Clock:
    """
    Ask a backend for its time once. The answer is as uncertain as half the round trip, and as its own resolution.
    """
    before = time.time()
    theirs = ask() + resolution_s / 2
    after = time.time()
    return Clock(
        t=after, backend=name, offset_s=theirs - (before + after) / 2, round_trip_s=after - before + resolution_s
    )


def measure_all(
    prometheus: Prometheus, endpoints: Mapping[str, str], *, transport: httpx.BaseTransport | None = None
) -> list[Clock]:
    """
    The clocks of all backends: Prometheus' from a query, the others' from the header `Date`.

    Raises BackendError when one of them does not answer; one that sends no date is left out.
    """
    prometheus.clock()  # the connection is there for the second one, which is measured
    clocks = [measure("prometheus", prometheus.clock)]
    with httpx.Client(timeout=_TIMEOUT_S, transport=transport) as client:
        for name in ("alertmanager", "tempo", "sink"):
            if name in endpoints and (clock := _by_date(name, endpoints[name], client)):
                clocks.append(clock)
    return clocks


def _by_date(name: str, url: str, client: httpx.Client) -> Clock | None:
    try:
        if "date" not in client.get(url).headers:
            return None
        return measure(name, lambda: _date_of(client.get(url)), resolution_s=DATE_RESOLUTION_S)
    except httpx.HTTPError as error:
        raise BackendError(f"{name} did not answer at {url}: {error or type(error).__name__}") from error


def _date_of(response: httpx.Response) -> float:
    return parsedate_to_datetime(response.headers["date"]).timestamp()
