"""What the detector costs: a tick of the model, a whole tick with JSON, a fit, a cold start, memory."""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.detector_machine import about, with_one_thread
from detector.bank import Bank
from detector.config import Config
from detector.feed import Feed
from detector.fit import fit
from detector.kinds import Floats, Kind
from detector.snapshot import bank_arrays
from detector.source import Prometheus
from detector.synthetic import World, generate
from detector.telemetry import publish
from detector.watcher import Watcher

RESULTS = Path(__file__).parent / "results" / "detector_cost.json"
STEP_S = 15.0
START_S = 1_795_000_000.0 // 3600 * 3600


def values_of(kind: Kind, rows: int, series: int) -> Floats:
    """Some quiet values with missing ones."""
    rng = np.random.default_rng(1)
    base = {Kind.TRAFFIC: 50.0, Kind.LATENCY: 0.1, Kind.ERRORS: 0.2}[kind]
    values = base * np.exp(rng.normal(0.0, 0.08, (rows, series)))
    values[rng.random(values.shape) < 0.002] = np.nan
    return np.asarray(values)


def model_tick(kind: Kind, series: int, *, seasonal: bool) -> float:
    """Nanoseconds of processor time per series and tick: the best of many runs of forty ticks."""
    bank = Bank(kind=kind, step_s=STEP_S, size=series)
    values = values_of(kind, 64, series)
    requests = np.full(series, 20.0) if kind is Kind.ERRORS else None
    if seasonal:
        ring = bank.history.rings[1].season
        bank.seasons.period_s[:], bank.seasons.buckets[:] = ring.period_s, ring.buckets
        bank.seasons.refresh()
    at, best = 0, float("inf")
    for _ in range(30):
        started = time.process_time()
        for _ in range(40):
            bank.step(at * STEP_S, values[at % 64], requests)
            at += 1
        best = min(best, (time.process_time() - started) / 40)
    return best / series * 1e9


def fits(count: int) -> dict[str, float]:
    """Milliseconds per fit of a day's history, with an hourly season and without."""
    found: dict[str, float] = {}
    for name, every_s in (("level", 0.0), ("seasonal", 3600.0)):
        recorded = generate(World(kind=Kind.LATENCY, series=count, days=1.0, batch_every_s=every_s))
        bank = Bank(kind=Kind.LATENCY, step_s=STEP_S, size=count)
        for row, at_s in enumerate(recorded.at_s):
            bank.step(float(at_s), recorded.values[row])
        jobs = [bank.job(slot) for slot in range(count)]
        fit(jobs[0])
        took = []
        for job in jobs:
            started = time.process_time()
            fit(job)
            took.append((time.process_time() - started) * 1e3)
        found |= {f"{name}_p50_ms": statistics.median(took), f"{name}_p95_ms": float(np.percentile(took, 95))}
    return found


class Canned:
    """A Prometheus whose answers were written before the measurement, so that only the detector's own work counts."""

    def __init__(self, series: int) -> None:
        self.series = series
        self.bodies: dict[str, bytes] = {}

    def labels(self, at: int) -> dict[str, str]:
        """Labels as SLIs have them."""
        return {"service_namespace": f"shop-{at % 20}", "service_name": f"service-{at}"}

    def body(self, result_type: str, rows: list[dict[str, Any]]) -> bytes:
        """An answer as it comes over the wire."""
        return json.dumps(
            {"status": "success", "data": {"resultType": result_type, "result": rows}}, separators=(",", ":")
        ).encode()

    def instant(self, at_s: float, values: Floats) -> bytes:
        """The answer to a query for one moment."""
        return self.body("vector", [
            {"metric": self.labels(at), "value": [at_s, f"{value:.17g}"]} for at, value in enumerate(np.nan_to_num(values, nan=0.1))
        ])  # fmt: skip

    def range(self, start_s: float, count: int) -> bytes:
        """The answer to a query for a range."""
        values = values_of(Kind.LATENCY, count, self.series)
        at_s = [start_s + STEP_S * row for row in range(count)]
        return self.body("matrix", [
            {"metric": self.labels(at), "values": [
                [moment, f"{value:.17g}"] for moment, value in zip(at_s, values[:, at], strict=True) if value == value
            ]}
            for at in range(self.series)
        ])  # fmt: skip

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Give the next canned answer to a request."""
        key = request.content.decode()
        return httpx.Response(200, content=self.bodies[key] if key in self.bodies else self.bodies["instant"])


def configured(lookback: str) -> Config:
    """One latency watch."""
    return Config.model_validate({
        "prometheus": {"url": "http://canned"}, "interval": "15s", "lookback": lookback, "max_series": 20_000,
        "series": [{"name": "latency", "query": "q", "kind": "latency", "season": "none"}],
    })  # fmt: skip


def feed_of(canned: Canned, lookback: str = "1h") -> Feed:
    """A feed on canned answers."""
    config = configured(lookback)
    watcher = Watcher(config.series[0], step_s=STEP_S, max_series=20_000, forget_after_s=3600.0)
    http = httpx.AsyncClient(base_url="http://canned", transport=httpx.MockTransport(canned.answer))
    return Feed(config, watcher, Prometheus(http), on_error=print)


def whole_tick(series: int) -> dict[str, float]:
    """Processor time of a whole tick from JSON to published numbers, and the model's share of it."""
    canned, values = Canned(series), values_of(Kind.LATENCY, 64, series)
    feed = feed_of(canned)
    feed.watcher.bank.step(START_S, np.full(feed.watcher.bank.size, np.nan))
    took: list[float] = []

    async def go() -> None:
        for at in range(1, 60):
            canned.bodies["instant"] = canned.instant(START_S + at * STEP_S, values[at % 64])
            started = time.process_time()
            await feed.advance(START_S + at * STEP_S, 0.0)
            feed.watcher.firing()
            publish(feed.watcher)
            took.append(time.process_time() - started)

    asyncio.run(go())
    tick_s = statistics.median(took[30:])
    model_s = model_tick(Kind.LATENCY, series, seasonal=False) * series / 1e9
    return {"tick_ms": tick_s * 1e3, "share_of_a_core": tick_s / STEP_S, "model_share_of_a_core": model_s / STEP_S}


