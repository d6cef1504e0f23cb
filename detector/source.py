"""Where the values come from: Prometheus, asked for one moment or for a range of them."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from pydantic_core import from_json

from detector.kinds import Floats

MOST_POINTS = 10_000  # Prometheus refuses more than 11,000 points per series and query
MOST_VALUES = 2_000_000  # of one answer, so that history never needs much memory at once
RANGE_TIMEOUT_S = 60.0
Labels = tuple[tuple[str, str], ...]


class SourceError(RuntimeError):
    """Prometheus could not be asked, or gave no usable answer. `reason` is one word, for a metric."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Values of many series (columns) at many moments (rows), NaN where there is none."""

    at_s: Floats
    labels: tuple[Labels, ...]
    values: Floats


def identity(metric: Mapping[str, str]) -> Labels:
    """The labels of a series without the name of its metric, in order."""
    return tuple(sorted((name, value) for name, value in metric.items() if name != "__name__"))


class Prometheus:
    """Asks Prometheus' HTTP API; a failure is a SourceError that says what was asked and what came back."""

    def __init__(self, http: httpx.AsyncClient, *, seconds: Callable[[float], None] | None = None) -> None:
        self.http = http
        self.seconds = seconds or (lambda _: None)

    async def instant(self, query: str, at_s: float) -> dict[Labels, float]:
        """The value of each series at one moment."""
        data = await self._ask("/api/v1/query", query, {"time": f"{at_s:.3f}"})
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
        data = await self._ask("/api/v1/query_range", query, times)
        rows = data["result"]
        values = np.full((len(moments), len(rows)), np.nan)
        for column, row in enumerate(rows):
            points = row.get("values", [])
            at = np.fromiter((point[0] for point in points), dtype=np.float64, count=len(points))
            places = np.rint((at - moments[0]) / step_s).astype(np.int64)
            values[places, column] = np.fromiter((point[1] for point in points), dtype=np.float64, count=len(points))
        return Matrix(at_s=moments, labels=tuple(identity(row["metric"]) for row in rows), values=values)

    async def _ask(self, path: str, query: str, times: dict[str, str]) -> Any:
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
            body = from_json(answer.content)
            if body["status"] == "success":
                return body["data"]
            said = f"{body['errorType']}: {body['error']}"
        except (ValueError, KeyError, TypeError):
            said = f"status {answer.status_code}, not the JSON of a Prometheus"
        reason = "query" if answer.status_code in (400, 422) else "answer"
        raise SourceError(reason, f"Prometheus refused {query!r}: {said}")


def joined(pieces: list[Matrix]) -> Matrix:
    """Pieces of one range, one after the other; a series that is not in all pieces is NaN in the others."""
    if len(pieces) == 1:
        return pieces[0]
    labels = tuple(dict.fromkeys(label for piece in pieces for label in piece.labels))
    place = {label: at for at, label in enumerate(labels)}
    parts = []
    for piece in pieces:
        part = np.full((len(piece.at_s), len(labels)), np.nan)
        part[:, [place[label] for label in piece.labels]] = piece.values
        parts.append(part)
    empty = np.zeros((0, 0))
    at_s = np.concatenate([piece.at_s for piece in pieces]) if pieces else np.zeros(0)
    return Matrix(at_s=at_s, labels=labels, values=np.concatenate(parts) if parts else empty)


def rows(matrix: Matrix) -> Iterator[tuple[float, dict[Labels, float]]]:
    """Moment by moment, the series that had a value."""
    for at, moment in enumerate(matrix.at_s):
        there = np.flatnonzero(np.isfinite(matrix.values[at]))
        yield float(moment), {matrix.labels[column]: float(matrix.values[at, column]) for column in there}
