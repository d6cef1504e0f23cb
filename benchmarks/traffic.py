"""What the harness itself costs: requests per second of the drill's users against those of a bare FastHttpUser.

    python benchmarks/traffic.py [--pairs 7] [--seconds 5] [--output benchmarks/results/traffic.json]

Both go as fast as they can on the same target, in alternating runs, and are counted by the target. On a busy machine
compare the CPU time of a request; the rate depends on who else is running. A ratio above 1 is no mistake: the drill's
users use FastHttpUser's connection without the cookies, redirects and retries around it, which nobody would count.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil

from scenarios.model import Load
from scenarios.traffic import TrafficProcess

USERS = 8
BARE = """
from locust import FastHttpUser, task

class Bare(FastHttpUser):
    @task
    def get(self):
        self.client.get("/api/products")
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of one kind of user."""

    per_s: float
    cpu_us: float
    """CPU time of one request, in microseconds, of the client's process."""


class Target(asyncio.Protocol):
    """Answers every request with the same bytes, `/count` with their number; much faster than any Python client."""

    requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """A client sends a request only when it has the answer to its last."""
        if data.startswith(b"GET /count"):
            count = str(Target.requests).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(count), count))
        else:
            Target.requests += 1
            self.transport.write(ANSWER)


async def serve() -> None:
    """Be the target, until killed."""
    server = await asyncio.get_running_loop().create_server(Target, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def target() -> Iterator[str]:
    """A target in a process of its own."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def watch(url: str, pid: int, seconds: float) -> Sample:
    """Count for so long what a client sends, after a second of warming up."""
    client = psutil.Process(pid)
    before = count(url)
    while count(url) - before < USERS * 10:
        time.sleep(0.05)
    time.sleep(1)
    first, began, cpu = count(url), time.perf_counter(), sum(client.cpu_times()[:2])
    time.sleep(seconds)
    requests, took_s = count(url) - first, time.perf_counter() - began
    return Sample(per_s=requests / took_s, cpu_us=(sum(client.cpu_times()[:2]) - cpu) / requests * 1e6)


def count(url: str) -> int:
    """All requests that the target has answered."""
    return int(httpx.get(f"{url}/count", trust_env=False).text)


def ours(url: str, seconds: float) -> Sample:
    """The drill's users, with their usual mix of routes, traces and ground truth."""
    load = Load.model_validate({"users": USERS, "rate": None, "warm_up": "0s", "for": f"{seconds + 60:g}s"})
    with (
        tempfile.TemporaryDirectory() as folder,
        TrafficProcess.start(load, host=url, directory=Path(folder)) as traffic,
    ):
        return watch(url, traffic.pid, seconds)


def bare(url: str, seconds: float) -> Sample:
    """Users of Locust's own, with nothing of ours."""
    with tempfile.TemporaryDirectory() as folder:
        locustfile = Path(folder, "bare.py")
        locustfile.write_text(BARE)
        command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--only-summary", "--host", url]
        command += ["--users", str(USERS), "--spawn-rate", str(USERS)]
        with Path(folder, "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                return watch(url, process.pid, seconds)
            finally:
                process.terminate()


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def measure(pairs: int, seconds: float) -> dict[str, object]:
    """Alternating runs, and their ratios; each pair begins with the other kind than the one before it."""
    kinds: list[tuple[str, Callable[[str, float], Sample]]] = [("ours", ours), ("bare", bare)]
    samples: dict[str, list[Sample]] = {"ours": [], "bare": []}
    with target() as url:
        for pair in range(pairs):
            for name, run in kinds if pair % 2 else reversed(kinds):
                samples[name].append(run(url, seconds))
                print(f"{name}: {samples[name][-1].per_s:.0f}/s, {samples[name][-1].cpu_us:.0f} us", file=sys.stderr)
    both = list(zip(samples["ours"], samples["bare"], strict=True))
    return {
        "what": "requests per second of the drill's users over those of a bare FastHttpUser; goal >= 0.90",
        "rate_ratio": spread([mine.per_s / theirs.per_s for mine, theirs in both]),
        "cpu_ratio": spread([theirs.cpu_us / mine.cpu_us for mine, theirs in both]),
        "pairs": [{"ours": asdict(mine), "bare": asdict(theirs)} for mine, theirs in both],
        "seconds": seconds,
        "users": USERS,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "locust": version("locust"),
    }


def main() -> None:
    """Measure, print, and write down when asked to."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=7)
    arguments.add_argument("--seconds", type=float, default=5.0)
    arguments.add_argument("--output", type=Path)
    arguments.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.serve:
        asyncio.run(serve())
        return
    result = json.dumps(measure(given.pairs, given.seconds), indent=2) + "\n"
    print(result)
    if given.output:
        given.output.write_text(result)


if __name__ == "__main__":
    main()