def cold_start(series: int, days: float) -> dict[str, float]:
    """Wall and processor time from JSON of days of history to a bank that is ready; answers of 1,000 moments each."""
    canned, count = Canned(series), round(days * 86_400 / STEP_S)
    chunk = max(1, min(10_000, 2_000_000 // max(series, 200)))
    wall = cpu = 0.0
    feed = feed_of(canned, f"{days:g}d")

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal wall, cpu
        form = dict(part.split("=") for part in request.content.decode().split("&"))
        start, end = float(form["start"]), float(form["end"])
        paused = time.perf_counter(), time.process_time()
        body = canned.range(start, round((end - start) / STEP_S) + 1)
        wall, cpu = wall - (time.perf_counter() - paused[0]), cpu - (time.process_time() - paused[1])
        return httpx.Response(200, content=body)

    canned.answer = answer  # type: ignore[method-assign]
    feed = feed_of(canned, f"{days:g}d")
    started = time.perf_counter(), time.process_time()
    asyncio.run(feed.catch_up(START_S))
    wall, cpu = wall + time.perf_counter() - started[0], cpu + time.process_time() - started[1]
    assert feed.watcher.bank.state.seen[0] > 0.9 * count
    return {"wall_s": wall, "cpu_s": cpu, "samples": series * count, "moments_per_answer": chunk}


def memory(series: int) -> float:
    """Megabytes of the arrays of a bank with all three season candidates."""
    bank = Bank(kind=Kind.LATENCY, step_s=STEP_S, size=series)
    return sum(array.nbytes for array in bank_arrays(bank).values()) / 2**20


def measure(series: int, days: float) -> dict[str, Any]:
    """Everything."""
    kinds: dict[str, Callable[[], float]] = {
        f"{kind} x {count}{' seasonal' if seasonal else ''}": lambda k=kind, c=count, s=seasonal: model_tick(
            k, c, seasonal=s
        )  # type: ignore[misc]
        for kind in (Kind.TRAFFIC, Kind.LATENCY, Kind.ERRORS)
        for count, seasonal in ((1000, False), (10_000, False), (10_000, True))
    }
    return {
        "model_ns_per_series_and_tick": {name: round(run(), 1) for name, run in kinds.items()},
        "whole_tick_10000_series": {name: round(value, 6) for name, value in whole_tick(10_000).items()},
        "fit": {name: round(value, 2) for name, value in fits(40).items()},
        "cold_start": {name: round(value, 2) for name, value in cold_start(series, days).items()},
        "bank_of_1000_mb": round(memory(1000), 1),
    }


def main() -> None:
    """Run, print, and write the figures with the machine's cores and the date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1000, help="series of the cold start")
    parser.add_argument("--days", type=float, default=2.0, help="days of the cold start")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    found = measure(chosen.series, chosen.days)
    table = Table("what", "figure", "value")
    for what, figures in found.items():
        for name, value in figures.items() if isinstance(figures, dict) else [("", figures)]:
            table.add_row(what, name, f"{value}")
    Console(width=120).print(table)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    note = about(load=round(os.getloadavg()[0], 1))
    chosen.out.write_text(json.dumps({"about": note, **found}, indent=1) + "\n")


if __name__ == "__main__":
    with_one_thread("benchmarks.detector_cost")
    main()
