"""A Prometheus that is a function of time, and banks and configurations to try things on."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import numpy as np
import pytest

from detector.config import Config

START_S = 1_795_000_000.0 // 3600 * 3600
Series = Callable[[float], float | None]


class FakePrometheus:
    """Answers the two query routes from functions of time; can be told to fail."""

    def __init__(self) -> None:
        self.series: dict[str, list[tuple[dict[str, str], Series]]] = {}
        self.failure: Callable[[httpx.Request], httpx.Response] | None = None
        self.asked: list[dict[str, str]] = []

    def add(self, query: str, series: Series, **labels: str) -> None:
        """One more series in the answer to a query."""
        self.series.setdefault(query, []).append(({"__name__": "m", **labels}, series))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Handle one request."""
        form = {key: values[0] for key, values in parse_qs(request.content.decode()).items()}
        self.asked.append({"path": request.url.path, **form})
        if self.failure is not None:
            return self.failure(request)
        known = self.series.get(form["query"], [])
        if request.url.path.endswith("/query_range"):
            start, end, step = (float(form[key]) for key in ("start", "end", "step"))
            moments = np.arange(start, end + step / 2, step)
            rows = [{"metric": labels, "values": points(series, moments)} for labels, series in known]
            result = {"resultType": "matrix", "result": [row for row in rows if row["values"]]}
        else:
            at_s = float(form["time"])
            rows = [{"metric": labels, "value": point} for labels, series in known for point in points(series, [at_s])]
            result = {"resultType": "vector", "result": rows}
        return httpx.Response(200, json={"status": "success", "data": result})

    def connect(self, _peer: object = None) -> httpx.AsyncClient:
        """A client that talks to this Prometheus only."""
        return httpx.AsyncClient(base_url="http://prometheus", transport=httpx.MockTransport(self.answer))


def points(series: Series, moments: Any) -> list[list[Any]]:
    """Values as Prometheus writes them."""
    values = [(float(at_s), series(float(at_s))) for at_s in moments]
    return [[at_s, f"{value:g}"] for at_s, value in values if value is not None]


def wobble(base: float, spread: float = 0.02) -> Series:
    """A quiet series: a value with a little noise that depends on the time alone."""

    def at(at_s: float) -> float:
        noise = math.sin(at_s * 12.9898) * 43758.5453
        return base * (1.0 + spread * (2.0 * (noise - math.floor(noise)) - 1.0))

    return at


@pytest.fixture
def prometheus() -> FakePrometheus:
    """A Prometheus without series."""
    return FakePrometheus()


@pytest.fixture
def quiet() -> Callable[..., Series]:
    """Makes a quiet series."""
    return wobble


@pytest.fixture
def start_s() -> float:
    """A whole hour at which the tests' time begins."""
    return START_S


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Config]:
    """Makes a configuration with one latency watch at one-second steps, changed by keywords."""

    def make(**changes: Any) -> Config:
        values: dict[str, Any] = {
            "prometheus": {"url": "http://prometheus"},
            "interval": "1s",
            "lookback": "60s",
            "refit_every": "1h",
            "series": [{"name": "latency", "query": "latency", "kind": "latency", "season": "none"}],
            **changes,
        }
        return Config.model_validate(values)

    return make
