"""Where the values come from: Prometheus, asked for one moment or for a range of them."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np

from detector.kinds import Floats
from detector.matrix import Labels, Matrix, identity, joined, table, without_points

MOST_POINTS = 10_000  # Prometheus refuses more than 11,000 points per series and query
MOST_VALUES = 2_000_000  # of one answer, so that history never needs much memory at once
RANGE_TIMEOUT_S = 60.0


class SourceError(RuntimeError):
    """Prometheus could not be asked, or gave no usable answer. `reason` is one word, for a metric."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Prometheus:
    """Asks Prometheus' HTTP API; a failure is a SourceError that says what was asked and what came back."""

    def __init__(self, http: httpx.AsyncClient, *, seconds: Callable[[float], None] | None = None) -> None:
        self.http = http
        self.seconds = seconds or (lambda _: None)

    async def instant(self, query: str, at_s: float) -> dict[Labels, float]:
        """The value of each series at one moment."""
        data, _ = await self._ask("/api/v1/query", query, {"time": f"{at_s:.3f}"})
        if data["resultType"] == "scalar":
            return {(): float(data["result"][1])}
        if data["resultType"] != "vector":
            raise SourceError("type", f"{query!r} gives a {data['resultType']}; a series needs an instant vector")
        return {identity(row["metric"]): float(row["value"][1]) for row in data["result"] if "value" in row}

    async def range(self, query: str, moments: Floats, *, width: int = 0) -> Matrix:
        """
        The values at evenly spaced moments. Long ranges are asked for in pieces.

        `width` is how many series are expected; it keeps the size of each answer bounded.
        """
        pieces: list[Matrix] = []
        rest = moments
        while len(rest):
            seen = max([width, *(len(piece.labels) for piece in pieces)])
            count = int(np.clip(MOST_VALUES // max(seen, 200), 1, MOST_POINTS))
            pieces.append(await self._piece(query, rest[:count]))
            rest = rest[count:]
        return joined(pieces)

    async def _piece(self, query: str, moments: Floats) -> Matrix:
        step_s = float(moments[1] - moments[0]) if len(moments) > 1 else 1.0
        times = {"start": f"{moments[0]:.3f}", "end": f"{moments[-1]:.3f}", "step": f"{step_s:.3f}"}
        data, points = await self._ask("/api/v1/query_range", query, times)
        return table(data["result"], points, moments)

    async def _ask(self, path: str, query: str, times: dict[str, str]) -> tuple[Any, list[Floats]]:
        started = time.perf_counter()
        timeout = httpx.USE_CLIENT_DEFAULT if "time" in times else RANGE_TIMEOUT_S
        try:
            answer = await self.http.post(path, data={"query": query, **times}, timeout=timeout)
            self.seconds(time.perf_counter() - started)
        except httpx.TimeoutException as error:
            raise SourceError("timeout", f"Prometheus did not answer {query!r} in time") from error
        except (httpx.HTTPError, OSError) as error:
            raise SourceError("connect", f"Prometheus could not be asked for {query!r}: {error}") from error
        try:
            body, points = without_points(answer.content)
            if body["status"] == "success":
                return body["data"], points
            said = f"{body['errorType']}: {body['error']}"
        except (ValueError, KeyError, TypeError):
            said = f"status {answer.status_code}, not the JSON of a Prometheus"
        reason = "query" if answer.status_code in (400, 422) else "answer"
        raise SourceError(reason, f"Prometheus refused {query!r}: {said}")
